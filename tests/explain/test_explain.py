"""Tests of the methods on networks that see one corner and against their formulas, and of maps as pictures."""

import functools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from aquadash import models
from aquadash.config import ModelConfig
from aquadash.errors import ExplainError
from aquadash.explain import pictures
from aquadash.explain.explainer import Explainer
from aquadash.explain.methods import METHODS, occlusion_map
from aquadash.explain.nearest import nearest
from aquadash.explain.results import Explanation, describe_map
from aquadash.models.transfer import with_flip
from aquadash.presets import PRESETS
from tests.support.explained_models import CLASSES, CORNER, FIVE, GREEN, RED, SIZE, corner, corner_network, picture


def share_in_corner(values: NDArray[np.float32], row: int, column: int) -> float:
    """Return the fraction of a map's positive part in one corner, a pixel around it included."""
    positive = np.maximum(values, 0)
    return float(positive[corner(row, CORNER + 1), corner(column, CORNER + 1)].sum() / positive.sum())


def random_image(size: int = 32) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (size, size, 3), dtype=np.uint8)


def settings_of(name: str, **settings: Any) -> ModelConfig:
    """Return the settings of a preset's network with some changes."""
    return ModelConfig(**{**PRESETS[name].config.model.model_dump(), **settings})


def build(name: str, precision: str = "float32", **settings: Any) -> Any:
    """Build a network with random weights, as a run would."""
    keras.utils.set_random_seed(0)
    config = settings_of(name, **settings)
    model = models.build(config, image_shape=(32, 32, 3), num_classes=5, precision=precision)
    return with_flip(model) if config.test_time_flip else model


def explained(
    explainer: Explainer, image: NDArray[np.uint8], *, class_index: int | None = None, **options: Any
) -> Explanation:
    """Explain one image for its likeliest class or another."""
    return explainer.explain_many(image[None], None if class_index is None else [class_index], **options)[0]


@functools.cache
def explainer_of(row: int, column: int) -> Explainer:
    return Explainer(corner_network(row, column), class_names=CLASSES)


@pytest.mark.parametrize("method", METHODS)
# No rotation or reflection of a square keeps both of these corners in place.
@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, -1)], ids=["upper left", "upper right"])
def test_every_method_points_at_the_corner_that_matters(method: str, row: int, column: int) -> None:
    explainer = explainer_of(row, column)
    # Red in another corner does not count, except for Grad-CAM.
    image = picture(row, column, decoy=GREEN if method == "grad-cam" else RED)
    result = explained(explainer, image, method=method, class_index=0)

    assert (result.map.shape, result.map.dtype) == ((SIZE, SIZE), np.float32)
    assert (result.class_name, result.signed) == ("cornered", METHODS[method].signed) and result.image is not None
    assert result.probability == pytest.approx(float(explainer.predict_images(image[None])[0, 0]))
    if result.signed:
        assert -1 <= result.map.min() and result.map.max() <= 1
    else:
        assert result.map.min() == 0 and result.map.max() == pytest.approx(1)
    # An occluding square that covers a part of the corner covers pixels beside it, too.
    assert share_in_corner(result.map, row, column) > (0.6 if method == "occlusion" else 0.9)
    assert share_in_corner(result.map, -1 - row, -1 - column) < 0.02


@pytest.mark.parametrize("method", METHODS)
def test_a_flip_at_test_time_is_flipped_back(method: str) -> None:
    """The network sees a red upper right corner in the mirror image only."""
    explainer = Explainer(with_flip(corner_network(0, 0)), class_names=CLASSES)
    result = explained(explainer, picture(0, -1), method=method, class_index=0)
    assert share_in_corner(result.map, 0, -1) > (0.6 if method == "occlusion" else 0.9)


def test_occlusion_is_what_the_probability_loses() -> None:
    cornered, image = explainer_of(0, 0), picture(0, 0)
    covered = image.copy()
    covered[:CORNER, :CORNER] = 127
    before, after = cornered.predict_images(np.stack([image, covered]))[:, 0]

    ((values, facts),) = occlusion_map(cornered, image[None], np.zeros(1, np.int32), lambda share: None)

    assert facts["patch"] == CORNER and facts["stride"] == CORNER / 2
    # Each pixel of the corner is covered by the whole square, and by three that cover other parts of the corner, too.
    assert 0 < values[0, 0] < before - after
    assert facts["most_lost"] == pytest.approx(before - after, abs=1e-6)
    np.testing.assert_allclose(values[2 * CORNER :, 2 * CORNER :], 0, atol=1e-6)


def test_integrated_gradients_add_up_to_the_change_of_the_probability() -> None:
    model = build("notebook")
    # A new network hardly prefers any class, so its last layer is made ten times as strong.
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([10 * kernel, bias])
    explainer = Explainer(model, class_names=FIVE)
    images = np.stack([random_image(), picture(0, 0), picture(-1, 0)])
    changes = []
    for result in explainer.explain_many(images, [0, 1, 2], method="integrated-gradients"):
        assert result.facts["sum"] == pytest.approx(result.facts["change"], abs=0.005)
        assert result.facts["sum"] == pytest.approx(float(result.map.sum()), abs=1e-4)
        changes.append(result.facts["change"])
    assert max(map(abs, changes)) > 0.1


def test_grad_cam_is_the_formula_of_its_paper() -> None:
    """Compute the map from two models, one that ends at the last map and one that begins there."""
    model = build("notebook")
    image = random_image()
    features = keras.Model(model.inputs[0], model.layers[3].output)(image[None].astype(np.float32) / 255.0)
    with tf.GradientTape() as tape:
        tape.watch(features)
        x = features
        for layer in model.layers[4:-1]:
            x = layer(x, training=False)
        score = (x @ model.layers[-1].kernel + model.layers[-1].bias)[0, 3]
    gradient, maps = np.asarray(tape.gradient(score, features))[0], np.asarray(features)[0]
    expected = np.maximum(0, (gradient.mean(axis=(0, 1)) * maps).sum(axis=2))
    expected = np.asarray(tf.image.resize(expected[..., None], (32, 32)))[..., 0]

    explainer = Explainer(model, class_names=FIVE)
    result = explained(explainer, image, class_index=3)

    assert explainer.inside.maps is model.layers[3]
    assert expected.max() > 0 and result.facts["greatest"] == pytest.approx(float(expected.max()), rel=1e-4)
    np.testing.assert_allclose(result.map, expected / expected.max(), atol=1e-4)


SMALL_INPUT: dict[str, Any] = {"input_size": 32, "test_time_flip": False}


@pytest.mark.slow
@pytest.mark.usefixtures("narrow_bodies")
@pytest.mark.parametrize(
    ("preset", "precision", "settings", "map_size"),
    [
        ("notebook", "float32", {}, (8, 8)),
        ("baseline", "mixed_bfloat16", {"filters": (8, 16), "convolutions": 2, "test_time_flip": True}, (8, 8)),
        ("backbone", "float32", {"test_time_flip": True}, (4, 4)),
        pytest.param("mobilenetv2", "float32", SMALL_INPUT, (2, 2), marks=pytest.mark.soak),
        pytest.param("vgg16", "float32", SMALL_INPUT, (2, 2), marks=pytest.mark.soak),
    ],
    ids=str,
)
def test_every_method_runs_on_a_saved_network(
    preset: str, precision: str, settings: dict[str, Any], map_size: tuple[int, int], tmp_path: Path
) -> None:
    build(preset, precision, **settings).save(tmp_path / "model.keras")

    network = models.load_model(tmp_path / "model.keras", settings_of(preset, **settings), num_classes=5)
    explainer = Explainer(network, class_names=FIVE)

    assert explainer.inside.map_shape[:2] == map_size
    image = random_image()
    before = explainer.predict_images(image[None])
    for method, entry in METHODS.items():
        result = explained(explainer, image, class_index=4, method=method)
        assert result.map.shape == (32, 32) and result.map.dtype == np.float32 and np.isfinite(result.map).all()
        assert entry.signed or (result.map.min() >= 0 and result.map.max() <= 1)
    filters = explainer.filters(most=8)
    assert filters.patterns.dtype == np.uint8 and filters.patterns.shape[0] == 8 and filters.patterns.shape[3] == 3
    layers = explainer.activations(image)
    assert 2 <= len(layers) <= 8 and all(len(layer.maps) == len(layer.channels) <= 12 for layer in layers)
    assert all(0 <= layer.maps.min() and layer.maps.max() <= 1 for layer in layers)
    # The network is unchanged.
    after = np.asarray(network(models.normalise(image[None]), training=False))
    np.testing.assert_allclose(after, before, atol=1e-6 if precision == "float32" else 1e-3)
    assert not any("call" in vars(layer) for layer in network.layers)


def test_threads_and_batches_give_the_same_maps() -> None:
    explainer = Explainer(build("notebook"), class_names=FIVE)
    images = np.stack([np.roll(random_image(), shift, axis=1) for shift in range(5)])

    def explain(number: int) -> NDArray[np.float32]:
        return explained(explainer, images[number], class_index=number).map

    one_by_one = [explain(number) for number in range(5)]
    with ThreadPoolExecutor(5) as threads:
        np.testing.assert_allclose(list(threads.map(explain, range(5))), one_by_one, atol=1e-5)
    explainer.batch_size = 2
    shares: list[float] = []
    together = explainer.explain_many(images, range(5), progress=shares.append)
    np.testing.assert_allclose([result.map for result in together], one_by_one, atol=1e-5)
    assert shares == sorted(shares) and shares[-1] == 1.0 and len(shares) == 4
    assert explainer.explain_many(images[:0]) == ()


def test_the_likeliest_class_is_explained_unless_another_is_asked_for() -> None:
    cornered = explainer_of(0, 0)
    assert explained(cornered, picture(0, 0)).class_name == "cornered"
    assert explained(cornered, picture(-1, -1)).class_name != "cornered"
    empty = explained(cornered, picture(0, 0), class_index=1)
    assert not empty.map.any() and empty.where == "nothing is marked", "nothing speaks for this class"


@pytest.mark.parametrize(("convolutions", "message"), [(0, "has no convolution"), (1, "leave a single pixel")])
def test_a_network_without_a_map_is_refused(convolutions: int, message: str) -> None:
    body = [layers.Conv2D(4, 8) for _ in range(convolutions)]
    end = [layers.Flatten(), layers.Dense(3, activation="softmax")]
    explainer = Explainer(keras.Sequential([keras.Input((8, 8, 3)), *body, *end]), class_names=CLASSES)
    image = np.zeros((8, 8, 3), np.uint8)
    assert explainer.predict_images(image[None]).shape == (1, 3)
    for method in METHODS:
        with pytest.raises(ExplainError, match=message):
            explained(explainer, image, method=method)
    for look in (explainer.filters, lambda: explainer.activations(image)):
        with pytest.raises(ExplainError, match=message):
            look()


def test_a_diverged_network_is_refused() -> None:
    model = corner_network(0, 0)
    weights = model.layers[-1].get_weights()
    model.layers[-1].set_weights([weights[0] * np.nan, weights[1]])
    with pytest.raises(ExplainError, match="diverged"):
        explained(Explainer(model, class_names=CLASSES), picture(0, 0))


def test_activations_show_what_a_layer_found() -> None:
    _, layer = explainer_of(0, 0).activations(picture(0, 0))
    assert (layer.kind, layer.shape) == ("Activation", (SIZE, SIZE, 3))
    red, green = (layer.maps[layer.channels.index(channel)] for channel in (0, 1))
    assert red[:CORNER, :CORNER].mean() > 0.8 > 0.2 > red[CORNER + 1 :, CORNER + 1 :].mean()
    assert green[-CORNER:, -CORNER:].mean() > 0.8
    assert layer.silent == pytest.approx(1 / 3), "nothing is blue"


def explanation(values: np.ndarray, *, signed: bool = False) -> Explanation:
    return Explanation(
        method="occlusion" if signed else "grad-cam",
        class_index=2,
        class_name="otter",
        probability=0.62,
        image=np.full((*values.shape, 3), 128, np.uint8),
        map=values.astype(np.float32),
    )


def test_zero_of_a_signed_map_stays_in_the_middle_and_a_single_pixel_does_not_hide_the_others() -> None:
    values = np.zeros((10, 10))
    values[0, :2], values[5, 5] = 0.4, -0.1
    positions, end = pictures.shown(explanation(values, signed=True))
    assert end == pytest.approx(0.4)
    assert positions[0, 0] == pytest.approx(1) and positions[5, 5] == pytest.approx(0.375) and positions[9, 9] == 0.5
    for others, greatest, expected in ((0.01, 5.0, 0.01), (0.0, 0.3, 0.3)):
        values = np.full((20, 20), others)
        values[0, 0] = greatest
        assert pictures.shown(explanation(values, signed=True))[1] == pytest.approx(expected)


def test_the_overlay_colours_what_counts_and_leaves_the_rest_of_a_signed_one_grey() -> None:
    values = np.zeros((8, 8))
    values[:4] = 0.5
    signed = pictures.overlay(explanation(values, signed=True)).astype(int)
    assert signed.shape == (8, 8, 3)
    assert np.ptp(signed[6, 6]) == 0 and signed[0, 0, 0] - signed[0, 0, 2] > 60
    brightness = pictures.overlay(explanation(2 * values)) @ (0.299, 0.587, 0.114)
    assert brightness[0, 0] > 2 * brightness[6, 6]


def test_an_empty_map_is_drawn_and_said_to_be_empty() -> None:
    for signed in (False, True):
        empty = explanation(np.zeros((9, 9)), signed=signed)
        assert pictures.overlay(empty).shape == pictures.colour_picture(empty).shape == (9, 9, 3)
        assert pictures.alt_text(empty).endswith("for otter, which the network gives 62 %: nothing is marked")


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ((slice(0, 4), slice(8, 12)), "brightest at the upper right"),
        ((slice(4, 8), slice(4, 8)), "brightest in the middle"),
        ((slice(None), slice(None)), "about equally bright everywhere"),
    ],
)
def test_places_in_words(place: tuple[slice, slice], expected: str) -> None:
    values = np.zeros((12, 12), np.float32)
    values[place] = 0.5
    assert describe_map(values) == expected


def test_the_nearest_rows_point_the_same_way_whatever_their_length() -> None:
    rows = [[1, 0], [0, 3], [9, 1], [0, 0], [-1, 0], [2, 0], [float("nan"), 1]]
    positions, similarity = nearest(rows, [5, 0], most=4, without=[0])
    assert positions.tolist() == [5, 2, 1, 3]
    np.testing.assert_allclose(similarity, [1, 9 / np.sqrt(82), 0, 0])
    assert [len(part) for part in nearest(np.zeros((0, 2)), [1, 0], most=3)] == [0, 0]

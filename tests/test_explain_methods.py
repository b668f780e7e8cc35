"""What the methods compute: of networks whose answers are known to depend on one corner, and by their formulas."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
import pytest

from aquadash.explain.explainer import Explainer
from aquadash.explain.methods import METHODS, occlusion_map
from tests.explained_models import (
    CLASSES,
    CORNER,
    FIVE,
    GREEN,
    RED,
    SIZE,
    build,
    built,
    corner_network,
    explained,
    picture,
    random_image,
    share_in_corner,
)


@functools.cache
def explainer_of(row: int, column: int) -> Explainer:
    return Explainer(corner_network(row, column), class_names=CLASSES)


@pytest.fixture(scope="module")
def cornered() -> Iterator[Explainer]:
    yield explainer_of(0, 0)
    explainer_of.cache_clear()


@pytest.mark.parametrize("method", METHODS)
# No way to turn or mirror a square leaves both of these where they are.
@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, -1)], ids=["upper left", "upper right"])
def test_every_method_points_at_the_corner_that_matters(method: str, row: int, column: int) -> None:
    explainer = explainer_of(row, column)
    # What is red elsewhere does not count, but for Grad-CAM, see below.
    image = picture(row, column, decoy=GREEN if method == "grad-cam" else RED)
    found = explained(explainer, image, method=method, class_index=0)

    assert (found.map.shape, found.map.dtype) == ((SIZE, SIZE), np.float32)
    assert (found.class_name, found.signed) == ("cornered", METHODS[method].signed) and found.image is not None
    assert found.probability == pytest.approx(float(explainer.predict_images(image[None])[0, 0]))
    if found.signed:
        assert -1 <= found.map.min() and found.map.max() <= 1
    else:
        assert found.map.min() == 0 and found.map.max() == pytest.approx(1)
    # An occluding square that covers a part of the corner lies partly beside it.
    assert share_in_corner(found.map, row, column) > (0.6 if method == "occlusion" else 0.9)
    assert share_in_corner(found.map, -1 - row, -1 - column) < 0.02


def test_grad_cam_weighs_whole_maps_as_its_paper_has_it(cornered: Explainer) -> None:
    """Which is why the menu offers the other one for networks that flatten."""
    found = explained(cornered, picture(0, 0, decoy=RED), method="grad-cam", class_index=0)
    assert share_in_corner(found.map, 0, 0) == pytest.approx(share_in_corner(found.map, -1, -1), abs=0.05)


@pytest.mark.parametrize("method", METHODS)
def test_a_flip_at_test_time_is_flipped_back(method: str) -> None:
    """The network sees a red upper right corner in the mirror image only."""
    from aquadash.models.transfer import with_flip

    explainer = Explainer(with_flip(corner_network(0, 0)), class_names=CLASSES)
    found = explained(explainer, picture(0, -1), method=method, class_index=0)
    assert share_in_corner(found.map, 0, -1) > (0.6 if method == "occlusion" else 0.9)


def test_occlusion_is_what_the_probability_loses(cornered: Explainer) -> None:
    image = picture(0, 0)
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
    explainer = built("notebook")
    # The fresh network hardly prefers any class; a last layer ten times as strong makes up its mind.
    kernel, bias = explainer._whole.layers[-1].get_weights()
    explainer._whole.layers[-1].set_weights([10 * kernel, bias])
    images = np.stack([random_image(), picture(0, 0), picture(-1, 0)])
    changes = []
    for found in explainer.explain_many(images, [0, 1, 2], method="integrated-gradients"):
        assert found.facts["sum"] == pytest.approx(found.facts["change"], abs=0.005)
        assert found.facts["sum"] == pytest.approx(float(found.map.sum()), abs=1e-4)
        changes.append(found.facts["change"])
    assert max(map(abs, changes)) > 0.1


def test_grad_cam_is_the_formula_of_its_paper() -> None:
    """Worked out once more from two models, one that ends at the last map and one that begins there."""
    import keras
    import tensorflow as tf

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
    found = explained(explainer, image, class_index=3)

    assert explainer.inside.maps is model.layers[3]
    assert expected.max() > 0 and found.facts["greatest"] == pytest.approx(float(expected.max()), rel=1e-4)
    np.testing.assert_allclose(found.map, expected / expected.max(), atol=1e-4)

"""From settings and a seed to training images: versions, originals, mixtures, saved pipelines that a run carries."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from aquadash.augment import Branch, PipelineSpec, draw, embedded, op, plan, save
from aquadash.augment import saved_pipelines as saved
from aquadash.config import RunConfig, config_diff, from_yaml, to_yaml, with_values
from aquadash.errors import ConfigError, UnknownNameError
from tests.augmented import augmented

_IMAGES = np.random.default_rng(3).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
_FLIP = PipelineSpec("", "", "", (Branch("Turned", (op("Fliplr", p=1.0),)),))
_SHUFFLE = PipelineSpec("", "", "", (Branch("Swapped", (op("ChannelShuffle", p=1.0),)),))


def settings(**changes: object) -> RunConfig:
    return with_values(RunConfig(), {f"augmentation.{name}": value for name, value in changes.items()})


def drawn(config: RunConfig, seed: int = 5) -> np.ndarray:
    return draw(_IMAGES, plan(config.augmentation), seed=seed)


@pytest.mark.parametrize(
    ("changes", "factor"),
    [
        ({"pipeline": "notebook", "copies": 3}, 1 + 4 * 3),
        ({"pipeline": "notebook-1", "copies": 3, "keep_originals": True}, 4),
        ({"pipeline": "notebook-1:3, notebook-2"}, 1),
        ({"pipeline": "notebook, notebook-2", "copies": 4, "keep_originals": True}, 5),
    ],
)
def test_how_many_images_come_out_and_progress_reaches_the_end(changes: dict[str, object], factor: int) -> None:
    shares: list[float] = []
    found = plan(settings(**changes).augmentation)
    assert found.factor == factor
    images = draw(_IMAGES, found, seed=5, progress=lambda _, share: shares.append(share or 0.0))
    assert len(images) == factor * len(_IMAGES) == len(found.labels(np.zeros(len(_IMAGES), np.int64)))
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1.0)


def test_more_versions_leave_the_first_as_it_was_and_differ() -> None:
    one, three = drawn(settings(pipeline="notebook-2")), drawn(settings(pipeline="notebook-2", copies=3))
    np.testing.assert_array_equal(three[:40], one)
    assert len({three[start : start + 40].tobytes() for start in (0, 40, 80)}) == 3


def test_originals_come_first() -> None:
    kept = drawn(settings(pipeline="notebook-2", keep_originals=True))
    np.testing.assert_array_equal(kept[:40], _IMAGES)
    np.testing.assert_array_equal(kept[40:], drawn(settings(pipeline="notebook-2")))
    for pipeline in ("notebook-1, notebook-2", "notebook", "none"):
        found = drawn(settings(pipeline=pipeline, keep_originals=True))
        np.testing.assert_array_equal(found[:40], _IMAGES)
        assert not np.shares_memory(found, _IMAGES)
    labels = np.arange(40, dtype=np.int64) % 5
    np.testing.assert_array_equal(plan(settings().augmentation).labels(labels), np.tile(labels, 5))


def test_each_seed_gives_bytes_of_its_own_and_the_same_again_while_threads_do_not_disturb_each_other() -> None:
    config = settings(pipeline="notebook")
    expected = [drawn(config, seed) for seed in range(4)]
    for branch in range(2, 5):
        assert len({made[40 * branch : 40 * branch + 40].tobytes() for made in expected}) == 4
    with ThreadPoolExecutor(4) as pool:
        for result, wanted in zip(pool.map(lambda seed: drawn(config, seed), range(4)), expected, strict=True):
            np.testing.assert_array_equal(result, wanted)


def test_batches_differ_from_each_other_and_progress_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aquadash.augment.apply.IMAGES_A_BATCH", 10)
    told: list[tuple[str, float | None]] = []
    same, recoloured = np.repeat(_IMAGES[:1], 20, axis=0), plan(settings(pipeline="notebook-2").augmentation)
    result = draw(same, recoloured, seed=6, progress=lambda text, share: told.append((text, share)))
    assert not np.array_equal(result[:10], result[10:])
    assert told == [("Augmenting: Recoloured", 0.5), ("Augmenting: Recoloured", 1.0)]


def test_operators_keep_their_order_and_nest() -> None:
    image = np.full((4, 5, 6, 3), 100, dtype=np.uint8)
    doubled = op("Multiply", mul=2.0)
    added = op("WithChannels", channels=1, children=op("Add", value=10))
    both = augmented(image, Branch("both", (op("Sequential", children=(added, doubled)),)), seed=0)
    assert both[0, 0, 0].tolist() == [200, 220, 200]
    assert augmented(image, Branch("both", (doubled, added)), seed=0)[0, 0, 0].tolist() == [200, 210, 200]


def test_no_images_give_none_and_what_cannot_be_augmented_is_refused() -> None:
    report = plan(settings(pipeline="notebook").augmentation)
    assert draw(_IMAGES[:0], report, seed=0).shape == (0, 32, 32, 3)
    for images in (_IMAGES.astype(np.float32), _IMAGES[0]):
        with pytest.raises(ValueError, match="expected uint8"):
            draw(images, report, seed=0)


def test_a_mixture_takes_each_pipeline_by_its_weight_and_all_branches_of_one_alike() -> None:
    images = np.random.default_rng(0).integers(0, 256, (1000, 4, 4, 3), dtype=np.uint8)
    save(PipelineSpec("", "", "", (Branch("Original"), *_FLIP.branches)), title="both")
    found = plan(settings(pipeline="both:3, none:1").augmentation)
    result = draw(images, found, seed=1)
    turned = (result == images[:, :, ::-1]).all(axis=(1, 2, 3))
    same = (result == images).all(axis=(1, 2, 3))
    assert np.all(turned | same)
    assert 0.33 < turned.mean() < 0.42, "half of three quarters"
    np.testing.assert_array_equal(draw(images, found, seed=1), result)
    assert not np.array_equal(draw(images, found, seed=2), result)


def test_a_config_keeps_what_its_pipeline_was() -> None:
    save(_FLIP, title="Mine")
    config = embedded(settings(pipeline="mine:3, notebook-1"))
    assert list(json.loads(config.augmentation.definitions)) == ["mine"]
    before = drawn(config)
    save(_SHUFFLE, title="Mine", replace_name="mine")
    np.testing.assert_array_equal(drawn(config), before)
    assert embedded(config) == config == from_yaml(to_yaml(config))
    assert not np.array_equal(drawn(settings(pipeline="mine:3, notebook-1")), before)
    saved.delete("mine")
    np.testing.assert_array_equal(drawn(config), before)
    with pytest.raises(UnknownNameError, match="no pipeline called 'mine'"):
        plan(settings(pipeline="mine").augmentation)


def test_only_what_is_named_is_carried_and_built_in_ones_are_not() -> None:
    save(_FLIP, title="Mine")
    carried = embedded(settings(pipeline="mine"))
    assert embedded(with_values(carried, {"augmentation.pipeline": "notebook"})) == settings()
    later = embedded(settings(), also=["none", "mine:2, notebook"])
    assert list(json.loads(later.augmentation.definitions)) == ["mine"]


def test_versions_of_a_pipeline_differ_where_it_was_edited() -> None:
    save(_FLIP, title="Mine")
    first = embedded(settings(pipeline="mine"))
    assert config_diff([first, embedded(settings(pipeline="mine"))]) == {}
    save(_SHUFFLE, title="Mine", replace_name="mine")
    second = embedded(settings(pipeline="mine"))
    difference = config_diff([first, second])
    assert list(difference) == ["augmentation.definitions"]
    assert all(text.startswith("mine (version ") for text in difference["augmentation.definitions"])
    assert len(set(difference["augmentation.definitions"])) == 2


def test_a_carried_pipeline_that_is_none_is_refused_by_name() -> None:
    config = settings(pipeline="mine", definitions='{"mine": {"format": "other"}}')
    with pytest.raises(ConfigError, match="'mine' that the settings carry"):
        plan(config.augmentation)

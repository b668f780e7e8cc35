"""From settings and a seed to training images; looks at what a pipeline does, and its figures."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

from aquadash.augment import OPERATORS, PIPELINES, Branch, PipelineSpec, Range, draw, embedded, measure, op, plan, save
from aquadash.augment import saved_pipelines as saved
from aquadash.augment.numbers import BranchNumbers, compared
from aquadash.augment.preview import difference, film_strip, preview, preview_branches, thumbnail
from aquadash.config import RunConfig, from_yaml, to_yaml, with_values
from aquadash.errors import ConfigError, UnknownNameError

_IMAGES = np.random.default_rng(3).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
PICTURES = _IMAGES[:3]
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
    result = plan(settings(**changes).augmentation)
    assert result.factor == factor
    images = draw(_IMAGES, result, seed=5, progress=lambda _, share: shares.append(share or 0.0))
    assert len(images) == factor * len(_IMAGES)
    np.testing.assert_array_equal(result.labels(np.arange(40)), np.tile(np.arange(40), factor))
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1.0)


def test_originals_come_first_and_more_versions_leave_the_first_as_it_was() -> None:
    one, three = drawn(settings(pipeline="notebook-2")), drawn(settings(pipeline="notebook-2", copies=3))
    np.testing.assert_array_equal(three[:40], one)
    assert len({three[start : start + 40].tobytes() for start in (0, 40, 80)}) == 3
    np.testing.assert_array_equal(drawn(settings(pipeline="notebook-2", keep_originals=True))[40:], one)
    for pipeline in ("notebook-2", "notebook-1, notebook-2", "notebook", "none"):
        kept = drawn(settings(pipeline=pipeline, keep_originals=True))
        np.testing.assert_array_equal(kept[:40], _IMAGES)
        assert not np.shares_memory(kept, _IMAGES)


def test_each_seed_gives_bytes_of_its_own_and_the_same_again_while_threads_do_not_disturb_each_other() -> None:
    config = settings(pipeline="notebook")
    expected = [drawn(config, seed) for seed in range(4)]
    for branch in range(2, 5):
        assert len({made[40 * branch : 40 * branch + 40].tobytes() for made in expected}) == 4
    with ThreadPoolExecutor(4) as pool:
        for result, wanted in zip(pool.map(lambda seed: drawn(config, seed), range(4)), expected, strict=True):
            np.testing.assert_array_equal(result, wanted)


def test_batches_differ_from_each_other_and_progress_is_reported() -> None:
    reports: list[tuple[str, float | None]] = []
    same, recoloured = np.repeat(_IMAGES[:1], 1000, axis=0), plan(settings(pipeline="notebook-2").augmentation)
    result = draw(same, recoloured, seed=6, progress=lambda text, share: reports.append((text, share)))
    assert not np.array_equal(result[:500], result[500:])
    assert reports == [("Augmenting: Recoloured", 0.5), ("Augmenting: Recoloured", 1.0)]


def test_no_images_give_none_and_what_cannot_be_augmented_is_refused() -> None:
    report = plan(settings(pipeline="notebook").augmentation)
    assert draw(_IMAGES[:0], report, seed=0).shape == (0, 32, 32, 3)
    for images in (_IMAGES.astype(np.float32), _IMAGES[0]):
        with pytest.raises(ValueError, match="expected uint8"):
            draw(images, report, seed=0)


def test_a_mixture_takes_each_pipeline_by_its_weight_and_all_branches_of_one_alike() -> None:
    images = np.random.default_rng(0).integers(0, 256, (1000, 4, 4, 3), dtype=np.uint8)
    save(PipelineSpec("", "", "", (Branch("Original", ()), *_FLIP.branches)), title="both")
    mixture = plan(settings(pipeline="both:3, none:1").augmentation)
    result = draw(images, mixture, seed=1)
    turned = (result == images[:, :, ::-1]).all(axis=(1, 2, 3))
    same = (result == images).all(axis=(1, 2, 3))
    assert np.all(turned | same)
    assert 0.33 < turned.mean() < 0.42, "half of three quarters"
    np.testing.assert_array_equal(draw(images, mixture, seed=1), result)
    assert not np.array_equal(draw(images, mixture, seed=2), result)


def test_a_config_keeps_what_its_pipeline_was() -> None:
    save(_FLIP, title="Mine")
    config = embedded(settings(pipeline="mine:3, notebook-1"))
    assert list(json.loads(config.augmentation.definitions)) == ["mine"]
    before = drawn(config)
    save(_SHUFFLE, title="Mine", replace_name="mine")
    np.testing.assert_array_equal(drawn(config), before)
    assert embedded(config) == config == from_yaml(to_yaml(config))
    assert not np.array_equal(drawn(settings(pipeline="mine:3, notebook-1")), before)
    later = embedded(settings(), also=["none", "mine:2, notebook"])
    assert list(json.loads(later.augmentation.definitions)) == ["mine"]
    assert embedded(with_values(config, {"augmentation.pipeline": "notebook"})) == settings()
    saved.delete("mine")
    np.testing.assert_array_equal(drawn(config), before)
    with pytest.raises(UnknownNameError, match="no pipeline called 'mine'"):
        plan(settings(pipeline="mine").augmentation)


def test_a_carried_pipeline_that_is_none_is_refused_by_name() -> None:
    config = settings(pipeline="mine", definitions='{"mine": {"format": "other"}}')
    with pytest.raises(ConfigError, match="'mine' that is stored with the settings"):
        plan(config.augmentation)


def test_draws_differ_and_come_again_with_the_seed_however_many_are_asked_for() -> None:
    spec = PIPELINES["notebook-2"]
    draws = preview(PICTURES, pipeline=spec, branch=None, seed=1, draws=3)
    assert draws.shape == (3, 3, 32, 32, 3)
    assert not np.array_equal(draws[0], draws[1])
    np.testing.assert_array_equal(draws, preview(PICTURES, pipeline=spec, branch=0, seed=1, draws=3))
    assert not np.array_equal(draws, preview(PICTURES, pipeline=spec, branch=None, seed=2, draws=3))
    few, many = (preview(PICTURES, pipeline=PIPELINES["notebook"], seed=1, draws=draws) for draws in (2, 6))
    np.testing.assert_array_equal(many[:2], few)


def test_no_branch_goes_round_those_that_change_images() -> None:
    assert preview_branches(PIPELINES["notebook"], branch=None, draws=6) == (1, 2, 3, 4, 1, 2)
    assert preview_branches(PIPELINES["notebook"], branch=0, draws=2) == (0, 0)
    assert preview_branches(PIPELINES["none"], branch=None, draws=2) == (0, 0)


@pytest.mark.parametrize("name", PIPELINES)
def test_a_film_strip_ends_as_the_whole_branch_and_every_picture_as_the_branch_up_to_there(name: str) -> None:
    spec = PIPELINES[name]
    for number, branch in enumerate(spec.branches):
        strip = film_strip(PICTURES, pipeline=spec, branch=number, seed=4)
        assert len(strip) == 1 + len(branch.operators)
        np.testing.assert_array_equal(strip[0], PICTURES)
        for steps, pictures in enumerate(strip):
            shorter = Branch(branch.title, branch.operators[:steps])
            branches = tuple(shorter if i == number else one for i, one in enumerate(spec.branches))
            cut = PipelineSpec(spec.name, spec.title, spec.summary, branches)
            np.testing.assert_array_equal(pictures, preview(PICTURES, pipeline=cut, branch=number, seed=4, draws=1)[0])


def test_large_images_are_stripped_in_the_batches_of_the_whole() -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 700, 700, 3), dtype=np.uint8)
    spec = PIPELINES["mirror-shift"]
    strip = film_strip(images, pipeline=spec, seed=2)
    np.testing.assert_array_equal(strip[-1], preview(images, pipeline=spec, seed=2, draws=1)[0])


def test_the_same_draw_moves_all_images_alike() -> None:
    marks = np.zeros((6, 21, 21, 3), dtype=np.uint8)
    marks[:, 10, 10] = 10 * np.arange(1, 7)[:, np.newaxis]
    move = Branch("Moved", (op("TranslateX", px=Range(-5, 5)), op("TranslateY", px=Range(-5, 5))))
    alike = preview(marks, pipeline=move, seed=3, draws=8, alike=True)
    places = [[tuple(np.argwhere(image[..., 0])[0]) for image in draw] for draw in alike]
    assert all(len(set(draw)) == 1 for draw in places)
    assert len({draw[0] for draw in places}) > 3, "another draw moves them elsewhere"
    apart = preview(marks, pipeline=move, seed=3, draws=1)[0]
    assert len({tuple(np.argwhere(image[..., 0])[0]) for image in apart}) > 1
    # It stays when there are more draws, or when another image is the first.
    same_draw = partial(preview, pipeline=PIPELINES["notebook-4"], seed=1, alike=True)
    few = same_draw(PICTURES, draws=1)
    np.testing.assert_array_equal(same_draw(PICTURES, draws=3)[:1], few)
    np.testing.assert_array_equal(same_draw(PICTURES[::-1], draws=1)[0, ::-1], few[0])


def test_a_difference_is_black_or_signed_grey_where_nothing_changed_and_amplified_and_cut() -> None:
    before, after = np.array([(10, 200, 0), (10, 190, 255)], dtype=np.uint8)
    np.testing.assert_array_equal(difference(before, after), [0, 10, 255])
    np.testing.assert_array_equal(difference(after, before), [0, 10, 255])
    np.testing.assert_array_equal(difference(before, after, factor=16), [0, 160, 255])
    before, after = np.array([(7, 100, 100, 0, 255), (7, 120, 80, 255, 0)], dtype=np.uint8)
    np.testing.assert_array_equal(difference(before, after, signed=True), [128, 138, 118, 255, 1])
    np.testing.assert_array_equal(difference(before, after, signed=True, factor=4), [128, 168, 88, 255, 0])


def test_every_operator_has_a_picture_that_shows_it() -> None:
    source = thumbnail()
    np.testing.assert_array_equal(source[::2, ::2], source[1::2, 1::2], "each pixel is a square")
    for name in OPERATORS:
        picture = thumbnail(name)
        assert picture.shape == source.shape == (64, 64, 3)
        assert picture.dtype == np.uint8
        assert np.abs(picture.astype(int) - source).mean() > 1.0, name
    np.testing.assert_array_equal(thumbnail("Rain"), thumbnail("Rain"))
    np.testing.assert_array_equal(thumbnail("Fliplr"), source[:, ::-1])


IMAGES = np.random.default_rng(5).integers(30, 226, (40, 16, 16, 3), dtype=np.uint8)


def numbers_of(*steps: object, images: np.ndarray = IMAGES) -> BranchNumbers:
    return measure(images, Branch("Tried", steps), seed=0, timed=False)[0]  # type: ignore[arg-type]


def test_clipping_is_counted_at_each_end() -> None:
    before = np.full((2, 4, 4, 3), 100, dtype=np.uint8)
    before[1] = 255
    after = before.copy()
    after[0, 0] = 255  # a quarter of the first image
    after[0, 1, :2] = 0  # an eighth of it
    result = compared(before, after, branch=Branch("b", (op("Fliplr", p=1.0),)))
    assert result.clipped_white == pytest.approx(1 / 8)
    assert result.clipped_black == pytest.approx(1 / 16)
    assert result.clipped == pytest.approx(3 / 16)
    assert result.unchanged == 0.5


def test_means_and_deviations_are_those_of_the_pixels() -> None:
    result = numbers_of(op("Add", value=20))
    for channel, change in enumerate(result.channels):
        assert change.mean_before == pytest.approx(IMAGES[..., channel].mean())
        assert change.deviation_before == pytest.approx(IMAGES[..., channel].std())
        assert change.mean_after == pytest.approx(change.mean_before + 20)
        assert change.deviation_after == pytest.approx(change.deviation_before)
    assert [change.name for change in result.channels] == ["red", "green", "blue"]


def test_what_may_be_wrong_is_warned_of() -> None:
    def kinds(result: BranchNumbers) -> list[str]:
        return [caution.kind for caution in result.cautions]

    white = numbers_of(op("Add", value=255))
    assert white.nearly_constant == 1.0 and kinds(white) == ["nearly constant"]
    flat = numbers_of(op("Add", value=20), images=np.full_like(IMAGES, 100))
    assert flat.nearly_constant == 0 and kinds(flat) == [], "they were so before"
    after = np.zeros_like(IMAGES)
    after[:, :2] = IMAGES[:, :2]
    black = compared(IMAGES, after, branch=Branch("b", (op("Fliplr", p=1.0),)))
    assert black.mostly_black == 1.0 and black.nearly_constant == 0 and kinds(black) == ["mostly black"]
    rare = numbers_of(op("Fliplr", p=1.0, probability=0.25))
    assert 0.5 < rare.unchanged < 0.95 and kinds(rare) == ["unchanged"]
    assert kinds(numbers_of(op("Fliplr", p=1.0, enabled=False))) == ["all off"]


def test_a_pipelines_numbers_repeat_also_for_one_branch_alone() -> None:
    spec = PIPELINES["notebook"]
    timed = measure(IMAGES, spec, seed=3)
    assert len(timed) == 5 and timed[0].images_per_second is None and timed[4].images_per_second > 0
    whole = measure(IMAGES, spec, seed=3, timed=False)
    assert measure(IMAGES, spec, branch=3, seed=3, timed=False) == (whole[3],)
    assert whole != measure(IMAGES, spec, seed=4, timed=False)
    with pytest.raises(ConfigError, match="branch 5; expected 0 to 4"):
        measure(IMAGES, spec, branch=5, seed=3)
    with pytest.raises(ValueError, match="no images"):
        measure(IMAGES[:0], spec, seed=0)

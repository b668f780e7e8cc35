"""Every operator at the ends of its settings; the report's pipelines are imgaug's to the byte, or like it."""

import copy
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import cv2
import imgaug
import imgaug.augmenters as iaa
import imgaug.parameters as iap
import imgaug.random as iarandom
import numpy as np
import pytest
from numpy.typing import NDArray

from aquadash.augment import OPERATORS, Branch, Operator, OperatorInfo, Parameter, Range, op
from aquadash.augment.augmenters import BatchMultiply
from aquadash.augment.build import build
from aquadash.augment.noise import FrequencyNoiseMasks
from aquadash.augment.pipelines import PIPELINES
from aquadash.augment.reading import check_operators
from aquadash.augment.spec import Value
from tests.support.drawn_images import augmented


def ends(parameter: Parameter) -> tuple[Value, ...]:
    """The least and the greatest value of a setting, and the range from the one to the other where it may be drawn."""
    if parameter.kind == "word":
        return parameter.words
    whole = parameter.kind == "integer"
    low, high = (int(parameter.low), int(parameter.high)) if whole else (parameter.low, parameter.high)
    return (low, high, Range(low, high)) if parameter.drawn else (low, high)


def with_settings(info: OperatorInfo, **changed: Value) -> Operator:
    """The entry's example with some settings changed."""
    assert info.example is not None
    return replace(info.example, settings=tuple({**dict(info.example.settings), **changed}.items()))


def all_ends(info: OperatorInfo) -> Iterator[Operator]:
    """The example with all settings at their least, all at their greatest, and all drawn from the whole range."""
    assert info.example is not None
    yield info.example
    for position in (0, 1, -1):
        if info.parameters:
            yield with_settings(info, **{one.name: ends(one)[position] for one in info.parameters})


_RNG = np.random.default_rng(5)
_IMAGES = _RNG.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
#: A picture of noise, a black and a white one of each size: an operator may divide by a spread or count colours.
_ODD_IMAGES = [_RNG.integers(0, 256, (3, *size, 3), dtype=np.uint8) for size in ((33, 45), (7, 5), (1, 1))]
for odd in _ODD_IMAGES:
    odd[1:] = np.array([0, 255])[:, np.newaxis, np.newaxis, np.newaxis]


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_works_at_the_ends_of_its_settings_and_keeps_odd_sizes(name: str) -> None:
    info = OPERATORS[name]
    each_end = [with_settings(info, **{one.name: value}) for one in info.parameters for value in ends(one)]
    for images, operators in ((_IMAGES, each_end), *((odd, all_ends(info)) for odd in _ODD_IMAGES)):
        kept = images.copy()
        for operator in operators:
            check_operators([operator])
            result = augmented(images, Branch("one", (operator,)), seed=1)
            assert result.shape == images.shape, operator
            assert result.dtype == np.uint8
        np.testing.assert_array_equal(images, kept)


@pytest.mark.parametrize("side", [32, 160])
def test_as_many_colours_are_left_as_was_said_in_large_pictures_too(side: int) -> None:
    picture = cv2.resize(_IMAGES[0, :8, :8], (side, side), interpolation=cv2.INTER_CUBIC)
    left = augmented(picture[np.newaxis], Branch("one", (op("KMeansColorQuantization", n_colors=4),)), seed=1)
    assert len(np.unique(left.reshape(-1, 3), axis=0)) == 4


def digests(*, seed: int, reverse: bool = False) -> dict[str, str]:
    """A digest of what each operator makes with drawn settings, in the order of the catalogue or the other way.

    Every generator that a library might draw from begins in a state that follows from the seed.
    """
    imgaug.seed(seed)
    cv2.setRNGSeed(seed)
    digests = {}
    for info in sorted(OPERATORS.values(), key=lambda one: one.name, reverse=reverse):
        np.random.seed(seed)
        operators = list(all_ends(info))
        results = [augmented(_IMAGES, Branch("one", (one,)), seed=8) for one in (operators[0], operators[-1])]
        assert np.random.randint(2**31) == np.random.RandomState(seed).randint(2**31), info.name
        digests[info.name] = hashlib.sha256(np.stack(results).tobytes()).hexdigest()
    return digests


def test_every_operator_gives_the_same_bytes_after_other_draws_and_leaves_numpys_generator_alone() -> None:
    first = digests(seed=1)
    again = digests(seed=2, reverse=True)
    assert [name for name in OPERATORS if first[name] != again[name]] == []


def test_another_seed_gives_other_draws() -> None:
    for info in OPERATORS.values():
        if info.slots or not any(parameter.drawn for parameter in info.parameters):
            continue
        drawn = with_settings(info, **{one.name: ends(one)[-1] for one in info.parameters if one.drawn})
        images = _IMAGES.repeat(2, axis=0)
        first, second = (augmented(images, Branch("one", (drawn,)), seed=seed) for seed in (1, 2))
        assert not np.array_equal(first, second), info.name


def report_pipelines() -> tuple[Any, Any, Any, Any]:
    """The report's ``seq``, ``seq2``, ``seq3`` and ``seq4`` as it built them, with imgaug's present names."""

    def shifted(channel: int) -> Any:
        return iaa.WithColorspace(
            to_colorspace="HSV", from_colorspace="RGB", children=iaa.WithChannels(channel, iaa.Add((-50, 50)))
        )

    covered = iaa.Sometimes(0.5, iaa.CoarseDropout((0.1, 0.3), size_percent=(0.02, 0.05)))
    swapped = iaa.Sometimes(0.5, iaa.Sometimes(0.5, iaa.ChannelShuffle(0.5)))
    sharpened = iaa.Sometimes(0.5, iaa.Sharpen(alpha=(0, 1.0), lightness=(0.75, 1.5)))
    lighter, contrasts = iaa.Multiply((0.5, 1.5), per_channel=True), iaa.LinearContrast((0.5, 2.0))
    clouded = iaa.BlendAlphaFrequencyNoise(exponent=(-4, 0), foreground=lighter, background=contrasts)
    return (
        iaa.Sequential([iaa.Fliplr(1.0), iaa.GaussianBlur(sigma=(0, 1.0))]),
        iaa.Sequential([iaa.ChannelShuffle(p=0.5), shifted(0), shifted(1), shifted(2)]),
        iaa.Sequential([covered, swapped, sharpened]),
        iaa.Sequential([iaa.Multiply((0.5, 1.5), per_channel=0.5), iaa.LinearContrast((0.5, 1.5)), clouded]),
    )


def test_names_and_that_notebook_is_the_original_and_the_four_in_order() -> None:
    four = [f"notebook-{number}" for number in range(1, 5)]
    assert list(PIPELINES) == ["none", *four, "notebook", "mirror-shift", "mirror-shift-cover"]
    assert all(spec.name == name and spec.title and spec.summary for name, spec in PIPELINES.items())
    original, *others = PIPELINES["notebook"].branches
    assert original.is_original and original.title == "Original"
    assert others == [PIPELINES[name].branches[0] for name in four]


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_pipelines_are_the_reports_to_the_byte(number: int) -> None:
    """With the same random numbers our tree of augmenters gives what the report's own calls give.

    In the fourth our masks are swapped for imgaug's here; their distribution is compared below.
    """
    images = np.random.default_rng(number).integers(0, 256, (400, 32, 32, 3), dtype=np.uint8)
    ours = build(PIPELINES[f"notebook-{number}"].branches[0].operators, seed=np.random.SeedSequence(0))
    report = report_pipelines()[number - 1]
    if number == 4:
        report[2].mask_generator.parameter = iap.Clip(report[2].mask_generator.parameter, 0.0, 1.0)
        ours[2].mask_generator = copy.deepcopy(report[2].mask_generator)
    ours.seed_(number)
    report.seed_(number)
    np.testing.assert_array_equal(ours(images=images), report(images=images))


@pytest.mark.parametrize("per_channel", [False, True, 0.5])
def test_multiplying_a_batch_gives_imgaugs_bytes_one_channel_and_images_one_by_one_too(per_channel: float) -> None:
    def made(multiply: type[iaa.Multiply], images: Any, channel: int | None = None) -> Any:
        step = multiply((0.5, 1.5), per_channel=per_channel, seed=3)
        return (step if channel is None else iaa.WithChannels(channel, step, seed=4))(images=images)

    noise = np.random.default_rng(8).integers(0, 256, (300, 16, 16, 3), dtype=np.uint8)
    np.testing.assert_array_equal(made(BatchMultiply, noise), made(iaa.Multiply, noise))
    np.testing.assert_array_equal(made(BatchMultiply, noise, 1), made(iaa.Multiply, noise, 1))
    several = list(noise[:5])
    np.testing.assert_array_equal(made(BatchMultiply, several), made(iaa.Multiply, several))


def _batch(*shape: int) -> Any:
    """Stand for imgaug's batch of images."""
    return SimpleNamespace(get_rowwise_shapes=lambda: [shape[1:]] * shape[0])


_MASKS = FrequencyNoiseMasks((-4.0, 0.0), size_px_max=(4, 16), iterations=(1, 3), sigmoid=0.5, per_channel=0.0)


def _statistics(masks: NDArray[np.float32]) -> NDArray[np.float64]:
    """Some figures of each mask: mean, spread, roughness both ways, least, greatest, shares near 0 and 1."""
    flat = masks.reshape(len(masks), -1)
    return np.stack(
        [
            flat.mean(axis=1),
            flat.std(axis=1),
            np.abs(np.diff(masks, axis=1)).mean(axis=(1, 2)),
            np.abs(np.diff(masks, axis=2)).mean(axis=(1, 2)),
            flat.min(axis=1),
            flat.max(axis=1),
            (flat < 0.1).mean(axis=1),
            (flat > 0.9).mean(axis=1),
            masks[:, 16, 16],
            masks[:, 0, 0],
        ],
        axis=1,
    ).astype(np.float64)


def test_masks_have_the_moments_of_imgaugs() -> None:
    blend = iaa.BlendAlphaFrequencyNoise(exponent=(-4, 0), foreground=iaa.Identity(), seed=1)
    parameter = iap.Clip(blend.mask_generator.parameter, 0.0, 1.0)
    generator = iarandom.RNG(11)
    # imgaug's distances settle during the first masks.
    drawn = [parameter.draw_samples((32, 32), random_state=generator) for _ in range(1100)]
    theirs = _statistics(np.stack(drawn[100:]))
    ours = _statistics(np.stack(_MASKS.draw_masks(_batch(4000, 32, 32, 3), iarandom.RNG(12))))
    for power in (1, 2):
        a, b = theirs**power, ours**power
        deviations = (a.mean(0) - b.mean(0)) / np.sqrt(a.var(0) / len(a) + b.var(0) / len(b) + 1e-12)
        assert np.abs(deviations).max() < 4.0, deviations


def test_a_mask_that_rounding_or_enlarging_lifts_above_one_is_cut() -> None:
    """imgaug stops with an AssertionError at such a mask; so would our blending without the cut."""
    masks = np.stack(_MASKS.draw_masks(_batch(1000, 8, 8, 3), iarandom.RNG(0)))
    highest = masks.max(axis=(1, 2))
    assert masks.min() >= 0 and highest.max() == 1 and (highest == 1).sum() > 50

"""The checks of the sections on data: extraction, augmentation, copies, normalization."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from aquadash.augment import PIPELINES, AugmentationPlan, draw
from aquadash.data.statistics import ClassStatistics
from aquadash.walkthrough.lessons import Verdict, nearly, right, wrong

#: The report's four pipelines.
FOUR = ("notebook-1", "notebook-2", "notebook-3", "notebook-4")

#: Fraction of unchanged images from which the answer, a pipeline that leaves images unchanged, counts as right.
_LEAVES_ALONE = 0.05


def brightest_class(answer: str, classes: Sequence[ClassStatistics]) -> Verdict:
    """Judge which class has the brightest images on average."""
    measured = [entry for entry in classes if entry.mean_brightness is not None]
    order = [entry.name for entry in sorted(measured, key=lambda entry: -(entry.mean_brightness or 0.0))]
    if answer not in order:
        return wrong("Choose one of the classes.")
    brightness = {entry.name: entry.mean_brightness for entry in measured}
    if brightness[answer] == brightness[order[0]]:
        return right(
            f"Yes: {answer} pictures are brightest: {brightness[answer]:.1f} of 255. "
            "A network may use that, although brightness says nothing about the animal."
        )
    if answer == order[1]:
        return nearly("Close: it is the second brightest. Average all images of each class, not just a few.")
    return wrong("Others are brighter. Move the slider to all images, and go through the classes one by one.")


def untouched_fraction(images: NDArray[np.uint8], pipeline: str, *, seed: int) -> float:
    """Return the fraction of images that a built-in pipeline leaves exactly as they are."""
    changed = draw(images, AugmentationPlan((PIPELINES[pipeline],)), seed=seed)
    return float((changed.reshape(len(images), -1) == images.reshape(len(images), -1)).all(axis=1).mean())


def untouched_pipeline(fraction: float) -> Verdict:
    """Judge a pipeline by its :func:`untouched_fraction`."""
    if fraction >= _LEAVES_ALONE:
        return right(
            f"Yes: {100 * fraction:.0f} % of the images measured here came out with no pixel changed. Each of its "
            "steps happens only by chance, and sometimes none does. In the training set, such versions are plain "
            "duplicates."
        )
    if fraction > 0:
        return nearly(f"Rarely: {100 * fraction:.1f} % of the images. One of the four does it far more often.")
    return wrong(
        "It changed every image that was measured. Look for a pipeline whose steps each change only some of the "
        "images, and try a few seeds: the number below a picture says how much it changed."
    )


def training_images(originals: int, *, pipelines: Collection[str], copies: int, keep_originals: bool) -> int:
    """Return the number of training images."""
    return originals * (copies * len(set(pipelines)) + int(keep_originals))


def report_composition(originals: int, *, pipelines: Collection[str], copies: int, keep_originals: bool) -> Verdict:
    """Judge whether the switches make the report's set of images, and not only its number."""
    wanted = training_images(originals, pipelines=FOUR, copies=1, keep_originals=True)
    made = training_images(originals, pipelines=pipelines, copies=copies, keep_originals=keep_originals)
    if set(pipelines) == set(FOUR) and copies == 1 and keep_originals:
        return right(
            f"Yes: the originals and one version from each of four pipelines make 5 × {originals:,} = {wanted:,} "
            "images. Nothing was done 10 times."
        )
    if made == wanted:
        return nearly(
            f"The number is right, {made:,}, but the report's code gets there in another way: read its loop above. "
            "How often does each image go through each pipeline, and are the originals kept?"
        )
    more = "more" if made > wanted else "fewer"
    return wrong(f"That makes {made:,} images, {more} than the report's {wanted:,}. Read its loop above.")


def normalized(value: float, mean: float, deviation: float, kind: str) -> float:
    """Normalize a colour value, 0 to 255; the kind is ``unit`` (0 to 1), ``symmetric`` (-1 to 1) or ``standardize``."""
    if kind == "unit":
        return value / 255
    return 2 * value / 255 - 1 if kind == "symmetric" else (value - mean) / deviation


def centring(answer: str, means: Sequence[float]) -> Verdict:
    """Judge whether the normalization brings the mean of every channel to 0."""
    largest = max((normalized(mean, mean, 1.0, answer) for mean in means), key=abs)
    if abs(largest) < 0.005:
        return right(
            "Yes: the mean of each channel is 0. The mean was measured on the training images; the same number must "
            "then be subtracted from validation and test images."
        )
    if abs(largest) < 0.1:
        return nearly(f"Close, but a channel has a mean of {largest:.2f}. Another one centres exactly.")
    return wrong(f"A channel has a mean of {largest:.2f}. Try the others, and watch the means.")

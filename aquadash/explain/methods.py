"""The table of methods, each of which turns a model, images and classes into maps of the images' size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from aquadash.explain.explainer import Explainer, ProgressCallback

#: A map, float32 (height, width), and figures about it by name.
MapAndFacts = tuple[NDArray[np.float32], dict[str, float]]

#: Model, images as uint8 (n, height, width, 3), a class for each, progress: a map for each.
Compute = Callable[["Explainer", NDArray[np.uint8], NDArray[np.int32], "ProgressCallback"], list[MapAndFacts]]

#: The brightness of the occluding square, 0 to 255.
GREY = 127

#: Points between a baseline and the image. With 64, the pixels' sum is within 0.015 of the change for 9 in 10 images.
STEPS = 64

#: Brightness of the baselines of integrated gradients. A pixel as bright as its only baseline would always get 0.
BASELINES = (0.0, 1.0)


@dataclass(frozen=True)
class Method:
    """A way to explain an answer."""

    title: str
    #: The method in a sentence or two for a student.
    help: str
    source: str
    #: Whether pixels can count against the class as well as for it.
    signed: bool
    compute: Compute


def occlusion_map(
    explainer: Explainer, images: NDArray[np.uint8], classes: NDArray[np.int32], progress: ProgressCallback
) -> list[MapAndFacts]:
    """Return the mean loss of probability when a grey square covers a pixel (Zeiler and Fergus 2014, section 4.2)."""
    height, width = images.shape[1:3]
    patch = max(1, min(height, width) // 4)
    stride = max(1, patch // 2)
    # Squares begin and end beyond the border, so that four of them cover every pixel.
    squares = [
        (slice(max(0, top), top + patch), slice(max(0, left), left + patch))
        for top in range(stride - patch, height, stride)
        for left in range(stride - patch, width, stride)
    ]
    maps: list[MapAndFacts] = []
    for number, (image, label) in enumerate(zip(images, classes, strict=True)):
        whole = float(explainer.predict_images(image[None])[0, label])
        lost, times, most = np.zeros((height, width)), np.zeros((height, width)), 0.0
        for part in explainer.parts(len(squares), partial(_share, progress, number, len(images))):
            covered = np.repeat(image[None], part.stop - part.start, axis=0)
            for picture, (rows, columns) in zip(covered, squares[part], strict=True):
                picture[rows, columns] = GREY
            answers = explainer.predict_images(covered)[:, label]
            for answer, (rows, columns) in zip(answers, squares[part], strict=True):
                most = max(most, whole - float(answer))
                lost[rows, columns] += whole - float(answer)
                times[rows, columns] += 1
        values = (lost / times).astype(np.float32)
        maps.append((values, {"patch": float(patch), "stride": float(stride), "most_lost": most}))
    return maps


def integrated_gradients(
    explainer: Explainer, images: NDArray[np.uint8], classes: NDArray[np.int32], progress: ProgressCallback
) -> list[MapAndFacts]:
    """Return each pixel's share of the probability, from plain images to this one (Sundararajan et al. 2017, eq. 1)."""
    # The Gauss-Legendre rule is for -1 to 1; the path goes from 0 to 1.
    nodes, halves = np.polynomial.legendre.leggauss(STEPS)
    fractions = ((nodes + 1) / 2).astype(np.float32)[:, None, None, None]
    weights = (halves / 2).astype(np.float32)[:, None, None, None]
    maps: list[MapAndFacts] = []
    for number, (image, label) in enumerate(zip(images, classes, strict=True)):
        pixels = image.astype(np.float32) / 255.0
        total = np.zeros(pixels.shape, np.float64)
        starts = []
        for turn, level in enumerate(BASELINES):
            plain = np.full_like(pixels, level)
            way = plain + fractions * (pixels - plain)
            report = partial(_share, partial(_share, progress, number, len(images)), turn, len(BASELINES))
            for part in explainer.parts(STEPS, report):
                gradients = explainer.pixel_gradients(way[part], np.full(part.stop - part.start, label, np.int32))
                total += (weights[part] * gradients).sum(axis=0, dtype=np.float64) * (pixels - plain)
            starts.append(np.full_like(image, round(255 * level)))
        values = (total.sum(axis=-1) / len(BASELINES)).astype(np.float32)
        answers = explainer.predict_images(np.stack([image, *starts]))[:, label].astype(np.float64)
        change = float(answers[0] - answers[1:].mean())
        maps.append((values, {"sum": float(values.sum(dtype=np.float64)), "change": change, "steps": float(STEPS)}))
    return maps


def _class_maps(
    explainer: Explainer,
    images: NDArray[np.uint8],
    classes: NDArray[np.int32],
    progress: ProgressCallback,
    *,
    by_place: bool,
) -> list[MapAndFacts]:
    """Return the maps of :meth:`Explainer.class_maps`, each divided by its greatest value."""
    height, width, _ = explainer.inside.map_shape
    maps: list[MapAndFacts] = []
    for values in explainer.class_maps(images, classes, by_place=by_place, progress=progress):
        most = float(values.max())
        facts = {"greatest": most, "map_height": float(height), "map_width": float(width)}
        maps.append((values / most if most > 0 else values, facts))
    return maps


def _share(progress: ProgressCallback, number: int, total: int, fraction: float) -> None:
    """Report the progress of one of several equal parts."""
    progress((number + fraction) / total)


METHODS: dict[str, Method] = {
    "grad-cam": Method(
        "Grad-CAM",
        "Marks where the last convolutional layer found evidence for the class. Coarse, but quick.",
        "Selvaraju et al. 2017, Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization",
        signed=False,
        compute=partial(_class_maps, by_place=False),
    ),
    "hires-cam": Method(
        "HiResCAM",
        "As Grad-CAM, but each place is weighted by itself. More exact for networks that flatten their last map into "
        "dense layers, as the report's does: there it matters where something was found.",
        "Draelos and Carin 2020, Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural "
        "networks",
        signed=False,
        compute=partial(_class_maps, by_place=True),
    ),
    "occlusion": Method(
        "Occlusion",
        "A grey square covers one place after the other: marks where covering costs the class most of its probability, "
        "and where it helps. It only asks the network for answers, so it is right whatever the network is built like.",
        "Zeiler and Fergus 2014, Visualizing and Understanding Convolutional Networks",
        signed=True,
        compute=occlusion_map,
    ),
    "integrated-gradients": Method(
        "Integrated gradients",
        "Fades the image in from black and from white and adds up what each pixel contributes to the class's "
        "probability. Pixel by pixel; the contributions add up to the whole change.",
        "Sundararajan et al. 2017, Axiomatic Attribution for Deep Networks",
        signed=True,
        compute=integrated_gradients,
    ),
}

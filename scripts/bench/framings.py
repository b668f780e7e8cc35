"""How well a network names photographs that have not its proportions, by how they are brought to them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aquadash import data
from aquadash.data.framing import FRAMING_MODES, Framing, views
from aquadash.evaluation import reliability
from aquadash.evaluation.calibration import scale
from aquadash.lab import Lab
from aquadash.people import OWNER
from aquadash.training.prepare import split

#: A canvas's longer side by its shorter one.
PROPORTIONS = {"4:3": 4 / 3, "16:9": 16 / 9}

#: How much larger the photographs are made, which people's own are, too.
ENLARGED = 8


def bench_framing(run: str) -> dict[str, Any]:
    """Ask a run's network about its validation photographs in larger canvases.

    Args:
        run: Its name or id.

    Returns:
        ``images``, how many; ``temperature``, the run's; ``rows``, for each kind of canvas and each framing:
        ``accuracy``, ``ece`` (with the temperature ``ece_scaled``) and ``known``, how many it takes for one of its
        classes, all 0 to 1; None where it cannot tell.
    """
    from aquadash.predict import Predictor
    from aquadash.runs.artifacts import OOD_DETECTOR, read_artifact

    runs = Lab(OWNER).runs
    found = runs.find(run)
    path, detector_path = runs.network(found)
    detector = None if detector_path is None else read_artifact(detector_path, OOD_DETECTOR)
    predictor = Predictor.load(path, found.config.model, class_names=found.class_names, detector=detector)
    images = split(found.config, data.load(found.config.data.source))
    labels, temperature = images.validation_labels, runs.temperature(found)
    rows = []
    for fill in ("mirrored", "another"):
        for name, proportion in PROPORTIONS.items():
            canvases = embedded(images.validation_images, images.images, fill=fill, proportion=proportion)
            for mode in FRAMING_MODES:
                framing, size = Framing(mode), predictor.image_shape[:2]
                seen = np.stack([views(canvas, size=size, framing=framing) for canvas in canvases])
                answers, scores = predictor.answer_images(seen.reshape(-1, *predictor.image_shape))
                mean = answers.reshape(*seen.shape[:2], -1).mean(axis=1)
                measured = reliability(labels, mean)
                known = None if scores is None else float((scores.reshape(seen.shape[:2]).mean(axis=1) <= 1).mean())
                rows.append(
                    {
                        "canvas": f"{name}, {fill}",
                        "framing": mode,
                        "accuracy": measured.mean_accuracy,
                        "ece": measured.ece,
                        "ece_scaled": reliability(labels, scale(mean, temperature)).ece,
                        "known": known,
                    }
                )
    return {"images": len(labels), "temperature": temperature, "rows": rows}


def embedded(
    photographs: NDArray[np.uint8], others: NDArray[np.uint8], *, fill: str, proportion: float, seed: int = 0
) -> list[NDArray[np.uint8]]:
    """Photographs made larger, each at a random place along the longer side of a canvas, wide and tall ones by turns.

    Args:
        photographs: uint8, shape (n, height, width, 3).
        others: What the canvas is filled from with ``another``.
        fill: ``mirrored``: the photograph's own mirror images go on beside it. ``another``: the blurred colours of
            another photograph, drawn at random.
        proportion: Of the canvas, longer side by shorter side.
        seed: Of places and other photographs.
    """
    random, canvases = np.random.default_rng(seed), []
    for number, photograph in enumerate(photographs):
        sides = [ENLARGED * side for side in photograph.shape[:2]]
        height, width = sides
        large = np.asarray(Image.fromarray(photograph).resize((width, height), Image.Resampling.BICUBIC))
        room, along = [0, 0], number % 2
        room[along] = max(0, round(sides[1 - along] * proportion) - sides[along])
        place, other = random.random(), others[random.integers(len(others))]
        before = [round(place * space) for space in room]
        if fill == "mirrored":
            edges = [(start, space - start) for start, space in zip(before, room, strict=True)]
            canvases.append(np.pad(large, [*edges, (0, 0)], mode="symmetric"))
            continue
        blurred = Image.fromarray(other).resize((8, 8), Image.Resampling.BOX)
        canvas = np.array(blurred.resize((width + room[1], height + room[0]), Image.Resampling.BICUBIC))
        canvas[before[0] : before[0] + height, before[1] : before[1] + width] = large
        canvases.append(canvas)
    return canvases

"""Timings of augmentation, of the Augment page's preview and of prediction."""

from __future__ import annotations

import itertools
import statistics
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aquadash.data.progress import ProgressCallback, silent
from scripts.bench.report import CLASS_NAMES, random_images, report_model, report_pipelines, report_run
from scripts.bench.timing import compared, in_turn, timed


def bench_augment(*, pairs: int = 5, count: int = 2500, on_progress: ProgressCallback = silent) -> dict[str, Any]:
    """Time the report's loop and :func:`aquadash.augment.draw`, with the report's four pipelines.

    Args:
        pairs: How many timings of each.
        count: Images that go in, as many as the report's training set has; five times as many come out.
        on_progress: Called before each turn.

    Returns:
        As :func:`compared`, above 1 ours is faster; ``images``, the number; ``report_failures``, at how many images,
        over all pairs, imgaug stopped with its masks' error in the report's loop, which asks again for those.
    """
    from aquadash.augment import PIPELINES, AugmentationPlan, draw

    images, labels = random_images(count), np.zeros(count, dtype=np.int64)
    pipelines, plan, seeds = report_pipelines(), AugmentationPlan((PIPELINES["notebook"],)), itertools.count()
    failures: list[int] = []
    seconds = in_turn(
        {
            "report": timed(lambda: failures.append(report_run(pipelines, images, labels)[2])),
            "aquadash": timed(lambda: draw(images, plan, seed=next(seeds))),
        },
        pairs=pairs,
        on_progress=on_progress,
    )
    # The first turn only warmed up.
    return {"images": count, **compared(seconds, "report", "aquadash"), "report_failures": sum(failures[1:])}


def bench_preview(*, repeats: int = 15) -> dict[str, Any]:
    """Time what the Augment page draws at every change, without the page around it.

    Args:
        repeats: Timings of each; every one has another seed, so that nothing is kept.

    Returns:
        ``images``, as many as the page shows at most; ``draws``, as many of each as it shows to begin with;
        ``repeats``; and for each of the report's ``pipelines`` its name and medians in milliseconds: ``build_ms`` for
        turning the steps into imgaug's augmenters, ``draw_ms`` for one draw of all images, building included,
        ``draws_ms`` for all draws, ``film_strip_ms`` for the images after each step.
    """
    from aquadash.augment import PIPELINES, film_strip, preview
    from aquadash.augment.build import build

    draws, images, seeds = 4, random_images(16), itertools.count()

    def milliseconds(name: str) -> dict[str, float]:
        spec = PIPELINES[name]
        steps = spec.branches[0].operators
        seconds = in_turn(
            {
                "build_ms": timed(lambda: build(steps, seed=np.random.SeedSequence(next(seeds)))),
                "draw_ms": timed(lambda: preview(images, pipeline=spec, seed=next(seeds), draws=1)),
                "draws_ms": timed(lambda: preview(images, pipeline=spec, seed=next(seeds), draws=draws)),
                "film_strip_ms": timed(lambda: film_strip(images, pipeline=spec, seed=next(seeds))),
            },
            pairs=repeats,
        )
        return {what: 1000 * statistics.median(found) for what, found in seconds.items()}

    names = [f"notebook-{number}" for number in (1, 2, 3, 4)]
    pipelines = [{"pipeline": name, **milliseconds(name)} for name in names]
    return {"images": len(images), "draws": draws, "repeats": repeats, "pipelines": pipelines}


def bench_predict(*, pairs: int = 15) -> dict[str, Any]:
    """Time the report's CNN, untrained, on one random image: a network takes as long whether it has learned or not.

    Args:
        pairs: How many timings of each way.

    Returns:
        ``report_seconds``, the median of the report's ``model.predict``; ``aquadash_seconds``, that of the predictor;
        ``ratio``, the one by the other; ``pairs``; ``max_difference``, the largest between the two answers, in
        probability; ``many_images``, as many as the test split has, and ``many_seconds``, the median for all of them in
        one call.
    """
    from aquadash.predict import Predictor

    model = report_model()
    predictor = Predictor(model, class_names=CLASS_NAMES)
    images, many = random_images(1), random_images(500)
    scaled = images / 255.0  # float64, as the report divides

    def report() -> NDArray[np.float32]:
        # The report's call draws a progress bar as well; without it the output stays clean and the comparison strict.
        return np.asarray(model.predict(scaled, verbose=0))

    difference = float(np.abs(report() - predictor.predict_images(images)).max())
    seconds = in_turn(
        {"report": timed(report), "aquadash": timed(lambda: predictor.predict_images(images))}, pairs=pairs
    )
    medians = {way: statistics.median(found) for way, found in seconds.items()}
    # The many take a hundred times as long as one.
    all_of_them = in_turn({"many": timed(lambda: predictor.predict_images(many))}, pairs=min(pairs, 7))
    return {
        "ratio": medians["report"] / medians["aquadash"],
        "report_seconds": medians["report"],
        "aquadash_seconds": medians["aquadash"],
        "pairs": pairs,
        "max_difference": difference,
        "many_images": len(many),
        "many_seconds": statistics.median(all_of_them["many"]),
    }

"""A look at what a pipeline does, before anything is trained with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aquadash.augment.apply import PREVIEW, augment_branch
from aquadash.augment.saved_pipelines import pipeline as pipeline_named
from aquadash.augment.spec import PipelineSpec
from aquadash.errors import ConfigError


def preview(
    images: NDArray[np.uint8], *, pipeline: str, branch: int | None = None, seed: int, draws: int
) -> NDArray[np.uint8]:
    """Several draws of the same images; draw i stays the same when more draws are asked for.

    Args:
        images: uint8, shape (n, height, width, 3), RGB.
        pipeline: The pipeline's name.
        branch: Which of its branches, from 0. None goes round those that change the images, as
            :func:`preview_branches` tells, so that the draws show all of them.
        seed: 0 or greater; another seed, other draws.
        draws: How many, 0 or more.

    Returns:
        uint8, shape (draws, n, height, width, 3).

    Raises:
        UnknownNameError: There is no pipeline of that name.
        ConfigError: The pipeline has no such branch.
    """
    spec = pipeline_named(pipeline)
    result = np.empty((draws, *images.shape), dtype=np.uint8)
    for draw, number in enumerate(preview_branches(spec, branch=branch, draws=draws)):
        augment_branch(images, spec.branches[number], seed=seed, path=(PREVIEW, number, draw), out=result[draw])
    return result


def preview_branches(spec: PipelineSpec, *, branch: int | None, draws: int) -> tuple[int, ...]:
    """Which branch each draw of :func:`preview` shows.

    Draw i shows the given branch, or, for None, branch i modulo k of the k branches that change the images; a pipeline
    without such a branch shows the originals.

    Raises:
        ConfigError: The pipeline has no such branch.
    """
    if branch is not None:
        if not 0 <= branch < len(spec.branches):
            raise ConfigError(
                f"The pipeline {spec.name!r} has the branches 0 to {len(spec.branches) - 1}, not {branch}."
            )
        return (branch,) * draws
    changing = [number for number, one in enumerate(spec.branches) if not one.is_original] or [0]
    return tuple(changing[draw % len(changing)] for draw in range(draws))

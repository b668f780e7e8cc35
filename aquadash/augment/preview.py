"""A look at what a pipeline does, before anything is trained with it.

Everything here draws from the same random numbers: the draws of :func:`preview`, the last picture of
:func:`film_strip`, and so on, are the same for the same seed, branch and number of the draw.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aquadash.augment.apply import PREVIEW, augment_branch, batches
from aquadash.augment.saved_pipelines import pipeline as pipeline_named
from aquadash.augment.spec import Branch, PipelineSpec
from aquadash.errors import ConfigError


def preview(
    images: NDArray[np.uint8],
    *,
    pipeline: str | PipelineSpec | Branch,
    branch: int | None = None,
    seed: int,
    draws: int,
) -> NDArray[np.uint8]:
    """Several draws of the same images; draw i stays the same when more draws are asked for.

    Args:
        images: uint8, shape (n, height, width, 3), RGB.
        pipeline: The pipeline, its name, or a branch, which stands for a pipeline of nothing else.
        branch: Which of its branches, from 0. None goes round those that change the images, as
            :func:`preview_branches` tells, so that the draws show all of them.
        seed: 0 or greater; another seed, other draws.
        draws: How many, 0 or more.

    Returns:
        uint8, shape (draws, n, height, width, 3).

    Raises:
        UnknownNameError: There is no pipeline of that name.
        ConfigError: The pipeline has no such branch, or a step is not as the catalogue wants it.
    """
    spec = _spec(pipeline)
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
        _check_branch(spec, branch)
        return (branch,) * draws
    changing = [number for number, one in enumerate(spec.branches) if not one.is_original] or [0]
    return tuple(changing[draw % len(changing)] for draw in range(draws))


def same_draw(
    images: NDArray[np.uint8], *, pipeline: PipelineSpec | Branch, branch: int = 0, seed: int, draws: int
) -> NDArray[np.uint8]:
    """Several draws in which all images get the same random choices, so that those can be told from the image.

    Each image goes through the branch by itself, with the same random numbers. In :func:`preview`, as in training, each
    image gets choices of its own; the first image's are not those of this function.

    Args:
        images: uint8, shape (n, height, width, 3), RGB.
        pipeline: The pipeline or a branch.
        branch: Which of the pipeline's branches, from 0.
        seed: 0 or greater.
        draws: How many, 0 or more; draw i stays the same when more are asked for.

    Returns:
        uint8, shape (draws, n, height, width, 3).

    Raises:
        ConfigError: The pipeline has no such branch, or a step is not as the catalogue wants it.
    """
    spec = _spec(pipeline)
    _check_branch(spec, branch)
    result = np.empty((draws, *images.shape), dtype=np.uint8)
    for draw in range(draws):
        for position in range(len(images)):
            alone = slice(position, position + 1)
            augment_branch(
                images[alone], spec.branches[branch], seed=seed, path=(PREVIEW, branch, draw), out=result[draw, alone]
            )
    return result


def film_strip(
    images: NDArray[np.uint8], *, pipeline: PipelineSpec | Branch, branch: int = 0, seed: int, draw: int = 0
) -> NDArray[np.uint8]:
    """The images before the first and after each step of a branch that is switched on.

    The steps are those at the branch's top; what is inside of one counts as that step.

    Args:
        images: uint8, shape (n, height, width, 3), RGB.
        pipeline: The pipeline or a branch.
        branch: Which of the pipeline's branches, from 0.
        seed: 0 or greater.
        draw: Which draw of :func:`preview` with that branch and seed; the last pictures are identical to it.

    Returns:
        uint8, shape (steps + 1, n, height, width, 3).

    Raises:
        ConfigError: The pipeline has no such branch, or a step is not as the catalogue wants it.
    """
    spec = _spec(pipeline)
    _check_branch(spec, branch)
    chosen = spec.branches[branch]
    strip = np.empty((1 + sum(step.enabled for step in chosen.operators), *images.shape), dtype=np.uint8)
    strip[0] = images
    if chosen.is_original:
        return strip
    for where, augmenter in batches(images, chosen, seed=seed, path=(PREVIEW, branch, draw)):
        for number, step in enumerate(augmenter, start=1):
            strip[number, where] = step(images=strip[number - 1, where])
    return strip


def _spec(pipeline: str | PipelineSpec | Branch) -> PipelineSpec:
    """The pipeline that is meant."""
    if isinstance(pipeline, str):
        return pipeline_named(pipeline)
    if isinstance(pipeline, Branch):
        return PipelineSpec("branch", pipeline.title, "", (pipeline,))
    return pipeline


def _check_branch(spec: PipelineSpec, branch: int) -> None:
    if not 0 <= branch < len(spec.branches):
        raise ConfigError(f"The pipeline {spec.name!r} has the branches 0 to {len(spec.branches) - 1}, not {branch}.")

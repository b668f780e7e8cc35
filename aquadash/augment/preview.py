"""Example images of a pipeline or an operator; the same seed, branch and draw give the same images in all views."""

import numpy as np
from numpy.typing import NDArray

from aquadash.augment.apply import PREVIEW, augment_branch, batches
from aquadash.augment.catalogue import operator_info
from aquadash.augment.spec import Branch, PipelineSpec, as_pipeline

#: The level of no change in a signed difference.
GREY = 128

#: The seed of thumbnails, chosen so that each one shows the effect of its operator.
_THUMBNAIL_SEED = 31


def preview(
    images: NDArray[np.uint8],
    *,
    pipeline: PipelineSpec | Branch,
    branch: int | None = None,
    seed: int,
    draws: int,
    alike: bool = False,
) -> NDArray[np.uint8]:
    """Change images several times, uint8 (draws, n, height, width, 3); for branch None the branches take turns."""
    spec = as_pipeline(pipeline)
    # In one call, each image gets its own random choices; a call for each image repeats the same choices.
    step = 1 if alike else max(1, len(images))
    result = np.empty((draws, *images.shape), dtype=np.uint8)
    for draw, number in enumerate(preview_branches(spec, branch=branch, draws=draws)):
        for start in range(0, len(images), step):
            group = slice(start, start + step)
            out = result[draw, group]
            augment_branch(images[group], spec.branches[number], seed=seed, path=(PREVIEW, number, draw), out=out)
    return result


def preview_branches(spec: PipelineSpec, *, branch: int | None, draws: int) -> tuple[int, ...]:
    """Return the branch of each draw; for ``branch`` None, those that change images take turns."""
    if branch is not None:
        return (branch,) * draws
    changing = [number for number, one in enumerate(spec.branches) if not one.is_original] or [0]
    return tuple(changing[draw % len(changing)] for draw in range(draws))


def film_strip(
    images: NDArray[np.uint8], *, pipeline: PipelineSpec | Branch, branch: int = 0, seed: int
) -> NDArray[np.uint8]:
    """Return the images before the first and after each enabled step of a branch: uint8 (steps + 1, *shape)."""
    spec = as_pipeline(pipeline)
    chosen = spec.branch(branch)
    strip = np.empty((1 + sum(step.enabled for step in chosen.operators), *images.shape), dtype=np.uint8)
    strip[0] = images
    if chosen.is_original:
        return strip
    for where, augmenter in batches(images, chosen, seed=seed, path=(PREVIEW, branch, 0)):
        for number, step in enumerate(augmenter, start=1):
            strip[number, where] = step(images=strip[number - 1, where])
    return strip


def difference(
    before: NDArray[np.uint8], after: NDArray[np.uint8], *, factor: int = 1, signed: bool = False
) -> NDArray[np.uint8]:
    """Return the amplified difference, cut to 0 to 255; a ``signed`` one is halved and :data:`GREY` for no change."""
    change = after.astype(np.int32) - before
    shown = GREY + np.sign(change) * (np.abs(change) * factor // 2) if signed else np.abs(change) * factor
    return np.clip(shown, 0, 255).astype(np.uint8)


def thumbnail(name: str = "") -> NDArray[np.uint8]:
    """Return a drawn animal, also after an operator whose settings show its effect: (64, 64, 3), pixels doubled."""
    from aquadash.data import synthetic

    source = synthetic.example()[np.newaxis]
    changed = np.empty_like(source)
    branch = Branch(name, (operator_info(name).example,) if name else ())
    augment_branch(source, branch, seed=_THUMBNAIL_SEED, path=(), out=changed)
    return changed[0].repeat(2, axis=0).repeat(2, axis=1)

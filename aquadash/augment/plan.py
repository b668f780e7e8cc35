"""The training images of a run by its settings: pipelines, number of versions, mixture.

A run carries copies of the saved pipelines that it names (:func:`embedded`), so that it does not change when one of
them is edited or deleted.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from aquadash.augment.apply import TRAINING, augment_branch, branch_by_batch, check_images
from aquadash.augment.pipelines import ORIGINAL, PIPELINES
from aquadash.augment.reading import from_json
from aquadash.augment.saved_pipelines import pipeline as pipeline_named
from aquadash.augment.spec import Branch, PipelineSpec
from aquadash.config import AugmentationConfig, RunConfig, definitions_text, read_definitions, with_values
from aquadash.data.progress import ProgressCallback, silent
from aquadash.errors import ConfigError, UnknownNameError

#: The first numbers of seeds' paths, like :data:`aquadash.augment.apply.TRAINING`: of the second and later versions, a
#: mixture's images, and the choice of a branch for each image.
_MORE_VERSIONS = 2
MIXTURE = 3
PICKS = 4


@dataclass(frozen=True)
class AugmentationPlan:
    """The changes of a run's training images."""

    #: At least one. Every branch of a single pipeline makes a version of each image. In a mixture of several pipelines,
    #: each version is made by one branch of one pipeline.
    pipelines: tuple[PipelineSpec, ...]
    #: The fraction of the changed images for each pipeline; the sum is 1.
    fractions: tuple[float, ...] = (1.0,)
    #: The versions of each image from each branch that changes it, or from the mixture.
    copies: int = 1
    #: Whether to keep the unchanged images, even if no branch does.
    keep_originals: bool = False

    @property
    def mixed(self) -> bool:
        """True for several pipelines."""
        return len(self.pipelines) > 1

    @property
    def factor(self) -> int:
        """The number of images made of each original."""
        return len(self.parts())

    @property
    def changes(self) -> bool:
        """Whether any branch changes images."""
        return any(not branch.is_original for spec in self.pipelines for branch in spec.branches)

    def describe(self) -> str:
        """Describe the images for people: ``"2 versions from each of 4 branches and the originals"``."""
        if not self.changes:
            return "the images as they are"
        versions = "1 version" if self.copies == 1 else f"{self.copies} versions"
        keeps = self.keep_originals or (not self.mixed and any(b.is_original for b in self.pipelines[0].branches))
        originals = ", and the originals" if keeps else ""
        if self.mixed:
            parts = ", ".join(
                f"{fraction * 100:.0f} % {spec.title}"
                for spec, fraction in zip(self.pipelines, self.fractions, strict=True)
            )
            return f"{versions} of each image, each by one pipeline ({parts}){originals}"
        branches = sum(not branch.is_original for branch in self.pipelines[0].branches)
        each = f" from each of {branches} branches" if branches > 1 else ""
        return f"{versions} of each image{each}{originals}"

    def labels(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """The labels of the images that :func:`draw` makes, shape (factor * n,)."""
        return np.tile(labels, self.factor)

    def parts(self) -> list[tuple[Branch | None, tuple[int, ...]]]:
        """Return the branch (None for a mixture) and the seed's path of each of the ``factor`` sets of images."""
        kept: tuple[Branch | None, tuple[int, ...]] = (ORIGINAL, ())
        if self.mixed:
            return [kept] * self.keep_originals + [(None, (version,)) for version in range(self.copies)]
        branches = self.pipelines[0].branches
        parts = [kept] * (self.keep_originals and not any(branch.is_original for branch in branches))
        for number, branch in enumerate(branches):
            parts.append((branch, (TRAINING, number)))
            if not branch.is_original:
                parts += [(branch, (_MORE_VERSIONS, version, number)) for version in range(1, self.copies)]
        return parts

    def mixture(self) -> tuple[list[Branch], NDArray[np.float64]]:
        """Return the branches of all pipelines and their probabilities; a pipeline's branches share its fraction."""
        branches = [branch for spec in self.pipelines for branch in spec.branches]
        often = [
            fraction / spec.factor
            for spec, fraction in zip(self.pipelines, self.fractions, strict=True)
            for _ in spec.branches
        ]
        return branches, np.array(often) / sum(often)


def plan(config: AugmentationConfig) -> AugmentationPlan:
    """Return the plan of a run: a name means the built-in pipeline, else the carried one, else the saved one."""
    names, fractions = zip(*config.weights, strict=True)
    specs = tuple(_spec(name, config) for name in names)
    return AugmentationPlan(specs, fractions, config.copies, config.keep_originals)


def embedded(config: RunConfig, *, also: Iterable[str] = ()) -> RunConfig:
    """Return the config with copies of the saved pipelines that it names; copies that it carries already stay.

    Args:
        also: Further values of the setting ``augmentation.pipeline`` whose pipelines are carried, too.
    """
    augmentation = config.augmentation
    carried = read_definitions(augmentation.definitions)
    wanted: dict[str, dict[str, object]] = {}
    for text in (augmentation.pipeline, *also):
        for name, _ in with_values(config, {"augmentation.pipeline": text}).augmentation.weights:
            if name not in PIPELINES:
                wanted[name] = carried.get(name) or json.loads(_spec(name, augmentation).to_json())
    return with_values(config, {"augmentation.definitions": definitions_text(wanted)})


def draw(
    images: NDArray[np.uint8],
    plan: AugmentationPlan,
    *,
    seed: int,
    out: NDArray[np.uint8] | None = None,
    progress: ProgressCallback = silent,
) -> NDArray[np.uint8]:
    """Draw the training images of a plan.

    The same images and seed give the same bytes in any process, but a slice of the images gets other random choices.

    Args:
        images: uint8, shape (n, height, width, 3), RGB; left unchanged. n may be 0.
        seed: 0 or greater; another one each epoch gives fresh versions.
        out: The array to write to, of the result's shape; None for a new one.
        progress: Called after each batch with a text and the fraction done, 0 to 1.

    Returns:
        uint8, shape (factor * n, height, width, 3): one set of all images after the other, originals first.
    """
    check_images(images)
    if out is None:
        out = np.empty((plan.factor * len(images), *images.shape[1:]), np.uint8)
    for text, fraction in draw_by_batch(images, plan, seed=seed, out=out):
        progress(text, fraction)
    return out


def draw_by_batch(
    images: NDArray[np.uint8], plan: AugmentationPlan, *, seed: int, out: NDArray[np.uint8]
) -> Iterator[tuple[str, float]]:
    """Do :func:`draw` a batch at a time, on any thread, and yield a text and the fraction done."""
    parts, count = plan.parts(), len(images)
    for number, (branch, path) in enumerate(parts):
        target = out[number * count : (number + 1) * count]
        if branch is None:
            title, fractions = "mixed", _mixture_by_branch(images, plan, seed=seed, version=path[0], out=target)
        else:
            title, fractions = branch.title, branch_by_batch(images, branch, seed=seed, path=path, out=target)
        for fraction in fractions:
            yield f"Augmenting: {title}", (number + fraction) / len(parts)


def _mixture_by_branch(
    images: NDArray[np.uint8], plan: AugmentationPlan, *, seed: int, version: int, out: NDArray[np.uint8]
) -> Iterator[float]:
    """Make one version of each image by a branch that is drawn for it, and yield the fraction done."""
    branches, often = plan.mixture()
    generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(PICKS, version)))
    picks = generator.choice(len(branches), size=len(images), p=often)
    done = 0
    for number, branch in enumerate(branches):
        chosen = np.flatnonzero(picks == number)
        if not len(chosen):
            continue
        drawn = np.empty((len(chosen), *images.shape[1:]), np.uint8)
        augment_branch(images[chosen], branch, seed=seed, path=(MIXTURE, version, number), out=drawn)
        out[chosen] = drawn
        done += len(chosen)
        yield done / len(images)


def _spec(name: str, config: AugmentationConfig) -> PipelineSpec:
    if name in PIPELINES:
        return PIPELINES[name]
    values = read_definitions(config.definitions).get(name)
    if values is None:
        return pipeline_named(name)
    try:
        return replace(from_json(json.dumps(values)), name=name)
    except (ConfigError, UnknownNameError) as error:
        raise ConfigError(f"The pipeline {name!r} that is stored with the settings cannot be used. {error}") from None

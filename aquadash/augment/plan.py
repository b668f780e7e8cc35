"""From a run's settings to the images it trains on: which pipelines, how many versions, mixed how.

A run carries the saved pipelines that it names (:func:`embedded`), so that it stays what it is when one of them is
edited or deleted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from aquadash.augment.apply import TRAINING, augment_branch, branch_by_batch, check_images
from aquadash.augment.pipelines import PIPELINES
from aquadash.augment.reading import from_json
from aquadash.augment.saved_pipelines import pipeline as pipeline_named
from aquadash.augment.spec import Branch, PipelineSpec
from aquadash.config import AugmentationConfig, RunConfig, definitions_text, read_definitions, with_values
from aquadash.data.progress import ProgressCallback, silent
from aquadash.errors import ConfigError, UnknownNameError

#: First parts of the paths along which a seed is split (see :data:`aquadash.augment.apply.TRAINING`): the second and
#: later versions, a mixture's images, and the choice of a branch for each image.
_MORE_VERSIONS = 2
MIXTURE = 3
PICKS = 4


@dataclass(frozen=True)
class AugmentationPlan:
    """The changes of a run's training images."""

    #: At least one. Of a single one every branch makes images; of several, each version of each image goes through one
    #: branch of one of them.
    pipelines: tuple[PipelineSpec, ...]
    #: Of the changed images, one a pipeline; they add up to 1.
    fractions: tuple[float, ...] = (1.0,)
    #: Versions of each image from each changing branch or, of several pipelines, from the mixture.
    copies: int = 1
    #: Whether the unchanged images stay where the pipeline itself does not keep them.
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
        """False where all images stay as they are, so that nothing need be drawn."""
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
        """For each of the ``factor`` sets of images its branch, None for a mixture, and the path of its seed."""
        kept = (Branch("Original", ()), ())
        if self.mixed:
            mixtures: list[tuple[Branch | None, tuple[int, ...]]] = [
                (None, (version,)) for version in range(self.copies)
            ]
            return [kept, *mixtures] if self.keep_originals else mixtures
        branches = self.pipelines[0].branches
        parts: list[tuple[Branch | None, tuple[int, ...]]] = []
        if self.keep_originals and not any(branch.is_original for branch in branches):
            parts.append(kept)
        for number, branch in enumerate(branches):
            parts.append((branch, (TRAINING, number)))
            if not branch.is_original:
                parts += [(branch, (_MORE_VERSIONS, version, number)) for version in range(1, self.copies)]
        return parts

    def mixture(self) -> tuple[list[Branch], NDArray[np.float64]]:
        """All branches of all pipelines, and how often each is taken: those of a pipeline share its fraction."""
        branches = [branch for spec in self.pipelines for branch in spec.branches]
        often = [
            fraction / spec.factor
            for spec, fraction in zip(self.pipelines, self.fractions, strict=True)
            for _ in spec.branches
        ]
        return branches, np.array(often) / sum(often)


def plan(config: AugmentationConfig) -> AugmentationPlan:
    """The plan of a run with these settings.

    Of a name, the built-in pipeline counts, then the one that the settings carry, then the saved one.

    Raises:
        UnknownNameError: A pipeline is neither carried nor there.
        ConfigError: One is carried or saved that cannot be used.
        StorageError: A saved one cannot be read.
    """
    weights = config.weights
    return AugmentationPlan(
        tuple(_spec(name, config) for name, _ in weights),
        tuple(fraction for _, fraction in weights),
        config.copies,
        config.keep_originals,
    )


def embedded(config: RunConfig, *, also: Iterable[str] = ()) -> RunConfig:
    """The config with the saved pipelines that it names written into it.

    Carried pipelines stay as they are, or are left out where the config does not name them.

    Args:
        also: Names, or several with weights, that the pipeline may be set to later.

    Raises:
        AquaDashError: As for :func:`plan`; or the pipelines are too long to be carried.
    """
    augmentation = config.augmentation
    texts = [augmentation.pipeline, *also]
    carried = read_definitions(augmentation.definitions)
    wanted: dict[str, dict[str, object]] = {}
    for text in texts:
        for name, _ in with_values(config, {"augmentation.pipeline": text}).augmentation.weights:
            if name not in PIPELINES:
                spec = _spec(name, augmentation)
                wanted[name] = carried.get(name) or json.loads(spec.to_json())
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

    Batches have a fixed size and a seed each, so that the same images and seed give the same bytes in any process. A
    slice of the images gets other random choices than the whole.

    Args:
        images: uint8, shape (n, height, width, 3), RGB; left unchanged. n may be 0.
        seed: 0 or greater; another one each epoch gives fresh versions.
        out: Where to write them, of the result's form; a new array when None.
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
    """:func:`draw`, a batch at each step; yields a text and the fraction done. Any thread may do the next step."""
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
    """One version of each image, each through a branch that is drawn for it; yields the fraction done."""
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
    """The pipeline that a name stands for in these settings."""
    if name in PIPELINES:
        return PIPELINES[name]
    values = read_definitions(config.definitions).get(name)
    if values is None:
        return pipeline_named(name)
    try:
        return replace(from_json(json.dumps(values)), name=name)
    except (ConfigError, UnknownNameError) as error:
        raise ConfigError(f"The pipeline {name!r} that is stored with the settings cannot be used. {error}") from None

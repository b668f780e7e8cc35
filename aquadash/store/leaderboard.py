"""The board of a class: the best run of each student, on images that the run did not learn from.

While the class works, runs are ranked by their validation accuracy. Whoever tunes on the test images gains nothing by
it, because those do not count. At the end the teacher shows the test accuracies: of each student the run counts that
was best by *validation*, so that the test images choose nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from aquadash.evaluation.intervals import ranks, wilson_interval
from aquadash.store.types import Run

#: With fewer validation images a run does not count: luck would decide, and who keeps few has more to learn from.
MIN_IMAGES = 100


@dataclass(frozen=True)
class Standing:
    """One student on the board."""

    #: From 1; shared by those that the images do not tell apart, see :func:`aquadash.evaluation.intervals.ranks`.
    rank: int
    #: The student's: plain text.
    name: str
    #: The student's.
    person_id: str
    run: Run
    #: How many of the images it named rightly.
    right: int
    #: How many there are.
    images: int
    #: The 95 % interval of the accuracy, 0 to 1.
    interval: tuple[float, float]
    #: How many runs of theirs could have stood here. The best of many is luckier than the best of few.
    tries: int

    @property
    def accuracy(self) -> float:
        """The share of the images that the run named rightly, 0 to 1."""
        return self.right / self.images


@dataclass(frozen=True)
class Board:
    """The class at a moment."""

    #: The best first.
    entries: tuple[Standing, ...]
    #: ``"validation"`` or ``"test"``.
    measured_on: str
    #: How many ended runs of students were left out because too few validation images were kept.
    uncounted: int


def sources(runs: Iterable[Run]) -> list[str]:
    """The data sources that students have runs on, the one with most students first."""
    people: dict[str, set[str]] = defaultdict(set)
    for run in runs:
        if _counts(run):
            people[run.config.data.source].add(run.owner)
    return sorted(people, key=lambda source: (-len(people[source]), source))


def leaderboard(
    runs: Iterable[Run],
    *,
    source: str,
    validation_images: Callable[[Run], int | None],
    fingerprint: str = "",
    test_results: bool = False,
    names: Mapping[str, str] | None = None,
) -> Board:
    """Rank the students who have runs on a data source.

    Args:
        source: The data source; results on different images cannot be compared, so of several data sets of that name
            only one counts.
        validation_images: How many validation images a run was measured on, None if that is not known.
        fingerprint: Of the data set that has the name now; while no run is on that, the one of the newest run counts.
        test_results: Rank by the accuracy on test images of what is best by validation.
        names: What people are called now, by id; who is missing goes by the name on the run.
    """
    by_person: dict[str, list[Run]] = defaultdict(list)
    there = [run for run in runs if _counts(run) and run.config.data.source == source]
    # Own pictures may have been replaced under their name, also while the newest run waited or trained.
    present = max(there, key=lambda run: (run.dataset_fingerprint == fingerprint, run.created_at), default=None)
    for run in there:
        if present is not None and run.dataset_fingerprint == present.dataset_fingerprint:
            by_person[run.owner].append(run)
    chosen: list[tuple[Run, int, int, int]] = []
    uncounted = 0
    for own in by_person.values():
        # The same images in the same order of preference whoever asks: the earlier of two equal runs.
        own.sort(key=lambda run: (-run.metrics["val_accuracy"], run.created_at))
        counted = [(run, images) for run in own if (images := validation_images(run) or 0) >= MIN_IMAGES]
        uncounted += len(own) - len(counted)
        if not counted:
            continue
        run, images = counted[0]
        accuracy = run.metrics["val_accuracy"]
        if test_results:
            if not run.test_images or "test_accuracy" not in run.metrics:
                continue
            accuracy, images = run.metrics["test_accuracy"], run.test_images
        chosen.append((run, min(images, max(0, round(accuracy * images))), images, len(counted)))
    chosen.sort(key=lambda one: (-one[1] / one[2], one[0].created_at))
    found = [
        Standing(rank, (names or {}).get(run.owner) or run.owner_name, run.owner, run, right, images,
              wilson_interval(right, images), tries)
        for rank, (run, right, images, tries) in zip(
            ranks([(right, images) for _, right, images, _ in chosen]), chosen, strict=True
        )
    ]  # fmt: skip
    return Board(tuple(found), "test" if test_results else "validation", uncounted)


def _counts(run: Run) -> bool:
    """Whether a run is a student's and has a result.

    What the teacher hides does not count, nor what was imported, since the figures in a ZIP can be made up, nor what
    was validated on test images.
    """
    of_a_student = bool(run.owner) and not run.shared and not run.hidden and not run.origin
    validated = "val_accuracy" in run.metrics and run.config.training.validation != "test"
    return of_a_student and run.status.ended and validated

"""The board of a class: the best run of each student, on images that the run did not learn from.

While the class works, the validation accuracy ranks the runs, so that tuning on the test images gains nothing. At the
end the teacher shows the test accuracy of each student's best run by *validation*, so that test images choose nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from aquadash.evaluation.intervals import ranks, wilson_interval
from aquadash.store.types import Run

#: The fewest validation images of a run that counts. With fewer, luck decides, and more images remain to learn from.
MIN_IMAGES = 100


@dataclass(frozen=True)
class Standing:
    """One student on the board."""

    #: The rank from 1; students share one if the images cannot rank them, see
    #: :func:`aquadash.evaluation.intervals.ranks`.
    rank: int
    #: The student's name: plain text.
    name: str
    #: The student's id.
    person_id: str
    run: Run
    #: The number of right answers.
    right: int
    #: The number of images.
    images: int
    #: The 95 % interval of the accuracy, 0 to 1.
    interval: tuple[float, float]
    #: The number of the student's runs that count. The best of many is luckier than the best of few.
    tries: int

    @property
    def accuracy(self) -> float:
        """The fraction of right answers, 0 to 1."""
        return self.right / self.images


@dataclass(frozen=True)
class Board:
    """The board of the class at a moment."""

    #: The students, the best first.
    entries: tuple[Standing, ...]
    #: ``"validation"`` or ``"test"``.
    measured_on: str
    #: The number of students' runs with too few validation images to count.
    uncounted: int


def sources(runs: Iterable[Run]) -> list[str]:
    """Return the data sources of students' runs, the one with most students first."""
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
        source: The data source. Only runs on the same images count, so of several data sets of that name only one does.
        validation_images: Returns the number of validation images of a run; None if it is unknown.
        fingerprint: The data set that has the name now; if no run is on it, the data set of the newest run counts.
        test_results: Whether to rank by the test accuracy of each student's best run by validation.
        names: The present names of people by id; others keep the name on the run.
    """
    by_person: dict[str, list[Run]] = defaultdict(list)
    candidates = [run for run in runs if _counts(run) and run.config.data.source == source]
    # Own pictures may have been replaced under the same name, even while the newest run waited or trained.
    present = max(candidates, key=lambda run: (run.dataset_fingerprint == fingerprint, run.created_at), default=None)
    for run in candidates:
        if present is not None and run.dataset_fingerprint == present.dataset_fingerprint:
            by_person[run.owner].append(run)
    chosen: list[tuple[Run, int, int, int]] = []
    uncounted = 0
    for own in by_person.values():
        # The earlier of two equal runs is the better one, so that the board is the same for everybody.
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
    entries = []
    for rank, (run, right, images, tries) in zip(ranks([one[1:3] for one in chosen]), chosen, strict=True):
        name, interval = (names or {}).get(run.owner) or run.owner_name, wilson_interval(right, images)
        entries.append(Standing(rank, name, run.owner, run, right, images, interval, tries))
    return Board(tuple(entries), "test" if test_results else "validation", uncounted)


def _counts(run: Run) -> bool:
    """Return whether a run counts: a student's own with a result, not hidden, imported or validated on test images."""
    # The figures of an imported run can be made up.
    of_a_student = bool(run.owner) and not run.shared and not run.hidden and not run.origin
    validated = "val_accuracy" in run.metrics and run.config.training.validation != "test"
    return of_a_student and run.status.ended and validated

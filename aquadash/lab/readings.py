"""The readings of a store, cached for all people: for a second while a value may change, else until room is short."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from aquadash import settings
from aquadash.errors import DataError, RunError
from aquadash.evaluation import Evaluation, PairTest, evaluate, pairwise
from aquadash.evaluation.calibration import fit_temperature
from aquadash.lab.memory import kept
from aquadash.store import Job, Run, open_jobs, open_store
from aquadash.store.measured import Images
from aquadash.store.types import EpochRecord, EpochReplay, Predictions

if TYPE_CHECKING:
    from aquadash.robustness.measurement import Measurement
    from aquadash.robustness.requests import SweepRequest
    from aquadash.search.types import Search, SearchHead
    from aquadash.training.forecast import Paces, Waiting

T = TypeVar("T")

#: Seconds after which a reading that may change is stale.
FRESH_SECONDS = 1.0

#: The bytes kept for each kind of array of runs. Those of an imported run may be 200 MB.
_MOST_BYTES = 200_000_000


class AllRuns(NamedTuple):
    """All runs of one reading of the store, in their order and by their ids."""

    runs: tuple[Run, ...]
    by_id: dict[str, Run]


def readings() -> Readings:
    """The readings of the store that the settings name."""
    return Readings(settings.store_key())


def _bytes_of(found: Predictions | EpochReplay) -> int:
    return 1000 + sum(array.nbytes for array in vars(found).values())


def _of_run(
    most: int, *, size: Callable[[Any], int] | None = None
) -> Callable[[Callable[[Readings, str], T]], Callable[[Readings, str, float | None], T]]:
    """Cache a reading of a run by its id and end; until the run has ended, for :data:`FRESH_SECONDS` only."""

    def decorate(read: Callable[[Readings, str], T]) -> Callable[[Readings, str, float | None], T]:
        def asked(self: Readings, run_id: str, ended_at: float | None) -> T:
            return read(self, run_id)

        ended, live = kept(most, size=size)(asked), kept(64, seconds=FRESH_SECONDS)(asked)

        def reading(self: Readings, run_id: str, ended_at: float | None) -> T:
            return (live if ended_at is None else ended)(self, run_id, ended_at)

        return reading

    return decorate


@dataclass(frozen=True)
class Readings:
    """The cached readings of one store. Two objects of the same store share them."""

    store_key: str

    # -- runs --------------------------------------------------------------------------------------------------------

    # Only changed rows are read, so that a shorter time costs little.
    @kept(8, seconds=0.25)
    def all(self) -> AllRuns:
        """All runs."""
        found = tuple(open_store().list_runs())
        return AllRuns(found, {run.run_id: run for run in found})

    @kept(64, seconds=FRESH_SECONDS)
    def one(self, run_id: str) -> Run:
        """A run, also one in the bin."""
        return open_store().read(run_id)

    @kept(4, seconds=FRESH_SECONDS)
    def waiting(self) -> dict[str, Waiting]:
        """The forecasts of the queued runs by id, the next run first."""
        from aquadash.training.forecast import waiting_times
        from aquadash.work.queue import open_engine
        from aquadash.work.slots import held

        return waiting_times(self.all().runs, slots=open_engine().slots(), paused=held())

    # One more run hardly changes a median.
    @kept(4, seconds=10.0)
    def paces(self) -> Paces:
        """The seconds an epoch of all finished runs."""
        from aquadash.training.forecast import Paces

        return Paces(self.all().runs)

    @_of_run(256)
    def network_size(self, run_id: str) -> tuple[int, float] | None:
        """The number of weights and the megabytes of a run's network."""
        from aquadash.training.cost import network_size

        return network_size(open_store(), run_id)

    @_of_run(256)
    def temperature(self, run_id: str) -> float | None:
        """The temperature that a run's scores are divided by; None without validation images."""
        try:
            said = open_store().validation_predictions(run_id)
            if said is None:
                return None
            fitted = fit_temperature(said.labels, said.probabilities)
        except DataError:
            return 1.0
        return 1.0 if fitted.at_limit else fitted.value

    @_of_run(256)
    def history(self, run_id: str) -> tuple[EpochRecord, ...]:
        """A run's epochs so far."""
        return tuple(open_store().history(run_id))

    @_of_run(_MOST_BYTES, size=_bytes_of)
    def epoch_replay(self, run_id: str) -> EpochReplay | None:
        """How a run's answers changed from epoch to epoch."""
        return open_store().epoch_replay(run_id)

    @_of_run(_MOST_BYTES, size=_bytes_of)
    def predictions(self, run_id: str) -> Predictions:
        """The predictions of a run's model on the test images."""
        return open_store().predictions(run_id)

    @_of_run(_MOST_BYTES, size=_bytes_of)
    def validation_predictions(self, run_id: str) -> Predictions | None:
        """The predictions of a run's model on the validation images."""
        return open_store().validation_predictions(run_id)

    @kept(4096)
    def validation_images(self, run_id: str, ended_at: float | None) -> int | None:
        """The number of validation images with predictions of a run's model."""
        found = open_store().validation_predictions(run_id)
        return None if found is None else len(found.labels)

    @kept(256)
    def evaluation(self, run_id: str, ended_at: float, class_names: tuple[str, ...], images: Images) -> Evaluation:
        """The scores of a run's model."""
        found = self._predictions_on(run_id, ended_at, images)
        return evaluate(found.labels, found.probabilities, class_names=class_names)

    @kept(64)
    def pairs(
        self, runs: tuple[tuple[str, float] | None, ...], sets: tuple[str, ...], images: Images
    ) -> tuple[PairTest, ...]:
        """Each run, by its id and end, against each later one."""
        said = [None if run is None else self._predictions_on(*run, images) for run in runs]
        return pairwise(said, sets=sets)

    def _predictions_on(self, run_id: str, ended_at: float, images: Images) -> Predictions:
        read = self.predictions if images == "test" else self.validation_predictions
        found = read(run_id, ended_at)
        if found is None:
            raise RunError("This run kept no predictions of its validation images.")
        return found

    # -- searches and jobs -------------------------------------------------------------------------------------------

    @kept(8, seconds=FRESH_SECONDS)
    def searches(self) -> tuple[SearchHead, ...]:
        """All searches without their trials."""
        from aquadash.search.store import open_search_store

        return tuple(open_search_store().heads())

    @kept(64, seconds=FRESH_SECONDS)
    def search(self, search_id: str) -> Search:
        """A search with its trials."""
        from aquadash.search.store import open_search_store

        return open_search_store().get(search_id)

    @kept(128, seconds=FRESH_SECONDS)
    def job(self, job_id: str) -> Job | None:
        """A job as it is now."""
        return open_jobs().get(job_id)

    # The version includes the revision of the job, which grows with each report of its worker.
    @kept(64)
    def robustness(self, run_id: str, sweep: SweepRequest | None, *version: object) -> Measurement | None:
        """The figures of a finished measurement of a run."""
        from aquadash.robustness.job import result_of

        store = open_store()
        return result_of(store, store.get(run_id), sweep)

    @kept(8, seconds=FRESH_SECONDS)
    def robustness_so_far(self, run_id: str, sweep: SweepRequest | None) -> Measurement | None:
        """The figures so far of a measurement at work."""
        from aquadash.robustness.job import result_of

        store = open_store()
        return result_of(store, store.get(run_id), sweep)

    @kept(64, seconds=FRESH_SECONDS)
    def export_id(self, run_id: str, include_data: bool, show_images: bool) -> str:
        """The id of the job that makes a run's ZIP file as it is now."""
        from aquadash.export import jobs

        return jobs.export_id(open_store(), run_id, include_data=include_data, show_images=show_images)

"""The runs that a person may see, train, label and delete.

All people share the cached readings (:mod:`aquadash.lab.memory`). A change made here shows at once.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from aquadash import settings
from aquadash.config import DEFINITIONS, RunConfig, with_values
from aquadash.data.progress import ProgressCallback, silent
from aquadash.errors import AquaDashError, DataError, NotAllowedError, RunError, StorageError, UnknownNameError
from aquadash.evaluation import Evaluation, PairTest, evaluate, pairwise
from aquadash.evaluation.calibration import fit_temperature
from aquadash.lab import Part
from aquadash.lab.memory import FRESH_SECONDS, kept
from aquadash.lab.rights import Action
from aquadash.store import Run, RunStatus, RunStore, open_jobs, open_store
from aquadash.store.artifacts import OOD_DETECTOR
from aquadash.store.first_model import add_first_model
from aquadash.store.job_types import job_id
from aquadash.store.runs import KIND, id_of
from aquadash.store.types import EpochRecord, EpochReplay, Guess, Images, Predictions, image_set

if TYPE_CHECKING:
    from aquadash.classroom.leaderboard import Board
    from aquadash.store.upgrade import Upgrade
    from aquadash.training.forecast import Cost, Paces, Waiting
    from aquadash.training.reproduction import Reproduction
    from aquadash.work.queue import Engine


P = ParamSpec("P")
T = TypeVar("T")

#: The bytes kept for each kind of array of runs. Those of an imported run may be 200 MB.
_MAX_BYTES = 200_000_000

#: Maximum characters of a log; the worker keeps as many of a run that is trained here.
_MAX_LOG = 6000

#: Held while a person's limits are checked and the run joins the queue, so no other run comes between.
_one_at_a_time = RLock()


@dataclass(frozen=True, eq=False)
class Compared:
    """Several runs to compare. Each list has one entry per run, in the order of ``runs``."""

    #: The predictions of their models; None for a run without any, or with unreadable ones.
    predictions: tuple[Predictions | None, ...]
    #: The scores; None for a run without predictions.
    evaluations: tuple[Evaluation | None, ...]
    #: The reason why a run's predictions cannot be read; empty without a problem.
    errors: tuple[str, ...]
    #: Each run against each later one.
    pairs: tuple[PairTest, ...]


def _of_run(
    most: int, *, size: Callable[[Any], int] | None = None
) -> Callable[[Callable[Concatenate[Runs, str, P], T]], Callable[Concatenate[Runs, str, P], T]]:
    """Cache a reading of a run that the person may see, by its id and end; all people share it.

    Until the run has ended, for :data:`FRESH_SECONDS` only, and arrays not at all.
    """

    def decorate(read: Callable[Concatenate[Runs, str, P], T]) -> Callable[Concatenate[Runs, str, P], T]:
        @kept(most, size=size, method=True)
        def ended(self: Runs, ended_at: float, run_id: str, /, *args: P.args, **options: P.kwargs) -> T:
            return read(self, run_id, *args, **options)

        live = read if size else kept(64, seconds=FRESH_SECONDS, method=True)(read)

        @wraps(read)
        def reading(self: Runs, run_id: str, /, *args: P.args, **options: P.kwargs) -> T:
            ended_at = self._ended_at(run_id)
            if ended_at is None:
                return live(self, run_id, *args, **options)
            return ended(self, ended_at, run_id, *args, **options)

        return reading

    return decorate


def _bytes_of(arrays: Predictions | EpochReplay) -> int:
    return 1000 + sum(array.nbytes for array in vars(arrays).values())


# Only changed rows are read, so that a shorter time costs little.
@kept(8, seconds=0.25)
def _all_runs() -> dict[str, Run]:
    """Return all runs by id, newest first."""
    return {run.run_id: run for run in open_store().list_runs()}


@kept(64, seconds=FRESH_SECONDS)
def _one_run(run_id: str) -> Run:
    """Return a run, also one in the bin."""
    return open_store().read(run_id)


class Runs(Part):
    """``Lab.runs``: see there. Students do not find runs that the teacher has hidden, unless they are their own."""

    # -- finding runs ------------------------------------------------------------------------------------------------

    def all(self, *, deleted: bool = False) -> tuple[Run, ...]:
        """Return the runs, newest first; with ``deleted`` those in the bin that the person may bring back.

        A run is the same object until something of it has changed.
        """
        if deleted:
            # Not cached: people rarely open the bin.
            in_bin = open_store().list_runs(deleted=True)
            return tuple(self._as_seen(run) for run in in_bin if self._rights.allow(Action.RESTORE, run.resource))
        everything = tuple(_all_runs().values())
        if self._person.leads:
            return everything
        return tuple(map(self._as_seen, self._rights.seen(everything, lambda run: run.resource)))

    def get(self, run_id: str) -> Run:
        """Return a run by its full id, also one in the bin; the status of an unreadable one says so."""
        # Pages about one run share the cached reading of the table of runs.
        run = _all_runs().get(run_id) or _one_run(run_id)
        self._rights.require(Action.VIEW, run.resource)
        return self._as_seen(run)

    def find(self, text: str) -> Run:
        """Return the run of an id, a unique prefix of one or a unique name; an unreadable run is an error."""
        run = self.get(self.find_id(text))
        if run.status is RunStatus.UNREADABLE:
            raise StorageError(f"{run.message} Delete it, or import it once more.")
        return run

    def find_id(self, text: str, *, deleted: bool = False) -> str:
        """Return the id that such a text stands for, also of an unreadable run; with ``deleted`` of one in the bin."""
        if re.fullmatch(r"[0-9a-f]{32}", text) and open_store().read(text).deleted is deleted:
            return text
        # The message lists names: those of hidden runs must not be among them.
        runs = (
            self.all(deleted=True) if deleted else self._rights.seen(open_store().list_runs(), lambda run: run.resource)
        )
        return id_of(text, {run.run_id: run.name for run in runs}, kind="run", kinds="runs")

    def waiting(self) -> dict[str, Waiting]:
        """Return the forecasts of the queued runs that the person sees by id, the next run first."""
        seen = {run.run_id for run in self.all()}
        return {run_id: one for run_id, one in self._waiting().items() if run_id in seen}

    @kept(4, seconds=FRESH_SECONDS, method=True)
    def _waiting(self) -> dict[str, Waiting]:
        from aquadash.training.forecast import waiting_times
        from aquadash.work.slots import held

        return waiting_times(tuple(_all_runs().values()), slots=_engine().slots(), paused=held())

    def training(self) -> tuple[int, int]:
        """Return the number of running runs that the person sees, and of those hidden from them."""
        seen, total = (
            sum(run.status is RunStatus.RUNNING for run in runs) for runs in (self.all(), _all_runs().values())
        )
        return seen, max(0, total - seen)

    # One more run hardly changes a median.
    @kept(4, seconds=10.0, method=True)
    def paces(self) -> Paces:
        """Return the seconds an epoch of everybody's finished runs."""
        from aquadash.training.forecast import Paces

        return Paces(tuple(_all_runs().values()))

    # -- results of a run ----------------------------------------------------------------------------------------------

    @_of_run(256)
    def history(self, run_id: str) -> Sequence[EpochRecord]:
        """A run's epochs so far."""
        return tuple(open_store().history(run_id))

    @_of_run(_MAX_BYTES, size=_bytes_of)
    def predictions(self, run_id: str) -> Predictions:
        """Return the predictions of a run's model on the test images."""
        return open_store().predictions(run_id)

    @_of_run(_MAX_BYTES, size=_bytes_of)
    def validation_predictions(self, run_id: str) -> Predictions | None:
        """Return the predictions on the validation images; None for a run that kept none."""
        return open_store().validation_predictions(run_id)

    @_of_run(4096)
    def _validation_images(self, run_id: str) -> int | None:
        predictions = open_store().validation_predictions(run_id)
        return None if predictions is None else len(predictions.labels)

    def board_sources(self) -> list[str]:
        """Return the data sources that students have runs on, the one with most students first."""
        from aquadash.classroom.leaderboard import sources

        return sources(self.all())

    def board(self, source: str) -> Board:
        """Return the ranking of the students on a data source, by the images that the class's limits say."""
        from aquadash.classroom.leaderboard import leaderboard
        from aquadash.classroom.limits import in_force
        from aquadash.data.folder.about import fingerprint_of
        from aquadash.lab.people import People

        def images(run: Run) -> int | None:
            try:
                return self._validation_images(run.run_id)
            except AquaDashError:
                # Not cached: the file may be put back.
                return None

        return leaderboard(
            self.all(),
            source=source,
            validation_images=images,
            fingerprint=fingerprint_of(source),
            test_results=not in_force().test_results_hidden,
            names={member.person.person_id: member.person.name for member in People(self._person).all()},
        )

    def evaluation(self, run_id: str, images: Images = "test") -> Evaluation:
        """Return the scores of an ended run's model on test or validation images."""
        run = self.get(run_id)
        if not run.status.ended:
            raise RunError("This run has not ended yet; its results are worked out when it has.")
        return self._evaluation(run_id, images, run.class_names)

    @_of_run(256)
    def _evaluation(self, run_id: str, images: Images, class_names: tuple[str, ...]) -> Evaluation:
        predictions = self._predictions(run_id, images)
        if predictions is None:
            raise RunError("This run kept no predictions of its validation images.")
        return evaluate(predictions.labels, predictions.probabilities, class_names=class_names)

    def results(self, run: Run) -> Evaluation | None:
        """Return :meth:`evaluation` on the test images; None for a run without readable results."""
        try:
            return self.evaluation(run.run_id) if _has_results(run) else None
        except (DataError, RunError, StorageError):
            return None

    def compare(self, runs: Sequence[Run], images: Images = "test") -> Compared:
        """Compare two or more runs image by image. Unreadable predictions of one run do not hide the others.

        Args:
            runs: The runs as they were read last; those that have not ended have no results.
            images: Validation images while a choice is being made; test images only for the last measurement.
        """
        results = [self._results_on(run, images) for run in runs]
        # The key of the cached tests: a resumed run ends once more and then has other predictions.
        versions = tuple(
            None if predictions is None else (run.run_id, self._ended_at(run.run_id))
            for run, (predictions, _, _) in zip(runs, results, strict=True)
        )
        pairs = self._pairs(versions, tuple(image_set(run, images) for run in runs), images)
        predictions, evaluations, errors = zip(*results, strict=True)
        return Compared(predictions, evaluations, errors, pairs)

    def _results_on(self, run: Run, images: Images) -> tuple[Predictions | None, Evaluation | None, str]:
        """Return predictions and scores of a run, None without, and the reason why they cannot be read."""
        try:
            predictions = self._predictions(run.run_id, images) if _has_results(self.get(run.run_id)) else None
            return predictions, None if predictions is None else self.evaluation(run.run_id, images), ""
        except NotAllowedError:
            # All people share the cached tests, so one person's refusal must not count as a missing result.
            raise
        except AquaDashError as error:
            return None, None, str(error)

    @kept(64, method=True)
    def _pairs(
        self, runs: tuple[tuple[str, float | None] | None, ...], sets: tuple[str, ...], images: Images
    ) -> tuple[PairTest, ...]:
        """Test each run, by its id and end, against each later one."""
        return pairwise([None if run is None else self._predictions(run[0], images) for run in runs], sets=sets)

    @_of_run(_MAX_BYTES, size=_bytes_of)
    def epoch_replay(self, run_id: str) -> EpochReplay | None:
        """How a run's answers changed from epoch to epoch; None where that was not kept."""
        return open_store().epoch_replay(run_id)

    def environment(self, run_id: str) -> dict[str, Any]:
        """Return the software, hardware and data of a run; see :class:`aquadash.store.artifacts.Environment`."""
        self.get(run_id)
        return open_store().environment(run_id)

    def log(self, run_id: str) -> str:
        """Return the end of a run's log; of an imported run, the end of its log file."""
        return self.get(run_id).log_tail or open_store().log(run_id)[-_MAX_LOG:]

    def cost(self, run_id: str) -> Cost:
        """The cost of a run: its time and the size of its network."""
        from aquadash.training.forecast import cost_of

        return cost_of(self.history(run_id), self._network_size(run_id))

    @_of_run(256)
    def _network_size(self, run_id: str) -> tuple[int, float] | None:
        """Return the number of weights and the megabytes of a run's network."""
        from aquadash.training.forecast import network_size

        return network_size(open_store(), run_id)

    def reproduction(self, run_id: str, repeat_id: str) -> Reproduction:
        """Compare a run and its repeat number by number, for everybody who sees both."""
        from aquadash.training.reproduction import reproduction

        for one in (run_id, repeat_id):
            self.get(one)
        return reproduction(open_store(), run_id, repeat_id)

    def network(self, run: Run) -> tuple[Path, Path | None]:
        """Return the files of a run's network and of its out-of-distribution detector, if it has one."""
        self._rights.require(Action.OPEN_MODEL, run.resource)
        return open_store().model_path(run.run_id), open_store().artifact(run.run_id, OOD_DETECTOR)

    def tflite(self, run: Run) -> bytes:
        """Return a run's network as a TensorFlow Lite file, which takes seconds."""
        from aquadash.export.tflite import tflite_file

        path, _ = self.network(run)
        return tflite_file(path, run.config.model, num_classes=len(run.class_names))

    def temperature(self, run: Run) -> float:
        """Return the temperature that divides the scores of a run's network before probabilities are shown.

        It is fitted on the run's validation images; 1 where there are none, or their answers are all right.
        """
        self._rights.require(Action.OPEN_MODEL, run.resource)
        try:
            return self._temperature(run.run_id) or 1.0
        except StorageError:
            # Not cached: the damaged file may be put back.
            return 1.0

    @_of_run(256)
    def _temperature(self, run_id: str) -> float | None:
        predictions = self.validation_predictions(run_id)
        if predictions is None:
            return None
        try:
            fitted = fit_temperature(predictions.labels, predictions.probabilities)
        except DataError:
            return 1.0
        return 1.0 if fitted.at_limit else fitted.value

    # -- training ----------------------------------------------------------------------------------------------------

    def train(self, config: RunConfig, *, name: str | None = None) -> Run:
        """Store a new run and put it into the queue. In a class everybody takes turns.

        The saved pipelines that the config names are written into it, as they are now.

        Args:
            name: Its name; if empty, a friendly one is made up.

        Raises:
            AquaDashError: A name in the config is unknown, or pretrained weights cannot be had.
        """
        with self._adding(config):
            return _engine().submit(config, name=name, owner=self._person)

    def train_pair(self, config: RunConfig, pipeline: str) -> tuple[Run, Run]:
        """Queue two runs with the same settings and seed: first one without augmentation, then one with a pipeline.

        The pipeline of the config itself is ignored; errors as for :meth:`train`.
        """
        from aquadash import augment

        title = augment.pipeline(pipeline).title
        without, with_it = (
            with_values(config, {DEFINITIONS: "", "augmentation.pipeline": name}) for name in ("none", pipeline)
        )
        with self._adding(without, with_it):
            engine = _engine()
            return (
                engine.submit(without, name=f"Without: {title}", owner=self._person),
                engine.submit(with_it, name=f"With: {title}", owner=self._person),
            )

    def repeat(self, run_id: str) -> Run:
        """Queue a run that finished by itself once more, with its stored config, to compare the results."""
        from aquadash.data.folder.about import of_source

        run = self.get(run_id)
        if run.status is not RunStatus.FINISHED:
            raise RunError(
                f"{run.name} is {run.status}. Only a run that finished by itself can be repeated; a stopped one ended "
                "at a moment that no repeat can meet."
            )
        with self._adding(run.config):
            pictures = of_source(run.config.data.source)
            if pictures is not None and run.dataset_fingerprint not in ("", pictures.fingerprint):
                raise RunError(
                    f"The data set {pictures.title} has other images now. Only the old ones, imported again under that "
                    "name, can repeat this run."
                )
            name = f"{run.name[:100]} again"
            return _engine().submit(run.config, name=name, repeats=run_id, owner=self._person)

    def resume(self, run_id: str) -> Run:
        """Put a stopped, failed or interrupted run back into the queue, to go on after its last complete epoch.

        A queued run keeps its place.
        """
        run = open_store().get(run_id)
        self._rights.require(Action.RESUME, run.resource)
        if run.status is RunStatus.QUEUED:
            # It has a place in the queue already, so no limit applies.
            with self._changing():
                return _engine().resume(run_id)
        with self._adding(run.config):
            return _engine().resume(run_id)

    def wait(self, run_id: str) -> Run:
        """Wait until a run has ended, and return it. While the run is queued, this process serves the queue."""
        serving = False
        while not (run := self.get(run_id)).status.ended:
            if run.status is RunStatus.QUEUED and not serving:
                # The program that has queued it may have ended.
                _engine().serve()
                serving = True
            time.sleep(FRESH_SECONDS)
        return run

    def stop(self, run_id: str) -> None:
        """Ask a run to stop: a queued one at once, a running one within seconds. Complete epochs are kept."""
        with self._store_for(Action.STOP, run_id) as store:
            store.request_stop(run_id)

    def move(self, run_id: str, rank: int) -> list[str]:
        """Move a queued run to a rank, 1 for the one that starts next; return the ids of all in their new order."""
        self._rights.require(Action.REORDER)
        if rank < 1:
            raise RunError(f"The place is {rank}; expected 1 for the run that starts next, 2 for the one after it ...")
        store = open_store()
        waiting = list(store.ranks())
        if run_id not in waiting:
            run = store.get(run_id)
            raise RunError(f"{run.name} does not wait: it is {run.status}. Only waiting runs have a place.")
        waiting.remove(run_id)
        with self._changing():
            store.jobs.reorder(KIND, [job_id(KIND, each) for each in [*waiting[: rank - 1], run_id]])
        return list(store.ranks())

    # -- names, notes, tags and pins -----------------------------------------------------------------------------------

    def guess(self, run_id: str, guess: Guess) -> None:
        """Store the person's guess of the result of a run of theirs that has not ended."""
        with self._store_for(Action.GUESS, run_id) as store:
            store.set_guess(run_id, guess)

    def rename(self, run_id: str, name: str) -> None:
        """Give a run another name, at most 120 characters; control characters are dropped."""
        with self._store_for(Action.LABEL, run_id) as store:
            store.rename(run_id, name)

    def note(self, run_id: str, text: str) -> None:
        """Store the note of a run, at most 4,000 characters."""
        with self._store_for(Action.LABEL, run_id) as store:
            store.set_note(run_id, text)

    def tag(self, run_id: str, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Add and remove tags; ignore those that the run has already, or lacks."""
        with self._store_for(Action.LABEL, run_id) as store:
            store.change_tags(run_id, add=add, remove=remove)

    def pin(self, run_id: str, pinned: bool = True) -> None:
        """Pin a run to the top of a student's own tables, or of everybody's if a teacher pins it; or unpin it.

        A student cannot unpin a run that the teacher has pinned.
        """
        with self._store_for(Action.LABEL, run_id) as store:
            store.set_pinned(run_id, pinned, for_all=self._person.leads)

    def archive(self, run_id: str, archived: bool = True) -> None:
        """Archive a run, which tables and menus then leave out by default, or bring it back."""
        with self._store_for(Action.LABEL, run_id) as store:
            store.update(run_id, archived=archived)

    def hide(self, run_id: str, hidden: bool = True) -> None:
        """Hide a run from all students but its owner, or show it again."""
        self._rights.require(Action.HIDE)
        with self._changing():
            open_store().update(run_id, hidden=hidden)

    def delete(self, run_id: str) -> None:
        """Put a run that is not at work into the bin, from where :meth:`restore` brings it back."""
        with self._store_for(Action.DELETE, run_id) as store:
            store.delete(run_id)

    def restore(self, run_id: str) -> None:
        """Bring a deleted run back."""
        with self._store_for(Action.RESTORE, run_id) as store:
            hidden = _search_is_hidden(store.read(run_id).search_id)
            store.restore(run_id)
            if hidden:
                # A run in the bin was not hidden with its search.
                store.update(run_id, hidden=True)

    def send_to_mlflow(self, run_id: str) -> str:
        """Send an ended run with its files to the MLflow tracking server; return the id that it has there."""
        from aquadash.training import mlflow_log

        self._rights.require(Action.OPEN_MODEL, self.get(run_id).resource)
        return mlflow_log.send(open_store(), run_id)

    def first_model(self) -> Run:
        """Return the included model's run; add it to the store for all people unless it is or was there."""
        with self._changing():
            return add_first_model(open_store())

    def may_upgrade(self) -> bool:
        """Return whether the home has runs of an earlier version that the person may bring over."""
        return self._person.leads and settings.has_old_runs()

    def upgrade(self, source: Path | None = None, *, progress: ProgressCallback = silent) -> Upgrade:
        """Bring over the runs, searches and waiting jobs of version 0.6.0 or 0.7. The old files stay as they are.

        Args:
            source: The folder that was AQUADASH_HOME then; None for the present one.
            progress: Called with the step and the done fraction, 0 to 1.
        """
        from aquadash.store.upgrade import upgrade

        self._rights.require(Action.ADD_FOR_ALL)
        with self._changing():
            return upgrade(open_store(), source, progress=progress)

    # -- within ------------------------------------------------------------------------------------------------------

    def _as_seen(self, run: Run) -> Run:
        """A run with the pin that its owner alone sees."""
        is_own_pin = run.pinned_by_owner and run.owner == self._person.person_id
        return replace(run, pinned=True) if is_own_pin and not run.pinned else run

    def _ended_at(self, run_id: str) -> float | None:
        """Return the end of the run, None before: a part of cache keys, because a resumed run has a later one."""
        run = self.get(run_id)
        # A home that was copied without its table of jobs lacks the ends of interrupted runs.
        times = (run.ended_at, run.started_at, run.created_at)
        return next(at for at in times if at is not None) if run.status.ended else None

    def _predictions(self, run_id: str, images: Images) -> Predictions | None:
        return self.predictions(run_id) if images == "test" else self.validation_predictions(run_id)

    @contextmanager
    def _store_for(self, action: Action, run_id: str) -> Iterator[RunStore]:
        """Yield the store for an action on a run, if the person has the right."""
        if not self._person.leads:
            self._rights.require(action, open_store().read(run_id).resource)
        with self._changing():
            yield open_store()

    @contextmanager
    def _adding(self, *configs: RunConfig) -> Iterator[None]:
        """Refuse runs that the person may not add. No other run is added inside the block."""
        from aquadash.lab.data import DataSets

        for config in configs:
            DataSets(self._person).require_for_job(config.data.source, Action.SUBMIT)
        with self._changing(), _one_at_a_time if self._limits.in_force else nullcontext():
            if self._limits.in_force:
                waiting = sum(job.owner == self._person.person_id for job in open_jobs().queue(KIND))
                for config in configs:
                    self._limits.check_training(config.training.epochs, waiting=waiting, more=len(configs))
            yield


def _engine() -> Engine:
    # Imported late: pages and commands that only read runs need no engine.
    from aquadash.work.queue import open_engine

    return open_engine()


def _has_results(run: Run) -> bool:
    return run.status.ended and "test_accuracy" in run.metrics


def _search_is_hidden(search_id: str) -> bool:
    if not search_id:
        return False
    from aquadash.search.store import open_search_store

    try:
        return open_search_store().get(search_id).hidden
    except UnknownNameError:
        return False

"""The searches that a person may see, start, stop and continue."""

from dataclasses import replace

from aquadash.errors import NotAllowedError, RunError, UnknownNameError
from aquadash.lab import Part, runs
from aquadash.lab.data import DataSets
from aquadash.lab.memory import FRESH_SECONDS, kept
from aquadash.lab.rights import Action
from aquadash.search import Search, SearchHead, SearchPlan, Trial, job
from aquadash.search.store import open_search_store
from aquadash.work import queue


class Searches(Part):
    """``Lab.searches``: see there. The runs of a search belong to the person who started it."""

    def all(self) -> list[SearchHead]:
        """The searches without their trials, newest first."""
        return self._rights.seen(_heads(), lambda head: head.resource)

    def get(self, search_id: str) -> Search:
        """One search, without the trials whose runs are hidden from the person."""
        search = _search(search_id)
        self._rights.require(Action.VIEW, search.resource)
        if self._person.leads:
            return search
        return replace(search, trials=tuple(filter(self._sees, search.trials)))

    def find(self, text: str) -> Search:
        """Return the search of an id, a unique prefix of one or a unique name."""
        return self.get(open_search_store().resolve(text))

    def start(self, plan: SearchPlan) -> str:
        """Store a new search, have it begun, and return its id; an impossible plan is an ``AquaDashError``."""
        DataSets(self._person).require_for_job(plan.config.data.source, Action.SEARCH)
        self._check(plan)
        with self._changing():
            return job.start_search(plan, queue.open_engine(), owner=self._person)

    def stop(self, search_id: str) -> None:
        """Ask a search to stop; any process may be running it.

        Its running runs are stopped and keep their complete epochs; their trials end without a result.
        """
        self._rights.require(Action.STOP, self.get(search_id).resource)
        try:
            with self._changing():
                job.stop_search(search_id)
        except RunError:
            search = open_search_store().get(search_id)
            raise RunError(f"{search.name} is not running: it is {search.status}.") from None

    def resume(self, search_id: str, *, trials: int | None = None) -> None:
        """Make the remaining trials of a search, up to the new number ``trials``, those already made included."""
        search = self.get(search_id)
        DataSets(self._person).require_for_job(search.plan.config.data.source, Action.RESUME, search.resource)
        self._check(search.plan)
        with self._changing():
            job.resume_search(search_id, queue.open_engine(), trials=trials)

    def hide(self, search_id: str, hidden: bool = True) -> None:
        """Keep a search and the runs of its trials from all students but its owner, or no longer."""
        self._rights.require(Action.HIDE)
        with self._changing():
            open_search_store().set_hidden(search_id, hidden)

    def _sees(self, trial: Trial) -> bool:
        """Return whether the person may see the run of a trial, also in the bin; True for a trial without a run."""
        try:
            if trial.run_id:
                runs.Runs(self._person).get(trial.run_id)
        except NotAllowedError:
            return False
        except (UnknownNameError, RunError):
            pass
        return True

    def _check(self, plan: SearchPlan) -> None:
        if not self._limits.may_search:
            raise NotAllowedError(
                "Searches take the computer for long, so in this class only the teacher starts them. Ask your teacher."
            )
        for epochs in (plan.config.training.epochs, *plan.ends("training.epochs")):
            self._limits.check_training(int(epochs), waiting=0)


@kept(8, seconds=FRESH_SECONDS)
def _heads() -> tuple[SearchHead, ...]:
    return tuple(open_search_store().heads())


@kept(64, seconds=FRESH_SECONDS)
def _search(search_id: str) -> Search:
    return open_search_store().get(search_id)

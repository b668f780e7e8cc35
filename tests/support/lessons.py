"""A class with something in it, what a student may try with what belongs to another, and a class for tests of pages."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import app_test

from aquadash import settings
from aquadash.augment import PIPELINES
from aquadash.classroom.limits import ClassLimits
from aquadash.classroom.sessions import open_sessions
from aquadash.config import RunConfig, with_values
from aquadash.errors import NotAllowedError
from aquadash.lab import Lab, memory
from aquadash.people import Person, Role
from aquadash.robustness.requests import SweepRequest
from aquadash.search.store import SearchStore, open_search_store
from aquadash.store import Guess, Predictions, Run, RunStatus, RunStore, open_store
from aquadash.store.artifacts import CONFIG, MODEL, read_artifact
from aquadash.store.first_model import FOLDER
from aquadash.store.job_types import job_id
from aquadash.store.kinds import KINDS
from aquadash.ui.kit import admission
from tests.support.own_pictures import imported, in_archive, of_classes
from tests.support.runs import CLASSES, make_run
from tests.support.search_fakes import plan

TEACHER = Person("7" * 32, "Ms Tide", Role.TEACHER)
ANNA = Person("a" * 32, "Anna", Role.STUDENT)
BEN = Person("b" * 32, "Ben", Role.STUDENT)

#: A training within the limits that a class begins with.
SHORT = with_values(RunConfig(), {"training.epochs": 3, "augmentation.pipeline": "none"})

#: Of the blur of the report's first pipeline.
SWEEP = SweepRequest(PIPELINES["notebook-1"].branches[0], "2", "sigma", 0, 3)


@dataclass(frozen=True)
class Lesson:
    """Anna's runs and search, and two runs of the teacher's for all; ``on_hers`` was trained on Anna's pictures."""

    home: Path
    store: RunStore
    searches: SearchStore
    finished: str
    waiting: str
    binned: str
    shared: str
    search: str
    on_hers: str

    def state(self) -> dict[str, str]:
        """All that is stored, so that two moments can be compared: tags of runs, searches, and every other file."""
        contents: dict[str, str] = {}
        for deleted in (False, True):
            for run in self.store.list_runs(deleted=deleted):
                contents[f"run {run.run_id}"] = repr(run)
        for head in self.searches.heads():
            contents[f"search {head.search_id}"] = repr(self.searches.get(head.search_id))
        for job in (job for kind in KINDS for job in self.store.jobs.find(kind=kind)):
            contents[f"job {job.id}"] = repr(job)
        for path in sorted(self.home.rglob("*")):
            # Databases are looked at above; caches, logs and locks have no owner.
            if path.is_file() and ".db" not in path.name and path.parts[len(self.home.parts)] not in ("cache", "locks"):
                contents[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
        return contents


def begin(folder: Path) -> Lesson:
    """Make the lesson in the test's home; other files are in ``folder``."""
    store, searches, hers = open_store(), open_search_store(), Lab(ANNA)
    Lab(TEACHER).people.set_limits(ClassLimits(searches=True, upload_megabytes=1))
    shared = trained(store, TEACHER, "for all")
    finished = trained(store, ANNA, "Anna's best")
    binned = trained(store, ANNA, "Anna's worst")
    hers.runs.delete(binned)
    waiting = make_run(store, "Anna's next", SHORT, owner=ANNA, status=RunStatus.QUEUED).run_id
    search = searches.submit(plan(name="Anna's search"), owner=ANNA)
    store.jobs.submit("robustness", binned, {}, owner=ANNA.person_id)  # No slot does it.
    hers.pipelines.save(PIPELINES["notebook-1"], title="Anna's fog")
    hers.data.keep(imported(_cats(folder)), title="Anna's cats")
    on_hers = trained(store, TEACHER, "Anna's again", source="folder-anna-s-cats")
    return Lesson(settings.home(), store, searches, finished, waiting, binned, shared, search, on_hers)


def trained(store: RunStore, person: Person, name: str, *, source: str = "synthetic") -> str:
    """Store a finished run of a person's with the included network."""
    included = read_artifact(FOLDER / CONFIG, CONFIG).model
    config = with_values(SHORT, {"data.source": source}).model_copy(update={"model": included})
    labels = np.arange(50) % 5
    right = {"test": Predictions(np.arange(50), labels, np.eye(5, dtype=np.float32)[labels])}
    run = make_run(
        store, name, config, predictions=right, owner=person, class_names=CLASSES, dataset_fingerprint="f" * 64
    )
    store.add_artifact(run.run_id, FOLDER / MODEL)
    return run.run_id


def _cats(folder: Path) -> Path:
    return in_archive(folder / "cats.zip", of_classes({"cat": 12, "dog": 12}))


def attempts(at: Lesson, folder: Path, person: Person) -> dict[str, Callable[[], object]]:
    """All that a person may not do, by name; files that are not in the home are in ``folder``."""
    lab = Lab(person)
    data, jobs, pipelines, runs, searches = lab.data, lab.jobs, lab.pipelines, lab.runs, lab.searches
    done, waiting, shared, away = at.finished, at.waiting, at.shared, at.binned
    run = at.store.get(done)
    with_her_pictures = with_values(SHORT, {"data.source": "folder-anna-s-cats"})
    with_photographs = with_values(SHORT, {"data.source": "cifar100"})

    def too_much(path: Path) -> None:
        path.write_bytes(bytes(1_000_001))

    def take_the_place() -> None:
        new = imported(_cats(folder))
        try:
            data.keep(new, title="Anna's cats", replace=True)
        finally:
            new.discard()

    return {
        "stop another's run": lambda: runs.stop(waiting),
        "let another's run go on": lambda: runs.resume(waiting),
        "rename another's run": lambda: runs.rename(done, "Ben was here"),
        "note on another's run": lambda: runs.note(done, "Ben was here"),
        "tag another's run": lambda: runs.tag(done, add=["ben"]),
        "take tags from another's run": lambda: runs.tag(done, remove=["ben"]),
        "pin another's run": lambda: runs.pin(done),
        "archive another's run": lambda: runs.archive(done),
        "guess another's run": lambda: runs.guess(waiting, Guess(0.5)),
        "delete another's run": lambda: runs.delete(done),
        "bring another's run back": lambda: runs.restore(away),
        "delete a run that is for all": lambda: runs.delete(shared),
        "rename a run that is for all": lambda: runs.rename(shared, "Ben was here"),
        "open another's network": lambda: runs.network(run),
        "ask for another's packed run": lambda: jobs.export_id(done, include_data=False),
        "have another's run packed": lambda: jobs.export(done, include_data=False),
        "have another's pictures packed": lambda: jobs.export(at.on_hers, include_data=True),
        "ask for another's packed pictures": lambda: jobs.export_id(at.on_hers, include_data=True),
        "measure another's robustness": lambda: jobs.measure_robustness(done),
        "measure with another's pictures": lambda: jobs.measure_robustness(at.on_hers),
        "measure another's label safety": lambda: jobs.measure_robustness(done, SWEEP),
        "ask for another's label safety": lambda: jobs.robustness(done, SWEEP),
        "convert another's network": lambda: runs.tflite(run),
        "stop another's robustness": lambda: jobs.stop(job_id("robustness", away)),
        "stop another's search as a job": lambda: jobs.stop(job_id("search", at.search)),
        "stop another's run as a job": lambda: jobs.stop(job_id("train", waiting)),
        "move a run in the queue": lambda: runs.move(waiting, 1),
        "hide a run": lambda: runs.hide(done),
        "train with another's pictures": lambda: runs.train(with_her_pictures),
        "train for too many epochs": lambda: runs.train(with_values(SHORT, {"training.epochs": 61})),
        "train two runs with another's pictures": lambda: runs.train_pair(with_her_pictures, "notebook-1"),
        "search with another's pictures": lambda: searches.start(plan(config=with_her_pictures)),
        "fetch photographs for all": data.fetch,
        "load photographs that are not here": lambda: data.load("cifar100"),
        "have photographs fetched for a training": lambda: runs.train(with_photographs),
        "open another's pictures": lambda: data.load("folder-anna-s-cats"),
        "look at another's pictures": lambda: data.own("anna-s-cats"),
        "look at another's pictures' check": lambda: data.report("anna-s-cats"),
        "delete another's pictures": lambda: data.delete("anna-s-cats"),
        "read a folder of the server": lambda: data.read(folder, origin="x", size=32),
        "upload too much": lambda: data.read(bytes(1_000_001), origin="x", size=32),
        "take the place of another's pictures": take_the_place,
        "bring in too large a run": lambda: jobs.import_run("upload", called="run.zip", write=too_much),
        "replace another's pipeline": lambda: pipelines.save(
            PIPELINES["notebook-2"], title="Anna's fog", replace_name="anna-s-fog"
        ),
        "delete another's pipeline": lambda: pipelines.delete("anna-s-fog"),
        "stop another's search": lambda: searches.stop(at.search),
        "continue another's search": lambda: searches.resume(at.search),
        "give another's search more trials": lambda: searches.resume(at.search, trials=9),
        "hide a search": lambda: searches.hide(at.search),
        "send somebody out": lambda: lab.people.remove(TEACHER.person_id),
        "clear unused names": lab.people.clear,
        "make a link to rejoin": lambda: lab.people.rejoin_code(ANNA.person_id),
        "see the codes": lab.people.codes,
        "renew a code": lambda: lab.people.renew_code(Role.STUDENT),
        "set the limits": lambda: lab.people.set_limits(ClassLimits(epochs=None)),
    }


def refusals(at: Lesson, folder: Path, person: Person) -> dict[str, str]:
    """What became of each attempt: the words of the refusal, or what happened instead."""
    outcomes = {}
    for name, attempt in attempts(at, folder, person).items():
        try:
            attempt()
        except NotAllowedError as error:
            outcomes[name] = str(error)
        except Exception as error:
            outcomes[name] = f"NOT REFUSED: {type(error).__name__}: {error}"
        else:
            outcomes[name] = "NOT REFUSED"
    return outcomes


class _AsServed(PagesManager):
    """Runs ``app.py`` around each page as the server does, and as ``AppTest`` beside a folder ``pages`` does not."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        PagesManager.uses_pages_directory = False
        super().__init__(*arguments, **options)


def open_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn the classroom on; no page is open yet."""
    monkeypatch.setenv("AQUADASH_CLASSROOM", "1")
    monkeypatch.setattr(app_test, "PagesManager", _AsServed)
    look_as(monkeypatch, None)


def join(name: str, role: Role = Role.STUDENT) -> tuple[Person, str]:
    """Somebody joins; returns who and their token."""
    joined = open_sessions().join(name, role)
    return joined.person, joined.token


def look_as(monkeypatch: pytest.MonkeyPatch, token: str | None) -> None:
    """Pages are looked at from the browser that holds this token."""
    monkeypatch.setattr(admission, "token", lambda: token)


def give(store: RunStore, run: Run, person: Person) -> Run:
    """Give a stored run an owner."""
    store.update(run.run_id, owner=person.person_id, owner_name=person.name, shared=person.leads)
    memory.refresh()
    return store.get(run.run_id)

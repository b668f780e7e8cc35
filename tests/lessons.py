"""A class with something in it, and what a student may try with what belongs to another."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aquadash import data, people, settings
from aquadash.augment import PIPELINES
from aquadash.classroom import limits
from aquadash.config import RunConfig, with_values
from aquadash.data import cifar100
from aquadash.data.folder import drafts
from aquadash.data.folder import store as pictures
from aquadash.engine import Engine
from aquadash.errors import NotAllowedError
from aquadash.export import preparing
from aquadash.export.bundle import export_run
from aquadash.export.convert import FORMATS
from aquadash.export.convert_job import Conversions
from aquadash.lab import Lab
from aquadash.people import OWNER, Person, Role
from aquadash.robustness.job import Robustness
from aquadash.runs import Guess, Predictions, RunStatus, RunStore, Worker, open_store
from aquadash.runs.artifacts import MODEL
from aquadash.runs.first_model import FOLDER, add_first_model
from aquadash.runs.transfer import take_snapshot
from aquadash.search import Budget, resume_search, stop_search
from aquadash.search.store import SearchStore, open_search_store
from tests import live_runs
from tests.own_pictures import in_archive, of_classes
from tests.search_fakes import plan

TEACHER = Person("7" * 32, "Ms Tide", Role.TEACHER)
ANNA = Person("a" * 32, "Anna", Role.STUDENT)
BEN = Person("b" * 32, "Ben", Role.STUDENT)

#: A training within the limits that a class begins with.
SHORT = with_values(RunConfig(), {"training.epochs": 3, "augmentation.pipeline": "none"})


@dataclass(frozen=True)
class Lesson:
    """What is there: Anna's things, one waiting run of hers, and one run that the teacher has made for all."""

    home: Path
    store: RunStore
    searches: SearchStore
    finished: str
    waiting: str
    binned: str
    shared: str
    search: str
    draft: str
    put_away: str
    put_away_pipeline: str

    def state(self) -> dict[str, str]:
        """All that is stored, so that two moments can be compared: tags of runs, searches, and every other file."""
        found: dict[str, str] = {}
        with people.acting(OWNER):
            for deleted in (False, True):
                for run in self.store.list_runs(deleted=deleted):
                    tags = self.store._client.get_run(run.run_id).data.tags
                    found[f"run {run.run_id}"] = repr((deleted, sorted(tags.items())))
            for head in self.searches.heads():
                found[f"search {head.search_id}"] = repr(self.searches.get(head.search_id))
        for path in sorted(self.home.rglob("*")):
            # Databases are looked at above; caches, logs and locks are nobody's.
            if path.is_file() and ".db" not in path.name and path.parts[len(self.home.parts)] not in ("cache", "locks"):
                found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found


def begin(folder: Path) -> Lesson:
    """Make the lesson in the test's home.

    Args:
        folder: For files that are not in the home.
    """
    store, searches = open_store(), open_search_store()
    with people.acting(TEACHER):
        limits.save(limits.ClassLimits(searches=True, upload_megabytes=1))
        shared = _trained(store, TEACHER, "for all")
    finished = _trained(store, ANNA, "Anna's best")
    binned = _trained(store, ANNA, "Anna's worst")
    with people.acting(ANNA):
        store.delete(binned)
        waiting = live_runs.queue(store, store.create(SHORT, name="Anna's next").run_id).run_id
        search = searches.create(plan(name="Anna's search"))
        for title in ("Anna's fog", "Anna's rain"):
            Lab(ANNA).pipelines.save(PIPELINES["notebook-1"], title=title)
        away = Lab(ANNA).pipelines.delete("anna-s-rain")
        archive = in_archive(folder / "cats.zip", of_classes({"cat": 12, "dog": 12}))
        draft = drafts.begin(
            drafts.Request("", "cats.zip", 32), write=lambda path: path.write_bytes(archive.read_bytes()) and None
        )
    drafts.read(draft)
    with people.acting(ANNA):
        read = drafts.opened(draft)
        for title in ("Anna's cats", "Anna's dogs"):
            drafts.use(read, drafts.SplitChoice(), title=title)
        put_away = pictures.delete("anna-s-dogs")
    return Lesson(
        settings.home(), store, searches, finished, waiting, binned, shared, search, draft, put_away, away
    )  # fmt: skip


def _trained(store: RunStore, person: Person, name: str) -> str:
    """A finished run of somebody's with the network that AquaDash comes with."""
    with people.acting(person):
        run_id = store.create(SHORT, name=name).run_id
    store.start(run_id, Worker("here", 1))
    store.add_artifact(run_id, FOLDER / MODEL)
    store.set_dataset(run_id, class_names=("beaver", "dolphin", "otter", "seal", "whale"), fingerprint="f" * 64)
    labels = np.arange(50) % 5
    store.add_predictions(run_id, Predictions(np.arange(50), labels, np.eye(5, dtype=np.float32)[labels]))
    store.set_metrics(run_id, {"test_accuracy": 1.0, "test_loss": 0.0, "epochs": 3.0, "best_epoch": 3.0})
    store.set_status(run_id, RunStatus.FINISHED)
    return run_id


def attempts(at: Lesson, folder: Path, person: Person) -> dict[str, Callable[[], object]]:
    """What somebody tries, by name: everything that they may not do.

    Args:
        at: The lesson.
        folder: For files that are not in the home.
        person: Who.
    """
    lab = Lab(person)
    store, engine = at.store, Engine(at.store)
    done, waiting, shared, away = at.finished, at.waiting, at.shared, at.binned
    onnx = FORMATS["onnx"]
    config = with_values(SHORT, {"data.source": "folder-anna-s-cats"})
    here = Worker("here", 1)
    zip_file = folder / "large.zip"
    zip_file.write_bytes(bytes(1_000_001))
    found: dict[str, Callable[[], object]] = {
        "stop another's run": lambda: engine.stop(waiting),
        "stop another's run in the store": lambda: store.request_stop(waiting),
        "let another's run go on": lambda: engine.resume(waiting),
        "queue another's run again": lambda: store.queue(waiting),
        "rename another's run": lambda: store.rename(done, "Ben was here"),
        "note on another's run": lambda: store.set_note(done, "Ben was here"),
        "tag another's run": lambda: store.add_tags(done, ["ben"]),
        "take tags from another's run": lambda: store.remove_tags(done, ["ben"]),
        "pin another's run": lambda: store.set_pinned(done),
        "archive another's run": lambda: store.set_archived(done),
        "guess another's run": lambda: store.set_guess(waiting, Guess(0.5)),
        "delete another's run": lambda: store.delete(done),
        "bring another's run back": lambda: store.restore(away),
        "delete a run that is for all": lambda: store.delete(shared),
        "rename a run that is for all": lambda: store.rename(shared, "Ben was here"),
        "open another's network": lambda: store.model_path(done),
        "open another's network as a file": lambda: store.artifact(done, MODEL),
        "open another's checkpoint": lambda: store.artifact(done, "checkpoint/slot-0.npz"),
        "take another's run home": lambda: export_run(store, done, folder / "home.zip"),
        "copy another's run": lambda: take_snapshot(store, done),
        "have another's run packed": lambda: preparing.prepare(store, done, include_data=False),
        "ask for another's packed run": lambda: preparing.export_of(store, done, include_data=False),
        "measure another's robustness": lambda: Robustness(store).start(done),
        "stop what measures another's run": lambda: Robustness(store).stop(done),
        "convert another's network": lambda: Conversions(store).start(done, onnx),
        "stop what converts another's network": lambda: Conversions(store).stop(done, onnx),
        "open another's converted network": lambda: Conversions(store).file(done, onnx),
        "write another's results": lambda: store.set_metrics(done, {"test_accuracy": 1.0}),
        "write another's status": lambda: store.set_status(waiting, RunStatus.FAILED),
        "take another's run to train": lambda: store.start(waiting, here),
        "write another's file": lambda: store.add_text_artifact(done, "config.json", "{}"),
        "remove another's files": lambda: store.remove_artifacts(done, "checkpoint"),
        "move a run in the queue": lambda: engine.move(waiting, 1),
        "change the order of the queue": lambda: engine.reorder([waiting]),
        "hide a run": lambda: store.set_hidden(done),
        "add a run for all": lambda: add_first_model(store),
        "make a run in another's name": lambda: store.create(SHORT, owner=ANNA),
        "train with another's pictures": lambda: engine.submit(config),
        "train for too many epochs": lambda: engine.submit(with_values(SHORT, {"training.epochs": 61})),
        "fetch photographs for all": cifar100.fetch,
        "have photographs fetched for a training": lambda: engine.submit(
            with_values(SHORT, {"data.source": "cifar100"})
        ),
        "open another's pictures": lambda: data.load("folder-anna-s-cats"),
        "look at another's pictures' check": lambda: pictures.report_of("anna-s-cats"),
        "list another's pictures": lambda: pictures.pictures_of("anna-s-cats"),
        "delete another's pictures": lambda: pictures.delete("anna-s-cats"),
        "bring another's pictures back": lambda: pictures.restore(at.put_away),
        "look at another's import": lambda: drafts.reading_of(at.draft),
        "open another's import": lambda: drafts.opened(at.draft),
        "have another's import read": lambda: drafts.start(at.draft),
        "throw another's import away": lambda: drafts.discard(at.draft),
        "read another's import again": lambda: drafts.again(at.draft, size=64),
        "read a folder of the server": lambda: drafts.begin(drafts.Request(str(folder), "x", 32)),
        "upload too much": lambda: drafts.begin(
            drafts.Request("", "x", 32), write=lambda path: path.write_bytes(bytes(1_000_001)) and None
        ),
        "bring in too large a run": lambda: _brought_in(store, zip_file),
        "replace another's pipeline": lambda: lab.pipelines.save(
            PIPELINES["notebook-2"], title="Anna's fog", replace_name="anna-s-fog"
        ),
        "delete another's pipeline": lambda: lab.pipelines.delete("anna-s-fog"),
        "bring another's pipeline back": lambda: lab.pipelines.restore(at.put_away_pipeline),
        "stop another's search": lambda: stop_search(at.search),
        "continue another's search": lambda: resume_search(at.search, engine),
        "give another's search a budget": lambda: at.searches.set_budget(at.search, Budget(9)),
        "write into another's search": lambda: at.searches.set_attributes(at.search, {"name": "Ben's"}),
        "hide a search": lambda: at.searches.set_hidden(at.search),
        "send somebody out": lambda: lab.people.remove(TEACHER.person_id),
        "clear unused names": lab.people.clear,
        "make a link to rejoin": lambda: lab.people.rejoin_code(ANNA.person_id),
        "see the codes": lab.people.codes,
        "renew the codes": lab.people.renew_codes,
        "lead the projector": lambda: lab.people.show("data", {}),
        "set the limits": lambda: lab.people.set_limits(limits.ClassLimits(epochs=None)),
    }
    return found


def _brought_in(store: RunStore, path: Path) -> None:
    from aquadash.export.importing import import_run

    import_run(store, path)


def refusals(at: Lesson, folder: Path, person: Person) -> dict[str, str]:
    """What became of each attempt: the words of the refusal, or what happened instead."""
    found = {}
    for name, attempt in attempts(at, folder, person).items():
        with people.acting(person):
            try:
                attempt()
            except NotAllowedError as error:
                found[name] = str(error)
            except Exception as error:
                found[name] = f"NOT REFUSED: {type(error).__name__}: {error}"
            else:
                found[name] = "NOT REFUSED"
    return found

"""Shared fixtures: every test gets an empty home of its own and no setting from the outside."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import pickle
import shutil
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from aquadash.augment.preview import thumbnail
from aquadash.data import Dataset, Split
from aquadash.people import Person, Role
from aquadash.store import Run, RunStore, open_store
from aquadash.work.standby import STANDBY, Standby
from tests.support.serving import CHROMIUM_ARGUMENTS, SLOW, Server, chromium, serving

if TYPE_CHECKING:
    from tests.support.lessons import Lesson
    from tests.support.search_fakes import FakeEngine

ROOT = Path(__file__).resolve().parent.parent
QUICK_TRAINING = ROOT / "tests" / "support" / "quick_training"

# As in .streamlit/config.toml, which AppTest does not read: a forced collection after every script would take half a
# second in this large process.
os.environ["STREAMLIT_RUNNER_POST_SCRIPT_GC"] = "false"
os.environ["STREAMLIT_GLOBAL_DISABLE_WIDGET_STATE_DUPLICATION_WARNING"] = "true"

# The default threshold would spend a tenth of the time on collections in this process of millions of objects.
gc.set_threshold(20_000, 10, 10)

# Thousands of small files and hundreds of databases with fsync: in memory they need not wait for the disk.
_MEMORY = Path("/dev/shm")
if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > 4 * 2**30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def _share_compiled_statements() -> None:
    """Share SQLAlchemy's compiled statements among all databases, which saves a sixth of the time of tests of pages."""
    from sqlalchemy import Engine, event
    from sqlalchemy.dialects.sqlite import pysqlite
    from sqlalchemy.util import LRUCache

    # The cache asks for the very dialect, of which every engine has another instance.
    dialect: Any = pysqlite.dialect
    dialect.__eq__ = lambda one, other: type(one) is type(other)
    dialect.__hash__ = lambda one: hash(type(one))
    compiled: LRUCache[Any, Any] = LRUCache(2000)
    event.listen(Engine, "engine_connect", lambda connection: connection.execution_options(compiled_cache=compiled))


_share_compiled_statements()

_OUTSIDE = """
    MLFLOW_TRACKING_URI AQUADASH_DATABASE AQUADASH_SCHEDULER AQUADASH_SLOTS AQUADASH_CIFAR100
    AQUADASH_WEIGHTS AQUADASH_IMPORT AQUADASH_CLASSROOM AQUADASH_PUBLIC_ADDRESS KERAS_HOME
""".split()

#: Read before the tests clear the environment.
_ARCHIVE = os.environ.get("AQUADASH_CIFAR100") or str(ROOT.parent / "shared" / "data" / "cifar-100-python.tar.gz")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Freeze the imports of the tests, so that no later collection visits them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort slow and large files first, so that parallel processes end together, and files of the browser last.

    Playwright's event loop runs until the end of the session, and a coroutine test cannot run beside it.
    """
    marks: dict[Path, set[str]] = {}
    for item in items:
        marks.setdefault(item.path, set()).update(mark.name for mark in item.iter_markers())
    order = {
        path: ("browser" in names, "slow" not in names, -path.stat().st_size, str(path))
        for path, names in marks.items()
    }
    items.sort(key=lambda item: order[item.path])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the text of the page to the report of a test that failed in the browser."""
    report = yield
    page: Page | None = getattr(item, "funcargs", {}).get("page") if item.get_closest_marker("browser") else None
    if report.when == "call" and report.failed and page and not page.is_closed():
        with contextlib.suppress(Error):
            report.sections.append((f"Page {page.url}", page.locator("body").inner_text(timeout=10_000)))
    return report


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty ``AQUADASH_HOME``, which is deleted after the test."""
    folder = tmp_path_factory.mktemp("home")
    for name in _OUTSIDE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AQUADASH_HOME", str(folder))
    yield folder
    if (module := sys.modules.get("aquadash.work.queue")) is not None:
        # A page's thread may be importing it at this moment.
        opened = getattr(module, "engine_of", None)
        while opened and opened.cache:
            opened.cache.popitem()[1].close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def anyio_backend() -> str:
    """Tests that are coroutines run in a loop of asyncio's."""
    return "asyncio"


@pytest.fixture(autouse=True)
def main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore ``__main__``: AppTest replaces it by a page, which every spawned process would run."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(autouse=True)
def kept_keras_session() -> None:
    """Let Keras keep its session: with Keras imported, Streamlit clears it after every script, in 0.25 seconds."""
    if (backend := sys.modules.get("keras.backend")) is not None:
        backend.clear_session = lambda: None


@pytest.fixture(scope="session", autouse=True)
def quick_pages() -> None:
    """Make pages quick in this process, in which other tests have loaded Keras; the app never loads it."""
    from streamlit.components.v2 import manifest_scanner

    from aquadash.predict import remote
    from aquadash.ui.augment import operator_catalogue
    from aquadash.ui.kit import warmup

    # Each AppTest reads the metadata of all installed packages in half a second.
    manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)
    # The pages Train and Predict start a process that imports TensorFlow; no test of a page needs it.
    warmup.prepare_training = warmup.prepare_answers = lambda: None
    # Where it shows augmented images, a page would wait for that process. What it cannot pickle fails here, too.
    remote.call = lambda function, *args, **options: pickle.loads(
        pickle.dumps(functools.partial(function, *args, **options))
    )()
    # The thumbnails of the catalogue take seconds; tests/augment/test_plan covers them.
    operator_catalogue.thumbnail = _quick_thumbnail


def _quick_thumbnail(name: str) -> np.ndarray:
    return thumbnail()


@pytest.fixture
def cifar100_archive(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The real archive, named by ``AQUADASH_CIFAR100``; the test is skipped where it is missing."""
    path = Path(_ARCHIVE)
    if not path.is_file():
        pytest.skip(f"needs the CIFAR-100 archive: set AQUADASH_CIFAR100 (looked at {path})")
    monkeypatch.setenv("AQUADASH_CIFAR100", str(path))
    return path


@pytest.fixture
def no_photographs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CIFAR-100 is not on this computer, not even in Keras's cache."""
    monkeypatch.setenv("KERAS_HOME", str(home / "keras"))


@pytest.fixture(scope="session")
def prepared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the run store is made, to be copied."""
    folder = tmp_path_factory.mktemp("prepared")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AQUADASH_HOME", str(folder))
        # Closing moves the last writes from the WAL file into the database.
        open_store().database.close()
    return folder


@pytest.fixture
def warm_home(home: Path, prepared_home: Path) -> Path:
    """A home with an empty store."""
    shutil.copytree(prepared_home, home, dirs_exist_ok=True)
    return home


@pytest.fixture(scope="session", autouse=True)
def _nothing_stands_by_at_the_end() -> Iterator[None]:
    """Close the standby process, which all tests share because it has TensorFlow imported."""
    yield
    STANDBY.close()


@pytest.fixture(scope="session")
def _quick_standby() -> Iterator[Standby]:
    standby = Standby()
    yield standby
    standby.close()


@pytest.fixture
def store(warm_home: Path) -> RunStore:
    """An empty store of the test's own home."""
    return open_store()


@pytest.fixture
def quick_training(_quick_standby: Standby, monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes train without TensorFlow, an epoch in 0.2 seconds: for tests of what is around the training."""
    from tests.support import job_rows

    monkeypatch.setenv("PYTHONPATH", str(QUICK_TRAINING), prepend=os.pathsep)
    # The other standby process has the real training imported, and starting it again takes seconds.
    job_rows.launch_by(monkeypatch, _quick_standby)


@pytest.fixture
def outlasts_a_power_cut(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], bool]:
    """Whether all of a file was flushed to the disk since this fixture was asked for."""
    flushed, fsync = set(), os.fsync

    def noting(descriptor: int) -> None:
        fsync(descriptor)
        status = os.fstat(descriptor)
        flushed.add((status.st_ino, status.st_size))

    monkeypatch.setattr(os, "fsync", noting)
    return lambda path: (path.stat().st_ino, path.stat().st_size) in flushed


@pytest.fixture
def without_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings end without their out-of-distribution detector, which takes a fifth of a short training."""
    monkeypatch.setattr("aquadash.training.fit.detector", lambda model, data: None)


def _eager() -> Iterator[None]:
    """Run the training steps of a test, or of all tests of a file, eagerly: compiling takes longer than a few steps."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


uncompiled = pytest.fixture(_eager)
all_uncompiled = pytest.fixture(_eager, scope="module")


@pytest.fixture(scope="module")
def narrow_bodies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The bodies that come with AquaDash have few filters, and random weights."""
    from aquadash.models import backbone
    from tests.support.weights_files import write_body

    folder = tmp_path_factory.mktemp("bodies")
    with pytest.MonkeyPatch.context() as patch:
        for name, last in (("backbone", 16), ("backbone_wide", 24)):
            patch.setitem(backbone.WIDTHS, name, (8, 8, 8, last))
            patch.setitem(backbone.WEIGHTS_FILES, name, write_body(name, folder / f"{name}.npz"))
        yield


@pytest.fixture(scope="session")
def tiny_dataset() -> Dataset:
    """60 training and 120 test images of 16 x 16 pixels in three classes; read-only, because all tests share it."""
    random = np.random.default_rng(0)

    def split(count: int) -> Split:
        labels = np.arange(count) % 3
        images = random.integers(0, 120, (count, 16, 16, 3), dtype=np.uint8)
        for index, label in enumerate(labels):
            images[index, :, :, label] += 90
        labels = labels.astype(np.int64)
        images.flags.writeable = labels.flags.writeable = False
        return Split(images, labels, tuple(f"{index}.png" for index in range(count)))

    return Dataset("tiny", "Tiny", "Made by a test.", True, ("red", "green", "blue"), split(60), split(120))


@pytest.fixture(scope="module")
def shared_home(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with an empty store that a module fills once for all its tests."""
    folder = tmp_path_factory.mktemp("shared")
    shutil.copytree(prepared_home, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def shared_store(shared_home: Path) -> Iterator[RunStore]:
    """The store of the shared home, which is also the home while fixtures of the module run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AQUADASH_HOME", str(shared_home))
        yield open_store()


@pytest.fixture
def in_shared_home(shared_home: Path, home: Path, no_engine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shared home is the test's own, and nothing trains in it."""
    monkeypatch.setenv("AQUADASH_HOME", str(shared_home))


@pytest.fixture(scope="module")
def _colours(shared_store: RunStore, tmp_path_factory: pytest.TempPathFactory) -> Run:
    from tests.support.predict_page import store_colours

    return store_colours(tmp_path_factory.mktemp("model"), shared_store, name="colours", classes=(0, 1, 2))


@pytest.fixture
def colours(_colours: Run, in_shared_home: None) -> Run:
    """A run of the shared home whose network calls what is red a beaver and what is blue an otter."""
    return _colours


@pytest.fixture(scope="session")
def _served(tmp_path_factory: pytest.TempPathFactory, prepared_home: Path) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("served")
    shutil.copytree(prepared_home, home, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        for name in _OUTSIDE:
            patch.delenv(name, raising=False)
        # Of this server alone: a server that a test starts for itself trains with TensorFlow.
        with serving(home, PYTHONPATH=str(QUICK_TRAINING)) as server:
            yield server


@pytest.fixture
def shared_server(_served: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The app that all journeys of this process share, with its home; its workers train without TensorFlow."""
    monkeypatch.setenv("AQUADASH_HOME", str(_served.home))
    before = len(_served.log.read_text())
    yield _served
    written = _served.log.read_text()[before:]
    assert "Traceback" not in written, written[-20_000:]


@pytest.fixture(scope="module")
def _served_class(shared_home: Path) -> Iterator[Server]:
    with serving(shared_home, AQUADASH_CLASSROOM="1") as server:
        yield server


@pytest.fixture
def served_class(_served_class: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A class that people join with codes, for all tests of a module; its home is the test's own."""
    monkeypatch.setenv("AQUADASH_HOME", str(_served_class.home))
    return _served_class


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, started once for the session."""
    with sync_playwright() as playwright:
        arguments = [*CHROMIUM_ARGUMENTS, "--process-per-site"]
        browser = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        yield browser
        browser.close()


def _new_context(browser: Browser) -> BrowserContext:
    # Animations are slow without a graphics card.
    context = browser.new_context(reduced_motion="reduce", viewport={"width": 1280, "height": 1400})
    context.set_default_timeout(SLOW)
    return context


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[[], Page]]:
    """Open a page for another person with each call, in a context with cookies of its own."""
    from tests.support.browser_pages import followed

    contexts = []

    def opened() -> Page:
        contexts.append(_new_context(browser))
        return followed(contexts[-1].new_page())

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def _profile(browser: Browser) -> BrowserContext:
    """One context for single visitors: while a page stays open, Streamlit's code is loaded and compiled once."""
    context = _new_context(browser)
    stays = context.new_page()
    stays.route("**", lambda route: route.fulfill(body=""))
    stays.goto("http://localhost")
    return context


@pytest.fixture
def page(_profile: BrowserContext) -> Iterator[Page]:
    """A page in Chromium of a new visitor: cookies and storage are empty."""
    from tests.support.browser_pages import followed

    page = followed(_profile.new_page())
    yield page
    if page.url.startswith("http"):
        page.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.close()
    _profile.clear_cookies()


@pytest.fixture
def class_pages(warm_home: Path, no_engine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A class without sessions, whose store is open."""
    from tests.support.lessons import open_class

    open_class(monkeypatch)


@pytest.fixture(scope="module")
def lesson(shared_store: RunStore, tmp_path_factory: pytest.TempPathFactory) -> Lesson:
    """A class with runs and data, shared by the tests of a file: none of them may change it."""
    from tests.support import lessons

    return lessons.begin(tmp_path_factory.mktemp("files"))


@pytest.fixture
def in_lesson(lesson: Lesson, in_shared_home: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lesson's home is the test's own, and a class is served from it."""
    monkeypatch.setenv("AQUADASH_CLASSROOM", "1")


@pytest.fixture
def anna(class_pages: None, monkeypatch: pytest.MonkeyPatch) -> Person:
    """A student who looks at pages."""
    return _looking(monkeypatch, "Anna *x*", Role.STUDENT)


@pytest.fixture
def teacher(class_pages: None, monkeypatch: pytest.MonkeyPatch) -> Person:
    """A teacher who looks at pages."""
    return _looking(monkeypatch, "Ms Hill", Role.TEACHER)


def _looking(monkeypatch: pytest.MonkeyPatch, name: str, role: Role) -> Person:
    from tests.support.lessons import join, look_as

    person, token = join(name, role)
    look_as(monkeypatch, token)
    return person


@pytest.fixture
def engine(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """The engine that the pages ask to train."""
    from tests.support.search_fakes import FakeEngine, use_engine

    fake = FakeEngine(store)
    use_engine(monkeypatch, fake)
    return fake


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages open the store, but no engine that would train queued runs."""
    from aquadash.ui.kit import warmup

    monkeypatch.setattr(warmup, "start", lambda: None)

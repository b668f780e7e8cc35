"""The Walkthrough page: every section with and without runs, its questions answered, and progress kept."""

import errno
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from aquadash.store import Run, RunStatus, RunStore, open_store
from aquadash.store.first_model import add_first_model
from aquadash.walkthrough import LESSONS, findings, progress
from aquadash.walkthrough.checks_data import FOUR
from tests.support import live_runs
from tests.support.app_pages import address_of, charts, open_app_page, texts
from tests.support.faults import let_fail
from tests.support.own_pictures import imported, in_folder, of_classes
from tests.support.runs import HOSTILE, make_run
from tests.support.search_fakes import FakeEngine, use_engine

pytestmark = pytest.mark.usefixtures("in_shared_home")


@pytest.fixture(autouse=True)
def without_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing TensorFlow fails: no section of the lesson needs it."""
    for name in ("tensorflow", "keras"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.fixture(scope="module")
def run(shared_store: RunStore) -> Run:
    """A run for the tests of this module, which add nothing but progress."""
    return make_run(shared_store, HOSTILE)


@pytest.fixture(scope="module")
def many_classes(shared_store: RunStore, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on own pictures of twelve classes, five for training and one for the test of each."""
    files = of_classes({f"class {number}": 6 for number in range(1, 13)})
    pictures = in_folder(tmp_path_factory.mktemp("pictures") / "many", files)
    kept = imported(pictures).keep("Many")
    return make_run(shared_store, settings={"training.validation": "test", "data.source": kept.source})


def check(app: AppTest, lesson: str) -> AppTest:
    app.button(key=f"check-{lesson}").click().run()
    assert not app.exception and not app.error
    return app


def test_the_first_model_is_shown_while_the_first_run_goes_on(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQUADASH_HOME", str(home))
    store = open_store()
    live_runs.queue(store, make_run(store, "goes on", status=RunStatus.STOPPED).run_id)
    app = open_app_page("walkthrough", lesson="matrix")
    assert not app.error and app.button(key="check-matrix") and app.button(key="walkthrough-train")
    assert app.expander[0].label.startswith("You have no run with results yet")
    # Its photographs are not on this computer; its answers are.
    app = open_app_page("walkthrough", lesson="predictions")
    assert not app.error and app.button(key="check-predictions") and "The images cannot be shown" in texts(app)


def test_without_any_run_the_report_s_network_is_offered(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQUADASH_HOME", str(home))
    engine = FakeEngine(open_store())
    engine.store.delete(add_first_model(engine.store).run_id)
    use_engine(monkeypatch, engine)
    app = open_app_page("walkthrough", lesson="extraction")
    assert not app.error and app.button(key="check-extraction")
    app = open_app_page("walkthrough", lesson="loss")
    assert not app.error and "there is none yet" in texts(app)
    assert all(finding.right in texts(app) for finding in findings("loss"))
    app.button(key="walkthrough-train").click().run()
    ((call, config),) = engine.calls
    assert (call, config.training.validation, config.model.name) == ("submit", "training", "notebook")
    assert config.data.source == "synthetic" and 1 <= config.training.epochs <= 10


#: Kind, key and value of the controls that answer each question about the drawn animals and the made-up run.
SOLUTIONS: dict[str, list[tuple[str, str, object]]] = {
    "extraction": [("selectbox", "brightest", "seal")],
    "augmentation": [("selectbox", "chain", "notebook-3")],
    "copies": [("multiselect", "chains", list(FOUR)), ("slider", "times", 1), ("toggle", "keep", True)],
    "normalization": [("selectbox", "scale", "standardize")],
    "convolution": [("selectbox", "pooling", "none")],
    "dense": [("slider", "units", 128)],
    "loss": [("text_input", "lowest", "0,905")],
    "stopping": [("slider", "patience", 5)],
    "training": [("slider", "tried", 4)],
    "predictions": [("text_input", "mistake", "490")],
    "matrix": [("slider", "from", 65)],
    "curves": [("slider", "at", 5)],
    "result": [("slider", "measured", 470)],
    "recommendation": [("selectbox", "conclusion", "better")],
}


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_section_asks_corrects_the_report_and_keeps_what_was_solved(run: Run, lesson: str) -> None:
    app = open_app_page("walkthrough", lesson=lesson, run=run.run_id)
    assert not app.error and not app.warning
    assert all(charts(app))
    shown = texts(app)
    assert "**❓ " in shown
    for finding in findings(lesson):
        assert finding.says in shown and finding.right in shown and f"Where: {finding.where}" in shown
    for element in (*app.markdown, *app.caption):
        assert "<img" not in element.value.replace("\\<", "") and "**bold**" not in element.value.replace("\\*", "")

    assert "0 of 14 questions solved" in shown
    check(app, lesson)
    assert not app.success and len(app.info) + len(app.warning) >= 1
    me = address_of(app, "me")
    assert me is not None and progress.read(me).tries == {lesson: 1} and not progress.read(me).solved
    for kind, key, value in SOLUTIONS[lesson]:
        getattr(app, kind)(key=key).set_value(value)
    app.run()
    assert not any("🎉" in str(element.proto) for element in app.success)
    check(app, lesson)
    assert app.success and set(progress.read(me).solved) == {lesson}
    assert "1 of 14 questions solved" in texts(app)


def test_an_answer_is_judged_where_progress_cannot_be_kept(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    let_fail(monkeypatch, progress, "write_whole", OSError(errno.ENOSPC, "No space left on device"))
    app = open_app_page("walkthrough", lesson="stopping", run=run.run_id)
    app.button(key="check-stopping").click().run()
    assert "the log goes on to epoch 7" in texts(app) and "Early stopping on this run" in texts(app)
    assert "cannot be kept" in app.error[0].value


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_section_works_with_many_classes_and_few_pictures(many_classes: Run, lesson: str) -> None:
    source = many_classes.config.data.source
    app = open_app_page("walkthrough", lesson=lesson, run=many_classes.run_id, source=source)
    assert not app.error and not app.warning
    check(app, lesson)

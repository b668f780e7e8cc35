"""The Walkthrough page: every section with and without runs, its questions answered, and progress kept."""

import errno
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from aquadash.store import Run, RunStatus, RunStore, open_store
from aquadash.store.first_model import add_first_model
from aquadash.ui.kit import datasets
from aquadash.walkthrough import LESSONS, checks_results, findings, progress
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
    assert not app.exception
    ((call, config),) = engine.calls
    assert call == "submit"
    assert (config.training.validation, config.model.name, config.data.source) == ("training", "notebook", "synthetic")
    assert 1 <= config.training.epochs <= 10


Answer = Callable[[AppTest, Run], object]


def slide(key: str, value: int) -> Answer:
    return lambda app, run: app.slider(key=key).set_value(value).run()


def choose(key: str, value: str) -> Answer:
    return lambda app, run: app.selectbox(key=key).set_value(value).run()


def brightest(app: AppTest, run: Run) -> None:
    classes = datasets.statistics(datasets.dataset("synthetic"), "train").classes
    best = max(classes, key=lambda entry: entry.mean_brightness or 0.0)
    app.selectbox(key="brightest").set_value(best.name).run()


def compose(app: AppTest, run: Run) -> None:
    app.multiselect(key="chains").set_value(["notebook-1", "notebook-2", "notebook-3", "notebook-4"])
    app.slider(key="times").set_value(1)
    app.toggle(key="keep").set_value(True).run()


def sure_mistake(app: AppTest, run: Run) -> None:
    predictions = open_store().predictions(run.run_id)
    least = checks_results.sure_mistake_threshold(predictions.labels, predictions.probabilities) or 0
    wrong = predictions.probabilities.argmax(axis=1) != predictions.labels
    fits = np.flatnonzero(wrong & (predictions.probabilities.max(axis=1) >= least))
    app.text_input(key="mistake").set_value(str(fits[-1])).run()


def threshold(app: AppTest, run: Run) -> None:
    predictions = open_store().predictions(run.run_id)
    chosen = run.class_names.index(app.selectbox(key="called").value)
    cuts = checks_results.cuts(predictions.labels, predictions.probabilities, chosen)
    good = next(t for t in range(1, 100) if checks_results.precise_threshold(t, cuts).outcome == "right")
    app.slider(key="from").set_value(good).run()


def candidates(app: AppTest, run: Run) -> None:
    share = round(run.metrics["test_accuracy"], 2)
    app.slider(key="tried").set_value(checks_results.fewest_candidates(share, 100)).run()


def enough(app: AppTest, run: Run) -> None:
    app.slider(key="measured").set_value(checks_results.fewest_images(run.metrics["test_accuracy"])).run()


def floor(app: AppTest, run: Run) -> None:
    app.text_input(key="lowest").set_value("0,905").run()


SOLUTIONS: dict[str, Answer] = {
    "extraction": brightest,
    "augmentation": choose("chain", "notebook-3"),
    "copies": compose,
    "normalization": choose("scale", "standardize"),
    "convolution": choose("pooling", "none"),
    "dense": slide("units", 128),
    "loss": floor,
    "stopping": slide("patience", 5),
    "training": candidates,
    "predictions": sure_mistake,
    "matrix": threshold,
    "curves": slide("at", 5),
    "result": enough,
    "recommendation": choose("conclusion", "better"),
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
    SOLUTIONS[lesson](app, run)
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

"""The train page: its form, presets, clones and pipelines; launching, watching, stopping and resuming."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from aquadash import augment
from aquadash.augment import Branch, PipelineSpec, embedded, op
from aquadash.augment import saved_pipelines as saved
from aquadash.config import DEFINITIONS, RunConfig, flatten, from_yaml, read_definitions, to_yaml, with_values
from aquadash.errors import RunError
from aquadash.lab import memory
from aquadash.models import MODELS
from aquadash.presets import PRESETS
from aquadash.store import Guess, Run, RunStatus, RunStore
from aquadash.store.first_model import add_first_model
from aquadash.ui.kit.form_state import DEFAULT_PRESET
from aquadash.ui.kit.hyperparameters import effective
from aquadash.ui.kit.text import plain
from tests.support import live_runs
from tests.support.app_pages import (
    address_of,
    buttons,
    charts,
    cut_short_the_launch,
    figure_of,
    metrics,
    open_app_page,
    unfold,
    words,
)
from tests.support.runs import epochs, make_run
from tests.support.search_fakes import FakeEngine

open_page = partial(open_app_page, "train")


def open_advanced(**address: str) -> AppTest:
    """The page with all of its settings in sight."""
    app = open_page(**address)
    app.session_state["train:advanced"] = True
    return app.run()


def clone(run: Run, **address: str) -> AppTest:
    """The page with all of its settings in sight, after a click on *Clone* beside a run."""
    return open_advanced(run=run.run_id, **address).button(key=f"clone-{run.run_id}").click().run()


def controls(app: AppTest) -> dict[str, Any]:
    """The page's fields by their keys."""
    kinds = (app.selectbox, app.number_input, app.checkbox, app.text_input)
    return {str(element.key): element for kind in kinds for element in kind}


def double_clicks_take(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let two clicks on a button that launches count as one within so many seconds."""
    monkeypatch.setattr("aquadash.ui.kit.shell.DOUBLE_CLICK_SECONDS", seconds)


def launched(app: AppTest, engine: FakeEngine) -> RunConfig:
    """Press the button, and return the settings of the run that it launched."""
    app.button(key="launch").click().run()
    if sure := [button for button in app.button if button.key == "launch-sure"]:
        sure[0].click().run()
    call, config = engine.calls[-1]
    assert call == "submit"
    return config


def test_an_empty_store_shows_the_form_and_a_failed_launch_can_be_tried_again(
    engine: FakeEngine, no_photographs: None
) -> None:
    app = open_page()
    assert "watch the network learn" in words(app)
    assert not app.error and not app.button(key="launch").disabled
    engine.error = RunError("The scheduler does not answer.")
    app.button(key="launch").click().run()
    assert any("scheduler does not answer" in box.value for box in app.error)
    engine.error = None
    assert "set:training.optimizer" not in controls(app)
    app.session_state["train:advanced"] = True
    assert "set:training.optimizer" in controls(app.run()) and "10,625 training images" in words(app)
    app.button(key="launch").click().run()
    assert not app.error and [name for name, _ in engine.calls] == ["submit"]
    missing = open_page(source="cifar100")
    assert "not on this computer yet" in words(missing) and missing.button(key="launch").disabled


def test_a_second_launch_asks_while_a_run_is_at_work(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    double_clicks_take(monkeypatch, 0.0)
    app = open_advanced()
    app.number_input(key="set:training.epochs").set_value(3)
    app.selectbox(key="set:training.optimizer").select("adam")
    app.text_input(key="train:name:0").set_value("my run").run()
    app.number_input(key="guess:0:accuracy").set_value(61).run()
    app.session_state["train:advanced"] = False  # Fields that are folded away still count.
    app.run()
    app.button(key="launch").click().run()
    ((_, config),) = engine.calls
    assert (config.training.epochs, config.training.optimizer, config.seed) == (3, "adam", 0)
    (run,) = engine.store.list_runs()
    assert (run.name, run.guess, address_of(app, "run")) == ("my run", Guess(0.61), run.run_id)
    assert app.number_input(key="guess:1:accuracy").value is None, "the next run has a guess of its own"
    assert [toast.value for toast in app.toast] == ["**my run** has been launched."]
    for _ in range(2):
        app.button(key="launch").click().run()
        assert "**my run** is not done yet. Queue another run?" in words(app)
        app.button(key="launch-cancel").click().run()
        assert len(engine.calls) == 1
        double_clicks_take(monkeypatch, 1e9)  # After a cancel the same launch may come at once.
    app.button(key="launch").click().run()
    app.number_input(key="set:training.epochs").set_value(5).run()
    app.button(key="launch-sure").click().run()
    assert [config.training.epochs for _, config in engine.calls] == [3, 5]


def test_the_coach_launches_its_rate_and_leaves_the_form_alone(store: RunStore, engine: FakeEngine) -> None:
    fast = make_run(store, "too fast", {"training.learning_rate": 0.5, "training.epochs": 7}, status=RunStatus.QUEUED)
    reason = "The loss became nan in epoch 1: too large updates."
    live_runs.end(store, live_runs.start(store, fast.run_id), RunStatus.FAILED, message=reason)
    make_run(store, "not done", status=RunStatus.QUEUED)
    app = open_advanced(run=fast.run_id)
    assert "training broke down" in words(app) and not app.get("plotly_chart"), "no curve will come"
    app.text_input(key="train:name:0").set_value("deeper").run()
    app.button(key="train-broke-down").click().run()
    # The question stands below the form, whose settings differ.
    assert "**not done** is not done yet. Queue the run with the coach's change?" in words(app)
    app.button(key="launch-sure").click().run()
    assert engine.calls == [("submit", with_values(fast.config, {"training.learning_rate": 0.05}))]
    assert address_of(app, "run") == engine.store.list_runs()[0].run_id
    assert app.text_input(key="train:name:0").value == "deeper"


@pytest.mark.parametrize("key", ["launch", "launch-sure"])
def test_a_double_click_is_one_run(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    double_clicks_take(monkeypatch, 1e9)  # However slow the machine is.
    if key == "launch-sure":
        make_run(engine.store, "not done", status=RunStatus.QUEUED)
    app = open_page()
    app.number_input(key="guess:0:accuracy").set_value(61).run()
    if key == "launch-sure":
        app.button(key="launch").click().run()
    cut_short_the_launch(monkeypatch)
    app.button(key=key).click().run()
    assert engine.store.list_runs()[0].guess is None
    app.button(key=key).click().run()
    run = engine.store.list_runs()[0]
    assert run.guess == Guess(0.61) and address_of(app, "run") == run.run_id
    assert [toast.value for toast in app.toast] == [f"**{run.name}** has been launched."] and app.button(key="launch")
    assert [name for name, _ in engine.calls] == ["submit"]


def result_shown(app: AppTest) -> tuple[str, str]:
    """The result on test images as it stands out, and what stands below it."""
    metric = next(metric for metric in app.metric if metric.label == "Test accuracy")
    return metric.value, str(metric.delta)


def test_a_running_run_shows_progress_and_curves_and_stops(store: RunStore, engine: FakeEngine) -> None:
    def accuracy_axes() -> tuple[list[float], list[float]]:
        layout = figure_of(app, 0)["layout"]
        return layout["xaxis"]["range"], layout["yaxis"]["range"]

    history = [replace(record, val_accuracy=0.7 + 0.02 * record.epoch) for record in epochs(12)]
    run = make_run(store, "at work", {"training.epochs": 200}, status=RunStatus.RUNNING, history=history)
    # The run was resumed: it still has the metrics of the first part.
    store.update(run.run_id, metrics={"best_epoch": 1, "kept_epoch": 1, "val_accuracy": 0.9})
    app = open_page()
    assert address_of(app, "run") == run.run_id
    assert "Epoch 13 of 200 · batch 210 of 391 · 5,210 images/s · about 21 s left" in words(app)
    assert [bar.proto.value for bar in app.get("progress")] == [6], "per cent of the whole training"
    assert metrics(app)["Best epoch"] == "11 of 12" and metrics(app)["Validation accuracy"] == "94 %"
    assert result_shown(app) == ("–", "at the end")
    assert len(charts(app)) == 2 and accuracy_axes() == ([0, 20.8], [10, 100])
    app.segmented_control(key="live-window").set_value(10).run()
    epoch_axis, (lowest, _) = accuracy_axes()
    assert epoch_axis == [2.5, 12.5] and lowest > 60
    app.button(key=f"stop-{run.run_id}").click().run()
    assert store.get(run.run_id).stop_requested and app.button(key=f"stop-{run.run_id}").disabled


def test_a_run_that_ended_early_shows_why_and_resumes(store: RunStore, engine: FakeEngine) -> None:
    failed = make_run(store, "early", status=RunStatus.FAILED, message="The reason <b>why</b>", history=2)
    app = open_page(run=failed.run_id)
    assert plain("The reason <b>why</b>") in [box.value for box in app.error]
    assert app.button(key=f"resume-{failed.run_id}") and result_shown(app) == ("–", "")
    run = make_run(store, "cut off", status=RunStatus.INTERRUPTED)
    app = open_page(run=run.run_id)
    assert "**3 complete epochs** kept; Resume continues from there" in words(app)
    app.button(key=f"resume-{run.run_id}").click().run()
    assert engine.calls == [("resume", run.run_id)] and "Next in the queue" in words(app)


def test_a_finished_run_shows_its_result_and_its_log(store: RunStore, engine: FakeEngine) -> None:
    run = add_first_model(store)  # It keeps the last epoch's weights, though another was better.
    store.add_text_artifact(run.run_id, "worker.log", "epoch 1")
    app = open_page(run=run.run_id)
    app.session_state[f"log-{run.run_id}"] = True
    app.run()
    value, interval = result_shown(app)
    assert value.endswith(" %") and " % to " in interval
    # The metrics include the mirror image, which the epochs were not validated with.
    assert metrics(app)["Kept epoch"] == "28 of 28" and metrics(app)["Validation accuracy"] == "80 %"
    assert app.button(key=f"stop-{run.run_id}").disabled and f"resume-{run.run_id}" not in buttons(app)
    assert "epoch 1" in [code.value for code in app.code]


def test_hostile_names_in_the_queue_are_text(store: RunStore, engine: FakeEngine) -> None:
    make_run(store, "at work", status=RunStatus.RUNNING)
    names = ["<script>alert(1)</script> **b**", "[link](http://example.com)"]
    _, last = (make_run(store, name, status=RunStatus.QUEUED) for name in names)
    app = open_page(run=last.run_id)
    assert "Number 2 in the queue: 1 run will start before it." in words(app)
    shown = [element.value for element in app.markdown]
    assert all(any(plain(name) in text for text in shown) for name in names)
    assert not any(name in text for name in names for text in shown)
    app.button(key=f"stop-{last.run_id}").click().run()
    assert store.get(last.run_id).status is RunStatus.STOPPED


def test_every_setting_that_matters_has_a_control_with_help(engine: FakeEngine) -> None:
    app = open_advanced()
    for network in MODELS:
        app.selectbox(key="set:model.name").select(network).run()
        values = flatten(with_values(RunConfig(), {"model.name": network}))
        fields = controls(app)
        for name in values.keys() - {"data.source"}:
            key = f"set:{name}"
            assert (key in fields) == (name in effective(values) and name != DEFINITIONS), (network, name)
            assert key not in fields or fields[key].help


def test_an_untouched_preset_is_launched_as_it_is(engine: FakeEngine) -> None:
    app = open_advanced()
    app.session_state["train:yaml"] = True
    for preset in PRESETS:
        app.radio(key="preset").set_value(preset).run()
        if app.radio(key="preset").value != preset:
            # The menu below a card of several presets has it.
            app.selectbox(key="preset-of-card").select(preset).run()
        assert "Changed:" not in words(app)
        assert from_yaml(app.code[0].value) == PRESETS[preset].config
    assert launched(app, engine) == PRESETS[preset].config


def test_the_estimate_is_of_the_usual_time_and_the_maximum_is_in_the_help(engine: FakeEngine) -> None:
    run = make_run(engine.store, "timed", {"training.epochs": 10})
    engine.store.update(run.run_id, metrics={"epochs": 10.0, "seconds": 100.0})
    app = clone(run)
    app.number_input(key="set:training.epochs").set_value(200).run()
    assert "200 epochs would take 33 min 25 s." in app.number_input(key="set:training.epochs").help
    (estimate,) = (caption.value for caption in app.caption if caption.value.startswith("⏱️"))
    assert "about " in estimate and "33 min" not in estimate


def test_what_is_typed_stays_while_another_page_is_open_and_is_launched_once_it_can_be_read(engine: FakeEngine) -> None:
    app = open_advanced()
    app.radio(key="preset").set_value("notebook").run()
    app.selectbox(key="set:model.name").select("cnn").run()
    app.text_input(key="set:model.filters").set_value("16, *many*").run()
    assert "“*many*” is not a whole number" in words(app)
    assert app.button(key="launch").disabled
    app.text_input(key="set:model.filters").set_value("8, 16").run()
    app.number_input(key="set:training.epochs").set_value(9).run()
    app.switch_page("pages/data.py").run()
    unfold(app.switch_page("pages/train.py").run(), "train:advanced")
    assert app.radio(key="preset").value == "notebook"
    assert app.text_input(key="set:model.filters").value == "8, 16"
    config = launched(app, engine)
    assert (config.model.filters, config.training.epochs, config.training.validation) == ((8, 16), 9, "test")


def test_settings_are_shown_as_text_and_taken_from_text_that_can_be_used(engine: FakeEngine) -> None:
    app = unfold(open_advanced(), "train:yaml")
    app.text_area(key="train:yaml-pasted").set_value("*<b>*")
    app.button(key="use-yaml").click().run()
    assert "not valid YAML" in words(app) and from_yaml(app.code[0].value) == PRESETS[DEFAULT_PRESET].config
    wanted = with_values(RunConfig(), {"model.name": "cnn", "model.filters": "8,8", "training.epochs": 7, "seed": 5})
    app.text_area(key="train:yaml-pasted").set_value(to_yaml(wanted))
    app.button(key="use-yaml").click().run()
    assert "Done: 4 settings changed." in words(app) and app.text_area(key="train:yaml-pasted").value == ""
    assert launched(app, engine) == wanted


@pytest.fixture
def own(store: RunStore) -> Run:
    """A run whose settings are far from every preset's."""
    changes = {"model.name": "cnn", "model.filters": "16, 32", "training.epochs": 40, "training.schedule": "cosine"}
    return make_run(store, "my *own*", changes)


def test_a_clone_fills_the_form_and_launches_the_same(engine: FakeEngine, own: Run) -> None:
    app = clone(own)
    assert app.radio(key="preset").options[0] == f"Cloned from **{plain('my *own*')}**"
    assert app.radio(key="preset").value not in PRESETS
    assert "Changed:" not in words(app)
    assert address_of(app, "run") == own.run_id and address_of(app, "preset") is None
    app.number_input(key="set:training.epochs").set_value(9).run()
    app.run()
    assert "Maximum epochs 9 (was 40)" in words(app)
    app.button(key=f"clone-{own.run_id}").click().run()
    assert app.number_input(key="set:training.epochs").value == 40, "a second click fills the form again"
    app.number_input(key="set:training.epochs").set_value(9).run()
    app.button(key="reset").click().run()
    assert launched(app, engine) == own.config
    assert address_of(app, "run") == engine.store.list_runs()[0].run_id


def test_a_clone_of_a_run_that_cannot_be_read_leaves_the_form(engine: FakeEngine, own: Run) -> None:
    app = open_advanced(run=own.run_id)
    engine.store.update(own.run_id, config=[])
    memory.refresh()
    app.button(key=f"clone-{own.run_id}").click().run()
    assert any("cannot be read" in box.value for box in app.error)
    assert launched(app, engine) == PRESETS[DEFAULT_PRESET].config


def test_a_clone_of_a_run_on_data_that_is_gone_keeps_the_forms_data(engine: FakeEngine, store: RunStore) -> None:
    gone = {"data.source": "folder-7", "augmentation.pipeline": "lost", "training.epochs": 3}
    app = clone(make_run(store, "old", gone), source="cifar100")
    assert "“folder-7”, which this run used, cannot be used here" in words(app) and "Changed:" not in words(app)
    pipeline = app.selectbox(key="set:augmentation.pipeline").value
    app.number_input(key="set:training.epochs").set_value(9).run()
    app.button(key="reset").click().run()
    assert app.selectbox(key="data-set").value == "cifar100"
    app.selectbox(key="data-set").select("synthetic").run()
    config = launched(app, engine)
    assert (config.data.source, config.training.epochs) == ("synthetic", 3)
    assert config.augmentation.pipeline == pipeline != "lost"


_FLIP = PipelineSpec("", "", "", (Branch("Turned", (op("Fliplr", p=1.0),)),))
_SHUFFLE = PipelineSpec("", "", "", (Branch("Swapped", (op("ChannelShuffle", p=1.0),)),))
PIPELINE = "set:augmentation.pipeline"


def test_several_pipelines_with_weights(engine: FakeEngine) -> None:
    app = open_advanced()
    controls(app)[PIPELINE].select("notebook-1, mirror-shift").run()
    app.number_input(key="mix:weight:notebook-1").set_value(3.0).run()
    assert "75 % notebook-1, 25 % mirror-shift" in words(app)
    app.multiselect(key="mix:names").set_value([]).run()
    assert app.multiselect(key="mix:names").value == ["notebook-1", "mirror-shift"], "a mixture is never empty"
    app.multiselect(key="mix:names").set_value(["notebook-1", "mirror-shift", "none"]).run()
    assert launched(app, engine).augmentation.pipeline == "notebook-1:3, mirror-shift, none"
    app.multiselect(key="mix:names").set_value(["mirror-shift"]).run()
    assert controls(app)[PIPELINE].value == "mirror-shift" and not app.multiselect


def test_a_clone_keeps_its_own_version_of_a_pipeline_that_was_edited_or_deleted(engine: FakeEngine) -> None:
    augment.save(_FLIP, title="My flip")
    own = embedded(with_values(RunConfig(), {"augmentation.pipeline": "my-flip"}))
    run = make_run(engine.store, settings=own)
    assert "edited since" not in words(clone(run))
    augment.save(_SHUFFLE, title="My flip", replace_name="my-flip")
    app = clone(run)
    assert "my-flip has been edited since the cloned run" in words(app).replace("**", "")
    assert launched(app, engine) == run.config
    app = clone(run).button(key="take-saved:my-flip").click().run()
    assert "edited since" not in words(app)
    assert app.session_state["train:values"]["augmentation.definitions"] == ""
    saved.delete("my-flip")
    app = clone(run)
    assert controls(app)[PIPELINE].value == "my-flip" and "no saved pipeline has this name any more" in words(app)
    app.button(key="keep-own:my-flip").click().run()
    assert "my-flip" in augment.library().saved and "any more" not in words(app)
    assert read_definitions(launched(app, engine).augmentation.definitions)["my-flip"]["title"] == "My flip"

"""The form of the Train page: presets, controls, warnings, settings as text, pipelines and clones."""

import pytest

from aquadash import augment
from aquadash.augment import Branch, PipelineSpec, embedded, op
from aquadash.augment import saved_pipelines as saved
from aquadash.config import DEFINITIONS, RunConfig, flatten, from_yaml, read_definitions, to_yaml, with_values
from aquadash.lab import memory
from aquadash.models import MODELS
from aquadash.presets import PRESETS
from aquadash.store import Run, RunStore
from aquadash.ui.kit.form_state import DEFAULT_PRESET
from aquadash.ui.kit.hyperparameters import effective
from aquadash.ui.kit.text import plain
from tests.support.app_pages import address_of, unfold, words
from tests.support.runs import make_run
from tests.support.search_fakes import FakeEngine
from tests.support.train_page import clone, controls, launched, open_advanced


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


def test_a_clone_of_a_run_that_is_gone_or_cannot_be_read_leaves_the_form(engine: FakeEngine, own: Run) -> None:
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

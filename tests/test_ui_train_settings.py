"""The settings of a run as controls."""

from __future__ import annotations

from aquadash import augment
from aquadash.augment import Branch, PipelineSpec, embedded, op
from aquadash.augment import saved_pipelines as saved
from aquadash.config import RunConfig, read_definitions, with_values
from aquadash.store import Run, RunStatus, RunStore
from tests.app_pages import words
from tests.made_runs import create, set_status
from tests.train_page import FakeEngine, clone, controls, launched, open_advanced

_FLIP = PipelineSpec("", "", "", (Branch("Turned", (op("Fliplr", p=1.0),)),))
_SHUFFLE = PipelineSpec("", "", "", (Branch("Swapped", (op("ChannelShuffle", p=1.0),)),))
PIPELINE = "set:augmentation.pipeline"


def test_a_pipeline_saved_a_second_ago_is_there(engine: FakeEngine) -> None:
    app = open_advanced()
    assert "my-flip" not in str(controls(app)[PIPELINE].options)
    augment.save(_FLIP, title="My flip")
    app.run()
    assert "💾 My flip (saved)" in controls(app)[PIPELINE].options
    controls(app)[PIPELINE].select("my-flip").run()
    assert launched(app, engine).augmentation.pipeline == "my-flip"


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


def flipped(store: RunStore) -> Run:
    augment.save(_FLIP, title="My flip")
    run_id = create(store, embedded(with_values(RunConfig(), {"augmentation.pipeline": "my-flip"}))).run_id
    set_status(store, run_id, RunStatus.FINISHED)
    return store.get(run_id)


def test_a_clone_keeps_its_own_version_of_a_pipeline_until_asked(engine: FakeEngine) -> None:
    run = flipped(engine.store)
    assert "edited since" not in words(clone(run))
    augment.save(_SHUFFLE, title="My flip", replace_name="my-flip")
    app = clone(run)
    assert "my-flip has been edited since the copied run" in words(app).replace("**", "")
    assert launched(app, engine) == run.config

    app = clone(run)
    app.button(key="take-saved:my-flip").click().run()
    assert "edited since" not in words(app)
    assert app.session_state["train:values"]["augmentation.definitions"] == ""


def test_a_clone_of_a_deleted_pipeline_can_train_and_save_it_again(engine: FakeEngine) -> None:
    run = flipped(engine.store)
    saved.delete("my-flip")
    app = clone(run)
    assert controls(app)[PIPELINE].value == "my-flip"
    assert "no saved pipeline of that name any more" in words(app)
    app.button(key="keep-own:my-flip").click().run()
    assert "my-flip" in augment.library().saved
    assert "any more" not in words(app)
    assert read_definitions(launched(app, engine).augmentation.definitions)["my-flip"]["title"] == "My flip"

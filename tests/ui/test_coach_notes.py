"""The coach's notes on a page: what they are drawn with, and where their links lead."""

from collections.abc import Sequence

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from aquadash.classroom import limits
from aquadash.classroom.limits import ClassLimits
from aquadash.people import Person
from aquadash.store import EpochRecord, Predictions, Run, RunStore
from aquadash.store.artifacts import PREDICTIONS
from aquadash.ui.kit import coach_notes
from tests.coach.test_after import learning, overfitting, stopped
from tests.support.app_pages import run_script
from tests.support.coach_runs import epochs, run
from tests.support.runs import HOSTILE, make_run


def shown(run: Run, history: Sequence[EpochRecord], *, leave_out: Sequence[str] = ()) -> AppTest:
    def page(run, history, leave_out) -> None:  # type: ignore[no-untyped-def]
        from aquadash.ui.kit import coach_notes

        coach_notes.render_run_notes(run, history, leave_out=leave_out)

    return run_script(page, run, history, leave_out)


@pytest.mark.usefixtures("store", "no_engine")
def test_each_level_has_its_box_and_each_change_its_buttons() -> None:
    app = shown(run({"training.validation": "test"}), overfitting())
    assert [len(boxes) for boxes in (app.warning, app.info, app.success)] == [1, 1, 1]
    tried = [button for button in app.button if button.key.startswith("try-")]
    assert [button.key for button in tried] == [
        f"try-{key}-{'a' * 32}" for key in ("validation-on-test", "overfitting")
    ]
    labels = [each.proto.popover.label for each in app.get("popover")] + [each.label for each in app.button]
    assert len(set(labels)) == len(labels) == 3 + 2 + 2
    assert tried[0].label.startswith("Try this: Validation images: held out")


def test_no_click_exceeds_the_class_limit(anna: Person) -> None:
    one, history = run({"training.epochs": 12}), learning(12)
    for limit, launched in ((60, ["train-too-few-epochs"]), (23, []), (12, [])):
        limits.save(ClassLimits(epochs=limit))
        keys = [button.key for button in shown(one, history).button]
        assert [key for key in keys if key.startswith("train-")] == launched
        assert [key for key in keys if key.startswith("try-")], "the form can be filled all the same"


@pytest.mark.usefixtures("no_engine")
def test_hostile_class_names_are_text_and_damaged_results_leave_the_curves_notes(store: RunStore) -> None:
    """Every image of the first of two classes is taken for the other."""
    ignored = Predictions(np.arange(40), np.repeat([0, 1], 20), np.eye(2, dtype=np.float32)[[1] * 40])
    names = {"class_names": (HOSTILE, "otter"), "dataset_fingerprint": "f" * 64}
    done = make_run(store, predictions={"test": ignored}, **names)
    app = shown(done, epochs(5, lambda e: 0.2, lambda e: 0.2))
    text = next(box.value for box in app.info if "Hardly ever recognised" in box.value)
    assert "<img" not in text.replace("\\<img", "") and ":red[" not in text

    damaged = make_run(store, "damaged")
    store.artifact(damaged.run_id, PREDICTIONS).write_bytes(b"damaged")
    assert [note.key for note in coach_notes.notes_on(damaged, stopped(0.1))] == ["stopped-too-early", "all-well"]

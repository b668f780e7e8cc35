"""The coach's notes on a page: what they are drawn with, and where their links lead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from aquadash.errors import StorageError
from aquadash.evaluation import Evaluation, evaluate
from aquadash.lab.limits import Limits
from aquadash.lab.runs import Runs
from aquadash.store import EpochRecord, Run
from aquadash.ui.kit import clone, coach_notes
from tests.coach.test_after import learning, overfitting, stopped
from tests.support.app_pages import run_script
from tests.support.coach_runs import epochs, run
from tests.support.runs import HOSTILE


@pytest.fixture
def links(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Collect the links in place of drawing them, which needs the app."""
    drawn: list[dict[str, Any]] = []
    monkeypatch.setattr(
        clone, "render_clone_button", lambda run_id, **options: drawn.append({"run_id": run_id, **options})
    )
    return drawn


def shown(run: Run, history: Sequence[EpochRecord], *, leave_out: Sequence[str] = ()) -> AppTest:
    def page(run, history, leave_out) -> None:  # type: ignore[no-untyped-def]
        from aquadash.ui.kit import coach_notes

        coach_notes.render_run_notes(run, history, leave_out=leave_out)

    return run_script(page, run, history, leave_out)


def ignoring(name: str) -> Evaluation:
    """Results in which every image of the first of two classes is taken for the other."""
    return evaluate([0] * 20 + [1] * 20, np.eye(2)[[1] * 40], class_names=(name, "otter"))


def test_each_level_has_its_box_and_each_change_its_link(links: list[dict[str, Any]]) -> None:
    app = shown(run({"training.validation": "test"}), overfitting())
    assert [len(boxes) for boxes in (app.warning, app.info, app.success)] == [1, 1, 1]
    assert [link["changes"] for link in links] == [{"training.validation": "training"}, {"augmentation.mode": "fresh"}]
    assert links[0]["run_id"] == "a" * 32
    labels = [each.proto.popover.label for each in app.get("popover")] + [each.label for each in app.button]
    assert len(set(labels)) == len(labels) == 3 + 2
    assert links[0]["label"].startswith("Try this: Validation images: held out")


def test_no_click_exceeds_the_class_limit(links: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    one, history = run({"training.epochs": 12}), learning(12)
    for limit, offered in ((60, ["train-too-few-epochs"]), (23, []), (12, [])):
        monkeypatch.setattr(Limits, "within_epochs", lambda self, epochs, limit=limit: min(epochs, limit))
        assert [button.key for button in shown(one, history).button if button.key.startswith("train-")] == offered
    assert len(links) == 3, "the form can be filled all the same"


def test_hostile_class_names_are_text(links: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runs, "evaluation", staticmethod(lambda run_id: ignoring(HOSTILE)))
    done = run()
    done.metrics["test_accuracy"] = 0.5
    app = shown(done, epochs(5, lambda e: 0.2, lambda e: 0.2))
    text = next(box.value for box in app.info if "Hardly ever recognised" in box.value)
    assert "<img" not in text.replace("\\<img", "") and ":red[" not in text


def test_damaged_results_leave_the_curves_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(run_id: str) -> Evaluation:
        raise StorageError("The predictions of this run are damaged.")

    monkeypatch.setattr(Runs, "evaluation", staticmethod(damaged))
    done = run()
    done.metrics["test_accuracy"] = 0.5
    assert [note.key for note in coach_notes.notes_on(done, stopped(0.1))] == ["stopped-too-early", "all-well"]

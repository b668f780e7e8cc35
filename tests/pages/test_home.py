"""The home page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from aquadash.config import RunConfig
from aquadash.lab.runs import Runs
from aquadash.store.first_model import NAME, ORIGIN
from aquadash.store.types import Progress, Run, RunStatus
from tests.support.app_pages import APP, metrics, texts
from tests.support.predict_page import cards, picture


def a_run(status: RunStatus, **values: Any) -> Run:
    return Run(f"{status:0<32}", "my *first* run", status, RunConfig(), 1.0, **values)


@pytest.fixture
def app(no_engine: None) -> AppTest:
    return AppTest.from_file(APP, default_timeout=120)


def links(app: AppTest) -> list[str]:
    return [link.proto.label for link in app.get("page_link")]


def test_a_first_visitor_sees_a_drop_zone_animals_and_where_to_begin(app: AppTest) -> None:
    app.run()
    assert not app.exception and not app.error
    assert app.file_uploader(key="home-picture") and app.button(key="draw-sample").label == "Try a sample"
    animals = next(block.proto.body for block in app.get("html") if "Training images of" in block.proto.body)
    assert animals.count("<img") == 25 and "🦭 seal" in animals
    assert len(set(re.findall(r'alt="(otter, training image \d+)"', animals))) == 5, "each button has a name of its own"
    assert {"**Data**", "**Augment**", "**Train**"} <= set(links(app))
    assert metrics(app) == {"Running now": "0", "Best run": "None yet", "Guided lesson": "45 min"}


def test_a_sample_and_a_picture_are_answered_in_place(app: AppTest) -> None:
    app.run()
    app.button(key="draw-sample").click().run()
    assert not app.exception and not app.error
    (card,) = cards(app)
    assert "Test image" in card and card.count("aqua-fill") == 5
    assert any(label.startswith(f"Answered by {NAME}") for label in links(app)), "the included model comes by itself"
    app.file_uploader(key="home-picture").set_value([picture("red.png")])
    app.run()
    (card,) = cards(app)
    assert "red.png" in card and not app.error
    app.switch_page("pages/predict.py").run()
    assert "red.png" in cards(app)[0]
    app.button(key="remove-kept").click().run()
    assert "red.png" not in "".join(cards(app)) and not app.exception


def test_a_database_that_cannot_be_read_gives_a_message(app: AppTest, home: Path) -> None:
    (home / "aquadash.db").write_bytes(b"no database" * 1000)
    app.run()
    assert not app.exception
    assert app.error and all("database" in error.value for error in app.error)
    assert "**Data**" in links(app), "the rest of the page is there"


def figures(app: AppTest, monkeypatch: pytest.MonkeyPatch, *runs: Run) -> dict[str, str]:
    """Return the metrics with these runs."""
    monkeypatch.setattr(Runs, "all", staticmethod(lambda: [*runs]))
    return metrics(app.run())


def test_the_running_and_the_best_run_are_shown(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    progress = Progress("training", epoch=3, epochs=20, batch=33, batches=66, eta_seconds=200)
    shipped = a_run(RunStatus.FINISHED, origin=ORIGIN, shared=True, metrics={"test_accuracy": 0.8, "val_accuracy": 0.8})
    worse, best = (
        a_run(RunStatus.FINISHED, ended_at=2.0, metrics={"test_accuracy": 0.5, "val_accuracy": accuracy})
        for accuracy in (0.42, 0.614)
    )
    failed = a_run(RunStatus.FAILED, ended_at=2.0)
    shown = figures(app, monkeypatch, a_run(RunStatus.RUNNING, progress=progress), shipped, worse, best, failed)
    assert not app.error
    assert "my \\*first\\* run" in texts(app), "names are text, not markup"
    assert shown["Running now"] == "Starting" and shown["Best run"] == "61 %"
    assert {"Watch", "Evaluate"} <= set(links(app))

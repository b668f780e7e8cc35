"""The home page."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from aquadash import data
from aquadash.config import RunConfig
from aquadash.errors import StorageError
from aquadash.lab.runs import Runs
from aquadash.runs.types import Progress, Run, RunStatus
from aquadash.settings import PROJECT_ROOT
from aquadash.ui import warmup


def a_run(status: RunStatus, **values: Any) -> Run:
    return Run(f"{status:0<32}", "my *first* run", status, RunConfig(), 1.0, **values)


@pytest.fixture(autouse=True)
def no_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warmup, "start", lambda: None)
    monkeypatch.setattr(warmup, "ready", lambda: True)
    monkeypatch.setattr(Runs, "all", staticmethod(lambda: []))


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_file(PROJECT_ROOT / "app.py", default_timeout=20)


def texts(app: AppTest) -> str:
    return "\n".join(
        entry.value for kind in (app.markdown, app.caption, app.subheader, app.info, app.error) for entry in kind
    )


def test_a_first_visitor_sees_what_it_is_and_three_steps(app: AppTest) -> None:
    app.run()
    assert not app.exception and not app.error
    assert app.title[0].value == "🌊 AquaDash"
    assert "How does a computer learn" in app.markdown[0].value
    assert all(step in texts(app) for step in ("Look at the data", "Augment the images", "Train and watch"))
    assert "Nothing at the moment." in texts(app)
    assert "None yet." in texts(app)


def test_it_does_not_wait_for_the_store(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def waits() -> list[Run]:
        raise AssertionError("the page must not ask")

    monkeypatch.setattr(warmup, "ready", lambda: False)
    monkeypatch.setattr(Runs, "all", staticmethod(waits))
    app.run()
    assert "Opening the run store" in texts(app)
    assert not app.error


def test_a_store_that_cannot_be_opened_gives_a_message(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> bool:
        raise StorageError("AquaDash cannot write to its folder.")

    monkeypatch.setattr(warmup, "ready", refuse)
    app.run()
    assert app.error[0].value == "AquaDash cannot write to its folder."
    assert not app.exception
    assert "Look at the data" in texts(app), "the rest of the page is there"


def test_a_running_training_is_shown(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    progress = Progress("training", epoch=3, epochs=20, batch=33, batches=66, eta_seconds=200)
    monkeypatch.setattr(Runs, "all", staticmethod(lambda: [a_run(RunStatus.RUNNING, progress=progress)]))
    app.run()
    assert not app.error
    assert "my \\*first\\* run" in texts(app), "names are text, not markup"


def test_results_are_listed(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    finished = a_run(RunStatus.FINISHED, ended_at=2.0, metrics={"test_accuracy": 0.614, "seconds": 75.0})
    monkeypatch.setattr(Runs, "all", staticmethod(lambda: [finished, a_run(RunStatus.FAILED, ended_at=2.0)]))
    app.run()
    assert not app.error
    assert "61 % of the test images right" in texts(app)
    assert "1 min 15 s" in texts(app)


def test_it_says_that_the_images_are_drawn_or_that_the_real_ones_are_here(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = data.SOURCES["cifar100"]
    monkeypatch.setitem(data.sources.BUILT_IN, "cifar100", _with_key(source, None))
    assert "**drawn**" in texts(app.run())
    monkeypatch.setitem(data.sources.BUILT_IN, "cifar100", _with_key(source, "here"))
    assert "CIFAR-100 photos are ready" in texts(app.run())


def _with_key(source: data.Source, key: str | None) -> data.Source:
    return data.Source(source.name, source.title, source.summary, source.drawn, source.load, key=lambda: key)

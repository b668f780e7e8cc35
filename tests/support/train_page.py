"""The Train page without a browser and without training, for the tests that open it."""

from functools import partial
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from aquadash.config import RunConfig
from aquadash.store import Run
from tests.support.app_pages import open_app_page
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

"""Opens a page of the app without a browser, and reads what it shows, for the tests of pages."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from aquadash.lab import memory
from aquadash.store import Run

APP = str(Path(__file__).resolve().parents[2] / "app.py")


def open_app_page(page: str, /, **address: str) -> AppTest:
    """Visit a page, such as ``"train"``, with these values in its address; it must not raise."""
    memory.refresh()
    return _opened(AppTest.from_file(APP, default_timeout=120).switch_page(f"pages/{page}.py"), address)


def run_script(script: Callable[..., None], /, *arguments: Any, **address: str) -> AppTest:
    """Run a part of a page with these arguments, without the app around it; it must not raise."""
    return _opened(AppTest.from_function(_call, args=(script, *arguments), default_timeout=120), address)


def _call(script, *arguments) -> None:  # type: ignore[no-untyped-def]
    # AppTest runs a copy of this function's text, which knows nothing but its arguments.
    script(*arguments)


def _opened(app: AppTest, address: dict[str, str]) -> AppTest:
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def go_back(app: AppTest, **address: str) -> AppTest:
    """Give the open page another address, as the browser's Back does; the page must not raise."""
    app.query_params.clear()
    return _opened(app, address)


def cut_short_the_launch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the script of the next launch end right after it, as a second click would; the test makes that click."""
    spinner, launches = st.spinner, iter([True])

    @contextmanager
    def cut_short(text: str, **options: Any) -> Iterator[None]:
        with spinner(text, **options):
            yield
        if text == "Launching ..." and next(launches, False):
            st.rerun()

    monkeypatch.setattr(st, "spinner", cut_short)


def address_of(app: AppTest, name: str) -> str | None:
    """Return a value of the page's address."""
    value = app.query_params.get(name)
    return value[0] if isinstance(value, list) else value


def address_notes(app: AppTest) -> list[str]:
    """Return the notes about an address that the page cannot follow."""
    return [box.value for box in app.info if "The address asks for" in box.value]


def ids(*runs: Run) -> str:
    """Runs as an address names them."""
    return ",".join(run.run_id for run in runs)


def html(app: AppTest) -> str:
    """All HTML of the page."""
    return "\n".join(block.proto.body for block in app.get("html"))


def alternatives(app: AppTest) -> list[str]:
    """The text alternatives of the pictures."""
    return re.findall(r'alt="([^"]*)"', html(app))


def texts(app: AppTest) -> str:
    """All that the page says, as markup."""
    kinds = "title header subheader markdown caption info success warning error"
    said = [str(each.value) for kind in kinds.split() for each in app.get(kind)]
    return "\n".join([*said, *(bar.proto.text for bar in app.get("progress")), html(app)])


def words(app: AppTest) -> str:
    """All that the page says, without what keeps text from being markup."""
    return texts(app).replace("\\", "").replace("\u2060", "")


def charts(app: AppTest) -> list[str]:
    """The text alternatives of the charts."""
    return [chart.proto.alt for chart in app.get("plotly_chart")]


def figure_of(app: AppTest, number: int) -> dict[str, Any]:
    """Return the data and layout of a chart, by its number from 0."""
    figure: dict[str, Any] = json.loads(app.get("plotly_chart")[number].proto.spec)
    return figure


def metrics(app: AppTest) -> dict[str, str]:
    """The figures that stand out, by their names."""
    return {metric.label: metric.value for metric in app.metric}


def buttons(app: AppTest) -> list[str]:
    """The keys of the buttons."""
    return [button.key or "" for button in app.button]


def unfold(app: AppTest, popover: str) -> AppTest:
    """Open a popover of this key, whose widgets are drawn while it is open."""
    app.session_state[popover] = True
    app.run()
    assert not app.exception
    return app


def click(app: AppTest, chart: str, customdata: Sequence[object]) -> None:
    """Click on the point of a chart that has this ``customdata``."""
    app.session_state[f"{chart}-clicked"] = (address_of(app, "run"), address_of(app, "runs")), list(customdata)
    app.run()
    assert not app.exception and not app.error

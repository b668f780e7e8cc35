"""Opens a page of the app without a browser, for the tests of pages."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from aquadash.lab import memory

APP = str(Path(__file__).resolve().parent.parent / "app.py")


def open_app_page(page: str, /, **address: str) -> AppTest:
    """Visit a page, such as ``"train"``, with these values in its address; it must not raise."""
    memory.refresh()
    app = AppTest.from_file(APP, default_timeout=120).switch_page(f"pages/{page}.py")
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def address_of(app: AppTest, name: str) -> str | None:
    """What stands in the address under a name."""
    value = app.query_params.get(name)
    return value[0] if isinstance(value, list) else value

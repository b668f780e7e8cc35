"""What Streamlit does to Keras after a script, and that it does not do it here."""

from __future__ import annotations

import importlib.util
import sys
import types

import pytest
from streamlit.runtime.scriptrunner import script_runner
from streamlit.testing.v1 import AppTest

from aquadash.ui.predictor import keep_keras_session


def times_cleared(monkeypatch: pytest.MonkeyPatch) -> int:
    """How often Keras's session is cleared around one run of a script."""
    calls: list[int] = []
    keras = types.SimpleNamespace(backend=types.SimpleNamespace(clear_session=lambda: calls.append(1)))
    monkeypatch.setitem(sys.modules, "keras", keras)
    AppTest.from_string("import streamlit as st\nst.write('hello')", default_timeout=60).run()
    return len(calls)


def test_the_session_outlives_a_script(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_keras_session()
    assert times_cleared(monkeypatch) == 0


def test_streamlit_alone_would_clear_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """When this fails, Streamlit has changed, and the measure can go."""
    spec = importlib.util.find_spec(script_runner.__name__)
    assert spec is not None and spec.loader is not None
    untouched = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(untouched)
    monkeypatch.setattr(script_runner, "_clean_problem_modules", untouched._clean_problem_modules)
    assert times_cleared(monkeypatch) > 0

"""With fifty stored runs every page's script is quick: at most 0.4 s, the median of ten, warm."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from aquadash.runs import RunStore, open_store
from tests import stored_runs, ui_runs
from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parent.parent

#: Seconds; what the test itself adds by reading the page is let in.
LIMIT = 0.4


@pytest.fixture
def fifty_runs(home_with_images: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    stored_runs.without_engine(monkeypatch)
    store = open_store()
    for number in range(48):
        ui_runs.finished(store, f"run {number}")
    stored_runs.add_run(store)
    return store


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.parametrize("page", ["home", "data", "augment", "train", "evaluate", "predict", "compare", "walkthrough"])
def test_a_page_is_drawn_in_time(fifty_runs: RunStore, page: str) -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.run()
    app.switch_page(f"pages/{page}.py")
    app.run()
    wait_for(lambda: app.run().markdown and not any("Opening" in text.value for text in app.caption))
    seconds = []
    for _ in range(10):
        began = time.perf_counter()
        app.run()
        seconds.append(time.perf_counter() - began)
    assert not app.exception and not app.error
    assert (page.capitalize() if page != "home" else "AquaDash") in app.title[0].value
    print(f"{page}: {statistics.median(seconds):.3f} s")
    assert statistics.median(seconds) < LIMIT, seconds

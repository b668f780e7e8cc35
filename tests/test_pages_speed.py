"""With fifty stored runs every page's script is quick: at most 0.4 s, the median of ten, warm."""

from __future__ import annotations

import shutil
import statistics
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from aquadash.pages import PAGES
from aquadash.runs import open_store
from tests import stored_runs, ui_runs
from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parent.parent

#: Seconds; what the test itself adds by reading the page is let in.
LIMIT = 0.4


@pytest.fixture(scope="module")
def home_of_fifty(tmp_path_factory: pytest.TempPathFactory, prepared_home: Path) -> Path:
    """A home with fifty runs for all pages, none of which changes it."""
    folder = tmp_path_factory.mktemp("fifty-runs")
    shutil.copytree(prepared_home, folder, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AQUADASH_HOME", str(folder))
        store = open_store()
        for number in range(49):
            ui_runs.finished(store, f"run {number}")
        stored_runs.add_run(store)
    return folder


@pytest.fixture
def fifty_runs(home_of_fifty: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQUADASH_HOME", str(home_of_fifty))
    stored_runs.without_engine(monkeypatch)


@pytest.mark.soak
@pytest.mark.parametrize("page", [name for name, page in PAGES.items() if not page.class_only])
def test_a_page_is_drawn_in_time(fifty_runs: None, page: str) -> None:
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
    assert (PAGES[page].heading or PAGES[page].title) in app.title[0].value
    print(f"{page}: {statistics.median(seconds):.3f} s")
    assert statistics.median(seconds) < LIMIT, seconds

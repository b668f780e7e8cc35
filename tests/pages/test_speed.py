"""With fifty stored runs the script of every page and section is quick, warm: the median of nine."""

import statistics
import time

import pytest

from aquadash.lab import memory
from aquadash.pages import PAGES
from aquadash.store import RunStore
from aquadash.ui.kit import sections
from tests.support.app_pages import open_app_page
from tests.support.runs import make_run, skilled
from tests.support.waiting import wait_for

#: Seconds; what the test itself adds by reading the page is let in.
LIMIT = 0.4
#: With ten runs of a hundred epochs picked.
LIMIT_OF_COMPARE = 0.8

#: A page and the section that its address asks for, with runs picked; None for the page as it opens.
PLACES: list[tuple[str, str | None]] = [(name, None) for name, page in PAGES.items() if not page.class_only]
PLACES += [(page, query) for page in ("evaluate", "compare") for query in sections.queries(page)]


@pytest.fixture(scope="module")
def about(shared_store: RunStore) -> dict[str, dict[str, str]]:
    """What the addresses say of fifty runs: a run with a second one on Evaluate, ten runs on Compare."""
    for number in range(39):
        make_run(shared_store, f"run {number}")
    ten = [
        make_run(
            shared_store, f"run {number}", {"seed": number % 2}, predictions=skilled(0.5, seed=number), history=100
        ).run_id
        for number in range(10)
    ]
    make_run(shared_store)
    compared = {"runs": ",".join(ten), "metric": "val_accuracy,val_loss", "smooth": "0.5"}
    return {"evaluate": {"run": ten[0], "with": ten[1]}, "compare": compared}


@pytest.mark.soak
@pytest.mark.usefixtures("in_shared_home")
@pytest.mark.parametrize(("page", "query"), PLACES)
def test_a_page_is_drawn_in_time(about: dict[str, dict[str, str]], page: str, query: str | None) -> None:
    name, _, word = (query or "").partition("=")
    address = {} if query is None else about[page] | ({name: word} if query else {})
    app = open_app_page(page, **address)
    wait_for(lambda: app.run().markdown and not any("Opening" in text.value for text in app.caption))
    seconds = []
    for _ in range(9):
        memory.refresh()
        began = time.perf_counter()
        app.run()
        seconds.append(time.perf_counter() - began)
    assert not app.exception and not app.error
    assert (PAGES[page].heading or PAGES[page].title) in app.title[0].value
    print(f"{page} {query}: {statistics.median(seconds):.3f} s")
    assert statistics.median(seconds) < (LIMIT_OF_COMPARE if page == "compare" and address else LIMIT), seconds

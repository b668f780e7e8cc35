"""What axe-core finds on every page and section and in an opened image, in the light and the dark theme."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from aquadash.pages import PAGES
from aquadash.runs import open_store
from aquadash.ui.sections import queries
from tests.browser_pages import add_included_model, made_up_run
from tests.serving import Server, needs_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [*needs_chromium, pytest.mark.soak]

#: What Streamlit draws by itself, which is not ours to mend: parts of its frame, and the spark line of a metric.
_FOREIGN = ("[data-testid='stToolbar']", "[data-testid='stSidebarHeader']", "svg.marks")


def findings(page: Page) -> list[str]:
    """The serious and critical ones, a line each."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, context={"exclude": [[selector] for selector in _FOREIGN]})
    return [
        f"{violation['id']}: {node['target']} {node['html'][:150]} {node['any'][0]['message'] if node['any'] else ''}"
        for violation in found.response["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page_or_section(shared_server: Server, browser: Browser, scheme: str) -> None:
    store = open_store()
    runs = [made_up_run(store, name, seed=seed, skill=0.4 + 0.2 * seed) for seed, name in enumerate(("one", "two"))]
    for run_id in runs:
        add_included_model(store, run_id)
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 800})
    found: dict[str, list[str]] = {}
    for name in (name for name, record in PAGES.items() if not record.class_only):
        for query in [*queries(name), *(["open=test-3"] if name == "evaluate" else [])]:
            about = f"runs={runs[0]},{runs[1]}" if name == "compare" else f"run={runs[0]}"
            address = f"{name}?{about}&{query}"
            page.goto(f"{shared_server.url}/{address}")
            page.get_by_role("heading", level=1).first.wait_for()
            page.locator("[data-testid='stApp'][data-test-script-state='notRunning']").wait_for()
            if lines := findings(page):
                found[f"{name} {query}"] = lines
    page.close()
    assert not found, "\n".join(itertools.chain(*([f"# {where}", *lines] for where, lines in found.items())))

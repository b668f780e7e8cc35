"""axe-core finds nothing serious on any page or section, in an opened image and in popovers, in both themes."""

import itertools
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from aquadash.classroom import codes, limits
from aquadash.classroom.limits import ClassLimits
from aquadash.classroom.sessions import open_sessions
from aquadash.pages import PAGES
from aquadash.people import Role
from aquadash.store import RunStatus, open_store
from aquadash.ui.kit.sections import queries
from tests.support.browser_pages import add_included_model
from tests.support.runs import make_run, skilled
from tests.support.serving import Server, needs_chromium, serving

pytestmark = [*needs_chromium, pytest.mark.soak]

#: Parts that Streamlit draws without our control: its frame, and the spark line of a metric.
_FOREIGN = ("[data-testid='stToolbar']", "[data-testid='stSidebarHeader']", "svg.marks")

#: By page, the key of a popover with fields and buttons.
_POPOVERS = {"evaluate": "image-filters", "compare": "filters-box", "augment": "save-menu-0"}

#: JavaScript: the script has run and no element fades, which would lower its contrast.
_AT_REST = """() => !document.querySelector("[data-testid='stApp']:not([data-test-script-state='notRunning'])")
  && document.getAnimations().every(
    (each) => each.playState !== "running" || each.effect.getTiming().iterations === Infinity)"""


def opened(browser: Browser, scheme: Any) -> Page:
    return browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 800})


def findings(page: Page, address: str = "") -> list[str]:
    """The serious and critical ones, a line each, of this address or of the open page."""
    from axe_playwright_python.sync_playwright import Axe

    if address:
        page.goto(address)
        page.get_by_role("heading", level=1).first.wait_for()
    page.wait_for_function(_AT_REST)
    report = Axe().run(page, context={"exclude": [[selector] for selector in _FOREIGN]})
    return [
        f"{violation['id']}: {node['target']} {node['html'][:150]} {node['any'][0]['message'] if node['any'] else ''}"
        for violation in report.response["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page_or_section(shared_server: Server, browser: Browser, scheme: str) -> None:
    store = open_store()
    runs = [make_run(store, name, predictions=skilled(skill)).run_id for name, skill in (("one", 0.4), ("two", 0.6))]
    for run_id in runs:
        add_included_model(store, run_id)
    page, violations = opened(browser, scheme), {}
    for name in (name for name, record in PAGES.items() if not record.class_only):
        for query in [*queries(name), *(["open=test-3"] if name == "evaluate" else [])]:
            about = f"runs={runs[0]},{runs[1]}" if name == "compare" else f"run={runs[0]}"
            violations[f"{name} {query}"] = findings(page, f"{shared_server.url}/{name}?{about}&{query}")
    page.close()
    nothing(violations)


@pytest.mark.parametrize(("scheme", "theme"), itertools.product(["light", "dark"], repeat=2))
def test_axe_finds_nothing_serious_in_popovers(
    shared_server: Server, browser: Browser, scheme: str, theme: str
) -> None:
    run_id = make_run(open_store(), "one", predictions=skilled(0.4)).run_id
    page, violations = opened(browser, scheme), {}
    for name, popover in _POPOVERS.items():
        about = f"run={run_id}&runs={run_id}&embed=true&embed_options={theme}_theme"
        page.goto(f"{shared_server.url}/{name}?{about}")
        button = page.locator(f".st-key-{popover} button:visible")
        button.wait_for()
        # A page that is still drawn folds its popovers again.
        page.wait_for_function(_AT_REST)
        button.click()
        page.get_by_test_id("stPopoverBody").locator("input").first.wait_for()
        violations[name] = findings(page)
    page.close()
    nothing(violations)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_a_class(home: Path, prepared_home: Path, browser: Browser, scheme: str) -> None:
    shutil.copytree(prepared_home, home, dirs_exist_ok=True)
    limits.save(ClassLimits(paused=True, locked_pages=frozenset({"compare"})))
    store, made = open_store(), codes.codes()
    ada = open_sessions().join("Ada", Role.STUDENT).person
    make_run(store, "one", predictions=skilled(0.6, seed=1), owner=ada)
    make_run(store, "two", status=RunStatus.QUEUED, owner=ada)
    violations: dict[str, list[str]] = {}
    with serving(home, AQUADASH_CLASSROOM="1") as server:
        for role, code in (("teacher", made.teacher), ("student", made.student)):
            page = opened(browser, scheme)
            violations["join"] = findings(page, f"{server.url}/class/join?code=WRONG")
            for typed in ("CCCCCC", code):
                page.get_by_label("Your name").fill(f"A {role}")
                page.get_by_label("Code").fill(typed)
                page.get_by_role("button", name="Join").click()
                page.get_by_role("alert").or_(page.get_by_test_id("stMain")).first.wait_for()
                if page.get_by_role("alert").count():
                    violations["join, refused"] = findings(page)
            for address in (*(f"classroom?{query}" for query in queries("classroom")), "compare", "class/join"):
                violations[f"{role} {address}"] = findings(page, f"{server.url}/{address}")
            page.close()
    nothing(violations)


def nothing(violations: dict[str, list[str]]) -> None:
    lines = itertools.chain(*([f"# {where}", *lines] for where, lines in violations.items() if lines))
    assert not any(violations.values()), "\n".join(lines)

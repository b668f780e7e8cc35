"""The table of runs in Chromium: condition, groups, columns, tags, deleting many with undo, and what a reload
restores."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Request, ViewportSize

from aquadash.runs import RunStore, open_store
from tests import ui_runs
from tests.browser_pages import address_has, choose, settled
from tests.serving import needs_chromium, serving
from tests.waiting import wait_for

pytestmark = [*needs_chromium, pytest.mark.slow]


@pytest.fixture
def viewport() -> ViewportSize:
    return {"width": 1280, "height": 1800}


@pytest.fixture
def store(home: Path, prepared_home: Path) -> RunStore:
    shutil.copytree(prepared_home, home, dirs_exist_ok=True)
    return open_store()


def rows(page: Page, count: int) -> None:
    # The first: while the page is drawn anew, the old line may stand below the new one.
    page.get_by_text(re.compile(rf"^{count} runs?\. Tick rows")).first.wait_for()


def choose_from(page: Page, key: str, option: str) -> None:
    choose(page, page.locator(f".st-key-{key} input").first, page.get_by_role("option", name=option, exact=True))


def test_the_table_of_runs(home: Path, store: RunStore, page: Page) -> None:
    good = ui_runs.finished(store, "good", {"seed": 1}, right=0.8)
    fair = ui_runs.finished(store, "fair", {"seed": 2}, right=0.6)
    other = ui_runs.finished(store, "other", {"training.optimizer": "adam"}, right=0.7)
    store.set_note(good.run_id, "# Big\n![spy](http://spy.invalid/a.png) <img src='http://spy.invalid/b.png'> **bold**")
    asked: list[str] = []

    def remember(request: Request) -> None:
        asked.append(request.url)

    page.on("request", remember)
    with serving(home) as server:
        page.goto(f"{server.url}/compare")
        rows(page, 3)
        where = page.locator(".st-key-where input")
        where.fill("test_accuracy > 0.65")
        where.press("Enter")
        rows(page, 2)
        address_has(page, "where=" + quote("test_accuracy > 0.65", safe="").replace("%20", "+"))
        page.reload()
        rows(page, 2)
        where.fill("test_acuracy > 0.65")
        where.press("Enter")
        page.get_by_text("Did you mean test_accuracy").first.wait_for()
        rows(page, 3)
        where.fill("")
        where.press("Enter")
        page.get_by_text("Did you mean test_accuracy").first.wait_for(state="detached")
        rows(page, 3)

        choose_from(page, "group", "same but the seed")
        address_has(page, "group=all-but-seed")
        page.get_by_text("Within a group only the seed differs").first.wait_for()
        choose_from(page, "member", "Optimizer: SGD")
        rows(page, 2)
        address_has(page, "member=")
        page.reload()
        rows(page, 2)
        choose_from(page, "group", "nothing")
        rows(page, 3)
        settled(page)

        page.locator(".st-key-columns-box button").first.click()
        page.locator(".st-key-columns input").fill("Learning rate")
        page.get_by_role("option", name="Learning rate (training.learning_rate)").click()
        address_has(page, "training.learning_rate")
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")

        page.get_by_role("button", name="Pick all shown").click()
        page.get_by_text("With 3 picked runs").first.wait_for()
        page.locator(".st-key-bulk-tags-box button").first.click()
        tags = page.locator(".st-key-bulk-add-tags input")
        tags.fill("week 2")
        tags.press("Enter")
        wait_for(lambda: all(store.get(run.run_id).tags == ("week-2",) for run in (good, fair, other)))

        page.locator(f".st-key-note-box-{good.run_id} button").first.click()
        page.get_by_text("bold", exact=True).wait_for()
        assert page.locator("h6", has_text="Big").count() == 1
        page.keyboard.press("Escape")

        page.locator(".st-key-bulk-delete button:visible").first.click()
        page.get_by_text("Deleted 3 runs").first.wait_for()
        assert all(store.get(run.run_id).deleted for run in (good, fair, other))
        page.get_by_role("button", name="Undo").click()
        wait_for(lambda: not any(store.get(run.run_id).deleted for run in (good, fair, other)))
        rows(page, 3)
    assert not any("spy.invalid" in url for url in asked)


def test_a_change_by_a_command_shows_by_itself(home: Path, store: RunStore, page: Page) -> None:
    run = ui_runs.finished(store, "before")
    with serving(home) as server:
        page.goto(f"{server.url}/compare?runs={run.run_id}")
        # The table's cells say it, too, but nobody sees those: they are for screen readers.
        page.get_by_text("before", exact=True).filter(visible=True).first.wait_for()
        store.rename(run.run_id, "after")
        page.get_by_text("after", exact=True).filter(visible=True).first.wait_for()
        ui_runs.finished(store, "another")
        rows(page, 2)

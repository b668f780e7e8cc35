"""What a student does on the Walkthrough page, in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from aquadash.runs import open_store
from aquadash.walkthrough import progress
from tests.browser_pages import address_has, choose, no_error, settled
from tests.serving import Server, needs_chromium
from tests.stored_runs import add_run

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

pytestmark = needs_chromium


@pytest.fixture
def viewport() -> ViewportSize:
    return {"width": 1280, "height": 1700}


def test_a_student_solves_two_questions_which_a_reload_and_another_page_keep(shared_server: Server, page: Page) -> None:
    run = add_run(open_store(), name="taught")
    page.goto(f"{shared_server.url}/walkthrough?lesson=convolution&run={run.run_id}")
    page.get_by_text("0 of 14 questions solved").wait_for()
    page.get_by_role("button", name="Check").click()
    page.get_by_text("The largest difference is still").or_(page.get_by_text("only by luck")).first.wait_for()
    address_has(page, "me=")
    pooling = page.get_by_role("combobox", name=re.compile("After that: pooling"))
    choose(page, pooling, page.get_by_role("option", name=re.compile("^none$")))
    page.get_by_role("button", name="Check").click()
    page.get_by_text("1 of 14 questions solved").wait_for()
    no_error(page)

    page.get_by_role("button", name="Go on to").click()
    page.get_by_role("heading", name="Dense layers").wait_for()
    page.get_by_role("button", name="Next", exact=False).first.click()
    page.get_by_role("heading", name="Loss").wait_for()
    settled(page)
    page.get_by_label("Your answer").fill("0.905")
    page.get_by_label("Your answer").press("Enter")
    address_has(page, "lowest=0.905")
    page.get_by_role("button", name="Check").click()
    page.get_by_text("2 of 14 questions solved").wait_for()

    page.reload()
    page.get_by_text("2 of 14 questions solved").wait_for()
    page.get_by_text("You have solved this one before").wait_for()
    address_has(page, "lesson=loss", "lowest=0.905", f"run={run.run_id}")
    me = re.search(r"me=([0-9a-f]{16})", page.url)
    assert me is not None and set(progress.read(me[1]).solved) == {"convolution", "loss"}

    page.get_by_role("link", name="Compare").click()
    page.get_by_text("What made one run better").wait_for()
    page.get_by_role("link", name="Walkthrough").click()
    page.get_by_text("2 of 14 questions solved").wait_for()
    address_has(page, f"me={me[1]}")
    no_error(page)

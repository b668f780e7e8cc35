"""From a note of the coach to a run with its change, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aquadash.runs import Guess, RunStatus, Worker, open_store
from tests.browser_pages import address_has, choose, made_up_run, no_error, settled
from tests.serving import needs_chromium, serving
from tests.ui_runs import queued
from tests.waiting import wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = needs_chromium

#: On a machine shared with others; a training process takes its time to start.
SLOW = 180_000


@pytest.fixture
def broken(warm_home: Path) -> str:
    """A stored run whose learning rate was far too high."""
    store = open_store()
    run = queued(store, "too fast", {"training.learning_rate": 0.5, "training.epochs": 7, "model.dropout": 0.25})
    store.start(run.run_id, Worker("here", 1))
    store.set_status(run.run_id, RunStatus.FAILED, message="The loss became nan in epoch 1: too large updates.")
    return run.run_id


def number(page: Page, label: str) -> float:
    text: str = page.get_by_role("spinbutton", name=label).input_value()
    return float(text)


@pytest.mark.timeout(900)
def test_a_note_leads_to_the_form_with_its_change_filled_in(warm_home: Path, page: Page, broken: str) -> None:
    page.set_default_timeout(SLOW)
    with serving(warm_home) as server:
        page.goto(f"{server.url}/train?run={broken}")
        page.get_by_text("What the coach says").wait_for()
        page.get_by_text("In epoch 1 the loss was no longer a number").wait_for()
        settled(page)
        page.get_by_role("link", name="Try this: Learning rate: 0.05").click()
        page.get_by_text("Cloned from").wait_for()
        address_has(page, f"clone={broken}")
        wait_for(lambda: number(page, "Learning rate") == 0.05, saying=lambda: number(page, "Learning rate"))
        assert number(page, "Maximum epochs") == 7, "all else is as in the run"
        page.get_by_text("Learning rate 0.05 (was 0.5)").wait_for()
        no_error(page)

        # What is changed afterwards stays, and is told beside the change that the note made.
        epochs = page.get_by_role("spinbutton", name="Maximum epochs")
        epochs.fill("9")
        epochs.press("Enter")
        page.get_by_text("Maximum epochs 9 (was 7)").wait_for()
        assert number(page, "Learning rate") == 0.05
        no_error(page)


@pytest.mark.timeout(900)
def test_a_guess_is_kept_with_the_run_and_shown_until_it_is_scored(warm_home: Path, page: Page) -> None:
    page.set_default_timeout(SLOW)
    store = open_store()
    run_id = made_up_run(store, "judged", seed=1, skill=0.6)
    waiting = queued(store, "waiting")
    store.set_guess(waiting.run_id, Guess(0.5, ("otter", "seal")))
    with serving(warm_home) as server:
        page.goto(f"{server.url}/train?run={waiting.run_id}")
        page.get_by_text("It is scored when the run ends.").wait_for()

        page.goto(f"{server.url}/train?run={run_id}&preset=notebook-fixed")
        box = page.get_by_text("Guess before you look")
        box.wait_for()
        settled(page)
        box.click()
        field = page.get_by_role("spinbutton", name="Test accuracy in %")
        field.fill("55")
        field.press("Enter")
        settled(page)
        for menu, name in (("Images of", "otter"), ("are taken for", "seal")):
            option = page.get_by_role("option").filter(has_text=name)
            choose(page, page.get_by_role("combobox", name=menu), option)
        before = page.url
        page.get_by_role("button", name="Train", exact=False).last.click()
        page.wait_for_function("before => location.href !== before", arg=before)
        page.get_by_text("Your guess:").wait_for()
        page.get_by_text("55 % right; the most frequent mistake is otter taken for seal").wait_for()
        no_error(page)
        (launched,) = [run for run in store.list_runs() if run.name not in ("judged", "waiting")]
        assert launched.guess == Guess(0.55, ("otter", "seal"))
        store.request_stop(launched.run_id)
        wait_for(lambda: store.get(launched.run_id).status.ended, timeout=180)

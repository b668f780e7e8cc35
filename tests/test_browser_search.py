"""A search in a real browser: launched, watched, carried on by the app's next start, stopped and continued."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aquadash.config import RunConfig, with_values
from aquadash.runs import RunStatus, open_store
from aquadash.search import Search, TrialState
from aquadash.search.store import open_search_store
from tests import ui_runs
from tests.browser_pages import choose, no_error, settled
from tests.serving import needs_chromium, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = needs_chromium

#: On a machine shared with others; a training process takes its time to start.
SLOW = 180_000

#: Short epochs, and enough of them to look at a trial while it trains.
QUICK = {"augmentation.pipeline": "none", "training.epochs": 25, "training.patience": 0}


def launch(page: Page, url: str, run_id: str) -> str:
    """Start a search from a run's settings, as people do, and return its id from the address."""
    page.goto(f"{url}/train?clone={run_id}")
    page.get_by_text("Cloned from").wait_for()
    settled(page)
    page.get_by_role("radio", name="Search").click()
    page.get_by_text("Nothing has been searched here yet").wait_for()
    choose(page, page.get_by_role("combobox", name="Start from"), page.get_by_role("option", name="The settings under"))
    page.get_by_label("Name (optional)").fill("quest <b>")
    trials = page.get_by_role("spinbutton", name="Trials")
    trials.fill("2")
    trials.press("Enter")
    page.get_by_text("It trains 2 times").wait_for()
    settled(page)
    page.get_by_role("button", name="Search").last.click()
    page.wait_for_function("() => location.href.includes('search=')")
    return re.search(r"[?&]search=([0-9a-f]{32})", page.url).group(1)  # type: ignore[union-attr]


@pytest.mark.timeout(900)
def test_a_search_is_launched_watched_and_goes_on_after_a_restart(warm_home: Path, page: Page) -> None:
    page.set_default_timeout(SLOW)
    runs = open_store()
    model = ui_runs.finished(runs, "the model", QUICK)

    def search() -> Search:
        return open_search_store().get(search_id)

    with serving(warm_home, kill=True) as server:
        search_id = launch(page, server.url, model.run_id)
        page.get_by_text(re.compile(r"Trial 0: Epoch \d+ of at most 25")).wait_for()
        assert search().plan.config == with_values(RunConfig(), QUICK)
        first = search().trials[0].run_id
    assert search().status is RunStatus.INTERRUPTED

    with serving(warm_home) as server:
        page.goto(f"{server.url}/train?view=search&search={search_id}")
        page.get_by_text(re.compile(r"1 of 2 trials done")).wait_for()
        page.get_by_text("Best so far").first.wait_for()
        assert search().trials[0].run_id == first and search().trials[0].state is TrialState.COMPLETE
        page.get_by_text(re.compile(r"Trial 1: Epoch \d+ of at most 25")).wait_for()
        main = page.get_by_test_id("stMainBlockContainer")
        main.get_by_role("button", name="Stop", exact=True).click()
        page.get_by_text("takes it up where it was").first.wait_for()
        resting = search().trials[1]
        assert resting.state is TrialState.PAUSED and runs.get(resting.run_id).status is RunStatus.STOPPED
        page.get_by_role("button", name="Continue").click()
        page.get_by_text(re.compile(r"2 of 2 trials done")).wait_for()
        page.get_by_text("Where do the good ones run?").wait_for()
        assert page.locator(".js-plotly-plot").count() >= 2
        page.get_by_text(re.compile("the settings that the search started from")).first.wait_for()
        assert search().status is RunStatus.FINISHED and not server.memory_of("tensorflow")
        trained = {run.run_id for run in runs.list_runs()} - {model.run_id}
        assert trained == {trial.run_id for trial in search().trials} and len(trained) == 2
        no_error(page)
        page.get_by_role("link", name="Use the best trial's settings").click()
        page.get_by_text("Cloned from").wait_for()
        page.get_by_text(f"quest <b> #{search().best.number}").first.wait_for()  # type: ignore[union-attr]

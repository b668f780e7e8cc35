"""What the app's end leaves alone, in a real browser: a training with TensorFlow goes on, a search is taken up."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from aquadash.runs import RunStatus, open_store
from aquadash.search import Search, TrialState
from aquadash.search.store import open_search_store
from tests import ui_runs
from tests.browser_pages import (
    choose,
    follow,
    holds,
    main_button,
    no_error,
    number_field,
    press_train,
    set_number,
    settled,
    trainings_held,
    unfold,
)
from tests.serving import SLOW, has_imported, needs_chromium, serving
from tests.waiting import wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = needs_chromium

#: Epochs of less than a second.
QUICK = {"augmentation.pipeline": "none", "training.patience": 0, "model.name": "cnn", "model.filters": "16, 32"}


def points_of(page: Page) -> int:
    """Points drawn on the page's first chart (training and validation together)."""
    return page.locator(".js-plotly-plot").first.locator(".scatterlayer .trace .points path").count()


@pytest.mark.soak
def test_a_training_from_a_link_to_a_cold_server_outlives_the_app(warm_home: Path, visit: Callable[[], Page]) -> None:
    page, other = visit(), visit()
    store = open_store()
    model = ui_runs.finished(store, "model run", QUICK)
    training = re.compile(r"Epoch \d+ of 900")
    with serving(warm_home, kill=True) as server:
        # Small batches: of more than 60 epochs the chart has lines only, and no points to count.
        changes = "training.epochs=900;model.filters=8,8;training.batch_size=8"
        follow(page, f"{server.url}/train?clone={model.run_id}&set={changes}", "What does the network learn, epoch")
        page.get_by_text("Cloned from").wait_for()
        holds(number_field(page, "Maximum epochs"), "900")
        run_id = press_train(page)
        page.get_by_text(training).wait_for(timeout=2 * SLOW)  # A training process takes its time to start.
        # It trains for as long as anybody looks, and leaves the processor to whatever else is tested meanwhile.
        psutil.Process(store.get(run_id).worker.pid).nice(19)
        wait_for(lambda: points_of(page) >= 3, saying=lambda: points_of(page))
        first = points_of(page)
        wait_for(lambda: points_of(page) > first, saying=lambda: points_of(page))
        page.reload()
        page.get_by_text(training).wait_for()
        wait_for(lambda: points_of(page) > first)
        other.goto(f"{server.url}/train")  # Without the run in its address: the one at work is shown.
        other.get_by_text(training).wait_for()
        assert not server.memory_of("tensorflow")
        no_error(page)
    run = store.get(run_id)
    assert has_imported(run.worker.pid, "tensorflow")
    wait_for(lambda: store.get(run_id).progress.epoch > run.progress.epoch + 1, saying=lambda: store.get(run_id))

    with serving(warm_home) as server:
        page.goto(f"{server.url}/train?run={run_id}")
        page.get_by_text(training).wait_for()
        main_button(page, "Stop").click()
        page.get_by_text("Stopped by request").wait_for()
        main_button(page, "Resume").wait_for()
        assert store.get(run_id).status is RunStatus.STOPPED
        assert len(store.history(run_id)) > run.progress.epoch
        no_error(page)


@pytest.mark.soak
def test_a_search_goes_on_with_the_apps_next_start(warm_home: Path, page: Page, quick_training: None) -> None:
    runs = open_store()
    model = ui_runs.finished(runs, "the model", {**QUICK, "training.epochs": 9})
    held = re.compile(r"Trial \d: Epoch 2 of 9")

    def search() -> Search:
        return open_search_store().get(search_id)

    with trainings_held(warm_home) as let_go:
        with serving(warm_home, kill=True) as server:
            search_id = launch_search(page, server.url, model.run_id)
            page.get_by_text(held).wait_for()
            assert search().plan.config == model.config
            first = search().trials[0].run_id
        wait_for(lambda: search().status is RunStatus.INTERRUPTED)
        let_go(runs.get(first))
        wait_for(lambda: runs.get(first).status is RunStatus.FINISHED)

        with serving(warm_home) as server:
            page.goto(f"{server.url}/train?view=search&search={search_id}")
            page.get_by_text(re.compile(r"1 of 2 trials done")).wait_for()
            page.get_by_text("Best so far").first.wait_for()
            assert search().trials[0].run_id == first and search().trials[0].state is TrialState.COMPLETE
            page.get_by_text(held).wait_for()
            main_button(page, "Stop").click()
            page.get_by_text("takes it up where it was").first.wait_for()
            resting = search().trials[1]
            assert resting.state is TrialState.PAUSED and runs.get(resting.run_id).status is RunStatus.STOPPED
            let_go(runs.get(resting.run_id))
            page.get_by_role("button", name="Continue").click()
            page.get_by_text(re.compile(r"2 of 2 trials done")).wait_for()
            page.get_by_text("What the best trials share").wait_for()
            page.locator(".js-plotly-plot").nth(1).wait_for()
            page.get_by_text(re.compile("the settings to start from")).first.wait_for()
            assert search().status is RunStatus.FINISHED and not server.memory_of("tensorflow")
            trained = {run.run_id for run in runs.list_runs()} - {model.run_id}
            assert trained == {trial.run_id for trial in search().trials} and len(trained) == 2
            no_error(page)


def launch_search(page: Page, url: str, run_id: str) -> str:
    """Start a search from a run's settings, as people do, and return its id from the address."""
    page.goto(f"{url}/train?clone={run_id}")
    page.get_by_text("Cloned from").wait_for()
    settled(page)
    page.get_by_role("radio", name="Search").click()
    page.get_by_text("see which values do well").wait_for()
    choose(page, page.get_by_role("combobox", name="Start from"), page.get_by_role("option", name="As under"))
    unfold(page, "Advanced")
    set_number(page, "Trials", 2)
    page.get_by_text("2 × 9 epochs").wait_for()
    settled(page)
    page.get_by_role("button", name="Search").last.click()
    page.wait_for_function("() => location.href.includes('search=')")
    return re.search(r"[?&]search=([0-9a-f]{32})", page.url).group(1)  # type: ignore[union-attr]

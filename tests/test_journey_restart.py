"""What the app's end leaves alone, in a real browser: a training with TensorFlow goes on."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from aquadash.runs import RunStatus, open_store
from tests import ui_runs
from tests.browser_pages import (
    follow,
    holds,
    main_button,
    no_error,
    number_field,
    press_train,
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

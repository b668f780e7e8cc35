"""Measuring the robustness of a run from the page, in a real browser with a real process."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from aquadash.explain.robustness_job import Robustness
from aquadash.jobs import JobStatus
from aquadash.runs import open_store
from tests.browser_pages import address_has, no_error, settled
from tests.robust_runs import add_tiny_model
from tests.serving import needs_chromium, serving
from tests.stored_runs import add_run
from tests.waiting import wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = needs_chromium

#: On a machine shared with others; the process takes its time to start.
SLOW = 240_000


def _cells(measurements: Robustness, run_id: str) -> Collection[tuple[str, int]]:
    """What is measured so far."""
    found = measurements.result(run_id)
    return () if found is None else found.cells


@pytest.mark.timeout(900)
def test_it_is_measured_while_one_looks_on_and_stops(warm_home: Path, page: Page, tmp_path: Path) -> None:
    page.set_default_timeout(SLOW)
    store = open_store()
    run = add_run(store, name="looked at")
    add_tiny_model(store, run, tmp_path)
    measurements = Robustness(store)
    with serving(warm_home) as server:
        page.goto(f"{server.url}/evaluate?run={run.run_id}")
        section = page.get_by_text("Robustness", exact=False).first
        section.wait_for()
        settled(page)
        section.click()
        address_has(page, "section=robustness")
        page.get_by_text("100 of them").click()
        settled(page)
        page.get_by_role("button", name="Measure the robustness").click()
        page.get_by_text("Mean corruption error · so far").wait_for()
        page.get_by_text("What costs it most?").wait_for()
        no_error(page)
        job = measurements.job(run.run_id)
        assert job is not None and job.request["limit"] == 100 and job.worker is not None
        # The page says "so far" before anything is measured, and a picture is shown of what is.
        wait_for(lambda: ("gaussian_noise", 1) in _cells(measurements, run.run_id), timeout=200)
        page.get_by_role("button", name="Stop", exact=True).click()
        page.get_by_text("Stopped by request. What is measured is kept.").wait_for()
        page.get_by_role("button", name="Go on").wait_for()
        no_error(page)
        job = measurements.job(run.run_id)
        assert job is not None and job.status is JobStatus.STOPPED and job.worker is not None
        pid = job.worker.pid
        wait_for(lambda: not psutil.pid_exists(pid), timeout=60)

        # The address brings it all back.
        page.goto(f"{server.url}/evaluate?run={run.run_id}&section=robustness&corruption=gaussian_noise&image=2")
        page.get_by_text("Grain, as in photographs taken in the dark.").wait_for()
        page.get_by_alt_text("Gaussian noise, severity 1").first.wait_for()
        no_error(page)

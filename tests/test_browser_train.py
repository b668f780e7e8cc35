"""The train form in a real browser: clones, warnings, the learning rate's curve, settings as text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from aquadash.config import RunConfig, with_values
from aquadash.presets import PRESETS
from aquadash.runs import RunStatus, open_store
from aquadash.ui.train.form_state import DEFAULT_PRESET
from tests import ui_runs
from tests.browser_pages import address_has, choose, no_error, settled
from tests.serving import Server, needs_chromium, serving
from tests.waiting import wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

pytestmark = needs_chromium

OWN = {"model.name": "cnn", "model.filters": "16, 32", "training.epochs": 40, "training.schedule": "cosine"}


def number(page: Page, label: str) -> Locator:
    return page.get_by_role("spinbutton", name=label, exact=True)


def set_number(page: Page, label: str, value: float) -> None:
    number(page, label).fill(str(value))
    number(page, label).press("Enter")
    settled(page)


def unfold(page: Page, title: str) -> None:
    page.locator("summary").filter(has_text=title).click()
    settled(page)


def value_of(field: Locator, value: str) -> None:
    """Wait until a field holds this."""
    wait_for(lambda: field.input_value() == value, saying=field.input_value)


def test_a_run_is_cloned_changed_and_launched(shared_server: Server, page: Page) -> None:
    store = open_store()
    run = ui_runs.finished(store, "model <b>run</b>", OWN)
    page.goto(f"{shared_server.url}/evaluate?run={run.run_id}")
    page.get_by_role("link", name="Clone").click()
    page.get_by_text("Cloned from").wait_for()
    address_has(page, f"clone={run.run_id}")
    assert "model <b>run</b>" in page.locator("body").inner_text()
    value_of(number(page, "Maximum epochs"), "40")

    set_number(page, "Maximum epochs", 300)
    page.get_by_text("Maximum epochs 300 (was 40)").wait_for()
    known = {other.run_id for other in store.list_runs()}
    page.get_by_test_id("stMainBlockContainer").get_by_role("button", name="Train").last.click()
    page.wait_for_function("() => !location.href.includes('clone=') && location.href.includes('run=')")
    (launched,) = (other for other in store.list_runs() if other.run_id not in known)
    address_has(page, f"run={launched.run_id}")
    assert launched.config == with_values(run.config, {"training.epochs": 300})
    value_of(number(page, "Maximum epochs"), "300")  # What was typed stays after the launch.

    page.get_by_test_id("stMainBlockContainer").get_by_role("button", name=re.compile("Stop|Take out")).click()
    wait_for(lambda: store.get(launched.run_id).status is RunStatus.STOPPED)
    no_error(page)


def test_a_link_to_a_clone_works_on_a_server_that_has_just_started(warm_home: Path, page: Page) -> None:
    run = ui_runs.finished(open_store(), "model run", OWN)
    with serving(warm_home) as server:
        page.goto(f"{server.url}/train?clone={run.run_id}&set=training.epochs=20;model.filters=8,8;nonsense=1")
        page.get_by_text("Cloned from").wait_for()
        settled(page)
        value_of(number(page, "Maximum epochs"), "20")
        page.get_by_text("“nonsense=1”, which is left out").wait_for()
        unfold(page, "Network")
        value_of(page.get_by_role("textbox", name="Filters per block"), "8, 8")
        no_error(page)

        page.goto(f"{server.url}/train?clone={'f' * 32}")
        page.get_by_text("to clone; it may have been deleted").wait_for()
        settled(page)
        value_of(number(page, "Maximum epochs"), str(RunConfig().training.epochs))
        no_error(page)


def test_a_warning_is_mended_by_its_button(shared_server: Server, page: Page) -> None:
    page.goto(f"{shared_server.url}/train")
    settled(page)
    set_number(page, "Learning rate", 8)
    alert = page.get_by_role("alert").filter(has_text="learning rate")
    alert.wait_for()
    page.get_by_role("button", name="Learning rate:").click()
    alert.wait_for(state="detached")
    wait_for(lambda: 0 < float(number(page, "Learning rate").input_value()) < 8)
    no_error(page)


def test_the_learning_rates_curve_follows_the_settings(shared_server: Server, page: Page) -> None:
    page.goto(f"{shared_server.url}/train")
    settled(page)
    unfold(page, "Learning rate schedule")
    page.get_by_text("The learning rate is 0.01 all the time.").first.wait_for()
    page.locator(".js-plotly-plot .scatterlayer .trace path").first.wait_for(state="attached")

    menu = page.get_by_role("combobox", name=re.compile("Schedule"))
    option = page.get_by_role("option", name=re.compile("cosine"))
    choose(page, menu, option)
    page.get_by_text("The learning rate starts at 0.01 and falls to 0 at epoch 200.").first.wait_for()
    set_number(page, "Maximum epochs", 20)
    page.get_by_text("falls to 0 at epoch 20.").first.wait_for()
    no_error(page)


def test_a_browser_that_loads_its_code_slowly_shows_the_settings_that_are_meant(
    shared_server: Server, page: Page
) -> None:
    held_back: list[Route] = []
    page.route(re.compile(r"/(Selectbox|NumberInput)\."), lambda route: held_back.append(route))
    page.goto(f"{shared_server.url}/train")
    settled(page)
    unfold(page, "Learning rate schedule")  # A second run, before the first menu is there.
    page.get_by_text("The learning rate is 0.01 all the time.").first.wait_for()
    start = page.get_by_role("combobox", name=re.compile("Start from"))
    assert held_back and not start.count()
    for route in held_back:
        route.continue_()
    value_of(start, PRESETS[DEFAULT_PRESET].title)
    value_of(number(page, "Maximum epochs"), str(RunConfig().training.epochs))
    no_error(page)


def test_pasted_settings_fill_the_form(shared_server: Server, page: Page) -> None:
    page.goto(f"{shared_server.url}/train")
    settled(page)
    unfold(page, "Settings as text")
    pasted = page.get_by_role("textbox", name="Paste settings")
    pasted.fill("training: {epochs: 12, optimiser: adam}")
    page.get_by_role("button", name="Use these settings").click()
    page.get_by_text("training.optimizer").first.wait_for()  # The nearest name, in the refusal.
    value_of(number(page, "Maximum epochs"), str(RunConfig().training.epochs))

    pasted.fill("training: {epochs: 12, optimizer: adam}")
    page.get_by_role("button", name="Use these settings").click()
    page.get_by_text("Done: 2 settings changed.").wait_for()
    value_of(number(page, "Maximum epochs"), "12")
    no_error(page)

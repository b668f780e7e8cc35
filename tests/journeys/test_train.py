"""The Train page in a real browser: from a clone by way of a guess to its score, and back to the page before."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, Route

from aquadash.config import RunConfig, with_values
from aquadash.presets import PRESETS
from aquadash.store import RunStatus, open_store
from aquadash.ui.kit.form_state import DEFAULT_PRESET
from tests.support.browser_pages import (
    LAYOUT_SHIFT,
    address_has,
    holds,
    main_button,
    no_error,
    number_field,
    press_train,
    resting_places,
    set_number,
    settled,
    trainings_held,
    unfold,
)
from tests.support.runs import make_run
from tests.support.serving import Server, needs_chromium
from tests.support.waiting import wait_for

pytestmark = needs_chromium


def test_a_changed_clone_is_guessed_trained_stopped_resumed_and_scored(shared_server: Server, page: Page) -> None:
    store = open_store()
    own = {"model.name": "cnn", "model.filters": "16, 32", "training.epochs": 40, "training.schedule": "cosine"}
    model = make_run(store, "model <b>run</b>", own)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.add_init_script(LAYOUT_SHIFT)
    page.goto(f"{shared_server.url}/train?run={model.run_id}")
    page.get_by_role("button", name="Clone").click()
    page.get_by_text("Cloned from").wait_for()
    settled(page)
    address_has(page, f"run={model.run_id}")
    assert "model <b>run</b>" in page.locator("body").inner_text()
    holds(number_field(page, "Maximum epochs"), "40")
    set_number(page, "Maximum epochs", 9)
    page.get_by_text("Maximum epochs 9 (was 40)").wait_for()

    unfold(page, "Guess first")
    set_number(page, "Test accuracy in %", 55)
    with trainings_held(shared_server.home) as let_go:
        run_id = press_train(page)
        assert store.get(run_id).config == with_values(model.config, {"training.epochs": 9})
        holds(number_field(page, "Maximum epochs"), "9")  # The form keeps its value after the launch.
        page.get_by_text("55 % right. It is scored when").wait_for()
        page.get_by_text("Epoch 2 of 9").wait_for()
        address_has(page, f"?run={run_id}")
        # Both curves are on the first screen, and so is the button.
        charts = page.get_by_test_id("stPlotlyChart")
        for box in resting_places(page, charts.nth(0), charts.nth(1), main_button(page, "Train")):
            assert box["y"] + box["height"] < 800
        page.evaluate("() => { window.moved = []; }")
        main_button(page, "Stop").click()
        page.get_by_text("Stopped by request").first.wait_for()
        main_button(page, "Resume").click()
        main_button(page, "Stop").wait_for()
        settled(page)
        moved = page.evaluate("() => window.moved.splice(0)")
        assert sum(value for value, *_ in moved) <= 0.05, moved
        let_go(store.get(run_id))
        # Wait for the store first: the page showed the same texts when the run was stopped.
        wait_for(lambda: store.get(run_id).status is RunStatus.FINISHED)
        page.get_by_text("9 epochs in").wait_for()
        page.get_by_text("guessed 55 %; it got 20 %").wait_for()
        moved = page.evaluate("() => window.moved")
        assert sum(value for value, *_ in moved) < 0.02, moved
        no_error(page)


def test_one_click_on_back_leaves_each_page_after_a_clone_too_and_takes_back_a_launch(
    shared_server: Server, page: Page
) -> None:
    store = open_store()
    make_run(store, "left by Back", {"training.epochs": 7})

    def open_page(title: str) -> None:
        page.get_by_role("link", name=title).click()
        page.get_by_role("heading", name=title).wait_for()
        settled(page)

    def go_back_to_data() -> None:
        page.go_back()
        address_has(page, "/data")
        page.get_by_role("heading", name="Data").wait_for()
        settled(page)

    page.goto(f"{shared_server.url}/data")
    settled(page)
    for title in ("Evaluate", "Compare", "Walkthrough", "Predict", "Augment", "Train"):
        open_page(title)
        go_back_to_data()
    open_page("Train")
    main_button(page, "Clone").click()
    settled(page)
    go_back_to_data()
    open_page("Train")
    seen_before = page.url
    with trainings_held(shared_server.home) as let_go:
        run_id = press_train(page)
        settled(page)
        page.go_back()
        page.wait_for_url(seen_before)
        settled(page)
        go_back_to_data()
        let_go(store.get(run_id))
        wait_for(lambda: store.get(run_id).status is RunStatus.FINISHED)
    no_error(page)


def test_a_slow_browser_shows_the_settings_that_are_meant(shared_server: Server, visit: Callable[[], Page]) -> None:
    page = visit()  # A new context, which has not loaded any code.
    held_back: list[Route] = []
    page.route(re.compile(r"/(Radio|NumberInput)\."), lambda route: held_back.append(route))
    page.goto(f"{shared_server.url}/train")
    settled(page)
    unfold(page, "Advanced")  # A second run, before the cards are there.
    page.get_by_text("Learning rate schedule").first.wait_for()
    start = page.get_by_role("radio", name=PRESETS[DEFAULT_PRESET].card)
    assert held_back and not start.count()
    for route in held_back:
        route.continue_()
    start.wait_for(state="attached")
    wait_for(start.is_checked)
    holds(number_field(page, "Maximum epochs"), str(RunConfig().training.epochs))
    no_error(page)

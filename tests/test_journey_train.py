"""The Train page in a real browser: from a note of the coach to the form, from a guess to its score."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from streamlit.proto.BackMsg_pb2 import BackMsg

from aquadash.config import RunConfig, with_values
from aquadash.presets import PRESETS
from aquadash.runs import Guess, RunStatus, open_store
from aquadash.ui.train.form_state import DEFAULT_PRESET
from tests import live_runs, ui_runs
from tests.browser_pages import (
    LAYOUT_SHIFT,
    address_has,
    choose,
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
from tests.serving import Server, needs_chromium
from tests.waiting import wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route, WebSocketRoute

pytestmark = needs_chromium


def test_the_coachs_advice_fills_the_form(shared_server: Server, page: Page) -> None:
    store = open_store()
    fast = {"training.learning_rate": 0.5, "training.epochs": 7, "model.dropout": 0.25}
    broken = ui_runs.queued(store, "too fast", fast).run_id
    said = "The loss became nan in epoch 1: too large updates."
    live_runs.end(store, live_runs.start(store, broken), RunStatus.FAILED, message=said)
    page.goto(f"{shared_server.url}/train?run={broken}")
    page.get_by_text("In epoch 1 the loss was no longer a number").wait_for()
    settled(page)
    page.get_by_role("link", name="Try this: Learning rate: 0.05").click()
    page.get_by_text("Cloned from").wait_for()
    address_has(page, f"clone={broken}")
    holds(number_field(page, "Learning rate"), "0.05")
    holds(number_field(page, "Maximum epochs"), "7")  # All else is as in the run.
    page.get_by_text("Learning rate 0.05 (was 0.5)").wait_for()

    # What is changed afterwards stays, and is told beside the change that the note made.
    set_number(page, "Maximum epochs", 9)
    page.get_by_text("Maximum epochs 9 (was 7)").wait_for()
    holds(number_field(page, "Learning rate"), "0.05")
    no_error(page)


def test_a_changed_clone_is_guessed_trained_killed_resumed_and_scored(shared_server: Server, page: Page) -> None:
    store = open_store()
    own = {"model.name": "cnn", "model.filters": "16, 32", "training.epochs": 40, "training.schedule": "cosine"}
    model = ui_runs.finished(store, "model <b>run</b>", own)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.add_init_script(LAYOUT_SHIFT)
    page.goto(f"{shared_server.url}/train?run={model.run_id}")
    page.get_by_role("link", name="Clone").click()
    page.get_by_text("Cloned from").wait_for()
    address_has(page, f"clone={model.run_id}")
    assert "model <b>run</b>" in page.locator("body").inner_text()
    holds(number_field(page, "Maximum epochs"), "40")
    set_number(page, "Maximum epochs", 9)
    page.get_by_text("Maximum epochs 9 (was 40)").wait_for()

    unfold(page, "Guess first")
    set_number(page, "Test accuracy in %", 55)
    for menu, name in (("Images of", "otter"), ("are taken for", "seal")):
        choose(page, page.get_by_role("combobox", name=menu), page.get_by_role("option").filter(has_text=name))
    known = len(store.list_runs())
    with trainings_held(shared_server.home) as let_go:
        run_id = press_train(page)
        assert store.get(run_id).config == with_values(model.config, {"training.epochs": 9})
        assert store.get(run_id).guess == Guess(0.55, ("otter", "seal"))
        page.wait_for_function("() => !location.href.includes('clone=')")
        holds(number_field(page, "Maximum epochs"), "9")  # What was typed stays after the launch.
        page.get_by_text("Your guess:").wait_for()
        page.get_by_text("55 % right; the most frequent mistake is otter taken for seal. It is scored when").wait_for()

        page.get_by_text("Epoch 2 of 9").wait_for()
        # Both curves are on the first screen, and so is the button, which asks before it queues another.
        charts = page.get_by_test_id("stPlotlyChart")
        for box in resting_places(page, charts.nth(0), charts.nth(1), main_button(page, "Train")):
            assert box["y"] + box["height"] < 800
        main_button(page, "Train").click()
        main_button(page, "Cancel").click()
        assert len(store.list_runs()) == known + 1
        killed = store.get(run_id).worker
        os.kill(killed.pid, signal.SIGKILL)
        # Another process goes on by itself; one that is stopped before its first batch says so in other words.
        wait_for(
            lambda: (run := store.get(run_id)).worker != killed and run.progress and run.progress.epoch == 2,
            saying=lambda: store.get(run_id),
        )
        page.get_by_text("Epoch 2 of 9").wait_for()
        main_button(page, "Stop").click()
        page.get_by_text("Stopped by request").first.wait_for()
        main_button(page, "Resume").wait_for()
        main_button(page, "Resume").click()
        page.get_by_text("Epoch 2 of 9").wait_for()
        page.evaluate("() => { window.moved = []; }")
        let_go(store.get(run_id))
        # The page has said what it says at the end already, of the one epoch that the stopped run had.
        wait_for(lambda: store.get(run_id).status is RunStatus.FINISHED)
        page.get_by_text("9 epochs in").wait_for()
        page.get_by_text("guessed 55 %, it is 20 %").wait_for()
        moved = page.evaluate("() => window.moved")
        assert sum(value for value, *_ in moved) < 0.02, moved
        assert [record.epoch for record in store.history(run_id)] == [*range(1, 10)]
        no_error(page)


def test_a_launched_run_stays_in_view_where_the_browser_still_holds_the_address_before(
    shared_server: Server, page: Page
) -> None:
    store = open_store()
    model = ui_runs.finished(store, "model", {"model.name": "cnn", "model.filters": "16, 32", "training.epochs": 9})
    before, late, sent = "", 0, BackMsg()

    def lag(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def send(frame: bytes | str) -> None:
            nonlocal late, sent
            message = BackMsg.FromString(frame) if isinstance(frame, bytes) else BackMsg()
            if not before:
                sent = message if message.HasField("rerun_script") else sent
            elif message.rerun_script.is_auto_rerun:
                message.rerun_script.query_string, late = before, late + 1
                message.rerun_script.widget_states.CopyFrom(sent.rerun_script.widget_states)
                frame = message.SerializeToString()
            server.send(frame)

        socket.on_message(send)

    page.route_web_socket("**", lag)
    page.goto(f"{shared_server.url}/train?clone={model.run_id}")
    page.get_by_text("Cloned from").wait_for()
    address_has(page, f"run={model.run_id}")
    set_number(page, "Maximum epochs", 8)
    page.get_by_text("Maximum epochs 8 (was 9)").wait_for()
    before = page.evaluate("location.search")
    with trainings_held(shared_server.home) as let_go:
        run_id = press_train(page)
        page.get_by_text("Epoch 2 of 8").wait_for()
        wait_for(lambda: page.title() and late > 3)
        page.get_by_text("Epoch 2 of 8").wait_for()
        address_has(page, f"?run={run_id}")
        let_go(store.get(run_id))
        wait_for(lambda: store.get(run_id).status.ended)
        no_error(page)


def test_a_browser_that_loads_its_code_slowly_shows_the_settings_that_are_meant(
    shared_server: Server, visit: Callable[[], Page]
) -> None:
    page = visit()  # Whose browser has none of the code yet.
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

"""Own pictures in a real browser: an archive is dropped, checked and used, and the way leads on to a training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aquadash.data.folder import about
from aquadash.runs import RunStatus, open_store
from tests.browser_pages import holds, no_error, press_train, set_number
from tests.own_pictures import in_archive, of_classes
from tests.serving import Server, needs_chromium
from tests.waiting import wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = needs_chromium


def test_an_archive_is_dropped_checked_and_trained_on(shared_server: Server, page: Page, tmp_path: Path) -> None:
    archive = in_archive(tmp_path / "Pets.zip", of_classes({"cat": 12, "dog": 15, "eel": 12}) | {"cat/x.png": b"no"})
    page.goto(f"{shared_server.url}/data")
    holds(page.locator(".st-key-show input"), "50")
    page.get_by_role("button", name="Add own pictures").click()
    page.locator(".st-key-own-zip input[type=file]").set_input_files(archive)
    page.get_by_role("button", name="Read and check").click()
    page.get_by_text("1 file could not be read as a picture").wait_for()
    draft = page.url
    assert "draft=" in draft
    # The address alone leads back, as after a reload.
    page.goto(draft)
    page.get_by_role("button", name="Use it").click()
    page.get_by_text("“Pets” is ready").wait_for()
    assert page.url.endswith("/data?source=folder-pets")
    # The controls show what they do although another view was open in between.
    holds(page.locator(".st-key-show input"), "50")
    kept = about.about("pets")
    assert (kept.train, kept.test, kept.class_names) == (32, 7, ("cat", "dog", "eel"))
    assert list((shared_server.home / "datasets" / ".drafts").iterdir()) == []

    page.get_by_role("link", name="Train on it").click()
    page.get_by_text("There are", exact=False).first.wait_for()
    holds(page.locator(".st-key-source input"), "Pets")
    page.locator(".st-key-launch button:not([disabled])").wait_for()
    set_number(page, "Maximum epochs", 1)
    run_id, store = press_train(page), open_store()
    wait_for(lambda: store.get(run_id).status is RunStatus.FINISHED, saying=lambda: store.get(run_id))
    assert store.get(run_id).class_names == ("cat", "dog", "eel")
    no_error(page)

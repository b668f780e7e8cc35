"""Own pictures in a real browser: an archive is dropped, checked and used, and the way leads on to a training."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from aquadash.data.folder import about
from tests.own_pictures import in_archive, of_classes
from tests.serving import SLOW, needs_chromium, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = needs_chromium


def test_from_an_archive_to_the_training_form(home: Path, prepared_home: Path, tmp_path: Path, page: Page) -> None:
    from playwright.sync_api import expect

    shutil.copytree(prepared_home, home, dirs_exist_ok=True)
    archive = in_archive(tmp_path / "Pets.zip", of_classes({"cat": 12, "dog": 15, "eel": 12}) | {"cat/x.png": b"no"})
    with serving(home) as server:
        page.goto(f"{server.url}/data")
        expect(page.locator(".st-key-show input")).to_have_value("50", timeout=SLOW)
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
        expect(page.locator(".st-key-show input")).to_have_value("50", timeout=SLOW)
        page.get_by_role("link", name="Train on it").click()
        page.get_by_text("There are", exact=False).first.wait_for()
        expect(page.locator(".st-key-source input")).to_have_value("Pets", timeout=SLOW)
        page.locator(".st-key-launch button:not([disabled])").wait_for()
        assert "Traceback" not in server.log.read_text()
    kept = about.about("pets")
    assert (kept.train, kept.test, kept.class_names) == (32, 7, ("cat", "dog", "eel"))
    assert list((home / "datasets" / ".drafts").iterdir()) == []

"""The Predict page in a real browser: a folder of good and bad files, a drop, many photographs that are stopped."""

from __future__ import annotations

import base64
import csv
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from aquadash.runs import open_store
from tests.browser_pages import add_included_model, address_has, made_up_run, no_error, settled
from tests.serving import SLOW, Server, needs_chromium, serving

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = needs_chromium

#: Megabytes that the app's process may take with two hundred photographs of 12 megapixels dropped on it.
MOST_MEGABYTES = 1500


def folder_of_good_and_bad_files(folder: Path) -> Path:
    """A folder called pictures with a sub-folder for one of the classes."""
    pictures = folder / "pictures"
    (pictures / "otter").mkdir(parents=True)
    Image.linear_gradient("L").resize((80, 60)).transpose(Image.Transpose.ROTATE_90).save(
        pictures / "otter" / "one.png"
    )
    Image.new("RGBA", (40, 90), (200, 0, 0, 128)).save(pictures / "otter" / "two.webp")
    Image.new("RGB", (64, 64), "teal").save(pictures / "sea <b>view<b>.bmp")
    Image.new("RGB", (64, 64), "teal").save(pictures / "lying.jpg", "PNG")
    (pictures / "broken.png").write_bytes((pictures / "otter" / "one.png").read_bytes()[:40])
    (pictures / "empty.gif").write_bytes(b"")
    (pictures / "=notes.txt").write_text("Dear diary")
    return pictures


def peak_megabytes(server: Server) -> float:
    """The most memory that the app's process has had."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) / 1000  # type: ignore[union-attr]


def test_a_folder_of_good_and_bad_files_is_labelled_and_taken_home(
    shared_server: Server, page: Page, tmp_path: Path
) -> None:
    store = open_store()
    first, second = (made_up_run(store, name, seed=1, skill=0.6) for name in ("seer", "second <i>seer</i>"))
    for run_id in (first, second):
        add_included_model(store, run_id)
    page.goto(f"{shared_server.url}/predict?run={first}&beside={second}")
    page.get_by_role("radio", name=re.compile("Folder")).click()
    address_has(page, "input=folder", f"beside={second}")
    settled(page)
    page.locator(".st-key-folder input[type=file]").set_input_files(str(folder_of_good_and_bad_files(tmp_path)))
    page.get_by_text("All pictures together").wait_for()
    settled(page)

    cards = page.locator("article")
    text = page.locator("body").inner_text()
    assert "sea <b>view<b>.bmp" in text and "second <i>seer</i>" in text
    assert "really a PNG image" in text and "notes.txt is a text file" in text
    assert "empty.gif is empty" in text and re.search(r"broken\.png cannot be read", text)
    assert cards.filter(has_text="one.png").locator("img").count() == 2

    # The folder's name is the true label; the arrow keys move the crop; a click labels another picture.
    page.get_by_role("button", name=re.compile("from the folders' names")).click()
    page.get_by_text("Accuracy on these pictures").first.wait_for()
    page.get_by_role("button", name="Crop").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("radio", name="Mean of three", checked=True).wait_for()
    page.get_by_text("A part", exact=True).click()
    page.get_by_text("the network sees only the middle 44.4% of it").wait_for()
    settled(page)
    page.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowRight")
    page.get_by_text("the network sees only 44.4% of it").wait_for()
    settled(page)
    page.keyboard.press("Escape")
    page.locator("[class*='st-key-true-']").first.get_by_text("whale").click()
    page.get_by_text(re.compile(r"3 have a true label")).wait_for()

    with page.expect_download() as download:
        page.get_by_role("button", name="Download the results").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_bytes().decode("utf-8-sig"))))
    assert len(rows) == 2 * 7 and {row["run"] for row in rows} == {"seer", "second <i>seer</i>"}
    labels = {row["file"].rsplit("/", 1)[-1]: row["true_label"] for row in rows}
    assert labels["one.png"] == labels["two.webp"] == "otter"
    assert list(labels.values()).count("whale") == 1
    assert all((row["label"] == "") == bool(row["error"]) for row in rows)
    no_error(page)


def test_dropped_pictures_are_predicted_and_a_bad_one_is_named(shared_server: Server, page: Page) -> None:
    store = open_store()
    run_id = made_up_run(store, "dropped on", seed=1, skill=0.6)
    add_included_model(store, run_id)
    picture = io.BytesIO()
    Image.new("RGB", (80, 60), "navy").save(picture, "PNG")
    page.goto(f"{shared_server.url}/predict?run={run_id}")
    zone = page.get_by_test_id("stFileUploaderDropzone")
    zone.wait_for()
    settled(page)
    transfer = page.evaluate_handle(
        """(encoded) => {
            const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], "sea <b>view</b>.png", {type: "image/png"}));
            transfer.items.add(new File([bytes.slice(0, 30)], "broken.png", {type: "image/png"}));
            return transfer;
        }""",
        base64.b64encode(picture.getvalue()).decode(),
    )
    zone.dispatch_event("drop", {"dataTransfer": transfer})
    page.get_by_text(re.compile(r"broken\.png.*(damaged|truncated|cut|ends|incomplete)", re.I)).first.wait_for()
    page.get_by_role("button", name="Download the results").wait_for()
    text = page.locator("body").inner_text()
    assert "sea <b>view</b>.png" in text  # A file's name is text, not markup.
    assert text.count("%") >= 5
    no_error(page)


def test_home_and_predict_answer_in_the_first_screen(shared_server: Server, page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(shared_server.url)
    sample = page.get_by_role("button", name=re.compile("Try a sample"))
    in_sight(page.get_by_test_id("stFileUploaderDropzone"), sample, page.get_by_text("🐋 whale"))
    settled(page)
    sample.click()
    in_sight(page.locator(".aqua-verdict"), page.locator("article .aqua-bars"))
    in_sight(page.get_by_test_id("stFileUploaderDropzone"))
    page.get_by_role("link", name=re.compile("Answered by")).click()
    page.get_by_text("What does the network say about my picture").wait_for()
    page.get_by_role("button", name=re.compile("Try another sample")).wait_for()
    page.locator(".aqua-verdict").nth(4).wait_for()
    in_sight(page.locator(".aqua-verdict").first, page.locator("article .aqua-bars").nth(3))
    settled(page)
    picture = io.BytesIO()
    Image.linear_gradient("L").resize((80, 60)).save(picture, "PNG")
    upload = {"name": "gradient.png", "mimeType": "image/png", "buffer": picture.getvalue()}
    page.locator(".st-key-pictures input[type=file]").set_input_files([upload])  # type: ignore[list-item]
    page.get_by_text("the mean over all of it padded").wait_for()
    in_sight(page.locator(".aqua-verdict"), page.locator("article .aqua-bars"), page.get_by_text("What is it really?"))

    page.set_viewport_size({"width": 390, "height": 844})
    for address in ("", "/predict"):
        page.goto(shared_server.url + address)
        in_sight(page.get_by_test_id("stFileUploaderDropzone"), page.get_by_role("button", name=re.compile("Try a s")))
    no_error(page)


def in_sight(*parts: Locator) -> None:
    """Each is there, and within the window without scrolling."""
    for part in parts:
        part.wait_for()
        box, window = part.bounding_box(), part.page.viewport_size
        assert box is not None and window is not None
        assert box["y"] >= 0 and box["y"] + box["height"] <= window["height"], (part, box)


def drop_stop_and_go_on(page: Page, server: Server, photographs: list[Path]) -> None:
    """Give the page photographs, stop it, let it go on, and look at the second page of them while it does."""
    store = open_store()
    run_id = made_up_run(store, "seer of many", seed=1, skill=0.6)
    add_included_model(store, run_id)
    count = len(photographs)
    page.goto(f"{server.url}/predict?run={run_id}&sample=1")
    page.get_by_text("Try another sample").first.wait_for()
    settled(page)
    page.locator(".st-key-pictures input[type=file]").set_input_files([str(path) for path in photographs])
    page.get_by_text(re.compile(rf"\d+ of {count} pictures looked at · about .* left")).wait_for()

    page.locator(".st-key-stop-predicting button").click()
    page.get_by_text(re.compile(rf"Stopped: \d+ of {count}")).wait_for()
    settled(page)
    page.get_by_role("button", name="Go on").click()
    page.locator(".st-key-page-next button").click()  # While the rest is still looked at.
    address_has(page, "page=2")

    page.locator(".st-key-stop-predicting").wait_for(state="detached")
    page.locator(".st-key-predictions-csv").wait_for()
    settled(page)
    assert page.locator("article").count() == 20
    told = page.get_by_text(re.compile(r"(beaver|dolphin|otter|seal|whale): ")).last.inner_text()
    assert sum(map(int, re.findall(r": (\d+)", told))) == count
    no_error(page)


@pytest.mark.soak
def test_many_photographs_are_stopped_and_gone_on_with(shared_server: Server, page: Page, tmp_path: Path) -> None:
    # So many that the stop button is there for seconds.
    drop_stop_and_go_on(page, shared_server, many_photographs(tmp_path / "photographs", 300, size=(400, 300)))


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_two_hundred_photographs_of_12_megapixels(warm_home: Path, page: Page, tmp_path: Path) -> None:
    """They add up to 700 MB: kept in the memory beside TensorFlow, they would be too much."""
    page.set_default_timeout(5 * SLOW)
    with serving(warm_home) as server:
        drop_stop_and_go_on(page, server, many_photographs(tmp_path / "photographs", 200))
        print(f"at most {peak_megabytes(server):.0f} MB")
        assert peak_megabytes(server) < MOST_MEGABYTES


def many_photographs(folder: Path, count: int, *, size: tuple[int, int] = (4000, 3000)) -> list[Path]:
    """Two that differ, again and again under other names; 3.5 MB each in the size of a phone's."""
    folder.mkdir()
    width, height = size
    paths = []
    for kind in range(2):
        random = np.random.default_rng(kind)
        colours = Image.fromarray(random.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        smooth = np.asarray(colours.resize(size, Image.Resampling.BICUBIC)).astype(np.int16)
        grainy = np.clip(smooth + random.integers(-12, 13, (height, width, 1), dtype=np.int16), 0, 255).astype(np.uint8)
        first = folder / f"{kind}-0.jpg"
        Image.fromarray(grainy).save(first, quality=90)
        if size == (4000, 3000):
            assert 3_000_000 < first.stat().st_size < 5_000_000, first.stat().st_size
        paths.append(first)
        for number in range(1, count // 2):
            paths.append(folder / f"{kind}-{number}.jpg")
            paths[-1].hardlink_to(first)
    return paths

"""What a network learns from, in a real browser: own pictures are brought, pipelines built."""

from pathlib import Path

from playwright.sync_api import Page

from tests.support.browser_pages import main_button, no_error, settled
from tests.support.own_pictures import in_archive, of_classes
from tests.support.serving import Server, needs_chromium
from tests.support.waiting import wait_for

pytestmark = needs_chromium

#: JavaScript that gives the names of the controls that an element covers.
COVERED = """toast => {
    const its = toast.getBoundingClientRect(), near = each => each.left < its.right && each.right > its.left
        && each.top < its.bottom && each.bottom > its.top;
    return [...document.querySelectorAll("button, input, a, [role=slider]")]
        .filter(each => !toast.contains(each) && each.checkVisibility() && near(each.getBoundingClientRect()))
        .map(each => each.innerText).join();
}"""


def give(page: Page, server: Server, archive: Path) -> None:
    """Choose an archive in the form for own pictures and start its reading."""
    page.goto(f"{server.url}/data?add=zip")
    page.locator(".st-key-own-zip").wait_for()
    settled(page)
    page.locator(".st-key-own-zip input[type=file]").set_input_files(archive)
    page.get_by_role("button", name="Read and check").click()


def test_a_tab_that_is_closed_leaves_nothing_of_an_import(shared_server: Server, page: Page, tmp_path: Path) -> None:
    files = of_classes({"cat": 400, "dog": 400})
    archive, datasets = in_archive(tmp_path / "Many.zip", files), shared_server.home / "datasets"

    def unnamed() -> list[Path]:
        return list(datasets.glob(".new-*"))

    for moment in ("Reading picture", "Use it"):
        give(page, shared_server, archive)
        page.get_by_text(moment).first.wait_for()
        assert len(unnamed()) == 1
        page.goto("about:blank")
        wait_for(lambda: not unnamed(), saying=unnamed)
    # A click on anything ends the reading, too.
    give(page, shared_server, archive)
    main_button(page, "Stop").click()
    wait_for(lambda: not unnamed(), saying=unnamed)
    main_button(page, "Stop").wait_for(state="detached")
    no_error(page)


def test_a_step_is_unfolded_and_its_slider_moved_by_the_keyboard(shared_server: Server, page: Page) -> None:
    page.goto(f"{shared_server.url}/augment?pipeline=notebook-1&view=code")
    steps = page.locator("[class*='st-key-step'][class*='-fold'] button:visible")
    steps.nth(1).press("Enter")
    slider = page.get_by_role("slider").nth(1)
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.get_by_text("sigma=(0.0, 1.5)").first.wait_for()
    settled(page)
    assert slider.evaluate("each => each === document.activeElement")
    main_button(page, "Undo").click()
    page.get_by_text("sigma=(0.0, 1.0)").first.wait_for()
    steps.nth(0).press("Enter")
    page.locator(".st-key-step1 [role=slider]").wait_for(state="detached")

    # The message after a save covers no control on a phone.
    page.set_viewport_size({"width": 390, "height": 800})
    main_button(page, "Save as").click()
    page.get_by_label("Name", exact=True).fill("Moved by keys")
    page.locator(".st-key-save-as-button button").click()
    toast = page.get_by_test_id("stToast")
    toast.wait_for()
    assert not toast.evaluate(COVERED)
    no_error(page)

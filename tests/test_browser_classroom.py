"""A class in real browsers: a teacher, a student and a projector at once."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from aquadash.classroom import codes, limits
from aquadash.classroom.attempts import FREE_OF_ONE
from aquadash.classroom.limits import ClassLimits
from aquadash.classroom.sessions import open_sessions
from aquadash.people import Role
from aquadash.runs import RunStatus, open_store
from aquadash.ui.classroom.visitors import COOKIE
from tests.browser_pages import address_has, no_error, settled
from tests.classrooms import give
from tests.serving import SLOW, Server, needs_chromium, serving
from tests.ui_runs import queued
from tests.waiting import wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def class_home(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of the module's own with drawn images and an empty store."""
    import shutil

    folder = tmp_path_factory.mktemp("class")
    shutil.copytree(prepared_home, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def shared_server(class_home: Path) -> Iterator[Server]:
    with serving(class_home, AQUADASH_CLASSROOM="1") as server:
        yield server


@pytest.fixture
def server(shared_server: Server, class_home: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The class's server, with this process looking at the same home; the queue waits, so that nothing trains."""
    monkeypatch.setenv("AQUADASH_HOME", str(class_home))
    limits.save(ClassLimits(paused=True))
    return shared_server


@pytest.fixture
def visit(browser: Browser) -> Iterator[object]:
    """Opens a browser of its own: cookies are not shared."""
    contexts = []

    def opened() -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 1000})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(SLOW)
        return page

    yield opened
    for context in contexts:
        context.close()


def join(page: Page, server: Server, name: str, code: str, path: str = "/data") -> None:
    page.goto(server.url + path)
    page.wait_for_url("**/class/join?next=*")
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Join").click()


def inside(page: Page, server: Server, name: str, code: str, path: str = "/data") -> None:
    join(page, server, name, code, path)
    page.wait_for_url(f"{server.url}{path}")
    settled(page)
    page.locator(".st-key-class-person").get_by_text(name).wait_for()


def press(page: Page, key: str) -> None:
    """Click a button by its key. One with help is there twice, once of them hidden."""
    page.locator(f".st-key-{key}").get_by_role("button").click()


def test_wrong_codes_are_slowed_down_and_the_right_one_leads_where_one_wanted_to_go(server: Server, visit) -> None:  # type: ignore[no-untyped-def]
    page = visit()
    for number in range(FREE_OF_ONE + 1):
        join(page, server, "Mallory", "CCCCCC", "/evaluate?section=classes")
        page.get_by_role("alert").filter(has_text="not the code").wait_for()
        assert number <= FREE_OF_ONE
    page.get_by_label("Code").fill("CCCCCC")
    page.get_by_role("button", name="Join").click()
    page.get_by_role("alert").filter(has_text="Too many wrong codes").wait_for()
    # A second later this address may try again.
    made = codes.codes()

    def let_in() -> bool:
        page.get_by_label("Your name").fill("Zoë <b>")
        page.get_by_label("Code").fill(codes.spaced(made.student).lower())
        page.get_by_role("button", name="Join").click()
        page.wait_for_load_state()
        return "/class/join" not in page.url

    wait_for(let_in)
    address_has(page, "/evaluate?section=classes")
    page.locator(".st-key-class-person").get_by_text("Zoë <b>").wait_for()
    no_error(page)


def test_teacher_and_student_at_one_queue(server: Server, visit) -> None:  # type: ignore[no-untyped-def]
    made = codes.codes()
    teacher, student = visit(), visit()
    inside(teacher, server, "Ms Hill", made.teacher)
    inside(student, server, "Anna", made.student)
    store = open_store()
    ben = open_sessions().join("Ben", Role.STUDENT).person
    bens = give(store, queued(store, "ben's run"), ben)

    # The student queues a run; while the teacher holds the queue it waits behind the one that is there.
    student.goto(f"{server.url}/train?preset=notebook-fixed")
    settled(student)
    student.get_by_label("Name (optional)").fill("anna's run")
    epochs = student.get_by_role("spinbutton", name="Maximum epochs")
    epochs.fill("2")
    epochs.press("Enter")
    settled(student)
    student.get_by_role("button", name="Train", exact=False).last.click()
    annas = wait_for(lambda: next((run.run_id for run in store.list_runs() if run.name == "anna's run"), None))
    assert (store.get(annas).owner_name, store.get(annas).status) == ("Anna", RunStatus.QUEUED)
    address_has(student, f"run={annas}")

    # Both see the queue; the student has buttons at the own run only, and none that moves or hides.
    for page in (teacher, student):
        page.goto(f"{server.url}/classroom?view=queue")
        page.locator(f".st-key-queue-{bens.run_id}").get_by_text("1.").first.wait_for()
        page.locator(f".st-key-queue-{annas}").get_by_text("2.").first.wait_for()
    student.locator(f".st-key-queue-delete-{annas}").get_by_role("button").wait_for()
    assert student.locator(f".st-key-queue-{annas}").get_by_role("button").count() == 2
    assert student.locator(f".st-key-queue-{bens.run_id}").get_by_role("button").count() == 0
    student.get_by_text("The queue is paused").first.wait_for()

    # The teacher moves Anna's run up; the student's page shows it without a click.
    press(teacher, f"move-Up-{annas}")
    student.locator(f".st-key-queue-{annas}").get_by_text("1.").first.wait_for()
    assert store.queue_position(annas) == 1

    # The teacher hides Ben's run: it goes from the student's page, and its address gives nothing away.
    press(teacher, f"queue-hide-{bens.run_id}")
    student.locator(f".st-key-queue-{bens.run_id}").wait_for(state="detached")
    student.goto(f"{server.url}/train?run={bens.run_id}")
    settled(student)
    student.get_by_text("There is no run").wait_for()
    assert "ben's run" not in student.locator("body").inner_text()

    # The teacher takes Anna's run out of the queue, and locks a page that Anna looks at.
    student.goto(f"{server.url}/compare")
    student.get_by_role("heading", name="Compare").wait_for()
    press(teacher, f"queue-stop-{annas}")
    wait_for(lambda: store.get(annas).status is RunStatus.STOPPED)
    limits.save(ClassLimits(paused=True, locked_pages=frozenset({"compare"})))
    student.get_by_role("heading", name="🔒 Compare").wait_for()

    # Sent out, the student sees the join page on the next look, without a click.
    student.goto(f"{server.url}/classroom")
    settled(student)
    anna = next(one.person for one in open_sessions().people() if one.person.name == "Anna")
    teacher.goto(f"{server.url}/classroom?view=people")
    press(teacher, f"remove-{anna.person_id}")
    student.get_by_role("heading", name="Join the class").wait_for()
    student.reload()
    student.wait_for_url("**/class/join?next=*")
    no_error(teacher)


def test_an_upload_above_the_limit_is_refused_before_it_is_sent(server: Server) -> None:
    limits.save(ClassLimits(upload_megabytes=1))
    anna, hill = (open_sessions().join(name, role) for name, role in (("Ada", Role.STUDENT), ("Ms May", Role.TEACHER)))

    def answer(token: str, *headers: str) -> str:
        """What the server says to the head of an upload of which nothing else comes."""
        head = (
            "PUT /_stcore/upload_file/session/file HTTP/1.1", f"Host: {address.netloc}",
            f"Cookie: {COOKIE}={token}", "Expect: 100-continue", *headers, "", "",
        )  # fmt: skip
        with socket.create_connection((address.hostname, address.port or 0), timeout=30) as connection:
            connection.sendall("\r\n".join(head).encode())
            return connection.recv(1000).decode()

    address = urlsplit(server.url)
    for headers, status in (
        (("Content-Length: 1010001",), 413),
        (("Transfer-Encoding: chunked",), 411),
        (("Content-Length: 5", "Transfer-Encoding: chunked"), 411),
    ):
        assert answer(anna.token, *headers).startswith(f"HTTP/1.1 {status} ")
    # What passes the door meets Streamlit's own questions.
    assert answer(anna.token, "Content-Length: 1010000").startswith("HTTP/1.1 403 ")
    assert answer(hill.token, "Content-Length: 1010001").startswith("HTTP/1.1 403 ")
    assert answer("forged", "Content-Length: 5").startswith("HTTP/1.1 401 ")


def test_the_projector_follows_the_teacher(server: Server, visit) -> None:  # type: ignore[no-untyped-def]
    made = codes.codes()
    teacher = visit()
    inside(teacher, server, "Mr Dale", made.teacher, "/data?split=test")
    screen = teacher.context.new_page()
    screen.set_default_timeout(SLOW)
    screen.goto(f"{server.url}/classroom?view=projector")
    screen.get_by_text("This window shows what the teacher chooses").wait_for()
    press(teacher, "class-show")
    screen.wait_for_url(f"{server.url}/data?*")
    address_has(screen, "split=test", "projector=1")
    screen.get_by_role("heading", name="Data").wait_for()
    assert not screen.get_by_test_id("stSidebar").is_visible(), "nothing but the page"
    teacher.goto(f"{server.url}/classroom?view=invitation")
    teacher.get_by_role("button", name="Show this on the projector").click()
    address_has(screen, "/classroom", "view=invitation")
    screen.get_by_text(codes.spaced(made.student)).wait_for()
    picture = screen.get_by_alt_text("QR code of the address to join")
    assert picture.evaluate("image => image.complete && image.width > 150 && image.naturalWidth > 0")
    assert made.teacher not in screen.content()
    # Reloaded, it is a projector still.
    screen.reload()
    screen.get_by_text(codes.spaced(made.student)).wait_for()
    teacher.goto(f"{server.url}/walkthrough")
    settled(teacher)
    press(teacher, "class-show")
    address_has(screen, "/walkthrough")
    no_error(screen)

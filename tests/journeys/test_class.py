"""A class in real browsers: a teacher and students at once."""

import re
from collections.abc import Callable

from playwright.sync_api import Page

from aquadash.classroom import codes, limits
from aquadash.classroom.limits import ClassLimits
from aquadash.classroom.sessions import open_sessions
from aquadash.people import Role
from aquadash.store import RunStatus, open_store
from tests.support.browser_pages import address_has, choose_segment, no_error, press_train, settled
from tests.support.runs import make_run
from tests.support.serving import Server, needs_chromium

pytestmark = needs_chromium


def inside(page: Page, server: Server, name: str, code: str, path: str = "/data") -> None:
    """Join on the way to a page."""
    page.goto(server.url + path)
    page.wait_for_url("**/class/join?next=*")
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Join").click()
    address_has(page, path)
    page.locator(".st-key-class-person").get_by_text(name).wait_for()
    settled(page)


def press(page: Page, key: str) -> None:
    """Click a button by its key. One with help is there twice, once of them hidden."""
    page.locator(f".st-key-{key}").get_by_role("button").click()


def test_a_class_works_at_one_queue_until_a_student_is_sent_out(
    served_class: Server, page: Page, visit: Callable[[], Page]
) -> None:
    limits.save(ClassLimits(paused=True))  # Nothing trains.
    server, made = served_class, codes.codes()
    teacher, student = page, visit()
    inside(teacher, server, "Ms Hill", made.teacher, "/classroom")
    # The code leads where one wanted to go.
    inside(student, server, "Anna <b>", codes.spaced(made.student).lower(), "/train?preset=notebook-fixed")
    store = open_store()
    ben = open_sessions().join("Ben", Role.STUDENT).person
    bens = make_run(store, "ben's run", status=RunStatus.QUEUED, owner=ben)

    # The student queues a run; while the queue is paused it waits behind the one that is there.
    annas = press_train(student)
    assert (store.get(annas).owner_name, store.get(annas).status) == ("Anna <b>", RunStatus.QUEUED)
    student.get_by_role("link", name=re.compile(r"\bClass$")).click()
    for each in (teacher, student):
        each.locator(f".st-key-queue-{bens.run_id}").get_by_text("1.").first.wait_for()
        each.locator(f".st-key-queue-{annas}").get_by_text("2.").first.wait_for()

    # The teacher moves Anna's run up and hides Ben's: the student's page shows it without a click.
    press(teacher, f"move-Up-{annas}")
    student.locator(f".st-key-queue-{annas}").get_by_text("1.").first.wait_for()
    press(teacher, f"queue-hide-{bens.run_id}")
    student.locator(f".st-key-queue-{bens.run_id}").wait_for(state="detached")

    # So is a page locked that Anna looks at, and Anna sent out.
    student.get_by_role("link", name="Compare").click()
    student.get_by_role("heading", name="Compare").wait_for()
    limits.save(ClassLimits(paused=True, locked_pages=frozenset({"compare"})))
    student.get_by_role("heading", name="🔒 Compare").wait_for()
    anna = next(one.person for one in open_sessions().people() if one.person.name == "Anna <b>")
    choose_segment(teacher, "People")
    press(teacher, f"remove-{anna.person_id}")
    student.get_by_role("heading", name="Join the class").wait_for()
    student.reload()
    student.wait_for_url("**/class/join?next=*")
    student.get_by_role("alert").get_by_text("The teacher has removed you from this class.").wait_for()
    no_error(teacher)

"""A class in which people log in with accounts, at a real OpenID Connect service on this machine, in real browsers."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aquadash.classroom import limits
from aquadash.classroom.limits import ClassLimits
from aquadash.classroom.sessions import open_sessions
from aquadash.people import Role
from aquadash.runs import open_store
from tests.browser_pages import address_has, no_error, settled
from tests.classrooms import give
from tests.serving import SLOW, Server, needs_chromium, serving
from tests.ui_runs import queued

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = needs_chromium

ODD = "Zoë <b>*x*</b> :red[y] $z$ `c`"
ACCOUNTS: dict[str, dict[str, object]] = {
    "1": {"name": "Ms Hill", "email": "Hill@school.example", "email_verified": True},
    "2": {"name": "Ms Hill", "email": "hill@school.example", "email_verified": False},
    "3": {"name": f"{ODD}\u202e", "email": "zoe@school.example", "email_verified": True},
}


@pytest.fixture(scope="module")
def server(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The class's server, and the service that it sends people to."""
    provider = pytest.importorskip("oidc_provider_mock", reason="needs requirements-dev.txt")
    home = tmp_path_factory.mktemp("accounts")
    shutil.copytree(prepared_home, home, dirs_exist_ok=True)
    users = [provider.User(sub=sub, claims=claims) for sub, claims in ACCOUNTS.items()]
    with provider.run_server_in_thread(user_claims=users) as service:
        known = home / "secrets.toml"
        known.write_text(
            f"""
            [auth]
            redirect_uri = "http://localhost:{{port}}/oauth2callback"
            cookie_secret = "{secrets.token_hex()}"
            client_id = "aquadash"
            client_secret = "any"
            server_metadata_url = "http://localhost:{service.server_port}/.well-known/openid-configuration"
            """
        )
        with serving(
            home, AQUADASH_CLASSROOM="1", AQUADASH_TEACHERS="hill@school.example", STREAMLIT_SECRETS_FILES=str(known)
        ) as served:
            yield served


@pytest.fixture
def visit(browser: Browser, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Page]]:
    """Opens a browser of its own; this process looks at the same home, whose queue waits."""
    monkeypatch.setenv("AQUADASH_HOME", str(server.home))
    limits.save(ClassLimits(paused=True))
    contexts = []

    def opened() -> Page:
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 1000}))
        page = contexts[-1].new_page()
        page.set_default_timeout(SLOW)
        return page

    yield opened
    for context in contexts:
        context.close()


def log_in(page: Page, server: Server, account: str, path: str = "/data") -> None:
    page.goto(server.url + path)
    page.wait_for_url("**/class/join?next=*")
    page.get_by_role("link", name="Log in").click()
    page.get_by_role("button", name=account, exact=True).first.click()
    page.wait_for_url(f"{server.url}{path}")
    settled(page)


def me(page: Page) -> str:
    # Between a colon and what follows is a mark that cannot be seen.
    return page.locator(".st-key-class-person p").first.inner_text().replace("\u2060", "")


def test_teacher_and_student_log_in_and_out(server: Server, visit: Callable[[], Page]) -> None:
    teacher, student, stranger = visit(), visit(), visit()
    log_in(teacher, server, "1", "/evaluate?section=classes")
    assert "Ms Hill" in me(teacher) and "Teacher" in me(teacher)
    log_in(student, server, "3", "/data")
    assert ODD in me(student) and "Student" in me(student)

    # What Streamlit serves is for those who are in.
    student.goto(f"{server.url}/augment?view=code")
    with student.expect_download() as download:
        student.locator(".st-key-download-code").get_by_role("button").click()
    file = download.value.url
    assert "/media/" in file and student.request.get(file).status == 200
    assert stranger.request.get(file).status == 401
    assert stranger.request.put(f"{server.url}/_stcore/upload_file/a/b").status == 401

    # A run of the teacher's: the student sees it and has no button at it.
    hill = next(one.person for one in open_sessions().people() if one.person.role is Role.TEACHER)
    run = give(open_store(), queued(open_store(), "hill's run"), hill)
    for page, buttons in ((teacher, True), (student, False)):
        page.goto(f"{server.url}/classroom?view=queue")
        page.locator(f".st-key-queue-{run.run_id}").get_by_text("hill's run").wait_for()
        settled(page)
        assert bool(page.locator(f".st-key-queue-{run.run_id}").get_by_role("button").count()) is buttons

    # The student leaves: at the service and in the other tab, too, and does not come back by opening a page.
    other = student.context.new_page()
    other.set_default_timeout(SLOW)
    other.goto(f"{server.url}/compare")
    other.get_by_role("heading", name="Compare").wait_for()
    student.get_by_role("button", name="Leave the class").click()
    student.locator(".st-key-class-leave").get_by_role("button").click()
    student.get_by_role("button", name="End session").click()
    student.wait_for_url("**/class/join?*")
    other.get_by_role("heading", name="Join the class").wait_for()
    assert student.request.get(file).status == 401
    log_in(student, server, "3")
    assert ODD in me(student), "whoever comes back is the same person"
    for page in (teacher, student, other):
        no_error(page)


def test_an_address_that_is_not_verified_makes_no_teacher(server: Server, visit: Callable[[], Page]) -> None:
    page = visit()
    log_in(page, server, "2")
    assert "Ms Hill" in me(page) and "Student" in me(page)
    assert page.locator(".st-key-class-show").count() == 0


def test_who_gives_up_at_the_service_is_told_so(server: Server, visit: Callable[[], Page]) -> None:
    page = visit()
    page.goto(f"{server.url}/data?split=test")
    page.get_by_role("link", name="Log in").click()
    page.get_by_role("button", name="Deny").click()
    page.get_by_role("alert").filter(has_text="You were not logged in").wait_for()
    page.get_by_role("link", name="Log in").click()
    page.get_by_role("button", name="3", exact=True).first.click()
    address_has(page, "/data?split=test")

"""A class as it is served, and what one of its pupils may send it."""

import http.client
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from aquadash import settings
from aquadash.classroom import codes
from aquadash.classroom.joining import FORGOTTEN_AFTER, FREE_CODES, MAX_WAIT_OF_CODES, Attempts, TooManyAttemptsError
from aquadash.errors import NotAllowedError, StorageError
from aquadash.lab import Lab
from aquadash.people import STRANGER, Person, Role
from tests.support.serving import Server


def request(
    server: Server, path: str, *, method: str = "GET", body: bytes = b"", headers: dict[str, str] | None = None
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
    connection.request(method, path, body, headers or {})
    return connection.getresponse()


def _join(server: Server, name: str) -> dict[str, str]:
    """Somebody joins; returns the header that proves it."""
    form = urlencode({"name": name, "code": codes.codes().student, "next": "/"}).encode()
    headers = {"Origin": server.url, "Content-Type": "application/x-www-form-urlencoded"}
    answer = request(server, "/class/join", method="POST", body=form, headers=headers)
    assert answer.status == 303
    return {"Cookie": str(answer.headers["set-cookie"]).partition(";")[0]}


@contextmanager
def _page(server: Server, cookie: dict[str, str]) -> Iterator[str]:
    """A page that is open; yields the id of its session."""
    address = server.url.replace("http", "ws") + "/_stcore/stream"
    with connect(address, subprotocols=[Subprotocol("streamlit")], additional_headers=cookie, max_size=None) as page:
        rerun = BackMsg()
        rerun.rerun_script.page_name = "data"
        page.send(rerun.SerializeToString())
        while True:
            message = ForwardMsg()
            message.ParseFromString(bytes(page.recv(timeout=60)))  # type: ignore[arg-type]
            if message.WhichOneof("type") == "new_session":
                yield message.new_session.initialize.session_id
                return


def test_an_upload_into_the_page_of_another_is_refused(served_class: Server) -> None:
    server = served_class
    anna, ben = _join(server, "Anna with a page"), _join(server, "Ben with none")
    token = str(request(server, "/_stcore/health").headers["set-cookie"]).partition(";")[0]
    form = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nhello\r\n--x--\r\n'

    def send(method: str, who: dict[str, str], session: str) -> int:
        headers = {
            "Cookie": f"{who['Cookie']}; {token}",
            "X-Xsrftoken": token.partition("=")[2],
            "Content-Type": "multipart/form-data; boundary=x",
        }
        return request(server, f"/_stcore/upload_file/{session}/f", method=method, body=form, headers=headers).status

    with _page(server, anna) as session:
        for method in ("PUT", "DELETE"):
            assert send(method, ben, session) == 403
            assert send(method, anna, session) == 204
        assert request(server, "/_stcore/metrics", headers=anna).status == 404


ANNA = Person("a" * 32, "Anna", Role.STUDENT)


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_codes_are_made_once_and_readable_by_their_owner_only(home: Path) -> None:
    made = codes.codes()
    assert (len(made.student), len(made.teacher)) == (6, 10)
    assert set(made.student + made.teacher) <= set(codes.ALPHABET)
    assert codes.codes() == made
    path = settings.classroom_folder() / "codes.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_code_makes_a_student_or_a_teacher_however_it_is_typed(home: Path) -> None:
    made = codes.codes()
    assert made.role_of(made.student) is Role.STUDENT
    assert made.role_of(f" {codes.spaced(made.student).lower()} ") is Role.STUDENT
    assert made.role_of(codes.spaced(made.teacher).replace(" ", "-")) is Role.TEACHER
    for wrong in ("", made.student[:-1], made.teacher + "C", "x" * 10_000, "ß\ud800"):
        assert made.role_of(wrong) is None


def test_a_new_code_replaces_the_old_one_and_no_other(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = codes.codes()
    after = codes.renew(Role.STUDENT)
    assert after.student != before.student and after.teacher == before.teacher
    assert codes.codes().role_of(before.student) is None
    assert codes.renew().teacher != before.teacher
    stale, renewed = codes.codes(), codes.renew(Role.TEACHER)
    monkeypatch.setattr(codes, "codes", lambda: stale)  # A stale read: the other code was renewed after it.
    assert codes.renew(Role.STUDENT).teacher == renewed.teacher


def test_students_may_tell_the_code_that_they_have_and_strangers_have_none(home: Path) -> None:
    assert Lab(ANNA).people.student_code() == codes.codes().student
    with pytest.raises(NotAllowedError):
        Lab(STRANGER).people.student_code()


@pytest.mark.parametrize("text", ["{", "[]", '{"student": "A", "teacher": "B"}', '{"student": "CCCCCC"}'])
def test_a_damaged_file_lets_nobody_in(home: Path, text: str) -> None:
    codes.codes()
    path = settings.classroom_folder() / "codes.json"
    path.write_text(text)
    with pytest.raises(StorageError, match="damaged"):
        codes.codes()
    assert path.read_text() == text, "nothing is mended by itself: who joined with the old codes would wonder"


def of_codes(clock: Clock) -> Attempts:
    return Attempts("wrong codes were typed", FREE_CODES, MAX_WAIT_OF_CODES, clock)


def wait(attempts: Attempts, address: str) -> float:
    try:
        attempts.check(address)
    except TooManyAttemptsError as refused:
        return refused.seconds
    return 0.0


def test_wrong_codes_cost_waiting_and_each_costs_more() -> None:
    clock = Clock()
    attempts = of_codes(clock)
    waits = []
    for _ in range(FREE_CODES + 12):
        attempts.count("192.0.2.1")
        waits.append(wait(attempts, "192.0.2.1"))
    assert waits[:FREE_CODES] == [0.0] * FREE_CODES
    assert waits[FREE_CODES : FREE_CODES + 9] == [2.0**power for power in range(9)]
    assert waits[-1] == 300.0, "the longest wait"
    assert wait(attempts, "192.0.2.2") == 0.0, "others do not wait for it"
    clock.now += 299.0
    assert wait(attempts, "192.0.2.1") == pytest.approx(1.0)
    clock.now += FORGOTTEN_AFTER
    attempts.count("192.0.2.1")
    assert wait(attempts, "192.0.2.1") == 0.0, "long ago is forgotten"


def test_addresses_of_one_network_count_as_one() -> None:
    attempts = of_codes(Clock())
    for number in range(FREE_CODES + 1):
        attempts.count(f"2001:db8::{number:x}")
    assert wait(attempts, "2001:db8::ffff") > 0
    assert wait(attempts, "2001:db8:1::1") == 0.0
    for _ in range(FREE_CODES + 1):
        attempts.count("::ffff:192.0.2.5")
    assert wait(attempts, "192.0.2.5") > 0

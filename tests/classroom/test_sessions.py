"""Who is in the class: codes, names, sessions, and what proves them."""

import re
import sqlite3
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aquadash import settings
from aquadash.classroom import codes, joining
from aquadash.classroom import sessions as sessions_module
from aquadash.classroom.names import clean_name
from aquadash.classroom.sessions import Joined, NameTakenError, Sessions
from aquadash.errors import ConfigError, NotAllowedError, StorageError, UnknownNameError
from aquadash.lab import Lab
from aquadash.people import STRANGER, Role
from tests.support.lessons import ANNA


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(tmp_path: Path, clock: Clock) -> Sessions:
    return Sessions(tmp_path / "class.db", clock)


def test_a_token_holds_after_a_restart_and_no_other_does(sessions: Sessions, tmp_path: Path, clock: Clock) -> None:
    anna, ben = sessions.join("Anna", Role.STUDENT), sessions.join("Ben", Role.STUDENT)
    assert sessions.person_of(anna.token) == anna.person and anna.person.role is Role.STUDENT
    assert Sessions(tmp_path / "class.db", clock).person_of(anna.token) == anna.person
    assert sessions.person_of(ben.token) == ben.person != anna.person
    assert len(anna.person.person_id) == 32
    for forged in (None, "", "x", anna.token[:-1], anna.token + "A", anna.person.person_id, "\ud800", "a" * 10_000):
        assert sessions.person_of(forged) is None


def test_whoever_reads_the_file_learns_no_token(sessions: Sessions, tmp_path: Path) -> None:
    joined = sessions.join("Anna", Role.STUDENT)
    code = sessions.rejoin_code(joined.person.person_id)
    content = (tmp_path / "class.db").read_bytes()
    assert joined.token.encode() not in content and code.encode() not in content
    assert stat.S_IMODE((tmp_path / "class.db").stat().st_mode) == 0o600
    with sqlite3.connect(tmp_path / "class.db") as connection:
        (hashed,) = connection.execute("SELECT token_hash FROM sessions").fetchone()
    assert sessions.person_of(hashed) is None, "the hash is no token"


def test_a_session_ends_after_its_time_however_much_it_is_used(sessions: Sessions, clock: Clock) -> None:
    joined = sessions.join("Anna", Role.STUDENT)
    for _ in range(8):
        clock.now += sessions_module.SESSION_SECONDS / 8 - 1
        assert sessions.person_of(joined.token) is not None
    clock.now += 9
    assert sessions.person_of(joined.token) is None


def test_no_process_has_a_session_of_who_has_left(sessions: Sessions, tmp_path: Path, clock: Clock) -> None:
    other_process = Sessions(tmp_path / "class.db", clock)
    anna, ben = sessions.join("Anna", Role.STUDENT), sessions.join("Ben", Role.STUDENT)
    assert other_process.person_of(anna.token) and other_process.person_of(ben.token)
    sessions.leave(anna.token)
    sessions.remove(ben.person.person_id)
    assert sessions.person_of(anna.token) is None and sessions.person_of(ben.token) is None
    clock.now += sessions_module.FRESH_SECONDS
    assert other_process.person_of(anna.token) is None and other_process.person_of(ben.token) is None
    with pytest.raises(UnknownNameError):
        sessions.remove("0" * 32)


@pytest.mark.parametrize("name", ["  ANNA ", "Ａｎｎａ", "Anna\ufe0f"])
def test_a_name_belongs_to_one_person(sessions: Sessions, name: str) -> None:
    sessions.join("Anna", Role.STUDENT)
    sessions.join("Anna 2", Role.STUDENT)
    with pytest.raises(NameTakenError) as refused:
        sessions.join(name, Role.STUDENT)
    assert refused.value.suggestion == f"{clean_name(name)} 3"
    assert sessions.join(refused.value.suggestion, Role.STUDENT).person.name == refused.value.suggestion
    assert len(sessions.people()) == 3


@pytest.mark.parametrize(
    ("first", "other"), [("Anna", "\u0410nna"), ("ben", "\u0412EN"), ("TIM", "Tirn"), ("Group 1", "group l")]
)
def test_a_name_that_looks_like_somebodys_is_refused(sessions: Sessions, first: str, other: str) -> None:
    sessions.join(first, Role.STUDENT)
    for role in (Role.STUDENT, Role.TEACHER):
        with pytest.raises(NameTakenError, match=re.escape(repr(first))) as refused:
            sessions.join(other, role)
    assert sessions.join(refused.value.suggestion, Role.STUDENT).person.name == f"{other} 2"


def test_names_of_any_script_are_kept_as_typed_and_free_where_they_can_be_told_apart(sessions: Sessions) -> None:
    names = (
        "Anna, Anne, Ánna, Hannah, Zoe, Zoë, Мария, María, 李明, 李四, محمد, Ανδρέας, Άννα, Tea, Group 1, Group 2, "
        "Group 11, Jo Anna, Joanna, Owen, Adminah, 🐳 Ben, O'Brien <b>"
    )
    for name in (*names.split(", "), "x" * 40):
        assert sessions.join(f"  {name} ", Role.STUDENT).person.name == name


@pytest.mark.parametrize(
    "name", "TEACHER, the teacher, T\u0435\u0430cher, Teacher 2, T.e.a.c.h.e.r, 0wner, AquaDash".split(", ")
)
def test_no_student_is_called_like_the_teacher_or_the_app(sessions: Sessions, name: str) -> None:
    with pytest.raises(ConfigError, match="reads like the teacher"):
        sessions.join(name, Role.STUDENT)
    assert sessions.join(name, Role.TEACHER).person.name == name
    with pytest.raises(NameTakenError):
        sessions.join(name, Role.STUDENT)


def test_names_are_cleared_of_students_who_made_nothing_and_are_not_here(sessions: Sessions, clock: Clock) -> None:
    sessions.join("Mr Dale", Role.TEACHER)
    maker = sessions.join("Maker", Role.STUDENT).person
    gone, here, waiting = (sessions.join(name, Role.STUDENT) for name in ("Gone", "Here", "Waiting"))
    clock.now += 1
    for joined in (gone, here):
        assert sessions.person_of(joined.token)
    clock.now += sessions_module.AWAY_SECONDS + 1
    assert sessions.person_of(here.token)
    invented = [sessions.join(f"Invented {number}", Role.STUDENT) for number in range(3)]
    sessions.rejoin_code(waiting.person.person_id)
    assert sessions.clear({maker.person_id}) == ["Gone", "Invented 0", "Invented 1", "Invented 2"]
    assert [member.person.name for member in sessions.people()] == ["Mr Dale", "Here", "Maker", "Waiting"]
    assert sessions.person_of(here.token) == here.person
    assert not any(sessions.person_of(joined.token) for joined in (gone, *invented))
    assert sessions.join("Gone", Role.STUDENT).person != gone.person, "the name is free"


def test_new_names_are_limited_by_address(home: Path, sessions: Sessions, clock: Clock) -> None:
    made, entrance = codes.codes(), joining.Joining(clock)

    def enter(name: str, code: str = made.student, address: str = "192.0.2.1", token: str | None = None) -> Joined:
        return entrance.enter(sessions, joining.Form(name, code, "", ""), address=address, earlier_token=token)

    first = [enter(f"Student {number}") for number in range(joining.FREE_NAMES + 1)]
    with pytest.raises(joining.TooManyAttemptsError, match="new names") as refused:
        enter("One more")
    assert refused.value.seconds == 1.0
    assert enter("Ms Hill", made.teacher).person.role is Role.TEACHER
    assert enter("Student 3", token=first[3].token).person == first[3].person
    assert enter("Elsewhere", address="192.0.2.2").person.name == "Elsewhere"


def test_a_browser_keeps_the_person_until_they_leave(sessions: Sessions, clock: Clock) -> None:
    first = sessions.join("Anna", Role.STUDENT)
    clock.now += sessions_module.SESSION_SECONDS + 1
    again = sessions.join("anna", Role.STUDENT, earlier_token=first.token)
    assert again.person == first.person and again.token != first.token
    other = sessions.join("Somebody else", Role.STUDENT, earlier_token=again.token)
    assert sessions.person_of(again.token) is None, "a browser is one person at a time"
    again = sessions.rejoin(sessions.rejoin_code(first.person.person_id))
    assert sessions.person_of(other.token) == other.person
    sessions.leave(again.token)
    teacher = sessions.join("Ms Hill", Role.TEACHER)
    assert sessions.join("Ms Hill", Role.TEACHER).person == teacher.person, "the teacher's code is proof enough"
    student = sessions.join("Ben", Role.STUDENT)
    for name, role, token in (
        # The next at a shared computer must not become Anna.
        ("Anna", Role.STUDENT, again.token),
        ("Anna", Role.STUDENT, student.token),
        ("Ms Hill", Role.STUDENT, teacher.token),
        ("Ben", Role.TEACHER, student.token),
    ):
        with pytest.raises(NameTakenError):
            sessions.join(name, role, earlier_token=token)


def test_a_link_to_rejoin_works_once_in_its_time_for_its_person(sessions: Sessions, clock: Clock) -> None:
    anna, ben = sessions.join("Anna", Role.STUDENT), sessions.join("Ben", Role.STUDENT)
    code = sessions.rejoin_code(anna.person.person_id)
    again = sessions.rejoin(f" {code.lower()} ", earlier_token=ben.token)
    assert again.person == anna.person == sessions.person_of(again.token)
    assert sessions.person_of(ben.token) is None, "a browser is one person at a time"
    late = sessions.rejoin_code(ben.person.person_id)
    clock.now += sessions_module.REJOIN_SECONDS
    for useless in (code, late, "", "C" * 12):
        with pytest.raises(NotAllowedError, match="works once and for 15 minutes"):
            sessions.rejoin(useless)


@pytest.mark.parametrize(
    ("typed", "part"),
    [
        *((typed, "at least one letter") for typed in ("", " \t ", "!?")),
        ("a" * 41, "41"),
        *((f"Anna{letter}X", "cannot be seen") for letter in "\u202e\x00\u200b\u034f\u2800"),
        ("\u3164", "cannot be seen"),
    ],
)
def test_names_that_cannot_be_used_are_refused_with_the_reason(sessions: Sessions, typed: str, part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        sessions.join(typed, Role.STUDENT)
    assert sessions.people() == []


def test_people_stay_with_a_full_disk_and_a_damaged_file_is_a_clear_error(
    sessions: Sessions, tmp_path: Path, clock: Clock
) -> None:
    anna = sessions.join("Anna", Role.STUDENT)
    with sqlite3.connect(tmp_path / "class.db") as connection:
        connection.execute("CREATE TRIGGER full BEFORE UPDATE ON people BEGIN SELECT RAISE(FAIL, 'disk full'); END")
    clock.now += 60
    assert sessions.person_of(anna.token) == anna.person
    (tmp_path / "class.db").write_bytes(b"no database " * 500)
    clock.now += 10
    with pytest.raises(StorageError, match="cannot be"):
        sessions.person_of(anna.token)


def test_a_full_class_has_room_after_somebody_left(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions_module, "MAX_STUDENTS", 1)
    anna = sessions.join("Anna", Role.STUDENT)
    with pytest.raises(ConfigError, match="full: 1 students"):
        sessions.join("Carl", Role.STUDENT)
    assert sessions.join("Ms Hill", Role.TEACHER).person.role is Role.TEACHER, "teachers take no student's place"
    sessions.remove(anna.person.person_id)
    assert sessions.join("Carl", Role.STUDENT).person.name == "Carl"


def test_wrong_codes_of_many_threads_count_one_by_one(
    home: Path, sessions: Sessions, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    entrance, form, made = joining.Joining(clock), joining.Form("Mallory", "CCCCCC", "", ""), codes.codes()
    monkeypatch.setattr(joining, "codes", lambda: time.sleep(0.05) or made)
    with ThreadPoolExecutor(20) as threads:
        tries = [threads.submit(entrance.enter, sessions, form, address="192.0.2.1") for _ in range(20)]
    assert sum(isinstance(one.exception(), joining.WrongCodeError) for one in tries) == joining.FREE_CODES + 1


def test_codes_are_made_once_readable_by_their_owner_only_and_taken_however_they_are_typed(home: Path) -> None:
    made = codes.codes()
    assert (len(made.student), len(made.teacher)) == (6, 10)
    assert set(made.student + made.teacher) <= set(codes.ALPHABET)
    assert codes.codes() == made
    path = settings.classroom_folder() / "codes.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert made.role_of(made.student) is Role.STUDENT
    assert made.role_of(f" {codes.spaced(made.student).lower()} ") is Role.STUDENT
    assert made.role_of(codes.spaced(made.teacher).replace(" ", "-")) is Role.TEACHER
    for wrong in ("", made.student[:-1], made.teacher + "C", "x" * 10_000, "ß\ud800"):
        assert made.role_of(wrong) is None


def test_a_new_code_replaces_the_old_one_and_no_other(home: Path) -> None:
    before = codes.codes()
    after = codes.renew(Role.STUDENT)
    assert after.student != before.student and after.teacher == before.teacher
    assert Lab(ANNA).people.student_code() == after.student
    with pytest.raises(NotAllowedError):
        Lab(STRANGER).people.student_code()
    assert codes.codes().role_of(before.student) is None
    assert codes.renew(Role.TEACHER).teacher != before.teacher


@pytest.mark.parametrize("text", ["{", '{"student": "A", "teacher": "B"}', '{"student": "CCCCCC"}'])
def test_a_damaged_file_lets_nobody_in(home: Path, text: str) -> None:
    codes.codes()
    path = settings.classroom_folder() / "codes.json"
    path.write_text(text)
    with pytest.raises(StorageError, match="damaged"):
        codes.codes()
    assert path.read_text() == text, "nothing is mended by itself: who joined with the old codes would wonder"


def wait(attempts: joining.Attempts, address: str) -> float:
    try:
        attempts.check(address)
    except joining.TooManyAttemptsError as refused:
        return refused.seconds
    return 0.0


def test_wrong_codes_cost_waiting_and_each_costs_more(clock: Clock) -> None:
    attempts, waits = (
        joining.Attempts("wrong codes were typed", joining.FREE_CODES, joining.MAX_WAIT_OF_CODES, clock),
        [],
    )
    for _ in range(joining.FREE_CODES + 12):
        attempts.count("192.0.2.1")
        waits.append(wait(attempts, "192.0.2.1"))
    assert waits[: joining.FREE_CODES] == [0.0] * joining.FREE_CODES
    assert waits[joining.FREE_CODES : joining.FREE_CODES + 9] == [2.0**power for power in range(9)]
    assert waits[-1] == 300.0, "the longest wait"
    assert wait(attempts, "192.0.2.2") == 0.0, "others do not wait for it"
    clock.now += 299.0
    assert wait(attempts, "192.0.2.1") == pytest.approx(1.0)
    clock.now += joining.FORGOTTEN_AFTER
    attempts.count("192.0.2.1")
    assert wait(attempts, "192.0.2.1") == 0.0, "long ago is forgotten"
    # Addresses of one network count as one.
    for number in range(joining.FREE_CODES + 1):
        attempts.count(f"2001:db8::{number:x}")
    assert wait(attempts, "2001:db8::ffff") > 0
    assert wait(attempts, "2001:db8:1::1") == 0.0
    for _ in range(joining.FREE_CODES + 1):
        attempts.count("::ffff:192.0.2.5")
    assert wait(attempts, "192.0.2.5") > 0

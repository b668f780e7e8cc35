"""The people of a class and their sessions, in a SQLite file.

A session is a random token of 256 bits in the person's browser; the file holds its SHA-256, so reading it gives no
access. A session ends :data:`SESSION_SECONDS` after joining: browsers are left open in classrooms.
"""

import hashlib
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Container, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from aquadash import settings
from aquadash.classroom.codes import new_code, tidy
from aquadash.classroom.names import clean_name, free_name, is_reserved, key_of, looks_of
from aquadash.errors import ConfigError, NotAllowedError, StorageError, UnknownNameError
from aquadash.people import Person, Role

SESSION_SECONDS = 8 * 3600.0
#: Lifetime of a link to rejoin.
REJOIN_SECONDS = 15 * 60.0
#: 22 ** 12 is 13 thousand million million: too many to try within that time.
REJOIN_LENGTH = 12
#: Students with a session at the same time; a limit, because anybody who knows the code can invent names.
MAX_STUDENTS = 500
#: Seconds without a request after which a person counts as away; a phone in a pocket is quiet for minutes.
AWAY_SECONDS = 300.0
#: Seconds for which the person of a token is cached.
FRESH_SECONDS = 1.0
#: Seconds after which an expired session is deleted.
_KEPT_SECONDS = 30 * 86400.0
_SEEN_EVERY = 30.0

#: The column ``ended`` of a session that its person has left, and of one that the teacher has ended.
_LEFT, _REMOVED = 1, 2

_PEOPLE = "SELECT person_id, name, role FROM people"
_TABLES = """
CREATE TABLE IF NOT EXISTS people (
    person_id TEXT PRIMARY KEY, name TEXT NOT NULL, name_key TEXT NOT NULL UNIQUE, role TEXT NOT NULL,
    joined_at REAL NOT NULL, seen_at REAL NOT NULL, return_hash TEXT NOT NULL DEFAULT '', return_until REAL NOT NULL
    DEFAULT 0);
CREATE TABLE IF NOT EXISTS sessions (
    token_hash TEXT PRIMARY KEY, person_id TEXT NOT NULL, made_at REAL NOT NULL, expires_at REAL NOT NULL,
    ended INTEGER NOT NULL DEFAULT 0);
"""


class NameTakenError(ConfigError):
    """Another person of the class has this name or one that looks like it."""

    def __init__(self, name: str, suggestion: str) -> None:
        super().__init__(
            f"There is already somebody called {name!r} in this class, and nobody could tell the two names apart. Take "
            f"another name, such as {suggestion!r}. If that is you, on another computer or after leaving, ask the "
            "teacher for a link to rejoin."
        )
        #: A similar name that is free.
        self.suggestion = suggestion


@dataclass(frozen=True)
class Joined:
    """A new session."""

    #: Secret: for the person's browser only.
    token: str
    person: Person


@dataclass(frozen=True)
class Member:
    """A person of the class, as the teacher sees them."""

    person: Person
    #: Unix time when they first joined, in seconds.
    joined_at: float
    #: Unix time when they last asked for a page, in seconds, to about half a minute.
    seen_at: float
    #: Number of their current sessions.
    sessions: int


class Sessions:
    """The people and sessions of one class, in a SQLite file; the ``clock`` is Unix time in seconds.

    Every method raises :class:`~aquadash.errors.StorageError` where the file cannot be read or written, and those that
    take a person's id raise :class:`~aquadash.errors.UnknownNameError`.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        #: By the hash of a token: the time of the look-up, and the person.
        self._known: dict[str, tuple[float, Person | None]] = {}
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600, exist_ok=True)
        with self._open() as connection:
            connection.executescript(_TABLES)

    def person_of(self, token: str | None) -> Person | None:
        """Return the person of a token, cached for :data:`FRESH_SECONDS`; None if it is unknown, expired or ended."""
        if not token or len(token) > 100:
            return None
        hashed, now = _hash(token), self._clock()
        known = self._known.get(hashed)
        if known is None or not 0 <= now - known[0] < FRESH_SECONDS:
            known = (now, self._look_up(hashed, now))
            with self._lock:
                if len(self._known) >= 4096:
                    self._known.clear()
                self._known[hashed] = known
        return known[1]

    def join(
        self, name: str, role: Role, *, earlier_token: str | None = None, admit: Callable[[], None] = lambda: None
    ) -> Joined:
        """Begin a session under a name; ``admit`` may refuse a name that is new to the class.

        A name in use needs the browser's earlier token, which may have expired but not ended, or the teacher's code.
        """
        name, now = clean_name(name), self._clock()
        with self._writing() as connection:
            row = connection.execute(f"{_PEOPLE} WHERE name_key = ?", (key_of(name),)).fetchone()
            names = [known for (known,) in connection.execute("SELECT name FROM people")]
            looks = {look: known for known in names for look in looks_of(known)}
            if row is not None:
                person = _person(row)
                proven = person.role is Role.TEACHER or self._was_session_of(connection, person, earlier_token)
                if not (proven and person.role is role):
                    raise NameTakenError(person.name, free_name(name, looks.keys()))
                connection.execute("UPDATE people SET seen_at = ? WHERE person_id = ?", (now, person.person_id))
            else:
                if role is Role.STUDENT and is_reserved(name):
                    raise ConfigError(
                        f"{name!r} reads like the teacher or like AquaDash itself. Take another name, such as your "
                        "first name."
                    )
                for look in looks_of(name) & looks.keys():
                    raise NameTakenError(looks[look], free_name(name, looks.keys()))
                person = self._add(connection, Person(secrets.token_hex(16), name, role), now)
                # An error here rolls the addition back.
                admit()
            return self._begin(connection, person, earlier_token, now)

    def rejoin(self, code: str, *, earlier_token: str | None = None) -> Joined:
        """Begin a session of the person of a code from :meth:`rejoin_code`."""
        now = self._clock()
        with self._writing() as connection:
            row = connection.execute(
                f"{_PEOPLE} WHERE return_hash = ? AND return_until > ?", (_hash(tidy(code)), now)
            ).fetchone()
            if row is None:
                raise NotAllowedError(
                    f"This link works once and for {REJOIN_SECONDS / 60:.0f} minutes. Ask the teacher for a new one."
                )
            person = _person(row)
            connection.execute(
                "UPDATE people SET return_hash = '', return_until = 0, seen_at = ? WHERE person_id = ?",
                (now, person.person_id),
            )
            return self._begin(connection, person, earlier_token, now)

    def leave(self, token: str | None) -> None:
        """End a session for good, if the token is of one."""
        with self._writing() as connection:
            connection.execute("UPDATE sessions SET ended = ? WHERE token_hash = ?", (_LEFT, _hash(token or "")))

    def was_removed(self, token: str | None) -> bool:
        """Return whether the teacher has ended the session of a token."""
        with self._open() as connection:
            row = connection.execute(
                "SELECT ended FROM sessions WHERE token_hash = ?", (_hash(token or ""),)
            ).fetchone()
        return row == (_REMOVED,)

    def remove(self, person_id: str) -> None:
        """End a person's sessions; to have the name again, students need a link to rejoin."""
        with self._writing() as connection:
            _require_person(connection, person_id)
            connection.execute("UPDATE sessions SET ended = ? WHERE person_id = ? AND ended = 0", (_REMOVED, person_id))

    def clear(self, makers: Container[str]) -> list[str]:
        """Delete students who are away, except the ``makers`` of stored runs and other things; return names, sorted.

        Away: no request within :data:`AWAY_SECONDS`, or none at all after joining, and no link to rejoin.
        """
        now = self._clock()
        with self._writing() as connection:
            away = connection.execute(
                "SELECT person_id, name FROM people WHERE role = ? AND return_until < ? "
                "AND (seen_at <= joined_at OR seen_at < ?)",
                (Role.STUDENT.value, now, now - AWAY_SECONDS),
            ).fetchall()
            cleared = [(person_id, name) for person_id, name in away if person_id not in makers]
            for table in ("sessions", "people"):
                connection.executemany(f"DELETE FROM {table} WHERE person_id = ?", [(one,) for one, _ in cleared])
        return sorted((name for _, name in cleared), key=key_of)

    def rejoin_code(self, person_id: str) -> str:
        """Make a code with which a person may join again, once, within :data:`REJOIN_SECONDS`."""
        code = new_code(REJOIN_LENGTH)
        with self._writing() as connection:
            _require_person(connection, person_id)
            connection.execute(
                "UPDATE people SET return_hash = ?, return_until = ? WHERE person_id = ?",
                (_hash(code), self._clock() + REJOIN_SECONDS, person_id),
            )
        return code

    def people(self) -> list[Member]:
        """Return everybody who has joined, teachers first, then by name."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT person_id, name, role, joined_at, seen_at, (SELECT COUNT(*) FROM sessions s "
                "WHERE s.person_id = p.person_id AND s.ended = 0 AND s.expires_at > ?) FROM people p",
                (self._clock(),),
            ).fetchall()
        members = [Member(_person(row[:3]), *row[3:]) for row in rows]
        return sorted(members, key=lambda one: (one.person.role is not Role.TEACHER, key_of(one.person.name)))

    def _look_up(self, hashed: str, now: float) -> Person | None:
        with self._open() as connection:
            row = connection.execute(
                "SELECT p.person_id, p.name, p.role, p.joined_at, p.seen_at FROM sessions s JOIN people p "
                "ON p.person_id = s.person_id WHERE s.token_hash = ? AND s.ended = 0 AND s.expires_at > ?",
                (hashed, now),
            ).fetchone()
        if row is None:
            return None
        person, (joined_at, seen_at) = _person(row[:3]), row[3:]
        if seen_at == joined_at or now - seen_at >= _SEEN_EVERY:
            # A full disk must not end the class's sessions.
            with suppress(StorageError), self._open("BEGIN IMMEDIATE") as connection:
                connection.execute("UPDATE people SET seen_at = ? WHERE person_id = ?", (now, person.person_id))
        return person

    def _begin(self, connection: sqlite3.Connection, person: Person, earlier_token: str | None, now: float) -> Joined:
        token = secrets.token_urlsafe(32)
        connection.execute(
            "INSERT INTO sessions (token_hash, person_id, made_at, expires_at) VALUES (?, ?, ?, ?)",
            (_hash(token), person.person_id, now, now + SESSION_SECONDS),
        )
        # A browser is one person at a time.
        connection.execute("UPDATE sessions SET ended = ? WHERE token_hash = ?", (_LEFT, _hash(earlier_token or "")))
        connection.execute("DELETE FROM sessions WHERE expires_at < ?", (now - _KEPT_SECONDS,))
        return Joined(token, person)

    def _add(self, connection: sqlite3.Connection, person: Person, now: float) -> Person:
        count_students = (
            "SELECT COUNT(DISTINCT s.person_id) FROM sessions s JOIN people p ON p.person_id = s.person_id "
            "WHERE s.ended = 0 AND s.expires_at > ? AND p.role = ?"
        )
        (students,) = connection.execute(count_students, (now, Role.STUDENT.value)).fetchone()
        if person.role is Role.STUDENT and students >= MAX_STUDENTS:
            raise ConfigError(
                f"The class is full: {MAX_STUDENTS} students are in it. Ask the teacher, who can clear unused names."
            )
        connection.execute(
            "INSERT INTO people (person_id, name, name_key, role, joined_at, seen_at) VALUES (?, ?, ?, ?, ?, ?)",
            (person.person_id, person.name, key_of(person.name), person.role.value, now, now),
        )
        return person

    def _was_session_of(self, connection: sqlite3.Connection, person: Person, token: str | None) -> bool:
        """Return whether a token is of a session of that person that may have expired but was not ended."""
        cursor = connection.execute(
            "SELECT 1 FROM sessions WHERE token_hash = ? AND person_id = ? AND ended = 0",
            (_hash(token or ""), person.person_id),
        )
        return cursor.fetchone() is not None

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Open a connection for one atomic change; clear the cache of tokens afterwards."""
        with self._open("BEGIN IMMEDIATE") as connection:
            yield connection
        with self._lock:
            self._known.clear()

    @contextmanager
    def _open(self, begin: str = "BEGIN") -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=15, isolation_level=None)) as connection:
                connection.execute(begin)
                yield connection
                # An exception skips this line, and closing the connection rolls back.
                if connection.in_transaction:
                    connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise StorageError(
                f"{self._path} cannot be read or written: {error}. If it is damaged, move it away; people join anew."
            ) from error


def open_sessions() -> Sessions:
    """Return the class's people and sessions."""
    return _opened(settings.classroom_folder() / "class.db")


@lru_cache(maxsize=8)
def _opened(path: Path) -> Sessions:
    return Sessions(path)


def _person(row: tuple[str, str, str]) -> Person:
    person_id, name, role = row
    return Person(person_id, name, Role(role))


def _require_person(connection: sqlite3.Connection, person_id: str) -> None:
    known = dict(connection.execute("SELECT person_id, name FROM people"))
    if person_id not in known:
        raise UnknownNameError.of("person", person_id, known.values())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

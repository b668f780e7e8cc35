"""Who is in the class, and the sessions that prove it.

A session is a random token of 256 bits that the person's browser knows; here is its SHA-256, so that whoever reads the
file cannot pass for anybody. It ends :data:`SESSION_SECONDS` after joining, however much it is used: a lesson fits
in, and a browser that was left open in a classroom does not stay somebody's for days. All is kept in a SQLite file, so
sessions outlive a restart of the app.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from aquadash import settings
from aquadash.classroom.codes import new_code, tidy
from aquadash.classroom.names import clean_name, free_name, is_reserved, key_of, looks_of
from aquadash.errors import ConfigError, NotAllowedError, StorageError, UnknownNameError
from aquadash.people import Person, Role

SESSION_SECONDS = 8 * 3600.0
#: How long a link to rejoin may be used.
REJOIN_SECONDS = 15 * 60.0
#: 22 ** 12 is 13 thousand million million: nobody finds one by trying while it may be used.
REJOIN_LENGTH = 12
#: More students with a session at the same time than any class has; so the file grows slowly whoever knows the code.
#: Teachers always have a place.
MAX_STUDENTS = 500
#: So many seconds after they last did something somebody counts as away: a phone in a pocket is quiet for minutes.
AWAY_SECONDS = 300.0
#: Seconds for which an answer about a token may be given again.
FRESH_SECONDS = 1.0
#: Seconds after which an ended session is forgotten altogether.
_KEPT_SECONDS = 30 * 86400.0
_SEEN_EVERY = 30.0

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
    """The name is somebody else's in the class, or looks like it.

    Attributes:
        suggestion: A name like it that is free.
    """

    def __init__(self, name: str, suggestion: str) -> None:
        super().__init__(
            f"There is already somebody called {name!r} in this class, and nobody could tell the two names apart. Take "
            f"another name, such as {suggestion!r}. If that is you, on another computer or after leaving, ask the "
            "teacher for a link to rejoin."
        )
        self.suggestion = suggestion


@dataclass(frozen=True)
class Joined:
    """A new session.

    Attributes:
        token: For the person's browser alone.
        person: Who it is.
    """

    token: str
    person: Person


@dataclass(frozen=True)
class Member:
    """Somebody of the class, as the teacher sees them.

    Attributes:
        person: Who.
        joined_at: When they first joined, in seconds since 1970.
        seen_at: When they last did something, to about half a minute.
        sessions: How many sessions of theirs go on.
    """

    person: Person
    joined_at: float
    seen_at: float
    sessions: int


class Sessions:
    """The people and sessions of one class.

    Args:
        path: The SQLite file.
        clock: Seconds since 1970; for tests.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Person | None]] = {}
        self._seen: dict[str, float] = {}
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600, exist_ok=True)
        with self._open() as connection:
            connection.executescript(_TABLES)

    def person_of(self, token: str | None) -> Person | None:
        """Whose session a token proves; None if it is nobody's, has expired or was ended.

        An answer may be :data:`FRESH_SECONDS` old.
        """
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
        """Begin a session under a name.

        A name that is somebody's already is given to nobody else. It is the same person's if the browser still has a
        session of theirs, or one that merely ran out, or if it is a teacher who has just shown the teacher's code.

        Args:
            name: As typed.
            role: What the code that was typed makes them.
            earlier_token: What the browser had.
            admit: Called where the class gets a name that it did not have; raises where it shall not.

        Raises:
            ConfigError: The name cannot be used, or the class is full.
            NameTakenError: It is somebody else's, or looks like theirs.
            StorageError: The file cannot be read or written.
        """
        name = clean_name(name)
        now = self._clock()
        with self._writing() as connection:
            row = connection.execute(
                "SELECT person_id, name, role FROM people WHERE name_key = ?", (key_of(name),)
            ).fetchone()
            if row is None:
                if role is Role.STUDENT and is_reserved(name):
                    raise ConfigError(
                        f"{name!r} reads like the teacher or like AquaDash itself. Take another name, such as your "
                        "first name."
                    )
                own = looks_of(name)
                if alike := [known for known, looks in _known(connection) if looks & own]:
                    raise _taken(connection, alike[0], name)
                person = self._add(connection, Person(secrets.token_hex(16), name, role), now)
                # What is not admitted is undone.
                admit()
            else:
                person = Person(row[0], row[1], Role(row[2]))
                same_browser = earlier_token is not None and self._was(connection, _hash(earlier_token), person)
                is_teacher = person.role is role is Role.TEACHER
                if not (is_teacher or (same_browser and person.role is role)):
                    raise _taken(connection, person.name, name)
                connection.execute("UPDATE people SET seen_at = ? WHERE person_id = ?", (now, person.person_id))
            return self._begin(connection, person, earlier_token, now)

    def rejoin(self, code: str, *, earlier_token: str | None = None) -> Joined:
        """Begin a session of the person whom a code of :meth:`rejoin_code` was made for.

        Args:
            code: The link's, or as typed.
            earlier_token: What the browser had.

        Raises:
            NotAllowedError: It was used, its time is over, or it never was one.
            StorageError: The file cannot be read or written.
        """
        now = self._clock()
        with self._writing() as connection:
            row = connection.execute(
                "SELECT person_id, name, role FROM people WHERE return_hash = ? AND return_until > ?",
                (_hash(tidy(code)), now),
            ).fetchone()
            if row is None:
                raise NotAllowedError(
                    f"This link works once and for {REJOIN_SECONDS / 60:.0f} minutes. Ask the teacher for a new one."
                )
            connection.execute(
                "UPDATE people SET return_hash = '', return_until = 0, seen_at = ? WHERE person_id = ?", (now, row[0])
            )
            return self._begin(connection, Person(row[0], row[1], Role(row[2])), earlier_token, now)

    def leave(self, token: str | None) -> None:
        """End a session, if it is one; nobody comes back by it."""
        if token:
            with self._writing() as connection:
                connection.execute("UPDATE sessions SET ended = 1 WHERE token_hash = ?", (_hash(token),))

    def remove(self, person_id: str) -> None:
        """End somebody's sessions; they may join again under another name, a teacher under theirs, or by a link."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE sessions SET ended = 1 WHERE person_id = ?", (self._existing(connection, person_id),)
            )

    def clear(self, makers: Container[str]) -> list[str]:
        """Forget students who made nothing and are not here, so that their names are free again.

        Here is who has asked for a page within :data:`AWAY_SECONDS`, or has a link to rejoin. Who never asked for one
        after joining was never here.

        Args:
            makers: The ids of those who made something that is kept.

        Returns:
            The names, in their order.
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
        """What a link ends with by which somebody may join again, once, within :data:`REJOIN_SECONDS`.

        Raises:
            UnknownNameError: There is nobody of that id.
        """
        code = new_code(REJOIN_LENGTH)
        with self._writing() as connection:
            connection.execute(
                "UPDATE people SET return_hash = ?, return_until = ? WHERE person_id = ?",
                (_hash(code), self._clock() + REJOIN_SECONDS, self._existing(connection, person_id)),
            )
        return code

    def people(self) -> list[Member]:
        """Everybody who has joined, teachers first, then by name."""
        now = self._clock()
        with self._open() as connection:
            rows = connection.execute(
                "SELECT person_id, name, role, joined_at, seen_at, (SELECT COUNT(*) FROM sessions s "
                "WHERE s.person_id = p.person_id AND s.ended = 0 AND s.expires_at > ?) FROM people p",
                (now,),
            ).fetchall()
        found = [Member(Person(row[0], row[1], Role(row[2])), row[3], row[4], row[5]) for row in rows]
        return sorted(found, key=lambda one: (one.person.role is not Role.TEACHER, key_of(one.person.name)))

    def _look_up(self, hashed: str, now: float) -> Person | None:
        with self._open() as connection:
            row = connection.execute(
                "SELECT p.person_id, p.name, p.role FROM sessions s JOIN people p ON p.person_id = s.person_id "
                "WHERE s.token_hash = ? AND s.ended = 0 AND s.expires_at > ?",
                (hashed, now),
            ).fetchone()
        if row is None:
            return None
        # A full disk is no reason to put the class out.
        with suppress(StorageError):
            self._note_seen(row[0], now)
        return Person(row[0], row[1], Role(row[2]))

    def _note_seen(self, person_id: str, now: float) -> None:
        if now - self._seen.get(person_id, 0.0) >= _SEEN_EVERY:
            self._seen[person_id] = now
            with self._open("BEGIN IMMEDIATE") as connection:
                connection.execute("UPDATE people SET seen_at = ? WHERE person_id = ?", (now, person_id))

    def _begin(self, connection: sqlite3.Connection, person: Person, earlier_token: str | None, now: float) -> Joined:
        token = secrets.token_urlsafe(32)
        connection.execute(
            "INSERT INTO sessions (token_hash, person_id, made_at, expires_at) VALUES (?, ?, ?, ?)",
            (_hash(token), person.person_id, now, now + SESSION_SECONDS),
        )
        if earlier_token is not None:
            # A browser is one person at a time.
            connection.execute("UPDATE sessions SET ended = 1 WHERE token_hash = ?", (_hash(earlier_token),))
        connection.execute("DELETE FROM sessions WHERE expires_at < ?", (now - _KEPT_SECONDS,))
        return Joined(token, person)

    def _add(self, connection: sqlite3.Connection, person: Person, now: float) -> Person:
        here = (
            "SELECT COUNT(DISTINCT s.person_id) FROM sessions s JOIN people p ON p.person_id = s.person_id "
            "WHERE s.ended = 0 AND s.expires_at > ? AND p.role = ?"
        )
        if (
            person.role is Role.STUDENT
            and connection.execute(here, (now, Role.STUDENT.value)).fetchone()[0] >= MAX_STUDENTS
        ):
            raise ConfigError(
                f"The class is full: {MAX_STUDENTS} students are in it. Ask the teacher, who can clear unused names."
            )
        connection.execute(
            "INSERT INTO people (person_id, name, name_key, role, joined_at, seen_at) VALUES (?, ?, ?, ?, ?, ?)",
            (person.person_id, person.name, key_of(person.name), person.role.value, now, now),
        )
        return person

    def _was(self, connection: sqlite3.Connection, hashed: str, person: Person) -> bool:
        """Whether this was a session of that person that has not been ended; that it ran out does not matter."""
        row = connection.execute("SELECT person_id, ended FROM sessions WHERE token_hash = ?", (hashed,)).fetchone()
        return row is not None and row[0] == person.person_id and not row[1]

    def _existing(self, connection: sqlite3.Connection, person_id: str) -> str:
        if connection.execute("SELECT 1 FROM people WHERE person_id = ?", (person_id,)).fetchone() is None:
            names = [name for (name,) in connection.execute("SELECT name FROM people")]
            raise UnknownNameError.of("person", person_id, names)
        return person_id

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A connection for one change, which is made whole or not at all, and after all others."""
        with self._open("BEGIN IMMEDIATE") as connection:
            yield connection
        with self._lock:
            self._known.clear()

    @contextmanager
    def _open(self, begin: str = "BEGIN") -> Iterator[sqlite3.Connection]:
        try:
            connection = sqlite3.connect(self._path, timeout=15, isolation_level=None)
        except sqlite3.Error as error:
            raise StorageError(f"{self._path} cannot be opened: {error}.") from error
        try:
            connection.execute(begin)
            yield connection
            if connection.in_transaction:
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise StorageError(
                f"{self._path} cannot be read or written: {error}. If it is damaged, move it away; people join anew."
            ) from error
        finally:
            # What was not committed is undone by closing.
            connection.close()


def open_sessions() -> Sessions:
    """The class's people and sessions.

    Raises:
        StorageError: They cannot be read.
    """
    return _opened(settings.classroom_folder() / "class.db")


def _known(connection: sqlite3.Connection) -> Iterator[tuple[str, frozenset[str]]]:
    """The names of the class, each with how it looks."""
    return ((name, looks_of(name)) for (name,) in connection.execute("SELECT name FROM people"))


def _looks(connection: sqlite3.Connection) -> set[str]:
    return {look for _, looks in _known(connection) for look in looks}


def _taken(connection: sqlite3.Connection, name: str, typed: str) -> NameTakenError:
    return NameTakenError(name, free_name(typed, _looks(connection)))


@lru_cache(maxsize=8)
def _opened(path: Path) -> Sessions:
    return Sessions(path)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

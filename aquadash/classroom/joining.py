"""Joining a class: a name and a code, and how often somebody may try.

Whoever types wrong codes, or invents many names, has to wait, longer each time. Right codes do not make up for wrong
ones: otherwise a student could try teacher codes between two joinings.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import LRUCache

from aquadash.classroom.codes import codes
from aquadash.classroom.sessions import Joined, Sessions
from aquadash.errors import NotAllowedError
from aquadash.people import Role

#: Wrong codes from one address that cost nothing: a class behind one router shares an address.
FREE_OF_ONE = 8
#: The same for all addresses together.
FREE_OF_ALL = 120
#: The longest waits, in seconds. That for all is short, or one pupil could keep everybody out.
MAX_WAIT_OF_ONE = 300.0
MAX_WAIT_OF_ALL = 10.0
#: New names from one address that cost nothing, and the longest wait after them: two classes behind one router come in
#: at once, and whoever invents names gets six a minute and needs more than an hour for :data:`.sessions.MAX_STUDENTS`.
FREE_NAMES = 60
MAX_WAIT_OF_NAMES = 10.0
#: So many seconds after the last one an address counts as new.
FORGOTTEN_AFTER = 900.0
#: Addresses that are remembered; the one that was quiet for longest makes room.
MAX_ADDRESSES = 4096


class WrongCodeError(NotAllowedError):
    """What was typed is no code of this class."""


class TooManyAttemptsError(NotAllowedError):
    """Too many wrong codes or new names came from there.

    Attributes:
        seconds: How long to wait.
    """

    def __init__(self, seconds: float, came: str = "wrong codes were typed") -> None:
        self.seconds = seconds
        super().__init__(
            f"Too many {came}. Wait {max(1, round(seconds))} s, then try again with the code that the teacher shows."
        )


@dataclass
class _Record:
    count: int = 0
    last: float = 0.0


class Attempts:
    """Counts by address and in total: wrong codes, if nothing else is said.

    Args:
        clock: Seconds that only grow; for tests.
        free_of_one: So many from one address cost nothing.
        max_wait_of_one: The longest wait of one address, in seconds.
        max_wait_of_all: The same for all addresses together.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, free_of_one: int = FREE_OF_ONE,
        max_wait_of_one: float = MAX_WAIT_OF_ONE, max_wait_of_all: float = MAX_WAIT_OF_ALL,
    ) -> None:  # fmt: skip
        #: Held while a code is looked at, so that of many tries at once each counts before the next is looked at.
        self.turn = threading.Lock()
        self._clock = clock
        self._free_of_one, self._max_wait_of_one = free_of_one, max_wait_of_one
        self._max_wait_of_all = max_wait_of_all
        self._lock = threading.Lock()
        self._of_one: LRUCache[str, _Record] = LRUCache(MAX_ADDRESSES)
        self._of_all = _Record()

    def wait_seconds(self, address: str) -> float:
        """How long this address must wait before anything of it is looked at; 0 for not at all."""
        with self._lock:
            now = self._clock()
            one = self._of_one.get(_network(address), _Record())
            return max(
                _left(one, now, free=self._free_of_one, longest=self._max_wait_of_one),
                _left(self._of_all, now, free=FREE_OF_ALL, longest=self._max_wait_of_all),
            )

    def count(self, address: str) -> None:
        """Note one more."""
        with self._lock:
            now = self._clock()
            _count(self._of_one.setdefault(_network(address), _Record()), now)
            _count(self._of_all, now)


def new_names(clock: Callable[[], float] = time.monotonic) -> Attempts:
    """Counts the names that are new to a class, by address alone: nobody waits for names from elsewhere."""
    return Attempts(clock, free_of_one=FREE_NAMES, max_wait_of_one=MAX_WAIT_OF_NAMES, max_wait_of_all=0.0)


def join(
    sessions: Sessions, attempts: Attempts, new_names: Attempts, *, name: str, code: str, address: str,
    earlier_token: str | None = None,
) -> Joined:  # fmt: skip
    """Let somebody in.

    Args:
        attempts: Counts wrong codes.
        new_names: Counts names that the class did not know; those of teachers are as many as they like.
        code: As typed: the students' or the teacher's.
        address: Where the request comes from.
        earlier_token: What the browser has from before.

    Raises:
        TooManyAttemptsError: The code was not looked at, or the name is one new name too many.
        WrongCodeError: It is none.
        ConfigError: The name cannot be used.
    """
    with attempts.turn:
        if (seconds := attempts.wait_seconds(address)) > 0:
            raise TooManyAttemptsError(seconds)
        role = codes().role_of(code)
        if role is None:
            attempts.count(address)
            raise WrongCodeError(
                "That is not the code of this class. Ask the teacher for it; capital and small letters are the same."
            )

    def admit() -> None:
        if role is Role.TEACHER:
            return
        if (seconds := new_names.wait_seconds(address)) > 0:
            raise TooManyAttemptsError(seconds, "new names came from your address")
        new_names.count(address)

    return sessions.join(name, role, earlier_token=earlier_token, admit=admit)


def _count(record: _Record, now: float) -> None:
    record.count = 1 if now - record.last > FORGOTTEN_AFTER else record.count + 1
    record.last = now


def _left(record: _Record, now: float, *, free: int, longest: float) -> float:
    """Twice as long with each one after the free ones, beginning with a second."""
    over = record.count - free
    if over <= 0 or now - record.last > FORGOTTEN_AFTER:
        return 0.0
    return max(0.0, record.last + min(longest, 2.0 ** min(over - 1, 30)) - now)


def _network(address: str) -> str:
    """What counts as one address: of IPv6 the network, in which anybody has any number of addresses."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)

"""Joining a class with a name and a code, and the rate limit of an address.

A right code does not reset the count of wrong ones: otherwise a student could join between two guesses of the
teacher's code, without a limit.
"""

import ipaddress
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import TTLCache

from aquadash.classroom.codes import codes
from aquadash.classroom.sessions import Joined, Sessions
from aquadash.errors import NotAllowedError
from aquadash.people import Role

#: Number of wrong codes that an address may type without a wait (a class may share a router), and the longest wait, in
#: seconds.
FREE_CODES, MAX_WAIT_OF_CODES = 8, 300.0
#: Number of new names of an address without a wait (two classes may share a router), and the longest wait, in seconds:
#: inventing :data:`.sessions.MAX_STUDENTS` names takes more than an hour.
FREE_NAMES, MAX_WAIT_OF_NAMES = 60, 10.0
#: Seconds without an attempt after which the count of an address is forgotten.
FORGOTTEN_AFTER = 900.0
#: Maximum number of counted addresses; beyond it the address with the oldest attempt is forgotten.
MAX_ADDRESSES = 4096
#: Seconds within which a double click sends its form again.
_SAME_FORM_SECONDS = 60.0


class WrongCodeError(NotAllowedError):
    """A wrong code was typed."""


class TooManyAttemptsError(NotAllowedError):
    """Too many wrong codes or new names came from an address."""

    def __init__(self, seconds: float, what: str) -> None:
        #: Seconds to wait.
        self.seconds = seconds
        super().__init__(
            f"Too many {what}. Wait {max(1, round(seconds))} s, then try again with the code that the teacher shows."
        )


class Attempts:
    """Counts attempts by address; after ``free`` attempts the address has to wait. ``what`` says it in the error."""

    def __init__(self, what: str, free: int, max_wait: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._what, self._free, self._max_wait, self._clock = what, free, max_wait, clock
        #: By network: the number of attempts, and the time of the last one.
        self._seen: TTLCache[str, tuple[int, float]] = TTLCache(MAX_ADDRESSES, FORGOTTEN_AFTER, timer=clock)

    def check(self, address: str) -> None:
        """Refuse an address that has to wait: 1 s after the first attempt too many, then each time twice as long."""
        count, last = self._seen.get(_network(address), (0, 0.0))
        if count > self._free:
            wait = min(self._max_wait, 2.0 ** min(count - self._free - 1, 30))
            if (seconds := last + wait - self._clock()) > 0:
                raise TooManyAttemptsError(seconds, self._what)

    def count(self, address: str) -> None:
        """Count one more attempt."""
        network = _network(address)
        count, _ = self._seen.get(network, (0, 0.0))
        self._seen[network] = (count + 1, self._clock())


@dataclass(frozen=True)
class Form:
    """The fields of the join form."""

    name: str
    code: str
    #: The code of a link to rejoin, which needs neither name nor code; empty for none.
    rejoin: str
    #: A random word that only this form has.
    once: str


class Joining:
    """Lets people into a class; the ``clock`` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        # Lock: an attempt must be counted before the next code is compared.
        self._lock = threading.Lock()
        self._wrong_codes = Attempts("wrong codes were typed", FREE_CODES, MAX_WAIT_OF_CODES, clock)
        self._new_names = Attempts("new names came from your address", FREE_NAMES, MAX_WAIT_OF_NAMES, clock)
        self._joined: TTLCache[Form, Joined] = TTLCache(1000, _SAME_FORM_SECONDS, timer=clock)

    def enter(self, sessions: Sessions, form: Form, *, address: str, earlier_token: str | None = None) -> Joined:
        """Begin a session; a form that comes a second time, as by a double click, gets the session that it began."""
        with self._lock:
            joined = self._joined.get(form)
            if joined is None or sessions.person_of(joined.token) is None:
                if form.rejoin:
                    joined = sessions.rejoin(form.rejoin, earlier_token=earlier_token)
                else:
                    joined = self._join(sessions, form, address, earlier_token)
                if form.once:
                    self._joined[form] = joined
            return joined

    def _join(self, sessions: Sessions, form: Form, address: str, earlier_token: str | None) -> Joined:
        self._wrong_codes.check(address)
        role = codes().role_of(form.code)
        if role is None:
            self._wrong_codes.count(address)
            raise WrongCodeError(
                "That is not the code of this class. Ask the teacher for it; capital and small letters are the same."
            )

        def admit() -> None:
            if role is not Role.TEACHER:
                self._new_names.check(address)
                self._new_names.count(address)

        return sessions.join(form.name, role, earlier_token=earlier_token, admit=admit)


def _network(address: str) -> str:
    """Return an IPv4 address, or the /64 network of an IPv6 address: a computer has all addresses of its network."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ipaddress.ip_network((parsed, 64), strict=False))
        parsed = parsed.ipv4_mapped
    return str(parsed)

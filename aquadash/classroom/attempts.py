"""How often somebody may try to join: whoever types wrong codes has to wait, longer each time.

Right codes do not make up for wrong ones: otherwise a student could try teacher codes between two joinings.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

#: Wrong codes from one address that cost nothing: a class behind one router shares an address.
FREE_OF_ONE = 8
#: The same for all addresses together.
FREE_OF_ALL = 120
#: The longest waits, in seconds. That for all is short, or one pupil could keep everybody out.
LONGEST_OF_ONE = 300.0
LONGEST_OF_ALL = 10.0
#: So many seconds after the last wrong code an address counts as new.
FORGOTTEN_AFTER = 900.0
#: Addresses that are remembered; the one that was quiet for longest makes room.
MOST_ADDRESSES = 4096


@dataclass
class _Record:
    failures: int = 0
    last: float = 0.0


class Attempts:
    """Counts wrong codes by address and in total.

    Args:
        clock: Seconds that only grow; for tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        #: Held while a code is looked at, so that of many tries at once each counts before the next is looked at.
        self.turn = threading.Lock()
        self._clock = clock
        self._lock = threading.Lock()
        self._of_one: OrderedDict[str, _Record] = OrderedDict()
        self._of_all = _Record()

    def wait_seconds(self, address: str) -> float:
        """How long this address must wait before a code of it is looked at; 0 for not at all."""
        with self._lock:
            now = self._clock()
            one = self._of_one.get(_network(address), _Record())
            return max(
                _left(one, now, free=FREE_OF_ONE, longest=LONGEST_OF_ONE),
                _left(self._of_all, now, free=FREE_OF_ALL, longest=LONGEST_OF_ALL),
            )

    def failed(self, address: str) -> None:
        """Note a wrong code."""
        with self._lock:
            now = self._clock()
            key = _network(address)
            _count(self._of_one.setdefault(key, _Record()), now)
            self._of_one.move_to_end(key)
            while len(self._of_one) > MOST_ADDRESSES:
                self._of_one.popitem(last=False)
            _count(self._of_all, now)

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._of_one)


def _count(record: _Record, now: float) -> None:
    record.failures = 1 if now - record.last > FORGOTTEN_AFTER else record.failures + 1
    record.last = now


def _left(record: _Record, now: float, *, free: int, longest: float) -> float:
    """Twice as long with each failure after the free ones, beginning with a second."""
    over = record.failures - free
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

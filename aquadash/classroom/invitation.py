"""How people find the class: the addresses of this machine, and a picture of the address that phones can read."""

from __future__ import annotations

import io
import ipaddress
import socket
from urllib.parse import urlencode

import psutil
import segno

#: Where people join, below the app's address.
JOIN_PATH = "/class/join"
#: Where a form is sent to that makes somebody leave.
LEAVE_PATH = "/class/leave"


def addresses() -> list[str]:
    """The IP addresses at which other machines may find this one, the likeliest first; IPv4 only.

    Interfaces of containers and virtual machines are among them: nobody can tell which of them the class is in.
    """
    found = []
    states = psutil.net_if_stats()
    for name, entries in psutil.net_if_addrs().items():
        if name in states and not states[name].isup:
            continue
        for entry in entries:
            if entry.family == socket.AF_INET:
                address = ipaddress.ip_address(entry.address)
                if not (address.is_loopback or address.is_link_local):
                    found.append((name, entry.address))
    way_out = _way_out()
    return [address for _, address in sorted(found, key=lambda one: (one[1] != way_out, _virtual(one[0]), one[1]))]


def join_address(base: str, code: str | None = None) -> str:
    """Where to join.

    Args:
        base: The app's address without a slash at the end: ``"http://192.168.1.5:8501"``.
        code: The students' code, to be typed by nobody.
    """
    return f"{base}{JOIN_PATH}" + (f"?{urlencode({'code': code})}" if code else "")


def rejoin_address(base: str, code: str) -> str:
    """The link by which somebody joins again, with the code that was made for them; ``base`` as above."""
    return f"{base}{JOIN_PATH}?{urlencode({'rejoin': code})}"


def qr_svg(address: str) -> str:
    """A QR code as SVG, dark on white with the quiet zone that readers need, whatever the page's colours are."""
    made = segno.make(address, error="m", micro=False)
    out = io.BytesIO()
    made.save(out, kind="svg", xmldecl=False, nl=False, border=4, dark="#000000", light="#ffffff", omitsize=True)
    return out.getvalue().decode()


def qr_text(address: str) -> str:
    """A QR code for a terminal, two rows of it in a line."""
    out = io.StringIO()
    segno.make(address, error="m", micro=False).terminal(out, border=2, compact=True)
    return out.getvalue()


def _way_out() -> str | None:
    """This machine's address on the way to others. Nothing is sent: UDP knows no connection."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
    except OSError:
        return None


def _virtual(interface: str) -> bool:
    return interface.startswith(("docker", "br-", "veth", "virbr", "vmnet", "tun", "tap"))

"""The addresses at which a class finds this machine, and their QR codes."""

import io
import ipaddress
import socket
from urllib.parse import urlencode

import psutil
import segno

#: Where people join, below the app's address.
JOIN_PATH = "/class/join"
#: Target of the form that ends the visitor's session.
LEAVE_PATH = "/class/leave"


def addresses() -> list[str]:
    """Return the IPv4 addresses of this machine, the likeliest first; those of containers and virtual machines last."""
    interfaces = []
    states = psutil.net_if_stats()
    for name, entries in psutil.net_if_addrs().items():
        if name in states and not states[name].isup:
            continue
        for entry in entries:
            if entry.family == socket.AF_INET:
                address = ipaddress.ip_address(entry.address)
                if not (address.is_loopback or address.is_link_local):
                    interfaces.append((name, entry.address))
    way_out = _way_out()
    return [address for _, address in sorted(interfaces, key=lambda one: (one[1] != way_out, _virtual(one[0]), one[1]))]


def join_address(base: str, code: str) -> str:
    """Return the address of the join form, with the students' code filled in; ``base`` ends without a slash."""
    return f"{base}{JOIN_PATH}?{urlencode({'code': code})}"


def rejoin_address(base: str, code: str) -> str:
    """Return the link to rejoin with a code of :meth:`.sessions.Sessions.rejoin_code`."""
    return f"{base}{JOIN_PATH}?{urlencode({'rejoin': code})}"


def qr_svg(address: str) -> str:
    """Return a QR code as SVG, black on white in both themes, with the quiet zone that readers need."""
    made = segno.make(address, error="m", micro=False)
    out = io.BytesIO()
    made.save(out, kind="svg", xmldecl=False, nl=False, border=4, dark="#000000", light="#ffffff", omitsize=True)
    return out.getvalue().decode()


def qr_text(address: str) -> str:
    """Return a QR code for a terminal, two rows of it in a line."""
    out = io.StringIO()
    segno.make(address, error="m", micro=False).terminal(out, border=2, compact=True)
    return out.getvalue()


def _way_out() -> str | None:
    """Return the address of the interface with the default route; connecting a UDP socket sends nothing."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
    except OSError:
        return None


def _virtual(interface: str) -> bool:
    return interface.startswith(("docker", "br-", "veth", "virbr", "vmnet", "tun", "tap"))

"""The invitation in large type: address, code and QR code."""

import base64
import html
from urllib.parse import urlsplit

import streamlit as st

from aquadash import settings
from aquadash.classroom import codes
from aquadash.classroom.invitation import addresses, join_address, qr_svg
from aquadash.people import Role
from aquadash.ui.kit import shell
from aquadash.ui.kit.lab import lab, visitor

_TICK_SECONDS = 5.0

_CSS = """
<style>
.aqua-invite { display: flex; flex-wrap: wrap; gap: 2rem; align-items: center; }
.aqua-invite img { width: min(22rem, 80vw); height: auto; display: block; border-radius: 0.6rem; }
.aqua-invite dt { opacity: 0.82; margin: 0; } .aqua-invite dd { margin: 0 0 1rem; font-weight: 700; line-height: 1.2; }
.aqua-invite .aqua-address { font-size: clamp(1.1rem, 3.2vw, 2.2rem); overflow-wrap: anywhere; }
.aqua-invite .aqua-code { font-size: clamp(2.4rem, 9vw, 5.5rem); letter-spacing: 0.08em; font-family: monospace; }
</style>
"""


def render_invitation() -> None:
    """Draw the invitation; for the teacher also the teacher's code and buttons for new codes."""
    base = app_address()
    # The code may be renewed in another window.
    shell.live(_TICK_SECONDS)(lambda: _draw(base, lab().people.student_code()))()
    if visitor().leads:
        _teacher()


def app_address() -> str:
    """Return the address at which others reach the app: this page's, but with a network address for "localhost"."""
    if (said := settings.public_address()) is not None:
        return said
    here = urlsplit(st.context.url or "")
    host = here.hostname or "localhost"
    if host in ("localhost", "127.0.0.1", "::1", "0.0.0.0"):
        host = next(iter(addresses()), host)
    port = f":{here.port}" if here.port else ""
    return f"{here.scheme or 'http'}://{f'[{host}]' if ':' in host else host}{port}"


def _draw(base: str, code: str) -> None:
    picture = qr_picture(join_address(base, code), alt="QR code of the address to join")
    shown = html.escape(base.removeprefix("http://"))
    st.html(
        f"{_CSS}<div class='aqua-invite'>{picture}"
        f"<dl><dt>Open in a browser</dt><dd class='aqua-address'>{shown}</dd>"
        f"<dt>Code</dt><dd class='aqua-code'>{html.escape(codes.spaced(code))}</dd></dl></div>"
    )


def qr_picture(address: str, *, alt: str) -> str:
    """Return a QR code as an HTML image, since Streamlit removes inline SVG."""
    picture = base64.b64encode(qr_svg(address).encode()).decode()
    return f"<img src='data:image/svg+xml;base64,{picture}' alt='{html.escape(alt, quote=True)}'>"


def _teacher() -> None:
    _renew_button(Role.STUDENT, help="Students who have joined stay in. The old code no longer works.")
    with st.expander("The teacher's code", icon="🔑", key="teacher-code", on_change="rerun") as opened:
        if opened.open:
            st.markdown("It gives full control of the class. Do not show it on the projector.")
            st.code(codes.spaced(lab().people.codes().teacher), language=None)
            _renew_button(Role.TEACHER)


def _renew_button(role: Role, help: str | None = None) -> None:
    label, key = f"New {role.value} code", f"renew-{role.value}"
    st.button(label, key=key, icon=":material/autorenew:", help=help, on_click=_renew, args=(role,))


def _renew(role: Role) -> None:
    with shell.guard():
        lab().people.renew_code(role)
        st.toast("There is a new code.", icon="🔑")

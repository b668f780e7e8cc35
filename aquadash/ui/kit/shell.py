"""The frame of every page: its head, runs of an earlier version, and errors as messages instead of tracebacks."""

import functools
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import streamlit as st

from aquadash.errors import AquaDashError
from aquadash.pages import ME, PAGES
from aquadash.ui.kit import address, admission, datasets, warmup
from aquadash.ui.kit.admission import Admission
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import count, plain

_LOG = logging.getLogger(__name__)

T = TypeVar("T")

DOUBLE_CLICK_SECONDS = 2.0

_FAILED, _UPGRADED = "shell:failed", "upgrade:done"
#: Seconds that a failure stays on the page, also when its part is drawn again.
_FAILED_SECONDS = 20.0


@contextmanager
def page(name: str) -> Iterator[None]:
    """Frame a page of :data:`aquadash.pages.PAGES`: ``with shell.page("data"): ...``."""
    with bare_page():
        address.enter(name, shared=(datasets.SOURCE, ME))
        record = PAGES[name]
        render_head(f"{record.icon} {record.heading or record.title}", question=record.question)
        datasets.render_menu(name)
        with guard():
            _render_upgrade(name)
        yield


def render_head(title: str, *, question: str) -> None:
    """Draw a page's title and its question, in one line where the screen is wide enough."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="page-head"):
        st.title(title, anchor=False, width="content")
        st.markdown(question, width="content")


def _render_upgrade(page: str) -> None:
    """Say on every page that runs of an earlier version are not shown yet; on Home, offer to bring them over."""
    if page == "home" and _UPGRADED in st.session_state:
        _upgrade_result()
    if not lab().runs.may_upgrade():
        return
    with st.container(border=True, key="upgrade"):
        st.markdown("**An earlier version of AquaDash has left its runs here.** They are not shown yet.")
        if page != "home":
            st.page_link("pages/home.py", label="Bring them over on Home")
            return
        st.markdown(
            "One click copies its runs, searches and waiting trainings into the new database beside the old files. "
            "Nothing old is changed or deleted. Stop the earlier version first. It takes a few seconds."
        )
        place = st.empty()
        if place.button("Bring them over", type="primary", key="upgrade-start"):
            bar = place.progress(0.0, text="Starting ...")

            def show(text: str, fraction: float | None) -> None:
                bar.progress(fraction or 0.0, text=plain(f"{text} ..."))

            st.session_state[_UPGRADED] = lab().runs.upgrade(progress=show)
            st.rerun()


def _upgrade_result() -> None:
    done = st.session_state[_UPGRADED]
    st.success(f"{count(done.runs, 'run')} and {count(done.searches, 'search', 'searches')} are here now.")
    if done.damaged:
        st.warning("These could not be read:\n" + "\n".join(f"- {plain(line)}" for line in done.damaged), icon="🚧")


@contextmanager
def bare_page(*, open_to_all: bool = False) -> Iterator[None]:
    """:func:`page` without the head, for a full screen; ``open_to_all`` admits visitors outside the class."""
    address.begin()
    warmup.start()
    try:
        if not open_to_all and admission.now() is Admission.JOIN:
            # Second check: the frame of a class has refused the visitor already.
            st.error("Join the class to see this page.", icon="🚪")
            st.stop()
        with guard():
            yield
    finally:
        address.drawn()


@contextmanager
def guard() -> Iterator[None]:
    """Show an error inside the block as a message, and draw the rest of the page."""
    try:
        yield
    except Exception as error:  # Streamlit's own control flow (rerun, stop) is no Exception and passes.
        if not isinstance(error, AquaDashError):
            _LOG.exception("A page failed")
        render_error(error)


def live(
    run_every: float | None, *, open_to_all: bool = False
) -> Callable[[Callable[..., object]], Callable[..., None]]:
    """Draw a part of a page every ``run_every`` seconds, guarded: ``@shell.live(2.0)`` over a function.

    With ``open_to_all`` it is drawn also after the visitor's session has ended or the page was locked.
    """

    def decorate(draw: Callable[..., object]) -> Callable[..., None]:
        @functools.wraps(draw)
        def guarded(*args: Any, **kwargs: Any) -> None:
            # The session may have ended, or the page been locked, since the page was drawn.
            if not open_to_all and admission.now() is not Admission.PAGE:
                address.draw_again()
            with guard():
                draw(*args, **kwargs)

        return st.fragment(guarded, run_every=run_every)

    return decorate


def launch_once(key: str, launch: Callable[[], T]) -> T:
    """Return the result of ``launch``; the second click of a double click returns the result of the first.

    The second click ends the first script at its next element, so the second script has to show the result.
    """
    # Change the dictionary in place: Streamlit may end the script when it reads the session again.
    last: dict[str, Any] = st.session_state.setdefault(key, {})
    if last.get("result") is None or time.monotonic() - last["at"] >= DOUBLE_CLICK_SECONDS:
        with st.spinner("Launching ..."):
            last.update(result=launch(), at=time.monotonic())
    result: T = last["result"]
    return result


def render_action_button(label: str, work: Callable[[], object], **options: Any) -> None:
    """Draw a button that does the work and draws the page again, or shows the error."""
    if st.button(label, **options):
        with guard():
            work()
            st.rerun()


def attempt(work: Callable[..., object], *arguments: object) -> None:
    """Do the work in a callback, which cannot draw; :func:`render_failure` shows its error."""
    fail("")
    try:
        work(*arguments)
    except AquaDashError as error:
        fail(str(error))


def fail(message: str) -> None:
    """Set the message of :func:`render_failure`; empty for none."""
    st.session_state[_FAILED] = (message, time.monotonic())


def render_attempt_button(label: str, work: Callable[..., object], *arguments: object, **options: Any) -> bool:
    """Draw a button that attempts the work in its callback; return whether it was clicked."""
    return st.button(label, on_click=attempt, args=(work, *arguments), **options)


def render_failure() -> None:
    """Show the error of the last :func:`attempt` for some seconds."""
    message, at = st.session_state.get(_FAILED, ("", 0.0))
    if message and time.monotonic() - at < _FAILED_SECONDS:
        st.error(plain(message), icon="🚧")


def render_stop_button(
    stop: Callable[[], object],
    *,
    stop_requested: bool,
    key: str,
    label: str = "Stop",
    help: str | None = None,
    may: bool = True,
) -> None:
    """Draw the button that stops a job; disabled once it was pressed, and where the visitor ``may`` stop nothing."""
    label = "Stopping ..." if stop_requested and may else label
    disabled = stop_requested or not may
    render_action_button(label, stop, key=key, icon="✋", help=help if may else None, disabled=disabled)


def render_error(error: Exception) -> None:
    """Show the message of an error of ours, and a general one for others."""
    if isinstance(error, AquaDashError):
        text = str(error)
    elif isinstance(error, OSError):
        text = f"The computer refused: {error.strerror or type(error).__name__}. Is the disk full or read-only?"
    else:
        text = (
            "Something went wrong that AquaDash did not expect. Nothing that was stored is lost; the details are in "
            "the console that it was started from."
        )
    st.error(plain(text), icon="🚧")

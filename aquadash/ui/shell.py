"""The frame of every page: its head, and errors shown as messages instead of tracebacks."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import streamlit as st

from aquadash import settings
from aquadash.errors import AquaDashError
from aquadash.pages import PAGES
from aquadash.ui import address, datasets, upgrading, warmup
from aquadash.ui.text import plain

_LOG = logging.getLogger(__name__)

T = TypeVar("T")

_DOUBLE_CLICK_SECONDS = 2.0

_FAILED = "shell:failed"
#: So long it is said what failed: parts that draw themselves again would take it away before it is read.
_FAILED_SECONDS = 20.0


@contextmanager
def page(name: str) -> Iterator[None]:
    """Frame a page of :data:`aquadash.pages.PAGES`: ``with shell.page("data"): ...``."""
    with bare_page():
        address.enter(name, shared=(datasets.SOURCE,))
        record = PAGES[name]
        head(f"{record.icon} {record.heading or record.title}", question=record.question)
        datasets.choose()
        with guard():
            upgrading.render_notice(name)
        yield


def head(title: str, *, question: str) -> None:
    """A page's title and the one question that it answers, in one line where the screen is wide enough."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="page-head"):
        st.title(title, anchor=False, width="content")
        st.markdown(question, width="content")


@contextmanager
def bare_page(*, open_to_all: bool = False) -> Iterator[None]:
    """:func:`page` without the head, for what fills the screen; ``open_to_all`` for visitors outside the class, too."""
    address.begin()
    warmup.start()
    try:
        if not open_to_all and _admission() == "join":
            # The frame around the pages never lets it come so far; this is for a page that somebody draws without.
            st.error("Join the class to see this page.", icon="🚪")
            st.stop()
        with guard():
            yield
    finally:
        address.drawn()


@contextmanager
def guard() -> Iterator[None]:
    """Show what goes wrong inside as a message, and let the rest of the page be drawn."""
    try:
        yield
    except Exception as error:  # Streamlit's own control flow (rerun, stop) is no Exception and passes.
        if not isinstance(error, AquaDashError):
            _LOG.exception("A page failed")
        show_error(error)


def live(
    run_every: float | None, *, open_to_all: bool = False
) -> Callable[[Callable[..., object]], Callable[..., None]]:
    """A part of a page that is drawn again by itself, guarded: ``@shell.live(2.0)`` over a function.

    Args:
        run_every: Seconds between drawings, None for none: what has ended needs no watching.
        open_to_all: Draw it also after the visitor's time in the class is over or the page was locked.
    """

    def decorate(draw: Callable[..., object]) -> Callable[..., None]:
        @functools.wraps(draw)
        def guarded(*args: Any, **kwargs: Any) -> None:
            # A session may have ended since the page around was drawn, or the page been locked.
            if not open_to_all and _admission() != "page":
                address.draw_again()
            with guard():
                draw(*args, **kwargs)

        return st.fragment(guarded, run_every=run_every)

    return decorate


def launch_once(key: str, launch: Callable[[], T]) -> T:
    """What ``launch`` gives; the second click of a double click launches nothing and gives the same once more.

    A click that waits ends the script before it where that next draws something or reads the session, at the latest
    when the spinner goes: the second one has to show what the first has launched.
    """
    # Changed in place: that does not read the session.
    last: dict[str, Any] = st.session_state.setdefault(key, {})
    if last.get("result") is None or time.monotonic() - last["at"] >= _DOUBLE_CLICK_SECONDS:
        with st.spinner("Launching ..."):
            last.update(result=launch(), at=time.monotonic())
    result: T = last["result"]
    return result


def action_button(label: str, work: Callable[[], object], **options: Any) -> None:
    """A button that, when pressed, does the work and draws the page again, or says what went wrong."""
    if st.button(label, **options):
        with guard():
            work()
            st.rerun()


def attempt(work: Callable[..., object], *arguments: object) -> None:
    """Do something where nothing can be drawn, as in a callback: :func:`show_failure` says what went wrong."""
    fail("")
    try:
        work(*arguments)
    except AquaDashError as error:
        fail(str(error))


def fail(message: str) -> None:
    """Have :func:`show_failure` say this, and nothing older; nothing at all where it is empty."""
    st.session_state[_FAILED] = (message, time.monotonic())


def show_failure() -> None:
    """Say for a while what went wrong with the last :func:`attempt`."""
    message, at = st.session_state.get(_FAILED, ("", 0.0))
    if message and time.monotonic() - at < _FAILED_SECONDS:
        st.error(plain(message), icon="🚧")


def stop_button(
    stop: Callable[[], object], *, asked: bool, key: str, label: str = "Stop", help: str | None = None, may: bool = True
) -> None:
    """The :func:`action_button` that stops what is at work.

    It is disabled once it has been ``asked``, and where there is nothing that the visitor ``may`` stop.
    """
    label = "Stopping ..." if asked and may else label
    disabled = asked or not may
    action_button(label, stop, key=key, icon="✋", help=help if may else None, disabled=disabled)


def _admission() -> str:
    """What the visitor may see, as :class:`aquadash.ui.classroom.admission.Admission` says it: all without a class."""
    if not settings.classroom():
        return "page"
    from aquadash.ui.classroom import admission

    return admission.now()


def show_error(error: Exception) -> None:
    """Show an error's message; of errors not meant for people only that there was one."""
    if isinstance(error, AquaDashError):
        st.error(plain(str(error)), icon="🚧")
    elif isinstance(error, OSError):
        st.error(
            plain(f"The computer refused: {error.strerror or type(error).__name__}. Is the disk full or read-only?"),
            icon="🚧",
        )
    else:
        st.error(
            "Something went wrong that AquaDash did not expect. Nothing that was stored is lost; the details are in "
            "the console that it was started from.",
            icon="🚧",
        )

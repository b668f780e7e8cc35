"""The frame of every page: its head, and errors shown as messages instead of tracebacks."""

from __future__ import annotations

import functools
import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import streamlit as st

from aquadash import settings
from aquadash.errors import AquaDashError
from aquadash.pages import PAGES
from aquadash.ui import datasets, warmup
from aquadash.ui.text import plain

_LOG = logging.getLogger(__name__)

T = TypeVar("T")

_DOUBLE_CLICK_SECONDS = 2.0


@contextmanager
def page(name: str) -> Iterator[None]:
    """Frame a page of :data:`aquadash.pages.PAGES`: ``with shell.page("data"): ...``."""
    with bare_page():
        record = PAGES[name]
        head(f"{record.icon} {record.heading or record.title}", question=record.question)
        datasets.choose()
        yield


def head(title: str, *, question: str) -> None:
    """A page's title and the one question that it answers, in one line where the screen is wide enough."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="page-head"):
        st.title(title, anchor=False, width="content")
        st.markdown(question, width="content")


@contextmanager
def bare_page(*, open_to_all: bool = False) -> Iterator[None]:
    """:func:`page` without the head, for what fills the screen by itself.

    Args:
        open_to_all: Draw it for those, too, who have not joined the class.
    """
    warmup.start()
    st.html(_CSS)
    try:
        if not open_to_all and _admission() == "join":
            # The frame around the pages never lets it come so far; this is for a page that somebody draws without.
            st.error("Join the class to see this page.", icon="🚪")
            st.stop()
        with guard():
            yield
    finally:
        warmup.page_drawn()


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
                st.rerun()
            with guard():
                draw(*args, **kwargs)

        return st.fragment(guarded, run_every=run_every)

    return decorate


def launch_once(key: str, launch: Callable[[], T]) -> T | None:
    """What ``launch`` gives; the second click of a double click launches nothing and gives None.

    Args:
        key: Of the moment of the last launch, in the session.
        launch: Puts what was asked for into the queue.
    """
    now = time.monotonic()
    if now - st.session_state.get(key, -math.inf) < _DOUBLE_CLICK_SECONDS:
        return None
    st.session_state[key] = now
    try:
        with st.spinner("Launching ..."):
            return launch()
    except Exception:
        # A second try at once is no double click.
        del st.session_state[key]
        raise


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


#: Lines and tracks take the text's own colour, thinned, so that they suit the light and the dark theme alike. The
#: ``!important`` is against the framework's own rules: indented lists, captions and words of charts too faint for weak
#: eyes, links cut off where the screen ends, and white text on buttons and chips even where the dark theme makes them
#: bright.
_CSS = """
<style>
[data-testid="stMainBlockContainer"] { padding-left: 2rem; padding-right: 2rem; }
.st-key-page-head { row-gap: 0; }
.st-key-page-head h1 { font-size: 1.5rem; padding: 0; white-space: nowrap; }
/* Beside an open sidebar nothing of the framework's own stands over the title. */
@media (min-width: 768px) {
  .stApp:has([data-testid="stSidebar"][data-collapsed="false"]) [data-testid="stMainBlockContainer"] {
    padding-top: 0.75rem !important; }
  .stApp:has([data-testid="stSidebar"][data-collapsed="false"]) .st-key-page-head { padding-right: 2.5rem; }
  .stApp:has([data-testid="stSidebar"][data-collapsed="false"]) [data-testid="stHeader"] {
    background: none; pointer-events: none; }
  [data-testid="stHeader"] [data-testid="stToolbarActions"], [data-testid="stHeader"] button { pointer-events: auto; }
}
/* Between phone and desk the sidebar is a strip of signs, which opens over the page while it is used. */
@media (min-width: 768px) and (max-width: 1000px) {
  [data-testid="stSidebar"][data-collapsed="false"]:not(:hover, :focus-within) {
    min-width: 3.5rem !important; width: 3.5rem !important; overflow: hidden; }
  [data-testid="stSidebar"][data-collapsed="false"]:not(:hover, :focus-within) [data-testid="stSidebarNav"] {
    width: 220px; margin-left: -0.75rem; }
  [data-testid="stSidebar"]:not(:hover, :focus-within) [data-testid="stSidebarUserContent"] { opacity: 0; }
  [data-testid="stSidebar"][data-collapsed="false"]:is(:hover, :focus-within) { margin-right: calc(3.5rem - 220px); }
}
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] { padding-left: 1rem; padding-right: 1rem; } }
.js-plotly-plot :is(.xtick, .ytick) text, .js-plotly-plot :is(.legendtext, .xtitle, .ytitle, .gtitle, .cbtitle) {
  fill: currentColor !important; }
span[data-tag-index] * { color: light-dark(#ffffff, #08202c) !important; }
[data-testid="stCaptionContainer"] { opacity: 0.82 !important; }
[data-testid^="stBaseButton-primary"]:not(:disabled) { color: light-dark(#ffffff, #08202c) !important; }
[data-testid="stPageLink-NavLink"] :is(span, div, p):not([data-testid="stIconMaterial"]) {
  white-space: normal !important; }
/* Train: the form is a panel of 320 pixels that scrolls by itself, so that its button and the run beside it stay in
   sight. On a narrow screen the button keeps to the bottom, and a run at work comes before the form. */
:has(> .st-key-launch-bar) { position: sticky; bottom: 0; z-index: 2; }
.st-key-launch-bar { padding: 0.25rem 0; background: light-dark(#fbfdfe, #08202c); }
:is(.st-key-run-head, .st-key-search-head) > :first-child { flex: 1 1 14rem; }
.st-key-run-figures > * { flex: 1 1 8rem; min-width: 0; }
.st-key-run-figures [data-testid="stMetric"] { padding: 0.5rem 0.6rem; min-height: 6.25rem; }
.st-key-run-figures [data-testid="stMetric"] > * { padding: 0; }
.st-key-run-figures [data-testid="stMetricLabel"] p { font-size: 0.75rem; }
.st-key-run-figures [data-testid="stMetricValue"] { font-size: 1.5rem; }
.st-key-run-status { min-height: 3.25rem; }
.st-key-run-notes { min-height: 10rem; }
@media (min-width: 1001px) {
  [data-testid="stColumn"]:has(.st-key-train-panel) { flex: 0 0 20rem; min-width: 20rem; }
  :has(> .st-key-train-panel) { position: sticky; top: 0.75rem; }
  .st-key-train-panel { max-height: calc(100vh - 8rem); overflow: hidden auto; padding: 0 0.5rem 0 0.25rem; }
}
@media (max-width: 1000px) {
  [data-testid="stHorizontalBlock"]:has(> [data-testid="stColumn"] .st-key-train-panel) { flex-direction: column;
    flex-wrap: nowrap; }
  [data-testid="stHorizontalBlock"]:has(> * .st-key-train-panel) > [data-testid="stColumn"] { width: 100%; flex: none; }
  [data-testid="stHorizontalBlock"]:has(> * .st-key-train-panel):has([class*="st-key-stop-"] button:enabled)
    > [data-testid="stColumn"]:last-child { order: -1; }
}
@media (max-width: 767px) {
  .st-key-launch-bar { position: fixed; left: 0; bottom: 0; width: 100%; z-index: 100; padding: 0.5rem 1rem; }
}
ul.aqua-cards { list-style: none; margin: 0 !important; padding: 0 0 0.25rem !important; display: grid; gap: 0.75rem;
  grid-template-columns: repeat(auto-fill, minmax(min(var(--aqua-size, 6rem), 100%), 1fr)); overflow-x: auto; }
ul.aqua-cards > li { margin: 0 !important; padding: 0 !important; }
.aqua-card { margin: 0; font-size: 0.8125rem; line-height: 1.3; max-width: 16rem; }
.aqua-card img { width: 100%; max-height: 18rem; display: block; border-radius: 0.35rem; object-fit: contain; }
.aqua-card img.aqua-pixels { image-rendering: pixelated; }
.aqua-card figcaption { margin-top: 0.25rem; overflow-wrap: anywhere; }
.aqua-card .aqua-sub { opacity: 0.82; }
.aqua-opens { all: unset; display: block; width: 100%; cursor: zoom-in; border-radius: 0.35rem; }
.aqua-opens:focus-visible { outline: 0.15rem solid; outline-offset: 0.1rem; }
ul.aqua-bars { list-style: none; margin: 0.25rem 0 0 !important; padding: 0 !important; }
ul.aqua-bars li { display: grid; grid-template-columns: 1fr 2.6rem; column-gap: 0.4rem; margin: 0 0 0.2rem !important;
  padding: 0 !important; font-size: 0.75rem; }
.aqua-bars .aqua-number { text-align: right; font-variant-numeric: tabular-nums; }
.aqua-bars .aqua-track { grid-column: 1 / 3; height: 0.3rem; border-radius: 0.15rem;
  background: color-mix(in srgb, currentColor 15%, transparent); }
.aqua-bars .aqua-fill { height: 100%; border-radius: 0.15rem; }
/* Home and Predict: a picture beside its answer; Home's cards, links as a whole. */
.aqua-answer { max-width: none; container-type: inline-size; display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; }
.aqua-answer > div { min-width: 0; }
.aqua-answer p { font-size: 0.875rem; }
.aqua-said { display: flex; flex-wrap: wrap; gap: 0.75rem; }
.aqua-answer p.aqua-verdict { margin: 0 0 0.4rem; font-size: 1.1rem; font-weight: 600; line-height: 1.2;
  overflow-wrap: anywhere; }
@container (min-width: 300px) { .aqua-answer p.aqua-verdict { font-size: 1.35rem; } }
@container (min-width: 480px) { .aqua-answer p.aqua-verdict { font-size: 1.9rem; } }
.st-key-home-answer { min-height: 21rem; justify-content: space-between; }
.st-key-home-picture [data-testid="stFileUploaderDropzone"] { min-height: 5.5rem; align-items: center; }
[class*="st-key-home-card-"] { position: relative; gap: 0.25rem; }
[class*="st-key-home-card-"]:is(:hover, :focus-within) { border-color: var(--primary-color, currentColor); }
[class*="st-key-home-card-"] a::after { content: ""; position: absolute; inset: 0; }
[class*="st-key-home-card-"] a { padding: 0; }
.aqua-strip { display: flex; gap: 0.3rem; height: 4rem; }
.aqua-strip img { flex: 1 1 0; min-width: 0; max-height: 4rem; border-radius: 0.35rem; image-rendering: pixelated; }
.aqua-operator { display: flex; gap: 0.6rem; align-items: flex-start; font-size: 0.8125rem; line-height: 1.35;
  margin-bottom: 0.6rem; }
.aqua-operator img { width: 4rem; height: 4rem; flex: none; border-radius: 0.35rem; image-rendering: pixelated; }
.aqua-operator .aqua-sub { opacity: 0.82; }
[class*="st-key-step"][class*="-fold"] button { justify-content: flex-start; text-align: left; }
[class*="st-key-step"][class*="-fold"] button :is(div, span) { white-space: normal; text-align: left;
  justify-content: flex-start; }
[class*="st-key-step"][class*="-fold"] button > * { width: 100%; }
[class*="st-key-step"]:not([class*="-slot"])[data-testid="stVerticalBlock"] { padding: 0.5rem 0.6rem; }
/* Augment's steps and images stand beside each other where there is room for both. */
@media (min-width: 1001px) {
  [data-testid="stColumn"]:has(.st-key-studio-view) { position: sticky; top: 4rem; align-self: flex-start; }
}
@media (max-width: 1000px) {
  [data-testid="stHorizontalBlock"]:has(> [data-testid="stColumn"] .st-key-studio-view) { flex-wrap: wrap; }
  [data-testid="stHorizontalBlock"]:has(.st-key-studio-view) > [data-testid="stColumn"] { min-width: 100%; }
}
/* Evaluate: the run, its scores and the second run in one row, the tabs below; on a phone the tabs come second. */
.st-key-evaluate-head > :has(.st-key-section-group) { flex-basis: 100%; }
.st-key-evaluate-head [data-testid="stMetricValue"] { font-size: 1.5rem; line-height: 1.2; }
@media (min-width: 641px) { .st-key-evaluate-scores { min-height: 5.25rem; min-width: 24.25rem; } }
.st-key-section-group button { font-weight: 600; }
@media (max-width: 640px) {
  .st-key-evaluate-head > .st-key-run { order: -2; flex-basis: 100%; }
  .st-key-evaluate-head > :has(.st-key-section-group) { order: -1; }
  .st-key-evaluate-scores { column-gap: 0.5rem; }
  .st-key-evaluate-scores [data-testid="stMetricDelta"] { font-size: 0.75rem; padding: 0 0.25rem; }
  .st-key-mistakes { gap: 0.5rem; }
  .st-key-mistakes button { min-height: 2rem; padding: 0.1rem 0.5rem; }
}
.st-key-verdict > :first-child p { font-size: 1.2rem; line-height: 1.4; }
/* As high as what stands there until it is loaded. */
.st-key-on { min-height: 2.5rem; }
@media (max-width: 640px) {
  ul.aqua-cards { gap: 0.4rem; }
  .aqua-card { font-size: 0.6875rem; }
  ul.aqua-bars li { font-size: 0.6875rem; }
}
</style>
"""

"""Walkthrough: the report, section by section, with something to try and a question in each."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from aquadash.data import Dataset
from aquadash.pages import ME
from aquadash.ui.kit import address, bound, image_dialog, lesson_progress, shell
from aquadash.ui.kit.sections import Section, Sections
from aquadash.ui.walkthrough import about_data, about_run, parts
from aquadash.walkthrough import LESSONS
from aquadash.walkthrough.progress import LessonProgress

#: The functions that draw the sections of :data:`LESSONS`, by what they are about. A new section is a line here and one
#: there.
ABOUT_DATA: dict[str, Callable[[Any], None]] = {
    "extraction": about_data.extraction,
    "augmentation": about_data.augmentation,
    "copies": about_data.copies,
    "normalization": about_data.normalization,
    "convolution": about_data.convolution,
    "dense": about_data.dense,
}
ABOUT_RUN: dict[str, Callable[[Any], None]] = {
    "loss": about_run.loss,
    "stopping": about_run.stopping,
    "training": about_run.training,
    "predictions": about_run.predictions,
    "matrix": about_run.matrix,
    "curves": about_run.curves,
    "result": about_run.result,
    "recommendation": about_run.recommendation,
}

SECTIONS: Sections[[Any], None] = Sections(
    "lesson",
    "Section",
    {
        word: Section(f"{number}. {lesson.title}", (ABOUT_DATA | ABOUT_RUN)[word])
        for number, (word, lesson) in enumerate(LESSONS.items(), 1)
    },
)

#: Parameters that stay when the section changes.
_KEPT = {ME, SECTIONS.name, "run", "source"}

_WORDS = list(LESSONS)


def render() -> None:
    """Draw the page."""
    with shell.page("walkthrough"), st.container(key="in-order"):
        done = lesson_progress.read()
        _progress(done)
        word = _menu()
        lesson = LESSONS[word]
        st.subheader(f"{lesson.title} ✅" if word in done.solved else lesson.title, anchor=False)
        st.caption(f"In the report: {lesson.heading} · about {lesson.minutes} minutes")
        with shell.guard():
            _section(word)
        with st.container(key="corrections"):
            parts.corrections(word)
        if (place := _WORDS.index(word) + 1) < len(_WORDS):
            label, icon = f"Go on to {LESSONS[_WORDS[place]].title}", ":material/arrow_forward:"
            st.button(label, key="lesson-on", icon=icon, on_click=_go, args=(place,))


def _section(word: str) -> None:
    about = parts.pick_dataset() if word in ABOUT_DATA else parts.pick_results()
    if about is not None:
        SECTIONS.table[word].render(about)
        if isinstance(about, Dataset):
            image_dialog.clickable(source=about.name)
        else:
            image_dialog.clickable(about.run)


def _progress(done: LessonProgress) -> None:
    solved = [word for word in _WORDS if word in done.solved]
    left = sum(LESSONS[word].minutes for word in _WORDS if word not in done.solved)
    text = f"{len(solved)} of {len(_WORDS)} questions solved"
    text += f", about {left} minutes left. " if left else ". That was the whole report. "
    text += "Progress is saved in this page's address" + (
        ": bookmark it." if lesson_progress.visitor_id() else " from the first answer on."
    )
    st.progress(len(solved) / len(_WORDS), text=text)
    if solved:
        # Not in the menu: labels must not change while it is open.
        st.caption("✅ " + ", ".join(LESSONS[word].title for word in solved))


def _menu() -> str:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        word = SECTIONS.choose_word(bound.menu, on_change=_forget, width=320)
        place = _WORDS.index(word)
        st.button("Previous", icon="◀️", key="lesson-previous", disabled=not place, on_click=_go, args=(place - 1,))
        last = place == len(_WORDS) - 1
        st.button("Next", icon="▶️", key="lesson-next", disabled=last, on_click=_go, args=(place + 1,))
    return word


def _go(place: int) -> None:
    address.assign(SECTIONS.name, _WORDS[place])
    _forget()


def _forget() -> None:
    for name in set(st.query_params) - _KEPT:
        del st.query_params[name]

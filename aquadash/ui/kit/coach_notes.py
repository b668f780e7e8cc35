"""The coach's notes on settings and on runs, with buttons that try their changes."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import streamlit as st

from aquadash.coach import Level, Note, config_notes, run_notes, training_counts
from aquadash.config import RunConfig, flatten, with_values
from aquadash.evaluation import overfit_verdict
from aquadash.store.types import EpochRecord, Run
from aquadash.ui.kit import clone, datasets, form_state, launch, shell
from aquadash.ui.kit import hyperparameters as fields
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import count, named, plain


def render_config_notes(config: RunConfig) -> None:
    """Draw the notes on a config, each with a button that makes its changes in the form."""
    for note in config_notes(config):
        render_note(note)
        if note.changes:
            st.button(
                fix_text(note, config),
                key=f"fix-{note.key}",
                icon="🔧",
                on_click=form_state.apply,
                args=(note.changes,),
            )


def render_note(note: Note) -> None:
    """Draw a note; only warnings stand out."""
    text = f"**{plain(note.title)}.** {plain(note.evidence)}"
    draw, icon = _BOXES[note.level]
    if note.level == "warning":
        draw(text, icon=icon)
    else:
        st.caption(f"{icon} {text}")


def fix_text(note: Note, config: RunConfig) -> str:
    """Return a note's changes in markdown: ``"Learning rate: 0.01"``."""
    wanted = flatten(with_values(config, note.changes))
    return plain("; ".join(f"{fields.label(name)}: {fields.value_text(name, wanted[name])}" for name in note.changes))


_HELP = (
    "Rules of thumb about settings, curves and results. “Try this” fills the form with this run's settings and one "
    "change, so that the two runs can be compared."
)

#: Streamlit's box and the icon of each level: colour alone would not be accessible.
_BOXES: dict[Level, tuple[Callable[..., object], str]] = {
    "warning": (st.warning, "⚠️"),
    "hint": (st.info, "💡"),
    "good": (st.success, "👍"),
}


def render_run_notes(run: Run, history: Sequence[EpochRecord], *, leave_out: Collection[str] = ()) -> None:
    """Draw the notes on a run, except the keys that the page shows elsewhere."""
    notes = [note for note in notes_on(run, history) if note.key not in leave_out]
    if not notes:
        if not run.status.ended:
            st.caption("The coach comments after a few epochs.")
        elif history:
            verdict = overfit_verdict(history, run.config)
            st.info(f"**{plain(verdict.title)}.** {plain(verdict.explanation)}", icon="⏳")
        return
    st.markdown("**Coach**", help=_HELP)
    for note in notes:
        with st.container(gap="xsmall"):
            _run_note(run, note)


def notes_on(run: Run, history: Sequence[EpochRecord]) -> list[Note]:
    """Return the coach's notes on a run with its results."""
    results = lab().runs.results(run)
    return run_notes(run, history, results, count_training=lambda: training_counts(run, datasets.dataset))


def _run_note(run: Run, note: Note) -> None:
    draw, icon = _BOXES[note.level]
    draw(f"**{plain(note.title)}**", icon=icon)
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover(named("Why?", note.title), key=f"why-{note.key}", type="tertiary"):
            st.markdown(plain(note.evidence))
        if note.changes:
            render_form_button(run, note)
            render_train_button(run, note, named("Train with this change", note.title))


def render_form_button(run: Run, note: Note) -> None:
    """Draw a button that fills the form with the run's settings and a note's change."""
    text = f"Try this: {fix_text(note, run.config)}"
    clone.render_clone_button(
        run.run_id, changes=note.changes, label=text, icon=":material/science:", key=f"try-{note.key}"
    )


def render_train_button(run: Run, note: Note, label: str, **options: Any) -> None:
    """Draw a button that launches a note's change, unless the class's limit reduces its epochs."""
    changed = with_values(run.config, note.changes)
    config = form_state.allowed(changed)
    if "training.epochs" in note.changes and config != changed:
        return
    most = "" if config == changed else f", and {count(config.training.epochs, 'epoch')}, the most in this class"
    help = f"Launches a run with this one change{most}."
    if st.button(label, key=f"train-{note.key}", help=help, icon="🏊", **options):
        with shell.guard():
            launch.press(launch.Order(config), anywhere=True)

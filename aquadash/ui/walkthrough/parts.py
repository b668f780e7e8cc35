"""Parts of all sections: their data set or run, controls in the address, the question and the corrections."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aquadash import data
from aquadash.config import with_values
from aquadash.data import Dataset
from aquadash.presets import PRESETS
from aquadash.store.types import Run
from aquadash.ui.kit import bound, components, datasets, lesson_progress, run_lists, shell
from aquadash.ui.kit.evaluated import Evaluated
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import count, plain
from aquadash.walkthrough import Outcome, Verdict, findings

#: Epochs of the offered training, which takes a minute or two.
EPOCHS = 8


def pick_dataset() -> Dataset | None:
    """Return the app's data set; draw the way to one that is missing."""
    source = datasets.current()
    return datasets.dataset(source) if datasets.here(source) else None


def pick_results() -> Evaluated | None:
    """Draw the menu of runs with results; draw the way to some if there are none."""
    from aquadash.store.first_model import ORIGIN

    # A resumed run has results, which change until it ends.
    ended = [run for run in lab().runs.all() if _usable(run)]
    usable = [run for run in run_lists.or_included_model(ended) if _usable(run)]
    # The included model comes last: it is better than most first runs.
    with_results = sorted(run_lists.pictured_first(usable), key=lambda run: (run.archived, run.origin == ORIGIN))
    if not with_results:
        st.info("This section needs a run with results, and there is none yet.", icon="🏊")
        _offer_run()
        run_lists.render_restore_button()
        return None
    if all(run.origin == ORIGIN for run in with_results):
        with st.expander("You have no run with results yet: this is the included model", icon="🏊"):
            _offer_run()
    picker, beside = st.columns([3, 2], gap="medium", vertical_alignment="bottom")
    with picker:
        run = components.run_picker(with_results, help="This section is about the results of this run.")
    if run is None:
        return None
    beside.caption(
        f"Trained on: {plain(data.SOURCES[run.config.data.source].title)}"
        if run.config.data.source in data.SOURCES
        else "Trained on pictures that are not here."
    )
    return Evaluated.load(run)


def _usable(run: Run) -> bool:
    return run_lists.has_results(run) and run.status.ended


def _offer_run() -> None:
    at_work = [run for run in lab().runs.all() if not run.status.ended]
    if at_work:
        st.page_link("pages/train.py", label="Watch your run", icon="🏊", query_params={"run": at_work[0].run_id})
    source = datasets.current() if data.is_here(datasets.current()) else datasets.DEFAULT_SOURCE
    preset = with_values(PRESETS["notebook-fixed"].config, {"data.source": source, "training.epochs": EPOCHS})
    config = lab().limits.fitted(preset)
    epochs = config.training.epochs
    st.caption(
        f"A short training of the report's network on {plain(data.title_of(source))}, with a proper validation split: "
        f"{count(epochs, 'epoch')}, a minute or two. It continues while you read other sections."
    )
    if st.button("Train the report's network", icon="🏊", type="primary", key="walkthrough-train"):
        run = shell.launch_once("walkthrough:launched", lambda: lab().runs.train(config))
        st.switch_page("pages/train.py", query_params={"run": run.run_id})


#: Number of wrong answers before the solution can be opened.
_TRIES = 3
_BOXES = {Outcome.RIGHT: (st.success, "🎉"), Outcome.NEARLY: (st.warning, "🤏"), Outcome.WRONG: (st.info, "💡")}


def real(title: str, *, help: str | None = None) -> None:
    """Draw the heading of results computed here."""
    st.markdown(f"**🔬 {title}**", help=help)


def attempt(lesson: str, title: str) -> tuple[DeltaGenerator, Callable[..., None]]:
    """Draw the heading of something to try; return the place of its controls, and :func:`render_question` beside it."""
    st.markdown(f"**🎛️ Try: {title}**")
    controls, beside = st.columns([3, 2], gap="medium")
    return controls, partial(render_question, beside, lesson)


def slide(name: str, low: int, high: int, *, label: str, default: int, unit: str = "", **arguments: Any) -> int:
    """Draw a slider that follows its default until it is moved; none if there is only one number."""
    if low >= high:
        return low
    form = f"%d{unit.replace('%', '%%')}"
    return bound.slider(
        name, low, high, label=label, default=default, follows=True, clamp=True, format=form, **arguments
    )


def figures(values: Mapping[str, str], *, help: str | None = None) -> None:
    """Draw figures by their titles, side by side."""
    with st.container(horizontal=True):
        for title, value in values.items():
            components.render_metric(title, value, width="content", help=help)


def field(name: str, *, label: str, placeholder: str) -> str:
    """Draw a field for a short answer."""
    return bound.text(name, label=label, longest=24, placeholder=placeholder, width=320)


def render_question(
    beside: DeltaGenerator,
    lesson: str,
    text: str,
    *,
    answer: object,
    check: Callable[[str], Verdict],
    solution: str,
    ask: Callable[[], str] | None = None,
) -> None:
    """Draw a question in markdown, and judge the ``answer`` of the controls or the text of the field by ``ask``."""
    state = f"walkthrough:{lesson}"
    with beside, st.container(border=True, key=f"question-{lesson}"):
        st.markdown(f"**❓ {text}**")
        typed = "" if ask is None else ask()
        said = repr((answer, typed))
        if st.button("Check", key=f"check-{lesson}", type="primary", icon=":material/task_alt:"):
            verdict = check(typed)
            st.session_state[state] = (said, verdict)
            # The verdict is shown even if the progress cannot be written.
            shell.attempt(lambda: lesson_progress.record(lesson, solved=verdict.outcome is Outcome.RIGHT))
            # Redraw the bar at the top.
            st.rerun()
        done = lesson_progress.read()
        kept = st.session_state.get(state)
        if kept is not None and kept[0] == said:  # The answer has not changed since.
            box, icon = _BOXES[kept[1].outcome]
            box(plain(kept[1].text), icon=icon)
            shell.render_failure()
        elif lesson in done.solved:
            st.success("You have solved this one before.", icon="✅")
        if done.tries.get(lesson, 0) >= _TRIES and lesson not in done.solved:
            with st.expander("How to find it", icon="🪜"):
                st.markdown(solution)


def corrections(lesson: str) -> None:
    """Draw the report's mistakes in this section, folded until the question is solved, because they contain answers."""
    mistakes = findings(lesson)
    if not mistakes:
        return
    title = "What the report got wrong" if len(mistakes) == 1 else f"What the report got wrong: {len(mistakes)} things"
    solved = lesson in lesson_progress.read().solved
    with st.expander(title if solved else f"{title} (try the question first)", icon="📄", expanded=solved):
        places = (
            st.tabs([f"Mistake {number}" for number, _ in enumerate(mistakes, 1)]) if mistakes[1:] else [st.container()]
        )
        for place, finding in zip(places, mistakes, strict=True):
            with place, st.container(key=f"finding-{finding.key}"):
                left, right = st.columns([2, 3], gap="medium")
                with left:
                    st.markdown(f"**📄 What the report says**  \n{finding.says}")
                    st.caption(f"Where: {finding.where}")
                right.markdown(f"**✅ What is right**  \n{finding.right}")

"""What all sections are made of: controls in the address, the question with its check, the box on the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from aquadash.ui import address, bound, components, shell
from aquadash.ui.text import plain
from aquadash.ui.walkthrough import context
from aquadash.walkthrough import Outcome, Verdict, findings

#: Wrong answers until the way to the solution can be opened.
_TRIES = 3


def real(title: str, *, help: str | None = None) -> None:
    """The heading over what is computed here."""
    st.markdown(f"**🔬 {title}**", help=help)


def attempt(title: str) -> None:
    """The heading over what can be tried."""
    st.markdown(f"**🎛️ Try: {title}**")


def slide(name: str, low: int, high: int, *, label: str, default: int, unit: str = "", **arguments: Any) -> int:
    """A slider that takes the nearest number for one beyond its ends; none where there is nothing to choose.

    Until somebody moves it, it follows its default, as when another run is chosen.
    """
    if low >= high:
        return low
    address.follow(name, default)
    form = f"%d{unit.replace('%', '%%')}"
    return bound.slider(name, low, high, label=label, default=default, clamp=True, format=form, **arguments)


def figures(values: Mapping[str, str], *, help: str | None = None) -> None:
    """Draw figures by their titles, side by side."""
    with st.container(horizontal=True):
        for title, value in values.items():
            components.metric(title, value, width="content", help=help)


def field(name: str, *, label: str, placeholder: str) -> str:
    """A short line to type an answer into."""
    return bound.text(name, label=label, longest=24, placeholder=placeholder, width=320)


def question(
    lesson: str,
    text: str,
    *,
    answer: object,
    check: Callable[[str], Verdict],
    solution: str,
    ask: Callable[[], str] | None = None,
) -> None:
    """Put the question of a lesson, and check the answer when the student asks for it; texts are markdown.

    The section's controls are the answer, or the field that ``ask`` draws below the question, whose text ``check``
    gets. A verdict on another ``answer`` is not shown any more. The solution can be opened after some wrong answers.
    """
    state = f"walkthrough:{lesson}"
    with st.container(border=True, key=f"question-{lesson}"):
        st.markdown(f"**❓ {text}**")
        typed = "" if ask is None else ask()
        said = repr((answer, typed))
        if st.button("Check", key=f"check-{lesson}", type="primary", icon=":material/task_alt:"):
            verdict = check(typed)
            st.session_state[state] = (said, verdict)
            # The verdict is shown, too, where progress cannot be written.
            shell.attempt(lambda: context.record(lesson, solved=verdict.outcome is Outcome.RIGHT))
            # The bar at the top has been drawn already.
            st.rerun()
        known = context.read()
        kept = st.session_state.get(state)
        if kept is not None and kept[0] == said:
            _show(kept[1])
            shell.show_failure()
        elif lesson in known.solved:
            st.success("You have solved this one before.", icon="✅")
        if known.tries.get(lesson, 0) >= _TRIES and lesson not in known.solved:
            with st.expander("How to find it", icon="🪜"):
                st.markdown(solution)


def corrections(lesson: str) -> None:
    """What the report got wrong in this section; open once the question is solved, for answers stand in it."""
    found = findings(lesson)
    if not found:
        return
    title = "What the report got wrong" if len(found) == 1 else f"What the report got wrong: {len(found)} things"
    solved = lesson in context.read().solved
    with st.expander(title if solved else f"{title} (try the question first)", icon="📄", expanded=solved):
        for finding in found:
            with st.container(border=True, key=f"finding-{finding.key}"):
                left, right = st.columns(2, gap="medium")
                with left:
                    st.markdown(f"**📄 What the report says**  \n{finding.says}")
                    st.caption(f"Where: {finding.where}")
                right.markdown(f"**✅ What is right**  \n{finding.right}")


def _show(verdict: Verdict) -> None:
    text = plain(verdict.text)
    if verdict.outcome is Outcome.RIGHT:
        st.success(text, icon="🎉")
    elif verdict.outcome is Outcome.NEARLY:
        st.warning(text, icon="🤏")
    else:
        st.info(text, icon="💡")

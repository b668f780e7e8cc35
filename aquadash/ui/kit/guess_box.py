"""The student's guess of a run's result, and its score."""

from collections.abc import Sequence

import streamlit as st

from aquadash.errors import AquaDashError
from aquadash.evaluation import score_guess
from aquadash.store.types import Guess, Run
from aquadash.ui.kit import inputs
from aquadash.ui.kit.gallery import class_titles
from aquadash.ui.kit.lab import lab, visitor
from aquadash.ui.kit.text import plain


def guess_form(class_names: Sequence[str], *, key: str) -> Guess | None:
    """Draw the box for a guess and return it, None while incomplete; another key is a new guess."""
    with st.expander("Guess first", icon="🔮"):
        st.caption(f"By chance {100 / len(class_names):.0f} % would be right. Your guess is scored when the run ends.")
        accuracy = inputs.number_input(
            "Test accuracy in %",
            min_value=0,
            max_value=100,
            step=1,
            value=None,
            key=f"{key}:accuracy",
            persist_state="session",
            placeholder="no guess",
            help="How many of 100 test images will the trained network classify correctly?",
        )
        st.markdown("The most frequent mistake:")
        left, right = st.columns(2)
        with left:
            true = _class_menu("Images of", class_names, key=f"{key}:true")
        with right:
            predicted = _class_menu("are taken for", class_names, key=f"{key}:predicted")
        # Both menus have every class: a menu that shrinks while it is open moves its entries.
        if true is not None and true == predicted:
            st.caption("Choose two different classes.")
        elif (true is None) != (predicted is None):
            st.caption("Choose both classes, or neither.")
    pair = None if true is None or predicted is None or true == predicted else (true, predicted)
    if accuracy is None and pair is None:
        return None
    return Guess(None if accuracy is None else accuracy / 100, pair)


def render_guess(run: Run) -> None:
    """Draw a run's guess and its author and, once the run has results, the score."""
    if run.guess is None:
        return
    own = run.owner == visitor().person_id
    whose = "Your guess" if own else f"{plain(run.owner_name or 'The teacher')}'s guess"
    if run.origin:  # The owner of an imported run may not be the author of the guess.
        whose = "The guess"
    lines = [f"**{whose}:** {plain(guess_text(run.guess))}."]
    if not run.status.ended:
        lines[0] += " It is scored when the run ends."
    elif "test_accuracy" not in run.metrics:
        lines[0] += " The run has no results to score it by."
    else:
        try:
            score = score_guess(run.guess, lab().runs.evaluation(run.run_id))
        except AquaDashError as error:
            lines[0] += f" It cannot be scored. {plain(str(error))}"
        else:
            lines[0] = f"**{whose}**"
            if score.accuracy is not None:
                lines.append(f"{'🎯' if score.accuracy.is_right else '📏'} {plain(score.accuracy.words)}")
            if score.pair is not None:
                lines.append(f"{'🎯' if score.pair.is_right else '🔀'} {plain(score.pair.words)}")
    st.info("\n\n".join(lines), icon="🔮")


def guess_text(guess: Guess) -> str:
    """Return a guess as plain text."""
    parts = []
    if guess.accuracy is not None:
        parts.append(f"{100 * guess.accuracy:.0f} % right")
    if guess.confused_pair is not None:
        true, predicted = guess.confused_pair
        parts.append(f"the most frequent mistake is {true} taken for {predicted}")
    return "; ".join(parts)


def _class_menu(label: str, names: Sequence[str], *, key: str) -> str | None:
    title = class_titles(names).__getitem__
    chosen: str | None = inputs.selectbox(
        label, names, index=None, key=key, persist_state="session", placeholder="no guess", format_func=title
    )
    return chosen

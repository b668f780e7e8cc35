"""The board of the class: the students' places and intervals."""

import streamlit as st

from aquadash.classroom import limits
from aquadash.classroom.leaderboard import MIN_IMAGES, Board
from aquadash.figures.leaderboard import leaderboard_chart
from aquadash.ui.kit import address, bound, components, datasets, inputs, shell
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab, visitor
from aquadash.ui.kit.tables import Column, number_column, render_columns
from aquadash.ui.kit.text import count, percent, plain

#: The board's own data set in the address, apart from that of all pages.
_SOURCE = "board"
_SWITCH = "board:test-results"
_TICK_SECONDS = 5.0
_MAX_DRAWN = 40


def render_board() -> None:
    """Draw the board of a data source, bound to ``?board=``."""
    sources = lab().runs.board_sources()
    if not sources:
        shell.live(_TICK_SECONDS)(_empty)()
        return
    # Keep the data set in the address even if it is the default, which changes during a lesson.
    source = bound.menu(_SOURCE, datasets.titles_of(sources), label="Images", omitted="")
    shell.live(_TICK_SECONDS)(_board)(source)


def _empty() -> None:
    if lab().runs.board_sources():
        address.draw_again()
    components.render_empty_state(
        "🏁", "The board is empty. The first student whose training ends is on it.", label="Train"
    )


def _board(source: str) -> None:
    made = lab().runs.board(source)
    own = visitor()
    shell.render_failure()
    _explain(made)
    if visitor().leads:
        # Another teacher may have changed it.
        st.session_state[_SWITCH] = made.measured_on == "test"
        help = "For the end: ranks each student's best run by validation on the test images."
        inputs.toggle("Show the test results", key=_SWITCH, help=help, on_change=shell.attempt, args=(_turn,))
    shown = made.entries[:_MAX_DRAWN]
    figure = leaderboard_chart(shown, measured_on=made.measured_on, own=own.person_id)
    components.render_plot(figure, key=f"board-{made.measured_on}")
    if len(made.entries) > _MAX_DRAWN:
        st.caption(f"and {len(made.entries) - _MAX_DRAWN} more in the table")
    if made.entries:
        _table(made, own.person_id)


def _explain(made: Board) -> None:
    images = "validation" if made.measured_on == "validation" else "test"
    first = [entry for entry in made.entries if entry.rank == 1]
    if len(first) > 1:
        st.markdown(
            f"**{count(len(first), 'student')} share the first place**: their {images} images do not tell them apart.",
            help=term("tie"),
        )
    elif len(made.entries) == 1:
        st.markdown(f"**{plain(first[0].name)}** is on the board; nobody else yet.")
    elif first:
        st.markdown(f"**{plain(first[0].name)} is first**, and clearly.", help=term("tie"))
    if made.measured_on == "validation":
        st.caption(
            "Each student's best run by validation accuracy: images that it did not learn from. Test images do not "
            "count here, so nobody can climb by tuning on them; the teacher shows those results at the end."
        )
    else:
        st.caption(
            "Each student's best run by validation, measured on the test images. Nothing was chosen by these, "
            "so this is how good the networks are."
        )
    if made.uncounted:
        st.caption(
            f"{count(made.uncounted, 'run')} left out: on fewer than {MIN_IMAGES} validation images luck decides."
        )


def _turn() -> None:
    shown = bool(st.session_state[_SWITCH])
    lab().people.set_limits(limits.in_force().model_copy(update={"test_results_hidden": not shown}))


def _table(made: Board, own: str) -> None:
    entries = made.entries
    fractions = [percent(entry.accuracy, entry.interval) for entry in entries]
    tries = "Runs of the student that count here. The best of many runs is partly luck."
    render_columns(
        number_column("Place", [entry.rank for entry in entries], width="small", help=term("tie")),
        Column("Student", [f"⭐ {entry.name}" if entry.person_id == own else entry.name for entry in entries]),
        Column(f"{made.measured_on.capitalize()} accuracy", [fraction.value for fraction in fractions]),
        Column("95 % interval", [fraction.interval for fraction in fractions]),
        Column("Images", [entry.images for entry in entries]),
        Column("Run", [entry.run.name for entry in entries]),
        number_column("Runs", [entry.tries for entry in entries], width="small", help=tries),
        Column(
            "Evaluate",
            [f"/evaluate?run={entry.run.run_id}" for entry in entries],
            st.column_config.LinkColumn(display_text="Open", width="small"),
        ),
        alt=f"The board as a table of {count(len(entries), 'student')}.",
        key=f"board-table-{made.measured_on}",
    )
    mine = next((entry for entry in made.entries if entry.person_id == own), None)
    if mine is not None:
        label = f"Open my best run: {plain(mine.run.name)}"
        st.page_link("pages/evaluate.py", label=label, query_params={"run": mine.run.run_id}, icon="⭐")

"""Launches a run by the form's or the coach's button; asks first while a run of the visitor is not done."""

from dataclasses import dataclass

import streamlit as st

from aquadash.config import RunConfig
from aquadash.errors import AquaDashError
from aquadash.store.types import Guess, Run
from aquadash.ui.kit import shell
from aquadash.ui.kit.lab import lab, visitor
from aquadash.ui.kit.text import plain

_ASKED = "train:asked"
_LAUNCHES = "train:launches"
_MESSAGE = "train:message"
_PAGE = "pages/train.py"


@dataclass(frozen=True)
class Order:
    """A run to launch."""

    config: RunConfig
    #: Empty for a generated name.
    name: str = ""
    guess: Guess | None = None
    #: Whether the form made the order. Until the launch, such an order changes with the form.
    from_form: bool = False


def number() -> int:
    """Return the number of launches by the form, part of the keys of fields for one run."""
    launches: int = st.session_state.setdefault(_LAUNCHES, 0)
    return launches


def press(order: Order, *, sure: bool = False, anywhere: bool = False) -> None:
    """Launch a run once per double click, and show it; a button of another page than Train is ``anywhere``.

    While another run of the visitor is not done, the page asks first, unless the visitor is ``sure``.
    """

    def begin() -> Run | None:
        if not sure and _own_at_work():
            st.session_state[_ASKED] = order
            return None
        return lab().runs.train(order.config, name=order.name or None)

    run = shell.launch_once(f"train:{'sure' if sure else 'launched'}", begin)
    if run is not None:
        _show(run, order)
        # Last, so that the second click of a double click on "Queue it" runs this code again.
        st.session_state.pop(_ASKED, None)
    if anywhere:
        st.switch_page(_PAGE, query_params={"run": run.run_id} if run else {})
    st.rerun()


def render_question(form: Order | None) -> bool:
    """Draw the question about another run if it is open; return whether. ``form`` is the form's order."""
    pending: Order | None = st.session_state.get(_ASKED)
    if pending is None:
        return False
    order = form if pending.from_form else pending
    own = _own_at_work()[:2]
    names = " and ".join(f"**{plain(run.name)}**" for run in own)
    what = "another run" if pending.from_form else "the run with the coach's change"
    verb = "are" if len(own) > 1 else "is"
    st.markdown(f"{names} {verb} not done yet. Queue {what}?" if names else f"Start {what}?")
    with st.container(horizontal=True):
        again = st.button("Queue it", key="launch-sure", type="primary", icon="🏊", disabled=order is None)
        st.button("Cancel", key="launch-cancel", on_click=st.session_state.pop, args=(_ASKED, None))
    if again and order is not None:
        press(order, sure=True)
    return True


def render_message() -> None:
    """Draw once a toast for a launch, and its warning."""
    if message := st.session_state.pop(_MESSAGE, None):
        st.toast(message[0], icon="🏊")
        if message[1]:
            st.warning(plain(message[1]), icon="🚧")


def _own_at_work() -> list[Run]:
    me = visitor().person_id
    return [run for run in lab().runs.all() if not run.status.ended and run.owner == me and not run.search_id]


def _show(run: Run, order: Order) -> None:
    trouble = ""
    if order.guess is not None:
        try:
            lab().runs.guess(run.run_id, order.guess)
        except AquaDashError as error:
            # The run has been launched nevertheless.
            trouble = f"Your guess could not be kept. {error}"
    st.session_state[_MESSAGE] = (f"**{plain(run.name)}** has been launched.", trouble)
    if order.from_form:
        # New keys empty the form's fields for the name and the guess.
        st.session_state[_LAUNCHES] = number() + 1
    st.query_params["run"] = run.run_id

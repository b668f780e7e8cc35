"""The table of runs: its columns and order, and picking from it by mouse or keyboard."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import streamlit as st

from aquadash.runs.fields import RunField
from aquadash.runs.selection import sort_runs
from aquadash.runs.types import Run
from aquadash.ui import address, bound, inputs
from aquadash.ui.compare import run_columns as columns
from aquadash.ui.components import run_label
from aquadash.ui.owners import own_first
from aquadash.ui.text import count, plain

_PICKS = "runs"
_GENERATION = "compare:table"
#: The columns chosen last, for the next look in the same browser session.
_REMEMBERED = "compare:columns"
_SORT = "-created"
#: With more picks the address holds the beginnings of their ids.
_MOST_WHOLE_IDS = 20


def choose_columns(fields: Mapping[str, RunField]) -> list[str]:
    """Draw the menu of columns, bound to ``?columns=`` and remembered for the session."""
    options = columns.choices(fields)
    remembered = [name for name in st.session_state.get(_REMEMBERED, columns.usual()) if name in options]
    address.choices("columns", options, default=remembered)
    with st.popover("Columns", icon=":material/view_column:", key="columns-box"):
        chosen = inputs.multiselect(
            "Columns, in this order",
            options,
            key="columns",
            format_func=columns.title_with_name,
            help="Any setting or figure. The choice stands in the address and is remembered until you close the tab.",
        )
        st.button("The usual ones", on_click=address.assign, args=("columns", list(columns.usual())))
    chosen = chosen or ["name"]
    address.record("columns", ",".join(chosen), default=",".join(columns.usual()))
    st.session_state[_REMEMBERED] = list(chosen)
    return list(chosen)


def sort(runs: Sequence[Run], fields: Mapping[str, RunField]) -> list[Run]:
    """Draw the menu of the order, bound to ``?sort=``, and return the runs in it, pinned ones first."""
    options = {
        sign + name: f"{columns.title_with_name(name)} {arrow}"
        for name in fields
        for sign, arrow in (("-", "↓"), ("", "↑"))
    }
    chosen = bound.menu(
        "sort",
        options,
        label="Sort by",
        default=_SORT,
        width=260,
        help="↓ the greatest or newest first, ↑ the least or oldest first. Pinned runs stand above. A click on a "
        "column's head sorts, too, until the next change. In a class the newest are sorted with one's own first.",
    )
    ordered = sort_runs(runs, chosen, fields)
    return own_first(ordered) if chosen == _SORT else ordered


def pick(
    shown: Sequence[Run], everything: Sequence[Run], *, chosen: Sequence[str], fields: Mapping[str, RunField]
) -> list[Run]:
    """Draw the table of ``shown`` runs and the menu that does the same by keyboard; both are bound to ``?runs=``.

    Args:
        shown: The rows.
        everything: All runs, which can be picked by the menu and the address.
        chosen: The columns.
        fields: All fields.

    Returns:
        The picked runs in the order in which they were picked, those that the filters hide too.
    """
    by_id = {run.run_id: run for run in everything}
    picked = _restore_picks(list(by_id))
    ids = [run.run_id for run in shown]
    if ids:
        _table(shown, ids, picked, chosen, fields)
    else:
        st.info("No run passes the filters.", icon="🔍")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{count(len(ids), 'run')}. Tick rows to compare them or to do something with them.", width="content"
        )
        st.button("Pick all shown", key="pick-all", type="tertiary", on_click=_pick, args=(ids,), disabled=not ids)
        st.button("Clear selection", key="pick-none", type="tertiary", on_click=_pick, args=([],), disabled=not picked)
    picked = inputs.multiselect(
        "Compare these runs",
        list(by_id),
        key=_PICKS,
        format_func=lambda run_id: run_label(by_id[run_id]),
        placeholder="Tick rows above, or choose here",
    )
    short = len(picked) > _MOST_WHOLE_IDS
    address.record(_PICKS, ",".join(run_id[:10] if short else run_id for run_id in picked), default="")
    return [by_id[run_id] for run_id in picked]


def table_key(ids: Sequence[str], generation: int) -> str:
    """The key of the table of these runs.

    Streamlit keeps ticks by position. So a table with other rows is another widget, and so is one of another
    generation, whose ticks follow a choice that was made elsewhere.
    """
    digest = hashlib.sha1("".join(ids).encode(), usedforsecurity=False).hexdigest()[:12]
    return f"table-{digest}-{generation}"


def _restore_picks(known: Sequence[str]) -> list[str]:
    """What the address says, without runs that are not there (any more)."""
    missing: list[str] = []

    def decode(text: str) -> list[str]:
        found: dict[str, None] = {}
        whole = set(known)
        for part in text.split(","):
            matches = [part] if part in whole else [each for each in known if len(part) >= 4 and each.startswith(part)]
            if len(matches) != 1:
                missing.append(part)
            else:
                found[matches[0]] = None
        return list(found)

    if _PICKS in st.session_state:
        there = set(known)
        st.session_state[_PICKS] = [run_id for run_id in st.session_state[_PICKS] or () if run_id in there]
    picked = address.restore(_PICKS, decode, default=list[str](), expected="ids of runs with commas between")
    if missing:
        names = ", ".join(part[:12] or "(empty)" for part in missing[:5])
        st.warning(
            f"Of the runs in the address {len(missing)} cannot be found here: {plain(names)}. They may have been "
            "deleted, or the link comes from another computer.",
            icon="🧭",
        )
    return list(picked)


def _table(
    shown: Sequence[Run],
    ids: Sequence[str],
    picked: Sequence[str],
    chosen: Sequence[str],
    fields: Mapping[str, RunField],
) -> None:
    those = set(picked)
    wanted = [position for position, run_id in enumerate(ids) if run_id in those]
    key = table_key(ids, st.session_state.setdefault(_GENERATION, 0))
    if key in st.session_state and sorted(st.session_state[key]["selection"]["rows"]) != wanted:
        st.session_state[_GENERATION] += 1
        key = table_key(ids, st.session_state[_GENERATION])
    st.dataframe(
        columns.frame(shown, chosen, fields),
        key=key,
        hide_index=True,
        on_select=lambda: _take(key, ids),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": wanted}},
        placeholder="–",
        alt=f"Table of {count(len(ids), 'run')}. The menu below it picks runs by keyboard.",
        column_config=columns.config(chosen, fields, digits=columns.accuracy_digits(shown)),
    )


def _pick(ids: Sequence[str]) -> None:
    st.session_state[_PICKS] = list(ids)


def _take(key: str, ids: Sequence[str]) -> None:
    """Take the table's ticks over into the menu; runs that the filters hide stay picked."""
    ticked = [ids[row] for row in st.session_state[key]["selection"]["rows"] if row < len(ids)]
    kept, there = set(ticked), set(ids)
    before = [run_id for run_id in st.session_state.get(_PICKS) or () if run_id in kept or run_id not in there]
    picked = set(before)
    st.session_state[_PICKS] = before + [run_id for run_id in ticked if run_id not in picked]

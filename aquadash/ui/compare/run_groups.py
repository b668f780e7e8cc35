"""Runs grouped by a setting, with mean and deviation of their accuracies; a group can be opened."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from aquadash.config import DEFINITIONS
from aquadash.runs.fields import FIGURES, RunField
from aquadash.runs.groups import ALL_BUT_SEED, METRICS, RunGroup, group_runs, groupable
from aquadash.runs.types import Run
from aquadash.ui import address, bound
from aquadash.ui.compare import run_columns as columns
from aquadash.ui.glossary import term
from aquadash.ui.text import count, plain

_NONE = "none"
_ALL = "all"
_GENERATION = "compare:groups"
#: The columns of a metric, with what they show of its :class:`~aquadash.runs.groups.Spread`.
_PARTS = {"mean": "mean", "deviation": "deviation", "least": "low", "greatest": "high"}


def choose(fields: Mapping[str, RunField]) -> str:
    """Draw the menu of what to group by, bound to ``?group=``; ``"none"`` for nothing."""
    return bound.menu(
        "group",
        {name: _word(name) for name in (_NONE, ALL_BUT_SEED, *groupable(fields))},
        label="Group by",
        width=260,
        help="Shows mean and deviation of the accuracies of runs that have the same value. “Same but the seed” takes "
        "repetitions of one experiment together. " + term("seed"),
    )


def show(runs: Sequence[Run], by: str, fields: Mapping[str, RunField]) -> list[Run]:
    """Draw the groups and return the runs of the open one; all runs while none is open or nothing is grouped."""
    if by == _NONE or not runs:
        return list(runs)
    groups = group_runs(runs, by, fields)
    by_key = {group.key: group for group in groups}
    titles = {_ALL: "all groups"} | {key: group_title(group, by) for key, group in by_key.items()}
    _table(groups, by, address.choice("member", list(titles), default=_ALL))
    chosen = bound.menu("member", titles, label="Show the runs of")
    _say_what_varies(groups, by)
    return list(runs) if chosen == _ALL else list(by_key[chosen].runs)


def frame(groups: Sequence[RunGroup], by: str) -> pd.DataFrame:
    """The table: a row a group, figures in their units."""
    rows: list[dict[str, Any]] = []
    for group in groups:
        row: dict[str, Any] = {"Group": group_title(group, by), "Runs": len(group.runs), "Seeds": group.seeds}
        for metric in METRICS:
            spread, figure = group.spreads[metric], FIGURES[metric]
            row[f"{figure.title}: n"] = spread.n
            for part, attribute in _PARTS.items():
                value = getattr(spread, attribute)
                row[f"{figure.title}: {part}"] = None if value is None else figure.scale * value
        rows.append(row)
    return pd.DataFrame(rows)


def group_title(group: RunGroup, by: str) -> str:
    """What the group's runs have in common, for people."""
    if by != ALL_BUT_SEED:
        return columns.value_text(by, group.value)
    parts = [
        f"other images ({str(value)[:8]})" if name == "dataset_fingerprint"
        else f"its own pipelines, version {hashlib.sha256(str(value).encode()).hexdigest()[:6]}" if name == DEFINITIONS
        else f"{columns.title(name)}: {columns.value_text(name, value)}"
        for name, value in group.value.items()
    ]  # fmt: skip
    return " · ".join(parts) or "all settings alike"


def _word(name: str) -> str:
    named = {_NONE: "nothing", ALL_BUT_SEED: "same but the seed"}
    return named.get(name) or columns.title_with_name(name)


def _table(groups: Sequence[RunGroup], by: str, chosen: str) -> None:
    keys = [group.key for group in groups]
    wanted = [keys.index(chosen)] if chosen in keys else []
    key = _table_key(by, keys)
    if key in st.session_state and st.session_state[key]["selection"]["rows"] != wanted:
        st.session_state[_GENERATION] = st.session_state.get(_GENERATION, 0) + 1
        key = _table_key(by, keys)
    table = frame(groups, by)
    st.dataframe(
        table,
        key=key,
        hide_index=True,
        on_select=lambda: _take(key, keys),
        selection_mode="single-row",
        selection_default={"selection": {"rows": wanted}},
        placeholder="–",
        alt=f"Table of {count(len(groups), 'group')} with mean and deviation. The menu below opens one by keyboard.",
        column_config={
            "Group": st.column_config.TextColumn(width="large"),
            **{
                f"{figure.title}: {part}": st.column_config.NumberColumn(
                    format=columns.number_format(figure, figure.mean_digits),
                    help=term("standard deviation") if part == "deviation" else None,
                )
                for figure in (FIGURES[name] for name in METRICS)
                for part in _PARTS
            },
        },
    )


def _table_key(by: str, keys: Sequence[str]) -> str:
    return f"groups-{hash((by, tuple(keys)))}-{st.session_state.get(_GENERATION, 0)}"


def _take(key: str, keys: Sequence[str]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    st.session_state["member"] = keys[rows[0]] if rows and rows[0] < len(keys) else _ALL


def _say_what_varies(groups: Sequence[RunGroup], by: str) -> None:
    varying = sorted({name for group in groups for name in group.varying} - {by})
    if varying:
        named = ", ".join(plain(columns.title(name)) for name in varying[:6] if name != "dataset_fingerprint")
        more = f" and {len(varying) - 6} more" if len(varying) > 6 else ""
        st.caption(
            f"Within the groups other things differ as well: {named or 'the images'}{more}. So the deviation is not "
            "that of the seed alone."
        )
    elif any(group.seeds > 1 for group in groups):
        st.caption("Within a group only the seed differs: the deviation is what chance alone does.")

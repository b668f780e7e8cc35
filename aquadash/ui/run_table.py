"""The table of runs: filtered, sorted by a click on a column's head, and picked from by mouse or keyboard."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

import pandas as pd
import streamlit as st

from aquadash.config import DEFINITIONS, flatten
from aquadash.errors import AquaDashError
from aquadash.evaluation.metrics import wilson_interval
from aquadash.runs.types import Run, RunStatus
from aquadash.ui import address, cache
from aquadash.ui import setting_fields as fields
from aquadash.ui.components import run_label, status_text
from aquadash.ui.text import count, plain

_PICKS = "runs"
_GENERATION = "compare:table"


def filters(runs: Sequence[Run]) -> list[Run]:
    """Draw the filters, bound to the address, and return the runs that pass."""
    statuses = [str(status) for status in RunStatus]
    sources = sorted({run.config.data.source for run in runs})
    address.restore("find", str, default="", expected="any text")
    address.choices("status", statuses)
    address.choices("data", sources)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        find = st.text_input(
            "Find", key="find", placeholder="name, note or setting", max_chars=100, width=260,
            help="Shows the runs that contain every word, in their name, note or settings: adam 0.001",
        )  # fmt: skip
        chosen_statuses = st.multiselect(
            "Status",
            statuses,
            key="status",
            placeholder="any",
            width=240,
            format_func=lambda name: status_text(RunStatus(name)),
        )
        chosen_sources = st.multiselect(
            "Data set", sources, key="data", placeholder="any", width=240,
            format_func=lambda name: fields.value_text("data.source", name),
        )  # fmt: skip
    address.record("find", find, default="")
    address.record("status", ",".join(chosen_statuses), default="")
    address.record("data", ",".join(chosen_sources), default="")
    return matching(runs, find=find, statuses=chosen_statuses, sources=chosen_sources)


def matching(
    runs: Sequence[Run], *, find: str = "", statuses: Sequence[str] = (), sources: Sequence[str] = ()
) -> list[Run]:
    """The runs that contain every word of ``find``, with one of the statuses and data sets; empty filters pass all."""
    words = find.casefold().split()
    return [
        run
        for run in runs
        if (not statuses or str(run.status) in statuses)
        and (not sources or run.config.data.source in sources)
        and (not words or all(word in _searchable(run) for word in words))
    ]


def frame(runs: Sequence[Run]) -> pd.DataFrame:
    """The table: a row a run. Accuracies are in per cent; what is not known yet is empty."""
    rows = [
        {
            "Name": run.name,
            "Status": status_text(run.status),
            "Test accuracy": _per_cent(run.metrics.get("test_accuracy")),
            "95 % interval": _interval_text(run),
            "Validation accuracy": _per_cent(run.metrics.get("val_accuracy", run.curve[-1] if run.curve else None)),
            "Validation curve": list(run.curve),
            "Best epoch": run.metrics.get("best_epoch"),
            "Epochs": run.metrics.get("epochs"),
            "Data": fields.value_text("data.source", run.config.data.source),
            "Network": fields.value_text("model.name", run.config.model.name),
            "Augmentation": fields.value_text("augmentation.pipeline", run.config.augmentation.pipeline),
            "Created": datetime.fromtimestamp(run.created_at),
            "Note": run.note,
            "Id": run.run_id[:8],
        }
        for run in runs
    ]
    table = pd.DataFrame(rows)
    return table.astype({"Best epoch": "Int64", "Epochs": "Int64"}) if rows else table


def pick(shown: Sequence[Run], everything: Sequence[Run]) -> list[Run]:
    """Draw the table of ``shown`` runs and the menu that does the same by keyboard; both are bound to ``?runs=``.

    Returns:
        The picked runs in the order in which they were picked, those that the filters hide too.
    """
    by_id = {run.run_id: run for run in everything}
    picked = _restore_picks(list(by_id))
    ids = [run.run_id for run in shown]
    if ids:
        _table(shown, ids, picked)
        st.caption(f"{count(len(ids), 'run')}. Click a column's head to sort, tick rows to compare.")
    else:
        st.info("No run passes the filters.", icon="🔍")
    picked = st.multiselect(
        "Compare these runs",
        list(by_id),
        key=_PICKS,
        format_func=lambda run_id: run_label(by_id[run_id]),
        placeholder="Tick rows above, or choose here",
    )
    address.record(_PICKS, ",".join(picked), default="")
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
        found: list[str] = []
        for part in text.split(","):
            matches = [run_id for run_id in known if len(part) >= 4 and run_id.startswith(part)]
            if len(matches) != 1:
                missing.append(part)
            elif matches[0] not in found:
                found.append(matches[0])
        return found

    if _PICKS in st.session_state:
        st.session_state[_PICKS] = [run_id for run_id in st.session_state[_PICKS] or () if run_id in known]
    picked = address.restore(_PICKS, decode, default=list[str](), expected="ids of runs with commas between")
    if missing:
        names = ", ".join(part[:12] or "(empty)" for part in missing[:5])
        st.warning(
            f"Of the runs in the address {len(missing)} cannot be found here: {plain(names)}. They may have been "
            "deleted, or the link comes from another computer.",
            icon="🧭",
        )
    return list(picked)


def _table(shown: Sequence[Run], ids: Sequence[str], picked: Sequence[str]) -> None:
    wanted = [position for position, run_id in enumerate(ids) if run_id in picked]
    key = table_key(ids, st.session_state.setdefault(_GENERATION, 0))
    if key in st.session_state and sorted(st.session_state[key]["selection"]["rows"]) != wanted:
        st.session_state[_GENERATION] += 1
        key = table_key(ids, st.session_state[_GENERATION])
    table = frame(shown)
    number = st.column_config.NumberColumn
    accuracy = f"%.{_digits(table)}f %%"
    st.dataframe(
        table,
        key=key,
        hide_index=True,
        on_select=lambda: _take(key, ids),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": wanted}},
        placeholder="–",
        alt=f"Table of {count(len(ids), 'run')}. The menu below it picks runs by keyboard.",
        column_config={
            "Name": st.column_config.TextColumn(pinned=True, width="medium"),
            "Test accuracy": number(format=accuracy),
            "Validation accuracy": number(
                format="%.0f %%", help="Of the kept weights; the last epoch's while it runs."
            ),
            "Validation curve": st.column_config.LineChartColumn(
                y_min=0.0, y_max=1.0, width="small", help="Validation accuracy by epoch."
            ),
            "Best epoch": number(
                help="The epoch with the lowest validation loss, or the highest accuracy where the settings say so."
            ),
            "Created": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
            "Note": st.column_config.TextColumn(width="medium"),
        },
    )


def _take(key: str, ids: Sequence[str]) -> None:
    """Take the table's ticks over into the menu; runs that the filters hide stay picked."""
    ticked = [ids[row] for row in st.session_state[key]["selection"]["rows"] if row < len(ids)]
    before = [run_id for run_id in st.session_state.get(_PICKS) or () if run_id in ticked or run_id not in ids]
    st.session_state[_PICKS] = before + [run_id for run_id in ticked if run_id not in before]


def _searchable(run: Run) -> str:
    settings = " ".join(
        f"{fields.label(k)} {k}={v} {fields.value_text(k, v)}"
        for k, v in flatten(run.config).items()
        if k != DEFINITIONS
    )
    return f"{run.name} {run.note} {run.run_id} {run.status} {settings}".casefold()


def _per_cent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def interval(run: Run) -> tuple[float, float] | None:
    """The 95 % interval of the run's test accuracy, 0 to 1; None without predictions."""
    accuracy = run.metrics.get("test_accuracy")
    tested = _tested(run.run_id, run.ended_at) if accuracy is not None and run.status.ended else None
    return wilson_interval(round(accuracy * tested), tested) if accuracy is not None and tested else None


def _interval_text(run: Run) -> str:
    found = interval(run)
    if found is None:
        return ""
    digits = 0 if found[1] - found[0] > 0.02 else 1
    return f"{100 * found[0]:.{digits}f} to {100 * found[1]:.{digits}f} %"


def _digits(table: pd.DataFrame) -> int:
    """Digits after the point that the narrowest interval supports."""
    return 1 if any("." in text for text in table["95 % interval"]) else 0


@st.cache_resource(max_entries=4096, show_spinner=False)
def _tested(run_id: str, ended_at: float | None) -> int | None:
    """How many test images the run predicted, None if that cannot be read."""
    try:
        return len(cache.store().predictions(run_id).labels)
    except AquaDashError:
        return None

"""The table of runs: its columns, its picks, and its update when runs change."""

import hashlib
import time
from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from itertools import islice
from operator import attrgetter
from threading import Lock
from typing import Any, TypeVar

import pyarrow as pa
import streamlit as st
from cachetools import LRUCache
from streamlit.delta_generator import DeltaGenerator

from aquadash.config import SETTINGS
from aquadash.evaluation.intervals import wilson_interval
from aquadash.settings import classroom as in_class
from aquadash.store.fields import PERCENT, Kind, RunField, known_fields
from aquadash.store.types import Run, RunStatus
from aquadash.ui.kit import address, inputs, shell
from aquadash.ui.kit import hyperparameters as settings
from aquadash.ui.kit.address import Codec
from aquadash.ui.kit.components import run_labels, status_text
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.tables import Column, number_column, text_column
from aquadash.ui.kit.text import count, percent, plain

T = TypeVar("T")

_PICKS, _GENERATION = "runs", "compare:table"
#: Height of a row in pixels, and the rows that show without scrolling.
_ROW_HEIGHT, _MAX_ROWS = 35, 7
#: With more picks the address holds the first ten digits of their ids.
_MAX_WHOLE_IDS = 20
#: Number of runs in the menu, the table's first: browsers are slow with a menu of a thousand.
_MAX_OFFERED = 100


#: Results by lists of runs. All sessions have the same run objects until a run changes.
_worked_out: LRUCache[tuple[Any, ...], tuple[Sequence[Run], Any]] = LRUCache(16)
_working = Lock()


def _once(what: str, runs: Sequence[Run], options: tuple[Any, ...], work: Callable[[], T]) -> T:
    """Return the result of ``work`` for these runs and options, cached for all sessions."""
    key = (what, *options, *map(id, runs))
    with _working:
        # The key contains `id(run)`: keep the runs, so that no new object gets the same id.
        if key not in _worked_out:
            _worked_out[key] = (list(runs), work())
        return _worked_out[key][1]


def choose_picks(runs: Sequence[Run], shown: Sequence[Run], row: DeltaGenerator) -> list[Run]:
    """Draw the menu that picks runs by keyboard into ``row``, bound to ``?runs=``."""
    by_id = {run.run_id: run for run in runs}
    held = _sync_picks(by_id)
    known = dict.fromkeys([*held, *(run.run_id for run in shown), *by_id])
    offered = [by_id[run_id] for run_id in islice(known, max(_MAX_OFFERED, len(held)))]
    them = "them" if len(offered) == len(by_id) else f"among the first {len(offered)}"
    with row:
        picked = inputs.multiselect(
            "Compare these runs",
            [run.run_id for run in offered],
            key=_PICKS,
            format_func=run_labels(offered).__getitem__,
            label_visibility="collapsed",
            placeholder=f"Tick two runs to compare them, or choose {them} here",
        )
    return [by_id[run_id] for run_id in picked]


def render_table(
    shown: Sequence[Run],
    picked: Sequence[Run],
    *,
    fields: Mapping[str, RunField],
    searches: Mapping[str, tuple[int, int]],
) -> None:
    """Draw the table of ``shown`` runs, with the ``picked`` ones ticked."""
    if not shown:
        # With `searches` all passing runs are best trials; the groups have said that they leave these out.
        if not searches:
            st.info("No run matches the filters.", icon="🔍")
        return
    ids = [run.run_id for run in shown]
    those = {run.run_id for run in picked}
    wanted = [position for position, run_id in enumerate(ids) if run_id in those]
    key = _key_with_ticks(ids, wanted)
    first, hidden = columns(shown, fields)

    def table() -> tuple[pa.Table, dict[str, Any], list[str]]:
        drawn: dict[str, Column] = {}
        for name in (*first, *hidden):
            each = table_column(name, shown, fields, searches)
            # A run may have a metric with the title of another column.
            drawn.setdefault(each.title, each)
        # Arrow, since Streamlit converts a pandas table at each drawing.
        values = pa.table({title: list(each.values) for title, each in drawn.items()})
        return values, {title: each.config for title, each in drawn.items()}, list(drawn)[: len(first)]

    values, configs, order = _once("table", shown, (*first, *hidden, *searches.items()), table)
    st.dataframe(
        values,
        key=key,
        height=_ROW_HEIGHT * (1 + min(len(ids), _MAX_ROWS)) + 2,
        row_height=_ROW_HEIGHT,
        hide_index=True,
        on_select=lambda: _take(key, ids),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": wanted}},
        placeholder="–",
        alt=f"Table of {count(len(ids), 'run')}. The menu above it picks runs by keyboard.",
        column_config=configs,
        column_order=order,
    )


def _key_with_ticks(ids: Sequence[str], wanted: Sequence[int]) -> str:
    """Return a key under which the table has these ticks; see "Ticks of a table" in ``ui/STREAMLIT.md``."""
    generation = st.session_state.setdefault(_GENERATION, 0)
    key = table_key(ids, generation)
    if key not in st.session_state or sorted(st.session_state[key]["selection"]["rows"]) == wanted:
        return key
    st.session_state[_GENERATION] = generation + 1
    return table_key(ids, generation + 1)


def table_key(ids: Sequence[str], generation: int) -> str:
    """Return the key of the table of these rows in this generation."""
    digest = hashlib.sha1("\n".join(ids).encode(), usedforsecurity=False).hexdigest()[:12]
    return f"table-{digest}-{generation}"


def _sync_picks(known: Collection[str]) -> list[str]:
    """Return the picks of the address or the session, and warn of unknown runs."""
    missing: list[str] = []

    def decode(text: str) -> list[str]:
        decoded: dict[str, None] = {}
        ordered = sorted(known)
        for part in text.split(","):
            # Binary search: a scan of all ids takes seconds for a long address.
            first = bisect_left(ordered, part)
            near = ordered[first : first + 2] if len(part) >= 4 else []
            matches = [part] if part in known else [each for each in near if each.startswith(part)]
            if len(matches) == 1:
                decoded[matches[0]] = None
            else:
                missing.append(part)
        return list(decoded)

    def encode(picked: Sequence[str]) -> str:
        is_long = len(picked) > _MAX_WHOLE_IDS
        return ",".join(run_id[:10] if is_long else run_id for run_id in picked)

    def fit(picked: Sequence[str] | None) -> list[str]:
        return [run_id for run_id in picked or () if run_id in known]

    codec = Codec[list[str]]("ids of runs with commas between", decode, encode, fit)
    picks = address.sync(_PICKS, codec, default=[], omitted="")
    if missing:
        names = ", ".join(part[:12] or "(empty)" for part in missing[:5])
        st.warning(
            f"{count(len(missing), 'run')} of this link cannot be found: {plain(names)}. They may have been deleted, "
            "or the link comes from another computer.",
            icon="🧭",
        )
    return picks


def pick(run_ids: Sequence[str]) -> None:
    """Pick these runs only, as a button's callback."""
    st.session_state[_PICKS] = list(run_ids)


def _take(key: str, ids: Sequence[str]) -> None:
    """Take the table's ticks over into the menu; keep picks that the filters hide."""
    ticked = [ids[row] for row in st.session_state[key]["selection"]["rows"] if row < len(ids)]
    unticked = set(ids) - set(ticked)
    kept = [run_id for run_id in st.session_state.get(_PICKS) or () if run_id not in unticked]
    st.session_state[_PICKS] = list(dict.fromkeys([*kept, *ticked]))


#: Columns before the differing settings, and after them.
_FIRST_COLUMNS = ("name", "val_accuracy", "test_accuracy", "status", "curve", "data.source")
_LAST_COLUMNS = ("interval", "best_epoch", "epochs", "tags", "created", "note", "run_id")
#: Widths in pixels, of sentences and of settings.
_WIDE, _SETTING_WIDTH = 220, 130
#: With this width of the names a phone shows the first figure, too.
_NAME_WIDTH = 180
#: Settings whose columns come before those of other differing settings.
_TELLING = ("model.name", "augmentation.pipeline")
_MAX_DIFFERING = 6
#: Number of rows that are searched for differing settings.
_MAX_LOOKED_AT = 200


def columns(runs: Sequence[Run], fields: Mapping[str, RunField]) -> tuple[list[str], list[str]]:
    """Return the columns to show, and those that the table's own menu adds. A class sees owners and no test results."""
    first, last = list(_FIRST_COLUMNS), list(_LAST_COLUMNS)
    if in_class():
        first.insert(1, "owner")
        first.remove("test_accuracy")
        last.remove("interval")
    looked_at = [run for run in runs[:_MAX_LOOKED_AT] if run.status is not RunStatus.UNREADABLE]
    differing = _once("differing", looked_at, (), lambda: _differing(looked_at))
    shown = [*first, *differing[:_MAX_DIFFERING], *last]
    others = (name for name in ("interval", "curve", *fields) if name not in SETTINGS)
    return shown, [name for name in (*differing, *others) if name not in shown]


def _differing(looked_at: Sequence[Run]) -> list[str]:
    fields = known_fields()
    names = (name for name in dict.fromkeys((*_TELLING, *SETTINGS)) if name in fields and name not in _FIRST_COLUMNS)
    return [name for name in names if len({fields[name].get(run) for run in looked_at}) > 1]


def table_column(
    name: str, runs: Sequence[Run], fields: Mapping[str, RunField], searches: Mapping[str, tuple[int, int]] = {}
) -> Column:
    """Return a column with a value a run: accuracies in per cent, empty where unknown."""
    if name == "curve":
        help = "Validation accuracy by epoch."
        config = st.column_config.LineChartColumn(y_min=0.0, y_max=1.0, width="small", help=help)
        return Column("Curve", [list(run.curve) for run in runs], config)
    if name == "interval":
        help = "Where the true test accuracy probably lies: 95 of 100 such intervals contain it."
        return text_column("95 % interval", [_interval_text(run) for run in runs], help=help)
    field, title = fields[name], fields[name].title
    if name == "name":
        return text_column(title, [_marked_name(run, searches) for run in runs], pinned=True, width=_NAME_WIDTH)

    def values(shown: Callable[[Any], Any]) -> list[Any]:
        return [None if (value := field.get(run)) is None else shown(value) for run in runs]

    match field.kind:
        case Kind.TIME:
            config = st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", help=field.help)
            return Column(title, values(datetime.fromtimestamp), config)
        case Kind.TEXTS:
            return Column(title, values(list), st.column_config.ListColumn(help=field.help))
        case Kind.NUMBER:
            digits = accuracy_digits(runs) if field.unit == PERCENT and field.digits is None else field.digits
            format = number_format(field, digits)
            return number_column(title, values(lambda value: field.scale * value), format, help=field.help)
    if name == "status":
        return text_column(title, [status_text(run.status) for run in runs], help=field.help)
    if name == "run_id":
        return text_column(title, [run.run_id[:8] for run in runs], help=field.help)
    if name in SETTINGS:
        texts, width = values(lambda value: settings.value_text(name, value)), _SETTING_WIDTH
        return text_column(title, texts, help=field.help, width=width if "." in name else None)
    texts = values(("no", "yes").__getitem__ if field.kind is Kind.TRUTH else str)
    return text_column(title, texts, help=field.help, width=_WIDE if name in ("note", "message") else None)


def number_format(field: RunField, digits: int | None) -> str | None:
    """Return Streamlit's format of the field's numbers, with the unit."""
    return None if digits is None else f"%.{digits}f {field.unit.replace('%', '%%')}".rstrip()


def accuracy_digits(runs: Sequence[Run]) -> int:
    """Return the digits after the point that the narrowest interval of the runs supports."""
    most = max((run.test_images or 0 for run in runs if "test_accuracy" in run.metrics), default=0)
    # The interval of a fraction of one half is the widest; it is 2 % wide at 9,600 images.
    return 1 if most >= 9600 else 0


def _marked_name(run: Run, searches: Mapping[str, tuple[int, int]]) -> str:
    trials = ""
    if run.run_id in searches:
        passing, existing = searches[run.run_id]
        trials = f", best of {f'{passing} of ' if passing < existing else ''}{count(existing, 'trial')}"
    marks = f"{'📌 ' if run.pinned else ''}{'🗃️ ' if run.archived else ''}{'🔎 ' if trials else ''}"
    return f"{marks}{run.name}{trials}"


def _interval_text(run: Run) -> str:
    """Return the 95 % interval of the test accuracy; empty without results, and for runs of versions before 0.6.0."""
    accuracy, tested = run.metrics.get("test_accuracy"), run.test_images
    if accuracy is None or not tested or not run.status.ended:
        return ""
    return percent(accuracy, wilson_interval(round(accuracy * tested), tested)).interval


#: Seconds between two checks; a change shows within two seconds.
_TICK_SECONDS = 1.7
#: Seconds between two updates of growing curves.
_GROWTH_SECONDS = 5.0
_DRAWN = "compare:drawn"
#: Values that the table shows, except of metrics and growing curves.
_SHOWN = attrgetter(*"run_id name status tags note pinned pinned_by_owner archived hidden ended_at".split())


def watch_table(runs: Sequence[Run]) -> None:
    """Draw the page again when these runs have changed in the store."""
    st.session_state[_DRAWN] = (*_numbers(runs), time.monotonic())
    _look()


@shell.live(_TICK_SECONDS)
def _look() -> None:
    drawn = st.session_state.get(_DRAWN)
    if drawn is None:
        return
    values, curves = _numbers(lab().runs.all())
    is_growth_due = time.monotonic() - drawn[2] > _GROWTH_SECONDS
    if values != drawn[0] or (is_growth_due and curves != drawn[1]):
        address.draw_again()


def _numbers(runs: Sequence[Run]) -> tuple[int, int]:
    """Return hashes of the shown values and of the growing curves, cached for all sessions."""

    def hashes() -> tuple[int, int]:
        # Figures as text, since NaN differs from itself.
        values = tuple((*_SHOWN(run), repr(run.metrics)) for run in runs)
        return hash(values), hash(repr([run.curve for run in runs if not run.status.ended]))

    return _once("numbers", runs, (), hashes)

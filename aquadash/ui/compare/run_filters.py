"""Which runs the table shows: words, a condition, plain controls, and groups by a setting; all of it in the address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aquadash.config import DEFINITIONS, flatten
from aquadash.runs.fields import FIGURES, RunField, validation_accuracy
from aquadash.runs.groups import ALL_BUT_SEED, METRICS, RunGroup, group_runs, groupable
from aquadash.runs.query import EXAMPLES, MAX_LENGTH, QueryError, pointer
from aquadash.runs.selection import RunFilter
from aquadash.runs.types import Run, RunStatus
from aquadash.ui import address, bound
from aquadash.ui import hyperparameters as settings
from aquadash.ui.compare import run_table
from aquadash.ui.components import status_text
from aquadash.ui.glossary import term
from aquadash.ui.tables import Column, number_column, table, text_column
from aquadash.ui.text import count, plain

#: The menus of values of which a run must have one, by their names in the address: the field, the label, and what the
#: note under the table calls it.
_MENUS = {
    "status": ("status", "Status", "the status"),
    "data": ("data.source", "Data set", "the data set"),
    "network": ("model.name", "Network", "the network"),
    "pipeline": ("augmentation.pipeline", "Augmentation", "the augmentation"),
}

_WHERE_HELP = (
    'A condition such as `val_accuracy > 0.6 and "flip" in tags`: names of settings and figures, numbers, texts in '
    "quotes, `== != < <= > >=`, `in`, `+ - * /`, `and`, `or`, `not`. All names are listed under “Names and examples”."
)


@dataclass(frozen=True)
class Filtered:
    """The runs that pass the filters.

    Attributes:
        runs: In the order of the store.
        searches: How many trials of a search pass, and how many it has, by the id of the best of those that pass, which
            stands for all of them.
        note: How many they are and what is left out, in markdown.
    """

    runs: list[Run]
    searches: dict[str, tuple[int, int]]
    note: str


def filter_runs(runs: Sequence[Run], fields: Mapping[str, RunField], row: DeltaGenerator) -> Filtered:
    """Draw the filters into ``row``, bound to the address, and below it what is wrong with them."""
    with row:
        find = bound.text(
            "find", label="Find", longest=100, placeholder="Find by name, note, tag or setting",
            label_visibility="collapsed", icon=":material/search:",
        )  # fmt: skip
        box = st.popover("Filters", icon=":material/filter_list:", key="filters-box", on_change="rerun")
        chosen = _filter(runs, fields, box)
        if bound.in_sight(box):
            with box, st.expander("Names and examples", icon="❓", key="where-help", on_change="rerun") as opened:
                if opened.open:
                    _help(fields)
    # Trials of searches pass here, and are folded below.
    passing = replace(chosen, trials=True)
    try:
        shown = passing.apply(runs)
    except QueryError as error:
        st.error(f"Filter ignored. {plain(str(error))}", icon="🚧")
        st.code(pointer(chosen.where, error.position), language=None)
        shown = replace(passing, where="").apply(runs)
    shown = containing(shown, find)
    searches: dict[str, tuple[int, int]] = {}
    if not chosen.trials:
        shown, searches = fold_searches(shown, runs)
    return Filtered(shown, searches, _note(runs, shown, chosen))


def fold_searches(runs: Sequence[Run], every: Sequence[Run]) -> tuple[list[Run], dict[str, tuple[int, int]]]:
    """The runs with only the best trial of each search, by validation; and by its id of how many trials, here and of
    every run there is."""
    existing = Counter(run.search_id for run in every)
    trials: dict[str, list[Run]] = {}
    for run in runs:
        if run.search_id:
            trials.setdefault(run.search_id, []).append(run)

    def rank(run: Run) -> tuple[bool, float, float]:
        # As the search itself has it: a complete trial, and the earlier of two that are equal.
        return run.status is RunStatus.FINISHED, validation_accuracy(run) or 0.0, -run.created_at

    best = {max(each, key=rank).run_id: (len(each), existing[search_id]) for search_id, each in trials.items()}
    return [run for run in runs if not run.search_id or run.run_id in best], best


def containing(runs: Sequence[Run], find: str) -> list[Run]:
    """The runs whose name, note, tags, id, status and settings together contain every word."""
    words = find.casefold().split()
    if not words:
        return list(runs)
    texts = ((run, _searchable(run)) for run in runs)
    return [run for run, text in texts if all(word in text for word in words)]


def _filter(runs: Sequence[Run], fields: Mapping[str, RunField], box: DeltaGenerator) -> RunFilter:
    where = bound.text(
        "where",
        label="Where",
        longest=MAX_LENGTH,
        placeholder='val_accuracy > 0.6 and "flip" in tags',
        help=_WHERE_HELP,
        into=box,
    )
    one_of = {}
    for name, (field, label, _) in _MENUS.items():
        # None is what nobody knows of a run that cannot be read.
        values = [*RunStatus] if field == "status" else sorted({fields[field].get(run) for run in runs} - {None})
        one_of[field] = _several(name, label, {str(value): _value_text(field, value) for value in values}, box)
    tags = sorted({name for run in runs for name in run.tags})
    chosen_tags = _several("tag", "Tags, all of them", {name: name for name in tags}, box)
    low, high = bound.interval(
        "accuracy", 0, 100, label=FIGURES["val_accuracy"].title, format="%d %%",
        help="Runs without one are left out as soon as the range is not the whole.", into=box,
    )  # fmt: skip
    return RunFilter(
        where=where,
        one_of=one_of,
        tags=chosen_tags,
        accuracy=(low / 100, high / 100),
        pinned=bound.toggle("pinned", label="Pinned runs only", into=box),
        archived=bound.toggle("archived", label="Archived runs, too", into=box),
        trials=bound.toggle("trials", label="Every trial of a search", into=box),
    )


def _several(name: str, label: str, titles: Mapping[str, str], box: DeltaGenerator) -> list[str]:
    return bound.choices(
        name, titles, label=label, placeholder=label, label_visibility="collapsed", width=240, into=box
    )


def _value_text(field: str, value: str) -> str:
    return status_text(RunStatus(value)) if field == "status" else settings.value_text(field, value)


def _note(runs: Sequence[Run], shown: Sequence[Run], chosen: RunFilter) -> str:
    """How many runs there are and what is set in the closed box, since a link may have set it."""
    archived = 0 if chosen.archived else sum(run.archived and not run.search_id for run in runs)
    low, high = (round(100 * bound) for bound in chosen.accuracy)
    asked = [
        *(
            f"{phrase} {' or '.join(_value_text(field, value) for value in values)}"
            for field, _, phrase in _MENUS.values()
            if (values := chosen.one_of[field])
        ),
        *([f"the tags {' and '.join(chosen.tags)}"] if chosen.tags else []),
        *([f"a validation accuracy from {low} to {high} %"] if (low, high) != (0, 100) else []),
        *(["a pin"] if chosen.pinned else []),
        *([chosen.where] if chosen.where else []),
    ]
    return " ".join(
        [
            f"{count(len(shown), 'run')}{f' · {archived} archived' if archived else ''}.",
            *([f"Only runs with {plain(', '.join(asked))}."] if asked else []),
        ]
    )


def _help(fields: Mapping[str, RunField]) -> None:
    st.markdown("**Examples**")
    for example, meaning in EXAMPLES:
        st.markdown(f"`{example}`  \n{meaning}")
    st.caption(
        "Capital letters make no difference. A comparison with a figure that is not known yet is never true. "
        "Fractions go from 0 to 1."
    )
    table(
        Column("Name", fields),
        Column("Is a", [str(field.kind) for field in fields.values()]),
        text_column("Meaning", [field.help for field in fields.values()], width="large"),
        alt="The names that a condition may use, with their meaning.",
        height=300,
    )


def _searchable(run: Run) -> str:
    flat = flatten(run.config)
    words = " ".join(
        f"{settings.label(k)} {k}={v} {settings.value_text(k, v)}" for k, v in flat.items() if k != DEFINITIONS
    )
    return f"{run.name} {run.note} {' '.join(run.tags)} {run.run_id} {run.search_id} {run.status} {words}".casefold()


_NONE = "none"
#: No group's key: the value of no field is a line break.
_ALL = "\n"
#: The columns of a metric, with what they show of its :class:`~aquadash.runs.groups.Spread`.
_PARTS = {"mean": "mean", "deviation": "deviation", "least": "low", "greatest": "high"}


def choose_grouping(fields: Mapping[str, RunField], into: DeltaGenerator) -> str:
    """Draw the menu of what to group by into a popover, bound to ``?group=``; ``"none"`` for nothing."""
    return bound.menu(
        "group",
        {name: _grouping_title(name) for name in (_NONE, ALL_BUT_SEED, *groupable(fields))},
        label="Group by",
        into=into,
        help="Shows mean and deviation of the accuracies of finished runs that have the same value; equal trainings "
        "count once. “Same but the seed” takes repetitions of one experiment together. " + term("seed"),
    )


def choose_group(runs: Sequence[Run], by: str, fields: Mapping[str, RunField], *, without: Container[str]) -> list[Run]:
    """Draw the groups and return the runs of the open one; all runs while none is open or nothing is grouped.

    The best trials of searches (``without``) are in no group: they would flatter its mean.
    """
    if by == _NONE:
        return list(runs)
    passing, runs = len(runs), [run for run in runs if run.run_id not in without]
    if len(runs) < passing:
        st.caption(
            "The best trial of a search is in no group: it would flatter the mean. For groups with all trials choose "
            "*Every trial of a search* under *Filters*."
        )
    if not runs:
        return []
    groups = group_runs(runs, by, fields)
    by_key = {group.key: group for group in groups}
    titles = {_ALL: "all groups"} | {key: group_title(group, by) for key, group in by_key.items()}
    _group_table(groups, by, address.choice("member", list(titles), default=_ALL))
    chosen = bound.menu("member", titles, label="Show the runs of")
    _say_what_varies(groups, by)
    return list(runs) if chosen == _ALL else list(by_key[chosen].runs)


def group_title(group: RunGroup, by: str) -> str:
    """What the group's runs have in common, for people."""
    if by != ALL_BUT_SEED:
        return run_table.field_text(by, group.value)
    parts = [
        f"other images ({str(value)[:8]})" if name == "dataset_fingerprint"
        else f"its own pipelines: {value or 'none'}" if name == DEFINITIONS
        else f"{run_table.column_title(name)}: {run_table.field_text(name, value)}"
        for name, value in group.value.items()
    ]  # fmt: skip
    return " · ".join(parts) or "all settings alike"


def _grouping_title(name: str) -> str:
    named = {_NONE: "nothing", ALL_BUT_SEED: "same but the seed"}
    return named.get(name) or run_table.column_title_with_name(name)


def _group_table(groups: Sequence[RunGroup], by: str, chosen: str) -> None:
    """A row a group, figures in their units."""
    keys = [group.key for group in groups]
    wanted = [keys.index(chosen)] if chosen in keys else []
    key = run_table.key_with_ticks("groups", [by, *keys], wanted)
    titles = [group_title(group, by) for group in groups]
    columns = [
        text_column("Group", titles, width="large"),
        Column("Runs", [len(group.runs) for group in groups]),
        Column("Seeds", [group.seeds for group in groups]),
    ]
    for name in METRICS:
        figure, spreads = FIGURES[name], [group.spreads[name] for group in groups]
        columns.append(Column(f"{figure.title}: n", [spread.n for spread in spreads]))
        for part, attribute in _PARTS.items():
            values = [getattr(spread, attribute) for spread in spreads]
            scaled = [None if value is None else figure.scale * value for value in values]
            format = run_table.number_format(figure, figure.mean_digits)
            help = term("standard deviation") if part == "deviation" else None
            columns.append(number_column(f"{figure.title}: {part}", scaled, format, help=help))
    table(
        *columns,
        alt=f"Table of {count(len(groups), 'group')} with mean and deviation. The menu below opens one by keyboard.",
        key=key,
        on_select=lambda: _take_group(key, keys),
        selection_mode="single-row",
        selection_default={"selection": {"rows": wanted}},
        placeholder="–",
    )


def _take_group(key: str, keys: Sequence[str]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    st.session_state["member"] = keys[rows[0]] if rows and rows[0] < len(keys) else _ALL


def _say_what_varies(groups: Sequence[RunGroup], by: str) -> None:
    varying = sorted({name for group in groups for name in group.varying} - {by})
    if varying:
        named = ", ".join(plain(run_table.column_title(name)) for name in varying[:6] if name != "dataset_fingerprint")
        more = f" and {len(varying) - 6} more" if len(varying) > 6 else ""
        st.caption(
            f"Within the groups other things differ as well: {named or 'the images'}{more}. So the deviation is not "
            "that of the seed alone."
        )
    elif any(group.seeds > 1 for group in groups):
        st.caption("Within a group only the seed differs: the deviation is what chance alone does.")

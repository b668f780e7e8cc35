"""The filters of the table of runs, all of them in the address: words, menus, a condition, groups over seeds."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aquadash.config import DEFINITIONS, flatten
from aquadash.lab.query import EXAMPLES, MAX_LENGTH, QueryError, names
from aquadash.lab.selection import ALL_BUT_SEED, GROUPED, RunFilter, RunGroup, group_runs
from aquadash.store.fields import FIGURES, RunField, validation_accuracy
from aquadash.store.types import Run, RunStatus
from aquadash.ui.compare import run_table
from aquadash.ui.kit import bound
from aquadash.ui.kit import hyperparameters as settings
from aquadash.ui.kit.components import status_text
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.tables import Column, number_column, render_columns, text_column
from aquadash.ui.kit.text import count, plain

#: Menus of values by their names in the address: field, label, and phrase of the note under the table.
_MENUS = {
    "status": ("status", "Status", "the status"),
    "data": ("data.source", "Data set", "the data set"),
    "network": ("model.name", "Network", "the network"),
    "pipeline": ("augmentation.pipeline", "Augmentation", "the augmentation"),
}

_WHERE_HELP = (
    "A condition in SQL such as `accuracy > 0.7 and name like '%cnn%'`: names of figures and settings, numbers, texts "
    "in quotes, `= <> < <= > >=`, `like`, `in`, `between`, `is null`, `+ - * /`, `and`, `or`, `not`. All names are "
    "listed under “Names and examples”."
)
_GROUPS_HELP = (
    "Mean and standard deviation of the accuracies of finished runs that differ in the seed only; equal trainings "
    "count once. "
)
#: Titles of the groupings by their word in the address.
_GROUPINGS = {"none": "Single runs", ALL_BUT_SEED: "Means over seeds"}


@dataclass(frozen=True)
class Filtered:
    """The runs that pass the filters."""

    #: Runs in the order of the store.
    runs: list[Run]
    #: By the id of a search's best passing trial, which stands for all: numbers of passing and of all trials.
    searches: dict[str, tuple[int, int]]
    #: Number of runs and active filters, in markdown.
    note: str
    #: Whether groups over seeds are chosen.
    grouped: bool


def filter_runs(runs: Sequence[Run], fields: Mapping[str, RunField], row: DeltaGenerator) -> Filtered:
    """Draw the filters into ``row``, and an error of the condition below it."""
    with row:
        look = {"label_visibility": "collapsed", "icon": ":material/search:", "width": 220}
        find = bound.text("find", label="Find", longest=100, placeholder="Find runs", **look)
        box = st.popover("Filters", icon=":material/filter_list:", key="filters-box", on_change="rerun")
        grouping = bound.menu("group", _GROUPINGS, label="Rows", into=box, help=_GROUPS_HELP + term("seed"))
        chosen = _filter(runs, fields, box)
        if box.open:
            with box, st.expander("Names and examples", icon="❓", key="where-help", on_change="rerun") as opened:
                if opened.open:
                    _help(fields)
    # Trials of searches are folded below.
    passing = replace(chosen, trials=True)
    try:
        shown = passing.apply(runs)
    except QueryError as error:
        st.error(f"Filter ignored. {plain(str(error))}", icon="🚧")
        shown = replace(passing, where="").apply(runs)
    shown = containing(shown, find)
    searches: dict[str, tuple[int, int]] = {}
    if not chosen.trials:
        shown, searches = fold_searches(shown, runs)
    return Filtered(shown, searches, _note(runs, shown, chosen), grouping == ALL_BUT_SEED)


def fold_searches(runs: Sequence[Run], every: Sequence[Run]) -> tuple[list[Run], dict[str, tuple[int, int]]]:
    """Return the runs with only the best trial of each search, and by its id the numbers of passing and all trials."""
    existing = Counter(run.search_id for run in every)
    trials: dict[str, list[Run]] = {}
    for run in runs:
        if run.search_id:
            trials.setdefault(run.search_id, []).append(run)

    def rank(run: Run) -> tuple[bool, float, float]:
        # As on the search's page: finished trials first, and the earlier of two equal ones.
        return run.status is RunStatus.FINISHED, validation_accuracy(run) or 0.0, -run.created_at

    best = {max(each, key=rank).run_id: (len(each), existing[search_id]) for search_id, each in trials.items()}
    return [run for run in runs if not run.search_id or run.run_id in best], best


def containing(runs: Sequence[Run], find: str) -> list[Run]:
    """Return the runs whose name, note, tags, id, status and settings together contain every word."""
    words = find.casefold().split()
    if not words:
        return list(runs)
    texts = ((run, _searchable(run)) for run in runs)
    return [run for run, text in texts if all(word in text for word in words)]


def _filter(runs: Sequence[Run], fields: Mapping[str, RunField], box: DeltaGenerator) -> RunFilter:
    where = bound.text(
        "where", label="Where", longest=MAX_LENGTH, placeholder=EXAMPLES[0][0], help=_WHERE_HELP, into=box
    )
    one_of = {}
    for name, (field, label, _) in _MENUS.items():
        # An unreadable run has None.
        values = [*RunStatus] if field == "status" else sorted({fields[field].get(run) for run in runs} - {None})
        one_of[field] = _several(name, label, {str(value): _value_text(field, value) for value in values}, box)
    tags = sorted({name for run in runs for name in run.tags})
    chosen_tags = _several("tag", "All of these tags", {name: name for name in tags}, box)
    title, help = FIGURES["val_accuracy"].title, "A narrower range leaves out runs without an accuracy."
    low, high = bound.interval("accuracy", 0, 100, label=title, format="%d %%", help=help, into=box)
    return RunFilter(
        where=where,
        one_of=one_of,
        tags=chosen_tags,
        accuracy=(low / 100, high / 100),
        pinned=bound.toggle("pinned", label="Pinned runs only", into=box),
        archived=bound.toggle("archived", label="Include archived runs", into=box),
        trials=bound.toggle("trials", label="Every trial of a search", into=box),
    )


def _several(name: str, label: str, titles: Mapping[str, str], box: DeltaGenerator) -> list[str]:
    return bound.choices(
        name, titles, label=label, placeholder=label, label_visibility="collapsed", width=240, into=box
    )


def _value_text(field: str, value: str) -> str:
    return status_text(RunStatus(value)) if field == "status" else settings.value_text(field, value)


def _note(runs: Sequence[Run], shown: Sequence[Run], chosen: RunFilter) -> str:
    """Describe the number of runs and the active filters, which a link may have set."""
    archived = 0 if chosen.archived else sum(run.archived and not run.search_id for run in runs)
    low, high = (round(100 * bound) for bound in chosen.accuracy)
    filters = []
    for field, _, phrase in _MENUS.values():
        if values := chosen.one_of[field]:
            filters.append(f"{phrase} {' or '.join(_value_text(field, value) for value in values)}")
    if chosen.tags:
        filters.append(f"the tags {' and '.join(chosen.tags)}")
    if (low, high) != (0, 100):
        filters.append(f"a validation accuracy from {low} to {high} %")
    if chosen.pinned:
        filters.append("a pin")
    if chosen.where:
        filters.append(chosen.where)
    number = f"{count(len(shown), 'run')}{f' · {archived} archived' if archived else ''}."
    return f"{number} Only runs with {plain(', '.join(filters))}." if filters else number


def _help(fields: Mapping[str, RunField]) -> None:
    st.markdown("**Examples**")
    for example, meaning in EXAMPLES:
        st.markdown(f"`{example}`  \n{meaning}")
    st.caption(
        "Capital letters make no difference. A comparison with an unknown value is never true. Fractions go "
        "from 0 to 1."
    )
    known = names(fields)
    render_columns(
        Column("Name", known),
        Column("Type", [str(field.kind) for field in known.values()]),
        text_column("Meaning", [field.help for field in known.values()], width="large"),
        alt="The names that a condition may use, with their meaning.",
        height=300,
    )


def _searchable(run: Run) -> str:
    flat = flatten(run.config)
    words = " ".join(
        f"{settings.label(k)} {k}={v} {settings.value_text(k, v)}" for k, v in flat.items() if k != DEFINITIONS
    )
    return f"{run.name} {run.note} {' '.join(run.tags)} {run.run_id} {run.search_id} {run.status} {words}".casefold()


_ALL = "all"


def choose_group(filtered: Filtered) -> list[Run]:
    """Draw the groups, if chosen, without the best trials of searches; return the runs of the open group, or all."""
    if not filtered.grouped:
        return filtered.runs
    runs = [run for run in filtered.runs if run.run_id not in filtered.searches]
    if len(runs) < len(filtered.runs):
        st.caption(
            "Groups leave out the best trial of a search, which would make the mean too high. To group all trials, "
            "choose *Every trial of a search* under *Filters*."
        )
    if not runs:
        return []
    groups = group_runs(runs)
    titles = {group.key: _group_title(group) for group in groups}
    _group_table(groups, list(titles.values()))
    chosen = bound.menu("member", {_ALL: "all groups"} | titles, label="Group")
    return next((list(group.runs) for group in groups if group.key == chosen), runs)


def _group_title(group: RunGroup) -> str:
    parts = []
    for name, value in group.value.items():
        if name == "dataset_fingerprint":
            parts.append(f"other images ({value[:8]})")
        elif name == DEFINITIONS:
            parts.append(f"its own pipelines: {value or 'none'}")
        else:
            parts.append(f"{settings.label(name)}: {settings.value_text(name, value)}")
    return " · ".join(parts) or "same settings"


def _group_table(groups: Sequence[RunGroup], titles: Sequence[str]) -> None:
    columns = [
        text_column("Group", titles, width="large"),
        Column("Runs", [len(group.runs) for group in groups]),
        Column("Seeds", [group.seeds for group in groups]),
    ]
    for name in GROUPED:
        figure, spreads = FIGURES[name], [group.spreads[name] for group in groups]
        format = run_table.number_format(figure, figure.mean_digits)
        columns.append(Column(f"{figure.title}: n", [spread.n for spread in spreads]))
        for part, help in (("mean", None), ("deviation", term("standard deviation"))):
            values = [getattr(spread, part) for spread in spreads]
            scaled = [None if value is None else figure.scale * value for value in values]
            columns.append(number_column(f"{figure.title}: {part}", scaled, format, help=help))
    alt = f"Table of {count(len(groups), 'group')} with mean and deviation. The menu below opens one."
    render_columns(*columns, alt=alt, key="groups", placeholder="–")

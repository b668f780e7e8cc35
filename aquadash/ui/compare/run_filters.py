"""Which runs the table shows: words, a condition and plain controls, all of them in the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import streamlit as st

from aquadash.config import DEFINITIONS, flatten
from aquadash.runs.fields import FIGURES, RunField
from aquadash.runs.query import EXAMPLES, MAX_LENGTH, QueryError, pointer
from aquadash.runs.selection import RunFilter
from aquadash.runs.types import Run, RunStatus
from aquadash.ui import bound
from aquadash.ui import hyperparameters as settings
from aquadash.ui.components import status_text
from aquadash.ui.text import count, plain

_WHERE_HELP = (
    'A condition such as `val_accuracy > 0.6 and "flip" in tags`: names of settings and figures, numbers, texts in '
    "quotes, `== != < <= > >=`, `in`, `+ - * /`, `and`, `or`, `not`. All names are listed under “Names and examples”."
)


def filters(runs: Sequence[Run], fields: Mapping[str, RunField]) -> list[Run]:
    """Draw the filters, bound to the address, and return the runs that pass."""
    sources = sorted({run.config.data.source for run in runs})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        find = bound.text(
            "find", label="Find", longest=100, placeholder="name, note, tag or setting", width=240,
            help="Shows the runs that contain every word, in their name, note, tags or settings: adam 0.001",
        )  # fmt: skip
        where = bound.text(
            "where",
            label="Where",
            longest=MAX_LENGTH,
            placeholder='val_accuracy > 0.6 and "flip" in tags',
            width=360,
            help=_WHERE_HELP,
        )
        statuses = _several("status", "Status", [str(status) for status in RunStatus], _status_word)
        chosen_sources = _several("data", "Data set", sources, lambda name: settings.value_text("data.source", name))
        with st.popover("More filters", icon="🎛️", key="filters-box"):
            chosen = _more(runs)
        with st.popover("Names and examples", icon="❓", key="where-help", on_change="rerun") as opened:
            if opened.open:
                _help(fields)
    chosen = replace(chosen, statuses=statuses, sources=chosen_sources)
    try:
        shown = replace(chosen, where=where).apply(runs)
    except QueryError as error:
        st.error(f"The condition is left out. {plain(str(error))}", icon="🚧")
        st.code(pointer(where, error.position), language=None)
        shown = chosen.apply(runs)
    _say_what_is_hidden(runs, chosen)
    _say_what_more_is_asked(chosen)
    return containing(shown, find)


def containing(runs: Sequence[Run], find: str) -> list[Run]:
    """The runs whose name, note, tags, id, status and settings together contain every word."""
    words = find.casefold().split()
    if not words:
        return list(runs)
    texts = ((run, _searchable(run)) for run in runs)
    return [run for run, text in texts if all(word in text for word in words)]


def _more(runs: Sequence[Run]) -> RunFilter:
    networks = sorted({run.config.model.name for run in runs})
    pipelines = sorted({run.config.augmentation.pipeline for run in runs})
    tags = sorted({name for run in runs for name in run.tags})
    chosen_networks = _several("network", "Network", networks, lambda name: settings.value_text("model.name", name))
    chosen_pipelines = _several(
        "pipeline", "Augmentation", pipelines, lambda name: settings.value_text("augmentation.pipeline", name)
    )
    chosen_tags = _several("tag", "Tags, all of them", tags, str)
    low, high = bound.interval(
        "accuracy", 0, 100, label=FIGURES["val_accuracy"].title, format="%d %%",
        help="Runs without one are left out as soon as the range is not the whole.",
    )  # fmt: skip
    return RunFilter(
        networks=chosen_networks,
        pipelines=chosen_pipelines,
        tags=chosen_tags,
        accuracy=(low / 100, high / 100),
        pinned=bound.toggle("pinned", label="Pinned runs only"),
        archived=bound.toggle("archived", label="Archived runs, too"),
        trials=bound.toggle("trials", label="Trials of searches, too"),
    )


def _several(name: str, label: str, options: Sequence[str], word: Callable[[str], str]) -> list[str]:
    return bound.choices(name, {each: word(each) for each in options}, label=label, placeholder="any", width=240)


def _say_what_is_hidden(runs: Sequence[Run], chosen: RunFilter) -> None:
    trials = 0 if chosen.trials else sum(bool(run.search_id) for run in runs)
    archived = 0 if chosen.archived else sum(run.archived and not run.search_id for run in runs)
    hidden = [
        *([count(trials, "trial of searches", "trials of searches")] if trials else []),
        *([count(archived, "archived run")] if archived else []),
    ]
    if hidden:
        st.caption(f"Not shown: {' and '.join(hidden)}. “More filters” shows them.")


def _say_what_more_is_asked(chosen: RunFilter) -> None:
    """What is set in the closed box, since a link may have set it."""
    low, high = (round(100 * bound) for bound in chosen.accuracy)
    asked = [
        *([f"the network {' or '.join(chosen.networks)}"] if chosen.networks else []),
        *([f"the augmentation {' or '.join(chosen.pipelines)}"] if chosen.pipelines else []),
        *([f"the tags {' and '.join(chosen.tags)}"] if chosen.tags else []),
        *([f"a validation accuracy from {low} to {high} %"] if (low, high) != (0, 100) else []),
        *(["a pin"] if chosen.pinned else []),
    ]
    if asked:
        st.caption(f"Only runs with {plain(', '.join(asked))}.")


def _help(fields: Mapping[str, RunField]) -> None:
    st.markdown("**Examples**")
    for example, meaning in EXAMPLES:
        st.markdown(f"`{example}`  \n{meaning}")
    st.caption(
        "Capital letters make no difference. A comparison with a figure that is not known yet is never true. Shares go "
        "from 0 to 1."
    )
    st.dataframe(
        {
            "Name": list(fields),
            "Is a": [str(field.kind) for field in fields.values()],
            "Meaning": [field.help for field in fields.values()],
        },
        hide_index=True,
        height=300,
        column_config={"Meaning": st.column_config.TextColumn(width="large")},
        alt="The names that a condition may use, with their meaning.",
    )


def _status_word(name: str) -> str:
    return status_text(RunStatus(name))


def _searchable(run: Run) -> str:
    flat = flatten(run.config)
    words = " ".join(
        f"{settings.label(k)} {k}={v} {settings.value_text(k, v)}" for k, v in flat.items() if k != DEFINITIONS
    )
    return f"{run.name} {run.note} {' '.join(run.tags)} {run.run_id} {run.status} {words}".casefold()

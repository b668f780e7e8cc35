"""The section that repeats a run and compares the results."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from aquadash.store.types import Run, RunStatus
from aquadash.ui.kit import address, components, run_lists, shell
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.run_lists import BY_RUN
from aquadash.ui.kit.tables import Column, number_column, render_columns
from aquadash.ui.kit.text import count, duration, moment, named, plain

if TYPE_CHECKING:
    from aquadash.training.reproduction import Reproduction

#: Seconds between two drawings of a repeat at work.
TICK_SECONDS = 2.0


def render_repeats(run: Run) -> None:
    """Draw the section for a run that has ended."""
    st.markdown(
        "Train this run again with the same settings, seed and data. On the same computer the result is identical.",
        help=term("reproduction"),
    )
    if run.repeats:
        _original(run)
    repeats = repeats_of(run, lab().runs.all())
    if run.status is not RunStatus.FINISHED:
        st.info(f"This run is {run.status}. Only a run that finished by itself can be repeated.", icon="✋")
    elif not any(not repeat.status.ended for repeat in repeats):
        seconds = run.metrics.get("seconds")
        took = f" The first training took {duration(seconds)}." if seconds else ""
        shell.render_action_button(
            "Run it again",
            partial(lab().runs.repeat, run.run_id),
            icon="🔁",
            type="primary",
            key="repeat-run",
            help=f"Adds a repeat to the queue.{took}",
        )
    if repeats:
        at_work = tuple(repeat.run_id for repeat in repeats if not repeat.status.ended)
        shell.live(TICK_SECONDS if at_work else None)(_repeats)(run, at_work)


def repeats_of(run: Run, runs: Sequence[Run]) -> list[Run]:
    """Return the repeats of this run, the latest first; imported ones only of its owner and the teacher."""
    ids = {run.run_id, run.imported_id} - {""}
    # An imported run may claim to repeat any run.
    repeats = [
        each for each in runs if each.repeats in ids and (not each.origin or each.shared or each.owner == run.owner)
    ]
    return sorted(repeats, key=lambda each: -each.created_at)


def _original(run: Run) -> None:
    here = [each.run_id for each in lab().runs.all() if run.repeats in (each.run_id, each.imported_id)]
    here.sort(key=lambda run_id: run_id != run.repeats)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("This run repeats another one.", width="content")
        query_params = {"run": here[0] if here else run.repeats, "section": "repeat"}
        st.page_link(
            "pages/evaluate.py", label="Original run", icon=":material/arrow_forward:", query_params=query_params
        )


def _repeats(run: Run, at_work: tuple[str, ...]) -> None:
    """Draw the repeats; draw the whole page again when one of them has ended."""
    repeats = repeats_of(run, lab().runs.all())
    if tuple(repeat.run_id for repeat in repeats if not repeat.status.ended) != at_work:
        address.draw_again()
    for number, repeat in enumerate(repeats):
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{plain(repeat.name)}**", width="content")
                components.render_status(repeat.status)
                st.caption(moment(repeat.ended_at or repeat.created_at), width="content")
                page, label = ("pages/evaluate.py", "Evaluate") if repeat.status.ended else ("pages/train.py", "Watch")
                st.page_link(page, label=named(label, repeat.name), query_params={"run": repeat.run_id})
            if repeat.status is RunStatus.FINISHED:
                with shell.guard():
                    _result(_reproduction(run, repeat), open_table=number == 0)
            elif not repeat.status.ended:
                run_lists.render_progress(repeat)
            elif repeat.message:
                st.caption(plain(repeat.message))


def _result(reproduction: Reproduction, *, open_table: bool) -> None:
    total = sum(part.count for part in reproduction.parts)
    if reproduction.identical:
        st.success(f"**Identical.** All {count(total, 'number')} are the same, bit by bit.", icon="✅")
    else:
        different = sum(part.different for part in reproduction.parts)
        st.warning(
            f"**Not identical.** {different:,} of {count(total, 'number')} differ, by at most "
            f"{reproduction.max_difference:.3g}.",
            icon="⚠️",
        )
    if reproduction.reasons:
        reasons = "\n".join(f"- {plain(reason)}" for reason in reproduction.reasons)
        lead = "Other differences" + ("" if reproduction.identical else ", which may be the cause")
        st.markdown(f"{lead}:\n{reasons}")
    elif not reproduction.identical:
        st.markdown("Settings, data, versions and processor are the same, so this should not happen.")
    with st.expander("Compared numbers", icon=":material/table_rows:", expanded=open_table):
        render_columns(
            Column("Part", [part.name for part in reproduction.parts]),
            number_column("Numbers", [part.count for part in reproduction.parts], "localized"),
            number_column("Different", [part.different for part in reproduction.parts], "localized"),
            Column("Largest difference", [f"{part.max_difference:.3g}" for part in reproduction.parts]),
            Column("Largest in", [part.where for part in reproduction.parts]),
            alt="Compared numbers: how many there are, how many differ, and by how much",
        )


@st.cache_resource(show_spinner="Comparing the two, number by number ...", max_entries=32, hash_funcs=BY_RUN)
def _reproduction(run: Run, repeat: Run) -> Reproduction:
    return lab().runs.reproduction(run.run_id, repeat.run_id)

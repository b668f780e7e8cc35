"""``runs list`` with its conditions, order and groups; and what marks runs: tags, pins, the archive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from aquadash.cli.briefs import brief
from aquadash.cli.output import json_option, percent, show, table
from aquadash.cli.runs import runs
from aquadash.errors import RunError, UnknownNameError
from aquadash.lab import Lab
from aquadash.people import OWNER
from aquadash.runs import Run
from aquadash.runs.fields import FIGURES, run_fields
from aquadash.runs.groups import ALL_BUT_SEED, METRICS, RunGroup, group_runs, groupable, value_key
from aquadash.runs.query import QueryError, pointer
from aquadash.runs.selection import RunFilter, for_each, sort_runs

_some_runs = click.argument("some_runs", metavar="RUN...", nargs=-1, required=True)
_tag = click.option("--tag", "tags", multiple=True, required=True, help="Which; may be given more than once.")


@runs.command("list")
@click.option("--where", default="", help="A condition: 'val_accuracy > 0.6 and \"flip\" in tags'. See runs fields.")
@click.option("--sort", "sort_key", default="-created", show_default=True, help="A field; with - the greatest first.")
@click.option("--group-by", "group_by", help=f"A field, or {ALL_BUT_SEED}: mean and deviation of each group.")
@click.option("--tag", "tags", multiple=True, help="Only runs with this tag; may be given more than once.")
@click.option("--pinned", is_flag=True, help="Only pinned runs.")
@click.option("--archived/--no-archived", default=True, show_default=True, help="Archived runs, too.")
@click.option("--trials/--no-trials", default=True, show_default=True, help="Trials of searches, too.")
@click.option("--deleted", is_flag=True, help="Those in the bin instead.")
@json_option
def list_runs(
    where: str,
    sort_key: str,
    group_by: str | None,
    tags: tuple[str, ...],
    pinned: bool,
    archived: bool,
    trials: bool,
    deleted: bool,
    as_json: bool,
) -> None:
    """List the runs, pinned ones first, then the newest."""
    everything = Lab(OWNER).runs.all(deleted=deleted)
    fields = run_fields(everything)
    chosen = RunFilter(tags=tags, pinned=pinned, archived=archived, trials=trials, where=where)
    try:
        found = sort_runs(chosen.apply(everything), sort_key, fields)
    except QueryError as error:
        # The command line's errors are one line, so that the mark goes into it.
        marked = pointer(where, error.position).splitlines()[0]
        raise RunError(f"--where {marked!r}: {error}") from None
    if group_by is None:
        nothing = "No run meets that." if everything else "No runs yet: train one with train."
        show({"runs": [brief(run) for run in found]}, as_json=as_json, text=lambda: _list(found) if found else nothing)
        return
    if group_by not in (known := [ALL_BUT_SEED, *groupable(fields)]):
        raise UnknownNameError.of("field to group by", group_by, known)
    groups = group_runs(found, group_by, fields)
    show(
        {"group_by": group_by, "groups": [_group(group) for group in groups]},
        as_json=as_json,
        text=lambda: _groups(groups),
    )


@runs.command("fields")
@json_option
def list_fields(as_json: bool) -> None:
    """List the names that --where, --sort and --group-by take."""
    fields = run_fields(Lab(OWNER).runs.all())
    show(
        {"fields": [{"name": each.name, "kind": str(each.kind), "help": each.help} for each in fields.values()]},
        as_json=as_json,
        text=lambda: table(
            [(each.name, each.kind, each.help) for each in fields.values()], header=("name", "is a", "meaning")
        ),
    )


@runs.command("tag")
@_some_runs
@_tag
@json_option
def tag(some_runs: tuple[str, ...], tags: tuple[str, ...], as_json: bool) -> None:
    """Give runs tags."""
    _each(some_runs, lambda run_id: Lab(OWNER).runs.tag(run_id, add=tags), "tagged", as_json)


@runs.command("untag")
@_some_runs
@_tag
@json_option
def untag(some_runs: tuple[str, ...], tags: tuple[str, ...], as_json: bool) -> None:
    """Take tags from runs."""
    _each(some_runs, lambda run_id: Lab(OWNER).runs.tag(run_id, remove=tags), "without the tags", as_json)


@runs.command("pin")
@_some_runs
@click.option("--off", is_flag=True, help="No longer.")
@json_option
def pin(some_runs: tuple[str, ...], off: bool, as_json: bool) -> None:
    """Let runs stand first in lists."""
    words = "no longer pinned" if off else "pinned"
    _each(some_runs, lambda run_id: Lab(OWNER).runs.pin(run_id, not off), words, as_json)


@runs.command("archive")
@_some_runs
@click.option("--off", is_flag=True, help="Bring them back.")
@json_option
def archive(some_runs: tuple[str, ...], off: bool, as_json: bool) -> None:
    """Leave runs out of the table on the Compare page; nothing of them is lost."""
    words = "out of the archive" if off else "archived"
    _each(some_runs, lambda run_id: Lab(OWNER).runs.archive(run_id, not off), words, as_json)


def _each(some_runs: tuple[str, ...], action: Callable[[str], object], words: str, as_json: bool) -> None:
    known = Lab(OWNER).runs
    result = for_each([known.find_id(run) for run in some_runs], action)
    if result.failed:
        raise RunError(" ".join(result.failed.values()))
    found = [known.get(run_id) for run_id in result.done]
    show(
        {"runs": [brief(run) for run in found]},
        as_json=as_json,
        text=lambda: "\n".join(f"{run.name} ({run.run_id[:8]}) is {words}." for run in found),
    )


def _list(found: list[Run]) -> str:
    header = ("id", "name", "status", "data", "pipeline", "test accuracy", "created", "tags")
    return table([_row(run) for run in found], header=header)


def _row(run: Run) -> tuple[str, ...]:
    accuracy = run.metrics.get("test_accuracy")
    return (
        run.run_id[:8],
        f"{'* ' if run.pinned else ''}{run.name}{' (archived)' if run.archived else ''}",
        str(run.status),
        run.config.data.source,
        run.config.augmentation.pipeline,
        "" if accuracy is None else percent(accuracy),
        datetime.fromtimestamp(run.created_at).strftime("%Y-%m-%d %H:%M"),
        ", ".join(run.tags),
    )


def _group(group: RunGroup) -> dict[str, Any]:
    return {
        "key": group.key,
        "value": group.value,
        "runs": [run.run_id for run in group.runs],
        "seeds": group.seeds,
        "varying": list(group.varying),
        **{name: asdict(spread) for name, spread in group.spreads.items()},
    }


def _groups(groups: list[RunGroup]) -> str:
    rows = []
    for group in groups:
        value = group.value
        named = (
            ", ".join(f"{k}={value_key(v)}" for k, v in value.items()) if isinstance(value, dict) else value_key(value)
        )
        row: list[object] = [named or "all alike", len(group.runs), group.seeds]
        for name in METRICS:
            spread, figure = group.spreads[name], FIGURES[name]
            row += [
                "" if value is None else f"{figure.scale * value:.{figure.mean_digits}f} {figure.unit}".rstrip()
                for value in (spread.mean, spread.deviation, spread.low, spread.high)
            ]
        rows.append(row)
    figures = [f"{name.removesuffix('_accuracy')} {part}" for name in METRICS for part in ("mean", "sd", "min", "max")]
    return table(rows, header=("group", "runs", "seeds", *figures)) if rows else "No run meets that."

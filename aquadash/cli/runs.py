"""``runs``: the stored runs: list them, show one, stop, resume, delete and mark them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click

from aquadash.cli.output import Group, Shown, lab, print_result
from aquadash.cli.train import finish, guess_values, guess_words
from aquadash.cli.waiting import wait_for_run
from aquadash.errors import RunError
from aquadash.store import Run
from aquadash.store.fields import metrics_of, run_fields
from aquadash.store.groups import ALL_BUT_SEED, METRICS, RunGroup, group_runs
from aquadash.store.query import EXAMPLES, names
from aquadash.store.selection import RunFilter, for_each, sort_runs

#: Lines of a log that a person reads.
_SHOWN_LINES = 10

_some_runs = click.argument("some_runs", metavar="RUN...", nargs=-1, required=True)
_tag = click.option("--tag", "tags", multiple=True, required=True, help="Which; may be given more than once.")


@click.group(cls=Group)
def runs() -> None:
    """Stored runs."""


@runs.command("list")
@click.option("--where", default="", help=f"A condition in SQL: {EXAMPLES[0][0]}. See runs fields.")
@click.option("--sort", "sort_key", default="-created", show_default=True, help="A field; with - the greatest first.")
@click.option(
    "--group-by", type=click.Choice([ALL_BUT_SEED]), help="Mean and deviation of runs that differ in the seed only."
)
@click.option("--tag", "tags", multiple=True, help="Only runs with this tag; may be given more than once.")
@click.option("--pinned", is_flag=True, help="Only pinned runs.")
@click.option("--archived/--no-archived", default=True, show_default=True, help="Archived runs, too.")
@click.option("--trials/--no-trials", default=True, show_default=True, help="Trials of searches, too.")
@click.option("--deleted", is_flag=True, help="Those in the bin instead.")
def list_runs(
    where: str,
    sort_key: str,
    group_by: str | None,
    tags: tuple[str, ...],
    pinned: bool,
    archived: bool,
    trials: bool,
    deleted: bool,
) -> None:
    """List the runs, pinned ones first, then the newest."""
    everything = lab.runs.all(deleted=deleted)
    chosen = RunFilter(tags=tags, pinned=pinned, archived=archived, trials=trials, where=where)
    found = sort_runs(chosen.apply(everything), sort_key, names(run_fields(everything)))
    empty = "The bin is empty." if deleted else "No runs yet: train one with train."
    nothing = "No run meets that." if everything else empty
    if group_by is None:
        columns = ("run_id", "name", "status", "source", "pipeline", "metrics.test_accuracy", "created_at", "tags")
        shown = Shown("runs", *columns, "pinned", "archived")
        print_result({"runs": [brief(run) for run in found]}, shown, "" if found else nothing)
        return
    groups = [_group(group) for group in group_runs(found)]
    figures = [f"{name}.{part}" for name in METRICS for part in ("n", "mean", "deviation", "low", "high")]
    shown = Shown("groups", "value", "seeds", *figures)
    print_result({"group_by": group_by, "groups": groups}, shown, "" if groups else nothing)


@runs.command("fields")
def list_fields() -> None:
    """List the names that --where and --sort take."""
    fields = names(run_fields(lab.runs.all()))
    print_result({"fields": [{"name": name, "kind": each.kind, "help": each.help} for name, each in fields.items()]})


@runs.command("show")
@click.argument("run")
def show_run(run: str) -> None:
    """Show one run with its settings, figures, history and the end of its log."""
    found = lab.runs.find(run)
    history, log = lab.runs.history(found.run_id), lab.runs.log(found.run_id)
    values = {
        **brief(found),
        "config": found.config.model_dump(),
        "history": [asdict(record) for record in history],
        "worker": asdict(found.worker) if found.worker else None,
        "progress": asdict(found.progress) if found.progress else None,
        "environment": lab.runs.environment(found.run_id),
        "guess": guess_values(found),
        "log": log,
    }

    print_result(
        values,
        f"{found.name} ({found.run_id}) {found.status}",
        found.message,
        found.note,
        *guess_words(found),
        *map(Shown, ("metrics", "history")),
        "\n".join(["Log:", *log.splitlines()[-_SHOWN_LINES:]]) if log else "",
        Shown("config"),
    )


@runs.command("stop")
@click.argument("run")
def stop(run: str) -> None:
    """Ask a run to stop; its complete epochs are kept."""
    found = _changed(run, lab.runs.stop)
    said = "is taken out of the queue" if found.status.ended else "was asked to stop; it does so within seconds"
    print_result(brief(found), f"{found.name} ({found.run_id[:8]}) {said}.")


@runs.command("resume")
@click.argument("run")
def resume(run: str) -> None:
    """Go on with a run after its last complete epoch, and wait for its end."""
    # Here, as lists of runs need not wait for its import.
    from aquadash.work import queue

    run_id = lab.runs.find(run).run_id
    with queue.open_engine():
        lab.runs.resume(run_id)
        found = wait_for_run(run_id)
    finish(found)


@runs.command("delete")
@click.argument("run")
def delete(run: str) -> None:
    """Put a run into the bin; runs restore brings it back."""
    found = _changed(run, lab.runs.delete)
    print_result(brief(found), f"{found.name} is in the bin. Bring it back: runs restore {found.run_id[:8]}")


@runs.command("restore")
@click.argument("run")
def restore(run: str) -> None:
    """Bring a run back from the bin."""
    found = _changed(run, lab.runs.restore, deleted=True)
    print_result(brief(found), f"{found.name} is back.")


@runs.command("first-model")
def first_model() -> None:
    """Put the included model into the store, or bring it back from the bin."""
    found = lab.runs.first_model()
    if found.deleted:
        lab.runs.restore(found.run_id)
        found = lab.runs.get(found.run_id)
    print_result(brief(found), f"{found.name} is there, as {found.run_id[:8]}.")


@runs.command("rename")
@click.argument("run")
@click.argument("name")
def rename(run: str, name: str) -> None:
    """Give a run another name."""
    found = _changed(run, lambda run_id: lab.runs.rename(run_id, name))
    print_result(brief(found), f"{found.run_id[:8]} is now called {found.name}.")


@runs.command("note")
@click.argument("run")
@click.argument("text")
def note(run: str, text: str) -> None:
    """Keep a note with a run."""
    found = _changed(run, lambda run_id: lab.runs.note(run_id, text))
    print_result(brief(found), f"Noted with {found.name}.")


def _changed(text: str, change: Callable[[str], object], *, deleted: bool = False) -> Run:
    """Do something with the named run, and return the run afterwards."""
    run_id = lab.runs.find_id(text, deleted=deleted)
    change(run_id)
    return lab.runs.get(run_id)


@runs.command("tag")
@_some_runs
@_tag
def tag(some_runs: tuple[str, ...], tags: tuple[str, ...]) -> None:
    """Give runs tags."""
    _each(some_runs, lambda run_id: lab.runs.tag(run_id, add=tags), "tagged")


@runs.command("untag")
@_some_runs
@_tag
def untag(some_runs: tuple[str, ...], tags: tuple[str, ...]) -> None:
    """Take tags from runs."""
    _each(some_runs, lambda run_id: lab.runs.tag(run_id, remove=tags), "without the tags")


@runs.command("pin")
@_some_runs
@click.option("--off", is_flag=True, help="No longer.")
def pin(some_runs: tuple[str, ...], off: bool) -> None:
    """Let runs stand first in lists."""
    words = "no longer pinned" if off else "pinned"
    _each(some_runs, lambda run_id: lab.runs.pin(run_id, not off), words)


@runs.command("archive")
@_some_runs
@click.option("--off", is_flag=True, help="Bring them back.")
def archive(some_runs: tuple[str, ...], off: bool) -> None:
    """Leave runs out of the table on the Compare page; nothing of them is lost."""
    words = "out of the archive" if off else "archived"
    _each(some_runs, lambda run_id: lab.runs.archive(run_id, not off), words)


def _each(some_runs: tuple[str, ...], action: Callable[[str], object], words: str) -> None:
    result = for_each([lab.runs.find_id(run) for run in some_runs], action)
    if result.failed:
        raise RunError(" ".join(result.failed.values()))
    found = [lab.runs.get(run_id) for run_id in result.done]
    print_result(
        {"runs": [brief(run) for run in found]},
        "\n".join(f"{run.name} ({run.run_id[:8]}) is {words}." for run in found),
    )


def _group(group: RunGroup) -> dict[str, Any]:
    return {
        "key": group.key,
        "value": group.value,
        "runs": [run.run_id for run in group.runs],
        "seeds": group.seeds,
        **{name: asdict(spread) for name, spread in group.spreads.items()},
    }


def brief(run: Run) -> dict[str, Any]:
    """A run without its history and settings, as plain values."""
    return {
        "run_id": run.run_id,
        "name": run.name,
        "status": str(run.status),
        "source": run.config.data.source,
        "pipeline": run.config.augmentation.pipeline,
        "model": run.config.model.name,
        "seed": run.config.seed,
        "search_id": run.search_id,
        "created_at": run.created_at,
        "ended_at": run.ended_at,
        "metrics": metrics_of(run),
        "message": run.message,
        "note": run.note,
        "tags": list(run.tags),
        "pinned": run.pinned,
        "archived": run.archived,
        "deleted": run.deleted,
    }

"""``runs``: the stored runs: list them, show one, stop, resume, delete and mark them; a run as one ZIP file."""

import shutil
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import click

from aquadash.cli.output import FILE, Command, Group, Shown, StatusLine, attributes, lab, print_result, run_argument
from aquadash.cli.train import finish, score_of_guess
from aquadash.cli.waiting import wait_for_job, wait_for_run
from aquadash.errors import RunError
from aquadash.files import check_target
from aquadash.lab.query import EXAMPLES, names
from aquadash.lab.selection import ALL_BUT_SEED, GROUPED, RunFilter, RunGroup, for_each, group_runs, sort_runs
from aquadash.store import Run, RunStatus
from aquadash.store.fields import metrics_of, run_fields

_INCLUDE_DATA_HELP = (
    "Put the images into the ZIP. Default: only images that AquaDash drew, not a person's own pictures."
)


runs = Group("runs", help="Stored runs.")


@runs.command("list")
@click.option("--where", default="", show_default=False, help=f"A condition in SQL: {EXAMPLES[0][0]}. See runs fields.")
@click.option("--sort", "sort_key", default="-created", help="The field to sort by; -FIELD for the greatest first.")
@click.option("--group-by", type=click.Choice([ALL_BUT_SEED]), help="Group runs that differ in the seed only.")
@click.option("--tag", "tags", multiple=True, help="Only runs with this tag; may be given more than once.")
@click.option("--pinned", is_flag=True, help="Only pinned runs.")
@click.option("--archived/--no-archived", default=True, help="Include archived runs.")
@click.option("--trials/--no-trials", default=True, help="Include trials of searches.")
@click.option("--deleted", is_flag=True, help="List the runs in the bin instead.")
def list_runs(sort_key: str, group_by: str | None, deleted: bool, **filters: Any) -> None:
    """List the runs, pinned ones first, then the newest."""
    everything = lab.runs.all(deleted=deleted)
    listed = sort_runs(RunFilter(**filters).apply(everything), sort_key, names(run_fields(everything)))
    empty = "The bin is empty." if deleted else "No runs yet: train one with train."
    nothing = "" if listed else "No run meets that." if everything else empty
    if group_by is None:
        columns = ("run_id", "name", "status", "source", "pipeline", "metrics.test_accuracy", "created_at", "tags")
        print_result({"runs": [brief(run) for run in listed]}, Shown("runs", *columns, "pinned", "archived"), nothing)
        return
    figures = [f"{name}.{part}" for name in GROUPED for part in ("n", "mean", "deviation", "low", "high")]
    groups = [_group(group) for group in group_runs(listed)]
    print_result({"group_by": group_by, "groups": groups}, Shown("groups", "value", "seeds", *figures), nothing)


@runs.command("fields")
def list_fields() -> None:
    """List the names that --where and --sort take."""
    fields = names(run_fields(lab.runs.all()))
    print_result({"fields": [{"name": name, "kind": each.kind, "help": each.help} for name, each in fields.items()]})


@runs.command("show")
@run_argument
def show_run(run: Run) -> None:
    """Show one run with its settings, figures, history and the end of its log."""
    history, log = lab.runs.history(run.run_id), lab.runs.log(run.run_id)
    guess, guess_words = score_of_guess(run)
    values = {
        **brief(run),
        "config": run.config.model_dump(),
        "history": [asdict(record) for record in history],
        "worker": asdict(run.worker) if run.worker else None,
        "progress": asdict(run.progress) if run.progress else None,
        "environment": lab.runs.environment(run.run_id),
        "guess": guess,
        "log": log,
    }
    print_result(
        values,
        *map(Shown, ("name", "run_id", "status", "message", "note")),
        *guess_words,
        *map(Shown, ("metrics", "history")),
        "\n".join(["Log:", *log.splitlines()[-10:]]) if log else "",
        Shown("config"),
    )


@runs.command("resume")
@run_argument
def resume(run: Run) -> None:
    """Go on with a run after its last complete epoch, and wait for its end."""
    # Imported here, so that the lists of runs start without the worker.
    from aquadash.work import queue

    with queue.open_engine():
        lab.runs.resume(run.run_id)
        ended = wait_for_run(run.run_id)
    finish(ended)


@runs.command("first-model")
def first_model() -> None:
    """Put the included model into the store, or bring it back from the bin."""
    run = lab.runs.first_model()
    if run.deleted:
        lab.runs.restore(run.run_id)
        run = lab.runs.get(run.run_id)
    print_result(brief(run), f"{run.name} is there, as {run.run_id[:8]}.")


@runs.command("export")
@run_argument
@click.argument("file", type=FILE, required=False)
@click.option("--mlflow", is_flag=True, help="Send it to the tracking server of MLFLOW_TRACKING_URI instead.")
@click.option("--with-data/--without-data", "include_data", default=None, help=_INCLUDE_DATA_HELP)
@click.option("--parents", is_flag=True, help="Make the missing folders of FILE.")
def export_run(run: Run, file: Path | None, mlflow: bool, include_data: bool | None, parents: bool) -> None:
    """Write a run as one ZIP: files, report, and a script and a notebook that repeat it without AquaDash."""
    if mlflow:
        sent = lab.runs.send_to_mlflow(run.run_id)
        print_result({**brief(run), "mlflow_run_id": sent}, f"{run.name} is on the tracking server, as {sent}.")
        return
    if file is None:
        raise click.UsageError("Name the FILE to write, or add --mlflow.")
    check_target(file)
    if parents:
        file.parent.mkdir(parents=True, exist_ok=True)
    elif not file.parent.is_dir():
        raise RunError(f"There is no folder {file.parent}. Name one that is there, or add --parents to make it.")
    with StatusLine() as line:
        written = lab.jobs.write_export(run.run_id, file, include_data=include_data, progress=line.progress)
    print_result(
        {**brief(run), **written.to_dict()},
        f"{run.name} is in {file}: {len(written.files)} files, {written.size:,} bytes.",
        *(f"Note: {note}" for note in written.notes),
    )


@runs.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def import_run(file: Path) -> None:
    """Take in a run from a ZIP that runs export or Export on Evaluate has written."""
    job = lab.jobs.import_run(uuid4().hex, called=file.name, write=partial(shutil.copyfile, file))
    ended = wait_for_job(job.id, name=file.name, title="importing")
    if ended.status is not RunStatus.FINISHED:
        raise RunError(ended.message)
    lab.refresh()
    run, copies = lab.runs.get(ended.result["run_id"]), ended.result["copies"]
    # Each import gets an id of its own; the key kept_id stays for programs that read it.
    values = {**brief(run), "original_id": run.imported_id, "kept_id": False, "copies": copies}
    print_result(values, *map(Shown, ("name", "run_id", "copies")))


def _add_change(
    name: str, text: str, change: Callable[..., object], said: str, *extra: click.Parameter, deleted: bool = False
) -> None:
    """Add a command that calls ``change`` with the id of RUN and the values of ``extra``, and prints the run."""

    def command(run_id: str, **values: Any) -> None:
        change(run_id, **values)
        run = lab.runs.get(run_id)
        print_result(brief(run), f"{run.name} ({run_id[:8]}) {said}.")

    argument = click.Argument(["run_id"], type=lambda run: lab.runs.find_id(run, deleted=deleted), metavar="RUN")
    runs.add_command(Command(name, callback=command, params=[argument, *extra], help=text))


def _add_mark(name: str, text: str, change: Callable[..., object], option: click.Option) -> None:
    """Add a command that calls ``change`` with the id of each RUN and the option's value, and prints the runs."""

    def command(run_ids: tuple[str, ...], **values: Any) -> None:
        result = for_each(run_ids, partial(change, **values))
        if result.failed:
            raise RunError(" ".join(result.failed.values()))
        marked = [brief(lab.runs.get(run_id)) for run_id in result.done]
        print_result({"runs": marked}, Shown("runs", "run_id", "name", "tags", "pinned", "archived"))

    argument = click.Argument(["run_ids"], type=lab.runs.find_id, metavar="RUN...", nargs=-1, required=True)
    runs.add_command(Command(name, callback=command, params=[argument, option], help=text))


_tags = click.Option(["--tag", "tags"], multiple=True, required=True, help="A tag; may be given more than once.")
_off = click.Option(["--off"], is_flag=True, help="Undo it.")

_add_change("stop", "Ask a run to stop; its complete epochs are kept.", lab.runs.stop, "stops within seconds")
_add_change("delete", "Put a run into the bin; runs restore brings it back.", lab.runs.delete, "is in the bin")
_add_change("restore", "Bring a run back from the bin.", lab.runs.restore, "is back", deleted=True)
_add_change("rename", "Give a run another name.", lab.runs.rename, "has its new name", click.Argument(["name"]))
_add_change("note", "Keep a note with a run.", lab.runs.note, "has the note", click.Argument(["text"]))
_add_mark("tag", "Give runs tags.", lambda run_id, tags: lab.runs.tag(run_id, add=tags), _tags)
_add_mark("untag", "Take tags from runs.", lambda run_id, tags: lab.runs.tag(run_id, remove=tags), _tags)
_add_mark("pin", "Pin runs to the top of lists.", lambda run_id, off: lab.runs.pin(run_id, not off), _off)
_add_mark("archive", "Hide runs from tables and menus.", lambda run_id, off: lab.runs.archive(run_id, not off), _off)


def _group(group: RunGroup) -> dict[str, Any]:
    spreads = {name: asdict(spread) for name, spread in group.spreads.items()}
    return attributes(group, "key", "value", "seeds") | {"runs": [run.run_id for run in group.runs]} | spreads


def brief(run: Run) -> dict[str, Any]:
    """Return a run without its history and settings, as plain values."""
    return {
        **attributes(run, "run_id", "name", "status", "search_id", "created_at", "ended_at", "message"),
        **attributes(run, "note", "tags", "pinned", "archived", "deleted"),
        "source": run.config.data.source,
        "pipeline": run.config.augmentation.pipeline,
        "model": run.config.model.name,
        "seed": run.config.seed,
        "metrics": metrics_of(run),
    }

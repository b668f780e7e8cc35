"""``runs export`` and ``runs import``: a run as one ZIP file."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from uuid import uuid4

import click

from aquadash.cli.output import StatusLine, lab, print_result
from aquadash.cli.runs import brief, runs
from aquadash.cli.waiting import wait_for_job
from aquadash.errors import RunError
from aquadash.files import check_target
from aquadash.store import JobStatus


@runs.command("export")
@click.argument("run")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--mlflow", is_flag=True, help="Send it to the tracking server of MLFLOW_TRACKING_URI instead.")
@click.option(
    "--with-data/--without-data",
    "include_data",
    default=None,
    help="Put the images into the ZIP. Default: if AquaDash drew them; others may be somebody's own.",
)
@click.option("--parents", is_flag=True, help="Make the folders that FILE is to be in.")
def export_run(run: str, file: Path | None, mlflow: bool, include_data: bool | None, parents: bool) -> None:
    """Write a run as one ZIP: files, report, and a script and a notebook that repeat it without AquaDash."""
    if mlflow:
        found = lab.runs.find(run)
        sent = lab.runs.send_to_mlflow(found.run_id)
        print_result({**brief(found), "mlflow_run_id": sent}, f"{found.name} is on the tracking server, as {sent}.")
        return
    if file is None:
        raise click.UsageError("Name the FILE to write, or add --mlflow.")
    check_target(file)
    if parents:
        file.parent.mkdir(parents=True, exist_ok=True)
    elif not file.parent.is_dir():
        raise RunError(f"There is no folder {file.parent}. Name one that is there, or add --parents to make it.")
    found = lab.runs.find(run)
    with StatusLine() as line:
        written = lab.jobs.write_export(found.run_id, file, include_data=include_data, progress=line.progress)
    print_result(
        {**brief(found), **written.to_dict()},
        f"{found.name} is in {file}: {len(written.files)} files, {written.size:,} bytes.",
        *(f"Note: {note}" for note in written.notes),
    )


@runs.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def import_run(file: Path) -> None:
    """Take in a run from a ZIP that runs export or Export on Evaluate has written."""
    if not file.is_file():
        raise RunError(f"There is no file {file}. Give the path of a ZIP that AquaDash has exported.")
    job = lab.jobs.import_run(uuid4().hex, called=file.name, write=partial(shutil.copyfile, file))
    ended = wait_for_job(job.id, name=file.name, title="importing")
    if ended.status is not JobStatus.FINISHED:
        raise RunError(ended.message)
    lab.refresh()
    run, copies = lab.runs.get(ended.result["run_id"]), ended.result["copies"]
    said = f"{run.name} is there, as {run.run_id[:8]}."
    if copies:
        said += f" The same run was here already, as {', '.join(copy[:8] for copy in copies)}."
    # Each import gets an id of its own; the key stays for programs that read it.
    print_result({**brief(run), "original_id": run.imported_id, "kept_id": False, "copies": copies}, said)

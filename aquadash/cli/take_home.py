"""``runs export`` and ``runs import``: a run as one ZIP file, to take home or to another computer."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path

import click

from aquadash.cli.briefs import brief
from aquadash.cli.job_line import wait
from aquadash.cli.output import StatusLine, json_option, show
from aquadash.errors import RunError
from aquadash.lab import Lab
from aquadash.people import OWNER
from aquadash.runs import open_store


@click.command("export")
@click.argument("run")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--with-data/--without-data",
    "include_data",
    default=None,
    help="Put the images into the ZIP. Default: if AquaDash drew them; others may be somebody's own.",
)
@json_option
def export_run(run: str, file: Path, include_data: bool | None, as_json: bool) -> None:
    """Write a run as one ZIP: files, report, and a script and a notebook that repeat it without AquaDash."""
    from aquadash.export import bundle

    found = Lab(OWNER).runs.find(run)
    with StatusLine() as line:
        written = bundle.export_run(open_store(), found.run_id, file, include_data=include_data, progress=line.progress)

    def text() -> str:
        lines = [f"{found.name} is in {file}: {len(written.files)} files, {written.size:,} bytes."]
        return "\n".join([*lines, *(f"Note: {note}" for note in written.notes)])

    show({**brief(found), **written.to_dict()}, as_json=as_json, text=text)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
def import_run(file: Path, as_json: bool) -> None:
    """Take in a run from a ZIP that runs export or Take home has written."""
    from aquadash.export import importing

    with StatusLine() as line:
        taken = importing.import_run(open_store(), file, progress=line.progress)
    run = taken.run

    def text() -> str:
        said = f"{run.name} is there, as {run.run_id[:8]}."
        if taken.copies:
            said += f" The same run was here already, as {', '.join(copy[:8] for copy in taken.copies)}."
        return said

    # MLflow gives every run an id of its own; the key stays for those who have read it.
    values = {**brief(run), "original_id": taken.original_id, "kept_id": False, "copies": list(taken.copies)}
    show(values, as_json=as_json, text=text)


@click.command("convert")
@click.argument("run")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--format", "format_name", help="tflite or onnx. Default: what the file's name ends in.")
@json_option
def convert_run(run: str, file: Path, format_name: str | None, as_json: bool) -> None:
    """Hand a run's network out in the format TensorFlow Lite or ONNX.

    It is held against the original on the test images first, and only written if it answers alike.
    """
    from aquadash.export.convert import format_named
    from aquadash.export.jobs import conversion_id

    lab = Lab(OWNER)
    form = format_named(format_name or file.suffix.removeprefix("."))
    found = lab.runs.find(run)
    converted, job_id = lab.jobs.converted(found.run_id, form), conversion_id(found.run_id, form)
    if converted is None:
        job = lab.jobs.get(job_id)
        if job is None or job.status.ended:
            lab.jobs.convert(found.run_id, form)
        ended = wait(lab, job_id, name=found.name, title=f"converting to {form.title}")
        converted = lab.jobs.converted(found.run_id, form)
        if converted is None:
            raise RunError(f"Converting {found.name} {ended.status}: {ended.message or 'its process went silent'}")
    shutil.copyfile(converted.path, file)
    check = converted.check
    values = {"run_id": found.run_id, "name": found.name, "path": str(file), **asdict(check)}
    show(values, as_json=as_json, text=lambda: f"{found.name} is in {file}, {check.size:,} bytes. {check.describe()}")

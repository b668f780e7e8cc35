"""``runs export`` and ``runs import``: a run as one ZIP file, to take home or to another computer."""

from __future__ import annotations

from pathlib import Path

import click

from aquadash.cli.output import StatusLine, json_option, show
from aquadash.cli.runs import brief
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

    store = open_store()
    found = store.get(store.resolve(run))
    with StatusLine() as line:
        written = bundle.export_run(store, found.run_id, file, include_data=include_data, progress=line.progress)

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

    store = open_store()
    with StatusLine() as line:
        taken = importing.import_run(store, file, progress=line.progress)
    run = taken.run

    def text() -> str:
        said = f"{run.name} is there, as {run.run_id[:8]}."
        if not taken.kept_id:
            said += f" Its own id, {taken.original_id[:8]}, could not be kept: a run has it here, or the store chooses."
        return said

    values = {**brief(run), "original_id": taken.original_id, "kept_id": taken.kept_id}
    show(values, as_json=as_json, text=text)

"""``pipelines``: the built-in and saved pipelines, as files and as code."""

from __future__ import annotations

import json
from pathlib import Path

import click

from aquadash.augment import check, describe, from_json, to_code
from aquadash.augment.reading import MAX_CHARACTERS
from aquadash.augment.spec import PipelineSpec
from aquadash.cli.output import json_option, show, table
from aquadash.errors import ConfigError
from aquadash.lab import Lab
from aquadash.people import OWNER


@click.group()
def pipelines() -> None:
    """Pipelines: list, show, save and delete them, or print them as Python code."""


@pipelines.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the built-in and the saved pipelines."""
    found = Lab(OWNER).pipelines.all()
    entries = [
        {
            "name": spec.name,
            "title": spec.title,
            "summary": spec.summary,
            "factor": spec.factor,
            "saved": spec.name in found.saved,
        }
        for spec in found.pipelines.values()
    ]

    def text() -> str:
        rows = [
            (spec.name, "saved" if spec.name in found.saved else "built in", f"x{spec.factor}", spec.title)
            for spec in found.pipelines.values()
        ]
        damaged = [f"{name} cannot be read: {reason}" for name, reason in found.damaged.items()]
        return "\n".join([table(rows, header=("name", "", "images", "title")), *damaged])

    show({"pipelines": entries, "damaged": found.damaged}, as_json=as_json, text=text)


@pipelines.command("show")
@click.argument("name")
@json_option
def show_command(name: str, as_json: bool) -> None:
    """Say what a pipeline does; with --json print the file that `save` and the Augment page read."""
    spec = Lab(OWNER).pipelines.get(name)
    show(
        json.loads(spec.to_json()),
        as_json=as_json,
        text=lambda: "\n".join([f"{spec.name}: {spec.title}", spec.summary, "", *describe(spec)]),
    )


@pipelines.command("save")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--title", required=True, help="What people call it; its name follows from it.")
@click.option(
    "--replace", "replace_name", default=None, metavar="NAME", help="The saved one that it takes the place of."
)
@json_option
def save_command(file: Path, title: str, replace_name: str | None, as_json: bool) -> None:
    """Save a pipeline from its JSON FILE."""
    spec = Lab(OWNER).pipelines.save(_read(file), title=title, replace_name=replace_name)
    show(
        {"name": spec.name, "title": spec.title, "factor": spec.factor, "replaced": replace_name},
        as_json=as_json,
        text=lambda: f"Saved {spec.title!r} as {spec.name}. Use it as --pipeline {spec.name}.",
    )


@pipelines.command("delete")
@click.argument("name")
@json_option
def delete_command(name: str, as_json: bool) -> None:
    """Delete a saved pipeline; `pipelines restore` brings it back."""
    key = Lab(OWNER).pipelines.delete(name)
    show(
        {"name": name, "deleted": True, "key": key},
        as_json=as_json,
        text=lambda: f"Deleted {name}. Bring it back with: python -m aquadash pipelines restore {key}",
    )


@pipelines.command("restore")
@click.argument("key")
@json_option
def restore_command(key: str, as_json: bool) -> None:
    """Bring back what `delete` has put away, by the KEY that it printed."""
    spec = Lab(OWNER).pipelines.restore(key)
    show(
        {"name": spec.name, "title": spec.title, "restored": True},
        as_json=as_json,
        text=lambda: f"{spec.title!r} is back as {spec.name}.",
    )


@pipelines.command("code")
@click.argument("name")
@json_option
def code_command(name: str, as_json: bool) -> None:
    """Print a pipeline as Python code."""
    code = to_code(Lab(OWNER).pipelines.get(name))
    show({"name": name, "code": code}, as_json=as_json, text=lambda: code.rstrip("\n"))


@pipelines.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def check_command(file: Path, as_json: bool) -> None:
    """Check a pipeline's JSON FILE without saving it."""
    spec = _read(file)
    check(spec)
    show(
        {"title": spec.title, "factor": spec.factor, "valid": True},
        as_json=as_json,
        text=lambda: f"{file} holds {spec.title!r}, {spec.factor} for each image, and can be used.",
    )


def _read(file: Path) -> PipelineSpec:
    """The pipeline in a file."""
    if not file.is_file():
        raise ConfigError(f"{file} is no file. Name one that `pipelines show NAME --json` or the Augment page wrote.")
    with file.open("rb") as opened:
        content = opened.read(4 * MAX_CHARACTERS + 1)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{file} is not UTF-8 text, or is longer than a pipeline can be.") from None
    return from_json(text)

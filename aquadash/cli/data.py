"""``data``: data sets, those that come with AquaDash and those of own pictures; ``home``: the folder of all data."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np

from aquadash.cli.config_options import source_option
from aquadash.cli.output import FOLDER, PATH, Group, NumberRange, Shown, StatusLine, attributes, lab, print_result
from aquadash.data import load
from aquadash.data.duplicates import DEFAULT_DISTANCE, MAX_DISTANCE, find_duplicates
from aquadash.data.folder.about import all_kept
from aquadash.data.folder.splitting import SplitChoice
from aquadash.data.folder.types import CheckReport, LeftOut
from aquadash.data.images import display_name

#: The parts of a check's result that people read.
_CHECKED = (
    *map(Shown, ("report.class_names", "report.counts", "report.usable")),
    Shown("report.findings", "severity", "title", "advice"),
    Shown("refused", "name", "reason"),
)


data = Group("data", help="Data sets.")


@data.command("info")
@source_option
def info(source: str) -> None:
    """Say what a data set holds."""
    with StatusLine() as line:
        dataset = load(source, progress=line.progress)
    per_class = {
        f"{name}_per_class": np.bincount(split.labels, minlength=len(dataset.class_names)).tolist()
        for name, split in (("train", dataset.train), ("test", dataset.test))
    }
    print_result(
        {
            **attributes(dataset, "name", "title", "origin", "drawn"),
            "train": len(dataset.train),
            "test": len(dataset.test),
            "classes": dataset.class_names,
            "image_shape": dataset.image_shape,
            **per_class,
            "fingerprint": dataset.fingerprint,
        }
    )


@data.command("fetch")
@click.argument("source", type=click.Choice(["cifar100"]))
def fetch(source: str) -> None:
    """Find or download a data set's archive."""
    with StatusLine() as line:
        result = lab.data.fetch(line.progress)
    print_result({"source": source, **attributes(result, "path", "sha256", "verified")})


@data.command("duplicates")
@source_option
@click.option(
    "--distance",
    type=NumberRange(0, MAX_DISTANCE),
    default=DEFAULT_DISTANCE,
    help="The greatest distance of two images; 0: the same.",
)
def duplicates(source: str, distance: float) -> None:
    """Find test images that look the same as a training image."""
    with StatusLine() as line:
        dataset = load(source, progress=line.progress)
        pairs = find_duplicates(dataset, progress=line.progress)
    print_result({"source": source, "fingerprint": dataset.fingerprint, **pairs.to_dict(distance)})


@data.command("import")
@click.argument("path", type=PATH)
@click.option("--name", help="The name of the data set. Default: that of the file or folder.")
@click.option("--size", default=32, help="Side to which the pictures are resized, in pixels.")
@click.option("--test-fraction", "fraction", default=0.2, help="The fraction kept for the test.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, help="Decides the split.")
@click.option("--redraw", is_flag=True, help="Draw the split although the pictures are sorted into train and test.")
@click.option("--keep-leaks", is_flag=True, help="Keep training pictures that look like one of a given test split.")
@click.option("--replace", is_flag=True, help="Replace the data set of that name.")
@click.option("--check", "only_check", is_flag=True, help="Say what is wrong with the pictures and keep nothing.")
def import_command(path: Path, name: str | None, size: int, replace: bool, only_check: bool, **split: Any) -> None:
    """Make a data set of own pictures: a ZIP or folder with a sub-folder a class, or train and test above those."""
    redraw, keep_leaks = split.pop("redraw"), split.pop("keep_leaks")
    choice = SplitChoice(**split, use_given=not redraw, drop_leaks=not keep_leaks)
    origin = display_name(path.resolve().name)
    with StatusLine() as line:
        new = lab.data.read(path, origin=origin, size=size, split=choice, progress=line.progress)
    try:
        checked = {"pictures": len(new.pictures), **_checked(new.report, new.refused)}
        if only_check:
            print_result(checked, *_CHECKED)
            return
        kept = lab.data.keep(new, title=name or path.stem or path.resolve().name, replace=replace)
    finally:
        new.discard()
    print_result(
        {"source": kept.source, **asdict(kept), **checked},
        *map(Shown, ("source", "train", "test", "size")),
        *_CHECKED,
        f"Train on it: .venv/bin/python -m aquadash train --preset notebook-fixed --source {kept.source}",
    )


@data.command("list")
def list_command() -> None:
    """Name the data sets."""
    own = {kept.source: kept for kept in all_kept().values()}
    sources = [
        {"source": name, "title": source.title, "own": name in own, "here": source.key() is not None}
        | (asdict(own[name]) if name in own else {})
        for name, source in lab.data.sources().items()
    ]
    print_result({"sources": sources}, Shown("sources", "source", "title", "own", "here"))


@data.command("check")
@click.argument("source")
def check_command(source: str) -> None:
    """Say what was found when a data set of own pictures was made."""
    kept = lab.data.own(source)
    print_result({"source": kept.source, **_checked(*lab.data.report(source))}, *_CHECKED)


def _checked(report: CheckReport, refused: Sequence[LeftOut]) -> dict[str, Any]:
    return {"report": report.to_dict(), "refused": [asdict(one) for one in refused]}


@data.command("delete")
@click.argument("source")
def delete_command(source: str) -> None:
    """Delete a data set of own pictures for good. Runs keep their results, but not its pictures."""
    lab.data.delete(source)
    print_result({"source": source, "deleted": True}, f"Deleted {source}.")


home = Group("home", help="The folder AQUADASH_HOME.")


@home.command("upgrade")
@click.option("--from", "source", type=FOLDER, help="The old AQUADASH_HOME. Default: the present one.")
def upgrade(source: Path | None) -> None:
    """Bring over the runs, searches and waiting jobs of version 0.6.0 or 0.7; stop that version first.

    Nothing of the old folder is changed or deleted.
    """
    with StatusLine() as line:
        done = lab.runs.upgrade(source, progress=line.progress)
    print_result(asdict(done))

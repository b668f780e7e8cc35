"""``augment`` and ``pipelines``: changing training images, and the built-in and saved pipelines that do it."""

import json
import time
from dataclasses import asdict
from pathlib import Path

import click
import numpy as np
from PIL import Image

from aquadash import augment as augmentation
from aquadash.augment.reading import MAX_CHARACTERS
from aquadash.augment.spec import PipelineSpec
from aquadash.cli.config_options import read_text, source_option
from aquadash.cli.output import PATH, Command, Group, Shown, StatusLine, attributes, lab, print_result
from aquadash.data import load


@click.command(cls=Command)
@source_option
@click.option("--pipeline", default="notebook", help="A pipeline that `pipelines list` shows.")
@click.option("--count", type=click.IntRange(1), help="Use only so many training images (default: all).")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, help="Decides every draw.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for the images as PNG files.")
@click.option("--numbers", is_flag=True, help="Measure the time of each version and the changes to its images.")
def augment(source: str, pipeline: str, count: int | None, seed: int, out: Path | None, numbers: bool) -> None:
    """Make the augmented training images of a pipeline, and write them as PNG files if --out is given."""
    spec = augmentation.pipeline(pipeline)
    plan = augmentation.AugmentationPlan((spec,))
    with StatusLine() as line:
        dataset = load(source, progress=line.progress)
        chosen = dataset.train.take(slice(count))
        began = time.perf_counter()
        images = augmentation.draw(chosen.images, plan, seed=seed, progress=line.progress)
        labels, seconds = plan.labels(chosen.labels), time.perf_counter() - began
        files = _write(images, labels, dataset.class_names, out, line) if out else []
        measured = augmentation.measure(chosen.images, spec, seed=seed, progress=line.progress) if numbers else None
    values = {
        "pipeline": pipeline,
        "source": source,
        "originals": len(chosen),
        "images": len(images),
        "labels_per_class": np.bincount(labels, minlength=len(dataset.class_names)).tolist(),
        "seconds": seconds,
        "files": files,
    }
    if measured is not None:
        values["numbers"] = {"pipeline": spec.name, "branches": list(map(asdict, measured))}
    figures = ("images_per_second", "clipped", "unchanged", "nearly_constant", "mostly_black")
    print_result(
        values,
        *map(Shown, ("pipeline", "originals", "images", "seconds")),
        Shown("numbers.branches", "title", *figures),
        *(f"{one.title}: {each.words}" for one in measured or () for each in one.cautions),
        f"written to {out}" if out else "",
    )


def _write(
    images: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...], out: Path, line: StatusLine
) -> list[str]:
    out.mkdir(parents=True, exist_ok=True)
    files = []
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = out / f"{index:05d}-{class_names[label]}.png"
        Image.fromarray(image).save(path)
        files.append(str(path))
        if index % 100 == 0:
            line.progress("writing images", index / len(images))
    return files


pipelines = Group("pipelines", help="Pipelines: list, show, save and delete them, or print them as Python code.")


@pipelines.command("list")
def list_command() -> None:
    """List the built-in and the saved pipelines."""
    library = lab.pipelines.all()
    entries = [
        attributes(spec, "name", "title", "summary", "factor") | {"saved": spec.name in library.saved}
        for spec in library.pipelines.values()
    ]
    print_result(
        {"pipelines": entries, "damaged": library.damaged},
        Shown("pipelines", "name", "saved", "factor", "title"),
        *(f"{name} cannot be read: {reason}" for name, reason in library.damaged.items()),
    )


@pipelines.command("show")
@click.argument("name")
def show_command(name: str) -> None:
    """Say what a pipeline does; with --json print the file that `save` and the Augment page read."""
    spec = augmentation.pipeline(name)
    print_result(
        json.loads(spec.to_json()), f"{spec.name}: {spec.title}", spec.summary, "", *augmentation.describe(spec)
    )


@pipelines.command("save")
@click.argument("file", type=PATH)
@click.option("--title", required=True, help="The pipeline's title; its name follows from it.")
@click.option("--replace", "replace_name", metavar="NAME", help="Replace the saved pipeline NAME.")
def save_command(file: Path, title: str, replace_name: str | None) -> None:
    """Save a pipeline from its JSON FILE."""
    spec = lab.pipelines.save(_read(file), title=title, replace_name=replace_name)
    print_result(
        attributes(spec, "name", "title", "factor") | {"replaced": replace_name},
        f"Saved {spec.title!r} as {spec.name}. Use it as --pipeline {spec.name}.",
    )


@pipelines.command("delete")
@click.argument("name")
def delete_command(name: str) -> None:
    """Delete a saved pipeline for good. Runs that were trained with it keep it."""
    lab.pipelines.delete(name)
    print_result({"name": name, "deleted": True}, f"Deleted {name}.")


@pipelines.command("code")
@click.argument("name")
def code_command(name: str) -> None:
    """Print a pipeline as Python code."""
    code = augmentation.to_code(augmentation.pipeline(name))
    print_result({"name": name, "code": code}, code.rstrip("\n"))


@pipelines.command("check")
@click.argument("file", type=PATH)
def check_command(file: Path) -> None:
    """Check a pipeline's JSON FILE without saving it."""
    spec = _read(file)
    augmentation.check(spec)
    print_result({"title": spec.title, "factor": spec.factor, "valid": True})


def _read(file: Path) -> PipelineSpec:
    return augmentation.from_json(read_text(file, what="a pipeline", max_bytes=4 * MAX_CHARACTERS))

"""``data`` and ``augment``: the images that go into a run."""

from __future__ import annotations

import time
from pathlib import Path

import click
import numpy as np

from aquadash.cli.augment_numbers import numbers_text
from aquadash.cli.config_options import SOURCE_HELP
from aquadash.cli.output import StatusLine, json_option, show, table
from aquadash.errors import AquaDashError
from aquadash.people import OWNER


@click.group()
def data() -> None:
    """Data sets."""


@data.command("info")
@click.option("--source", default="synthetic", show_default=True, help=SOURCE_HELP)
@json_option
def info(source: str, as_json: bool) -> None:
    """Say what a data set holds."""
    from aquadash.data import load

    with StatusLine() as line:
        dataset = load(source, progress=line.progress)
    counts = {
        part: np.bincount(split.labels, minlength=len(dataset.class_names)).tolist()
        for part, split in (("train", dataset.train), ("test", dataset.test))
    }
    values = {
        "name": dataset.name,
        "title": dataset.title,
        "origin": dataset.origin,
        "drawn": dataset.drawn,
        "train": len(dataset.train),
        "test": len(dataset.test),
        "classes": list(dataset.class_names),
        "image_shape": list(dataset.image_shape),
        "train_per_class": counts["train"],
        "test_per_class": counts["test"],
        "fingerprint": dataset.fingerprint,
    }
    rows = list(zip(dataset.class_names, counts["train"], counts["test"], strict=True))

    def text() -> str:
        height, width, channels = dataset.image_shape
        return (
            f"{dataset.title}: {len(dataset.train)} training and {len(dataset.test)} test images, "
            f"{height} x {width} x {channels}\n{dataset.origin}\n\n"
            f"{table(rows, header=('class', 'training', 'test'))}\n\nfingerprint {dataset.fingerprint}"
        )

    show(values, as_json=as_json, text=text)


@data.command("fetch")
@click.argument("source", type=click.Choice(["cifar100"]))
@json_option
def fetch(source: str, as_json: bool) -> None:
    """Find or download a data set's archive."""
    from aquadash.lab import Lab

    with StatusLine() as line:
        result = Lab(OWNER).data.fetch(line.progress)
    values = {"source": source, "path": str(result.path), "sha256": result.sha256, "verified": result.verified}
    official = "the official archive" if result.verified else "not the official archive, but one of its form"
    show(values, as_json=as_json, text=lambda: f"{result.path}\n{official}\nSHA-256 {result.sha256}")


@click.command("augment")
@click.option("--source", default="synthetic", show_default=True, help=SOURCE_HELP)
@click.option("--pipeline", default="notebook", show_default=True, help="The name of one that `pipelines list` shows.")
@click.option("--count", type=click.IntRange(1), default=None, help="Use only so many training images (default: all).")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Decides every draw.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder for the images as PNG files.")
@click.option("--numbers", is_flag=True, help="Measure what each version of the images costs and what became of them.")
@json_option
def augment_command(
    source: str, pipeline: str, count: int | None, seed: int, out: Path | None, numbers: bool, as_json: bool
) -> None:
    """Make the augmented training images of a pipeline, and write them as PNG files if --out is given."""
    from aquadash import augment
    from aquadash.data import load

    spec = augment.pipeline(pipeline)
    with StatusLine() as line:
        dataset = load(source, progress=line.progress)
        chosen = dataset.train.take(slice(count))
        began = time.perf_counter()
        images, labels = augment.training_set(
            chosen.images, chosen.labels, pipeline=pipeline, seed=seed, progress=line.progress
        )
        seconds = time.perf_counter() - began
        files = _write(images, labels, dataset.class_names, out, line) if out else []
        measured = augment.measure(chosen.images, spec, seed=seed, progress=line.progress) if numbers else None
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
        values["numbers"] = measured.to_dict()

    def text() -> str:
        where = f", written to {out}" if out else ""
        return f"{pipeline}: {len(chosen)} images became {len(images)} in {seconds:.1f} s{where}" + (
            f"\n\n{numbers_text(measured)}" if measured else ""
        )

    show(values, as_json=as_json, text=text)


def _write(
    images: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...], out: Path, line: StatusLine
) -> list[str]:
    """Write every image as a PNG file; returns the names."""
    from PIL import Image

    if out.exists() and not out.is_dir():
        raise AquaDashError(f"{out} is a file; --out takes the name of a folder.")
    out.mkdir(parents=True, exist_ok=True)
    files = []
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = out / f"{index:05d}-{class_names[label]}.png"
        Image.fromarray(image).save(path)
        files.append(str(path))
        if index % 100 == 0:
            line.progress("writing images", index / len(images))
    return files

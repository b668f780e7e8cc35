"""``data duplicates``: training images that are also in the test split, or nearly."""

from __future__ import annotations

import click

from aquadash.cli.config_options import SOURCE_HELP
from aquadash.cli.data import data
from aquadash.cli.output import StatusLine, json_option, show, table
from aquadash.data.duplicates import DEFAULT_DISTANCE, check_distance, find_duplicates


@data.command("duplicates")
@click.option("--source", default="synthetic", show_default=True, help=SOURCE_HELP)
@click.option(
    "--distance",
    type=float,
    default=DEFAULT_DISTANCE,
    show_default=True,
    help="How far apart two images may be: 0 is the same picture, 0.5 the most.",
)
@json_option
def duplicates(source: str, distance: float, as_json: bool) -> None:
    """Find test images that look the same as a training image."""
    from aquadash.data import load

    check_distance(distance)
    with StatusLine() as line:
        dataset = load(source, progress=line.progress)
        found = find_duplicates(dataset, progress=line.progress)
    values = {"source": source, "fingerprint": dataset.fingerprint, **found.to_dict(distance)}

    def text() -> str:
        rows = [
            (
                f"{pair.distance:.3f}",
                f"{pair.test} ({found.class_names[pair.test_label]})",
                f"{pair.train} ({found.class_names[pair.train_label]})",
                "mirrored" if pair.mirrored else "",
            )
            for pair in found.within(distance)
        ]
        head = (
            f"{found.test_images(distance)} of {found.num_test} test images of {dataset.title} have a training image "
            f"at a distance of {distance:g} or less."
        )
        return f"{head}\n\n{table(rows, header=('distance', 'test image', 'training image', ''))}" if rows else head

    show(values, as_json=as_json, text=text)

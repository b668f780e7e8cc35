"""Fill a home with made-up runs, to see and to measure how AquaDash does with many.

    python scripts/generate_runs.py --runs 1000 --epochs 100 --home /tmp/many-runs
    AQUADASH_HOME=/tmp/many-runs streamlit run app.py

The runs were never trained: settings, curves and some predictions are drawn from a seed.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


@click.command()
@click.option("--runs", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="How many runs.")
@click.option("--epochs", type=click.IntRange(1, 2000), default=100, show_default=True, help="Epochs of each.")
@click.option("--predicted", type=click.IntRange(0), default=50, show_default=True, help="Runs with predictions.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Decides what the runs are like.")
@click.option("--home", type=click.Path(path_type=Path, file_okay=False), required=True, help="The AQUADASH_HOME.")
def main(runs: int, epochs: int, predicted: int, seed: int, home: Path) -> None:
    """Fill a home with made-up runs."""
    os.environ["AQUADASH_HOME"] = str(home.resolve())
    from aquadash.cli.output import StatusLine
    from aquadash.runs import open_store
    from aquadash.runs.generated import generate_runs

    began = time.monotonic()
    with StatusLine() as line:
        ids = generate_runs(
            open_store(), runs=runs, epochs=epochs, predicted=predicted, seed=seed, progress=line.progress
        )
    click.echo(f"{len(ids):,} runs of {epochs} epochs in {home}, {time.monotonic() - began:.0f} s.")


if __name__ == "__main__":
    main()

"""The commands: ``python scripts/bench NAME``, each with ``--json``. They need what requirements-dev.txt lists."""

import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

if __name__ == "__main__":
    # Python puts this folder first in the path; replace it by the project's.
    sys.path[0] = str(Path(__file__).resolve().parent.parent.parent)

from aquadash.cli import main
from aquadash.cli.output import Group, StatusLine, Table, import_tensorflow_quietly, print_result
from aquadash.errors import AquaDashError

pairs_option = click.option(
    "--pairs", type=click.IntRange(1, 50), default=5, show_default=True, help="Timings of each way, in turn."
)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Measure speed on this machine. A ratio above 1 means that AquaDash is faster than the report's way."""
    # SystemExit, so that a measurement that is terminated ends its servers and trainings, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # These settings would send the work to other machines, or refuse the visitors.
    for name in ("MLFLOW_TRACKING_URI", "AQUADASH_DATABASE", "AQUADASH_SCHEDULER", "AQUADASH_CLASSROOM"):
        os.environ.pop(name, None)


def _require(*modules: str, browser: bool = False) -> None:
    """Raise an error that says how to install what is missing of the requirements of the tests."""
    missing = [module for module in ("pytest", *modules) if find_spec(module) is None]
    if missing:
        raise AquaDashError(
            f"This needs the requirements of the tests, of which {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing: .venv/bin/pip install -r requirements-dev.txt"
        )
    from tests.support.serving import chromium

    if browser and chromium() is None:
        raise AquaDashError(
            "This needs Chromium, as the tests in a browser do: apt-get install chromium-headless-shell"
        )


@bench.command("train")
@pairs_option
def train(pairs: int) -> None:
    """Training the report's CNN for an epoch against the report's own fit call."""
    from scripts.bench.epochs import bench_train

    with StatusLine() as line:
        result = bench_train(pairs=pairs, on_progress=line.progress)
    print_result(
        result,
        "an epoch of 12,500 images: the report's way {report_seconds:.4g} s, AquaDash {aquadash_seconds:.4g} s "
        "(medians); ratio {ratio:.2f} (median of {pairs} pairs)".format(**result),
    )


@bench.command("limit")
@pairs_option
def limit(pairs: int) -> None:
    """Training the report's CNN for an epoch against the least time of its matrix products and updates on this machine.

    The first ratio is our epoch's time divided by that limit.
    """
    from scripts.bench.epochs import bench_limit

    import_tensorflow_quietly()
    with StatusLine() as line:
        result = bench_limit(pairs=pairs, on_progress=line.progress)
    print_result(
        result,
        "an epoch of 12,500 images: limit {limit_seconds:.4g} s (matrix products {products_seconds:.4g} s, updates "
        "{updates_seconds:.4g} s), AquaDash {aquadash_seconds:.4g} s, ratio {ratio:.2f}; the report's way "
        "{report_seconds:.4g} s, {report_ratio:.2f} times AquaDash's (medians of {pairs})".format(**result),
    )


@bench.command("painted")
@click.option("--runs", type=click.IntRange(3, 20_000), default=1000, show_default=True, help="Stored runs.")
@click.option("--repeats", type=click.IntRange(1, 100), default=5, show_default=True, help="Openings of each.")
def painted(runs: int, repeats: int) -> None:
    """When a real browser has painted the first rows of Compare's table.

    Cold is the first tab of a new browser at a server that has just begun to answer, warm a later one. An idle machine
    with two cores needs six minutes.
    """
    _require("playwright", browser=True)
    from scripts.bench.painted import bench_painted

    with StatusLine() as line:
        result = bench_painted(runs=runs, repeats=repeats, on_progress=line.progress)
    print_result(result, f"{runs:,} runs: {result['cold_seconds']:.2f} s cold, {result['warm_seconds']:.2f} s warm")


@bench.command("start")
@click.option("--repeats", type=click.IntRange(1, 100), default=10, show_default=True, help="Trainings.")
def start(repeats: int) -> None:
    """From a click on Train to the first batch on the screen of a real browser."""
    _require("playwright", browser=True)
    from scripts.bench.start import bench_start

    with StatusLine() as line:
        result = bench_start(repeats=repeats, on_progress=line.progress)
    print_result(
        result, f"first batch on the screen {result['browser_seconds']:.2f} s after the click (median of {repeats})"
    )


@bench.command("load")
@click.option("--sessions", type=click.IntRange(1, 200), default=30, show_default=True, help="Visitors.")
@click.option(
    "--seconds", type=click.FloatRange(30, 7200), default=600, show_default=True, help="How long they are there."
)
@click.option(
    "--leave-seconds",
    type=click.FloatRange(0, 900),
    default=165,
    show_default=True,
    help="How long to wait for the memory of those who have left; 0: not at all.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Where everybody goes, and when.")
def load(sessions: int, seconds: float, leave_seconds: float, seed: int) -> None:
    """A class that changes pages and watches one training, on a server of its own on this machine.

    It compares page changes, live updates, the training's speed, memory and errors with their goals.
    """
    _require("websockets")
    from scripts.bench.load import Load, bench_load

    with StatusLine() as line:
        result = bench_load(Load(sessions, seconds, leave_seconds, seed), on_progress=line.progress)
    _print_load(result)


def _print_load(result: dict[str, Any]) -> None:
    goals = [
        (goal["what"], goal["goal"], f"{goal['value']:.3g}", "yes" if goal["met"] else "NO")
        for goal in result["goals"].values()
    ]
    pages = [
        (page, f"{times['count']:,}", f"{times['p50']:.2f} s", f"{times['p95']:.2f} s")
        for page, times in result["pages"].items()
    ]
    after = result["memory_after_megabytes"]
    facts = (
        f"{result['sessions']} visitors for {result['seconds']:.0f} s: {result['page_changes']:,} page changes, "
        f"{result['updates']:,} live updates, {result['redraws']:.1f} redrawings and {result['kilobytes']:,.0f} kB a "
        f"second.\nTraining {result['training_alone']:.3f} epochs a second alone, {result['training_loaded']:.3f} "
        f"under load. Memory of the server {result['memory_before_megabytes']:,.0f} MB before, "
        f"{result['memory_megabytes']:,.0f} MB with all{'' if after is None else f', {after:,.0f} MB after'}.\n"
        f"Cores under load: server {result['server_cores']:.2f}, training {result['training_cores']:.2f}, the "
        f"visitors themselves {result['visitor_cores']:.2f}."
    )
    print_result(
        result,
        Table(goals, header=("goal", "", "figure", "met")),
        "",
        Table(pages, header=("page", "changes", "median", "95 of 100 within")),
        "",
        facts,
        *result["errors"],
    )


if __name__ == "__main__":
    main(bench, "python scripts/bench")

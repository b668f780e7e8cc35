"""The commands: ``python scripts/bench NAME``, each with ``--json``. They need what requirements-dev.txt lists."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import click

if __name__ == "__main__":
    # In place of this folder, which Python looks into for a folder's command.
    sys.path[0] = str(Path(__file__).resolve().parent.parent.parent)

from aquadash.cli import main  # noqa: E402
from aquadash.cli.output import Group, StatusLine, Table, import_tensorflow_quietly, print_result  # noqa: E402

pairs_option = click.option(
    "--pairs", type=click.IntRange(1, 50), default=5, show_default=True, help="Timings of each way, in turn."
)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Measure speed on this machine. A ratio above 1 means that AquaDash is faster than the report's way."""
    # Whoever ends a measurement ends the servers and trainings that it has started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # What leads away from this machine, or keeps visitors out.
    for name in ("MLFLOW_TRACKING_URI", "AQUADASH_DATABASE", "AQUADASH_SCHEDULER", "AQUADASH_CLASSROOM"):
        os.environ.pop(name, None)


@bench.command("train")
@pairs_option
def train(pairs: int) -> None:
    """Training the report's CNN for an epoch against the report's own fit call, and PyTorch where it is installed."""
    from scripts.bench.epochs import bench_train

    with StatusLine() as line:
        result = bench_train(pairs=pairs, on_progress=line.progress)
    pytorch = ""
    if result["pytorch_ratio"] is not None:
        pytorch = f"; PyTorch {result['pytorch_seconds']:.4g} s, ratio {result['pytorch_ratio']:.2f}"
    _show(result, "an epoch of 12,500 images", more=pytorch)


@bench.command("limit")
@pairs_option
def limit(pairs: int) -> None:
    """Training the report's CNN for an epoch against the least that its matrix products and updates take here.

    The first ratio is how many times as long our epoch takes: 1 would be the machine's limit.
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


@bench.command("step")
@click.option("--preset", default="baseline", show_default=True, help="Whose network; one that starts from nothing.")
@pairs_option
def step(preset: str, pairs: int) -> None:
    """Our training loop against a training step written by hand for the same network."""
    from scripts.bench.epochs import bench_step

    with StatusLine() as line:
        result = bench_step(preset=preset, pairs=pairs, on_progress=line.progress)
    _show(result, f"an epoch of {preset}", slow="by hand", key="hand_seconds")


@bench.command("fresh")
@click.option(
    "--pipeline", default="notebook-1", show_default=True, help="What is drawn: a name, or several with weights."
)
@click.option("--pairs", type=click.IntRange(1, 50), default=7, show_default=True, help="Timings of each way, in turn.")
def fresh(pipeline: str, pairs: int) -> None:
    """Epochs of the report's CNN with images drawn anew for each against epochs with fixed copies.

    The ratio is the former by the latter: 1.1 means that drawing anew makes an epoch 10 % longer.
    """
    from scripts.bench.epochs import bench_fresh

    import_tensorflow_quietly()
    with StatusLine() as line:
        result = bench_fresh(pipeline=pipeline, pairs=pairs, on_progress=line.progress)
    print_result(
        result,
        f"an epoch of {result['images']:,} images of {result['pipeline']}: fixed copies "
        f"{result['copies_seconds']:.4g} s, drawn anew {result['fresh_seconds']:.4g} s (medians); ratio "
        f"{result['ratio']:.2f} (median of {pairs} pairs)",
    )


@bench.command("augment")
@pairs_option
def augment(pairs: int) -> None:
    """Making 4 x 2,500 augmented images against the report's loop."""
    from scripts.bench.images import bench_augment

    with StatusLine() as line:
        result = bench_augment(pairs=pairs, on_progress=line.progress)
    _show(result, "4 x 2,500 augmented images")


@bench.command("preview")
@click.option("--repeats", type=click.IntRange(1, 200), default=15, show_default=True, help="Timings of each.")
def preview(repeats: int) -> None:
    """Drawing 16 images anew with each of the report's pipelines, as the Augment page does at every change."""
    from scripts.bench.images import bench_preview

    result = bench_preview(repeats=repeats)
    rows = [
        (entry["pipeline"], *(f"{entry[key]:.1f}" for key in ("build_ms", "draw_ms", "draws_ms", "film_strip_ms")))
        for entry in result["pipelines"]
    ]
    header = ("pipeline", "build ms", "one draw ms", f"{result['draws']} draws ms", "step by step ms")
    print_result(
        result,
        f"{result['images']} images of 32 x 32, medians of {repeats}\n",
        Table(rows, header=header),
    )


@bench.command("predict")
@click.option(
    "--pairs", type=click.IntRange(1, 200), default=15, show_default=True, help="Timings of each way, in turn."
)
def predict(pairs: int) -> None:
    """Predicting one image against the report's model.predict, and a whole test split."""
    from scripts.bench.images import bench_predict

    import_tensorflow_quietly()
    result = bench_predict(pairs=pairs)
    _show(result, "one image", more=f"; {result['many_images']} images {result['many_seconds']:.3g} s")


@bench.command("app")
@click.option("--runs", type=click.IntRange(1, 20_000), default=1000, show_default=True, help="Runs of the full store.")
@click.option("--repeats", type=click.IntRange(1, 100), default=5, show_default=True, help="Drawings of a warm page.")
@click.option("--page", "pages", multiple=True, help="Only this page; may be given more than once.")
def app(runs: int, repeats: int, pages: tuple[str, ...]) -> None:
    """Every page's script, on a server that has just started and on a warm one, with few and with many stored runs."""
    from scripts.bench.app import bench_app

    with StatusLine() as line:
        result = bench_app(runs=runs, repeats=repeats, pages=pages, on_progress=line.progress)
    times = ("few_cold_seconds", "few_seconds", "many_cold_seconds", "many_seconds")
    rows = [
        (page["page"], *(f"{page[key]:.2f} s" for key in times), f"{page['kilobytes']:,.0f} kB")
        for page in result["pages"]
    ]
    header = ("page", f"{result['few']} runs, cold", "warm", f"{result['runs']:,} runs, cold", "warm", "sent")
    print_result(result, Table(rows, header=header))


@bench.command("painted")
@click.option("--runs", type=click.IntRange(3, 20_000), default=1000, show_default=True, help="Stored runs.")
@click.option("--repeats", type=click.IntRange(1, 100), default=5, show_default=True, help="Openings of each.")
@click.option("--mlflow/--no-mlflow", default=True, show_default=True, help="Whether to time MLflow's pages, too.")
def painted(runs: int, repeats: int, mlflow: bool) -> None:
    """When a real browser has painted the first rows of Compare's table, and of that of MLflow's own pages.

    Cold is the first tab of a new browser at a server that has just begun to answer, warm a later one. With little else
    to do, a machine with two cores needs six minutes.
    """
    from scripts.bench.painted import bench_painted

    with StatusLine() as line:
        result = bench_painted(runs=runs, repeats=repeats, mlflow=mlflow, on_progress=line.progress)
    names = [name for name in ("aquadash", "mlflow") if name in result]
    rows = [(name, f"{result[name]['cold_seconds']:.2f} s", f"{result[name]['warm_seconds']:.2f} s") for name in names]
    print_result(result, Table(rows, header=(f"{runs:,} runs", "cold", "warm")))


@bench.command("start")
@click.option("--repeats", type=click.IntRange(1, 100), default=10, show_default=True, help="Trainings each way.")
def start(repeats: int) -> None:
    """From a click on Train to the first batch on the screen of a real browser, and from an order to the engine."""
    from scripts.bench.start import bench_start

    with StatusLine() as line:
        result = bench_start(repeats=repeats, on_progress=line.progress)
    print_result(
        result,
        f"first batch on the screen {result['browser_seconds']:.2f} s after the click; by the engine, "
        f"{result['engine_seconds']:.2f} s after the order (medians of {repeats})",
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

    Page changes, live updates, the training's speed beside its speed alone, memory and errors, each against its goal.
    """
    from scripts.bench.load import bench_load

    with StatusLine() as line:
        result = bench_load(
            sessions=sessions, seconds=seconds, leave_seconds=leave_seconds, seed=seed, on_progress=line.progress
        )
    _print_load(result)


def _print_load(result: dict[str, Any]) -> None:
    goals = [
        (goal["what"], goal["goal"], f"{goal['value']:.3g}", "yes" if goal["met"] else "NO")
        for goal in result["goals"].values()
    ]
    pages = [
        (page, f"{found['count']:,}", f"{found['p50']:.2f} s", f"{found['p95']:.2f} s")
        for page, found in result["pages"].items()
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


def _show(
    result: dict[str, Any], what: str, *,
    slow: str = "the report's way", key: str = "report_seconds", more: str = "",
) -> None:  # fmt: skip
    print_result(
        result,
        f"{what}: {slow} {result[key]:.4g} s, AquaDash {result['aquadash_seconds']:.4g} s "
        f"(medians); ratio {result['ratio']:.2f} (median of {result['pairs']} pairs){more}",
    )


if __name__ == "__main__":
    main(bench, "python scripts/bench")

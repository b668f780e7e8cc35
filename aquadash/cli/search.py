"""``search``: try many settings, a run each, and say whether any is better than those it started from."""

from typing import Any

import click

from aquadash.cli.config_options import ConfigOptions, config_options
from aquadash.cli.output import Group, Shown, attributes, lab, print_result
from aquadash.cli.waiting import wait_for_job
from aquadash.config import with_values
from aquadash.errors import RunError
from aquadash.presets import preset
from aquadash.search import PRUNERS, SAMPLERS, Search, SearchPlan, Trial, TrialState, default_space, parse_all
from aquadash.search.plan import DEFAULT_EPOCHS, DEFAULT_PRUNER, DEFAULT_TRIALS
from aquadash.search.store import KIND
from aquadash.search.strategies import importance
from aquadash.search.types import describe_result
from aquadash.store import RunStatus
from aquadash.store.job_types import job_id
from aquadash.work import queue

_OVER_HELP = (
    "A setting to vary: training.learning_rate=1e-4..1e-1:log, model.dropout=0..0.5, training.optimizer=adam,adamw. "
    "Default: a few that matter for the network."
)
_EPOCHS_HELP = (
    "Maximum epochs of a trial, unless the search varies training.epochs. "
    f"[default: {DEFAULT_EPOCHS}, or what --set or --config says]"
)


class _RunByDefault(Group):
    """``search --trials 20`` is short for ``search run --trials 20``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args[:1] not in [[name] for name in (*self.commands, *ctx.help_option_names)]:
            args = ["run", *args]
        return super().parse_args(ctx, args)


search = _RunByDefault("search", help="Try many settings, a run each; search --trials 20 runs a new search.")


@search.command("run")
@config_options()
@click.option("--over", multiple=True, metavar="NAME=VALUES", help=_OVER_HELP)
@click.option("--trials", type=int, default=DEFAULT_TRIALS, help="How many trials to make.")
@click.option("--epochs", type=int, help=_EPOCHS_HELP)
@click.option("--sampler", type=click.Choice(list(SAMPLERS)), default="tpe", help="The method that draws the values.")
@click.option("--pruner", type=click.Choice(list(PRUNERS)), default=DEFAULT_PRUNER, help="Stops poor trials early.")
@click.option("--seed", type=int, default=0, help="Decides the values that are drawn.")
@click.option("--name", default="", show_default=False, help="The name of the search.")
def run_search(options: ConfigOptions, over: tuple[str, ...], epochs: int | None, **choices: Any) -> None:
    """Search and wait for the end.

    The first trial has the unchanged settings. Trials are ranked by validation accuracy, never by test accuracy. Ctrl-C
    stops the search and its runs; search resume makes the remaining trials.
    """
    config = options.build()
    if epochs is None and config.training.epochs == preset(options.preset).config.training.epochs:
        epochs = DEFAULT_EPOCHS
    if epochs is not None:
        config = with_values(config, {"training.epochs": epochs})
    space = parse_all(over) if over else default_space(config)
    plan = SearchPlan(config, space, **choices)
    plan.checked()
    with queue.open_engine():
        _finish(lab.searches.start(plan))


@search.command("list")
def list_searches() -> None:
    """List the searches, newest first."""
    searches = [_brief(lab.searches.get(head.search_id)) for head in lab.searches.all()]
    columns = ("search_id", "name", "owner", "status", "num_trials", "best_value", "default_value", "created_at")
    nothing = "" if searches else "No searches yet: begin one with search --trials 20."
    print_result({"searches": searches}, Shown("searches", *columns), nothing)


@search.command("show")
@click.argument("search", type=lab.searches.find)
def show_search(search: Search) -> None:
    """Show one search with its trials."""
    _print(search)


@search.command("stop")
@click.argument("search", type=lab.searches.find)
def stop(search: Search) -> None:
    """Stop a search that any process is running. Its running runs keep their complete epochs."""
    lab.searches.stop(search.search_id)
    stopped = lab.searches.get(search.search_id)
    print_result(_brief(stopped), f"{stopped.name} stops within seconds; search resume {search.search_id[:8]} goes on.")


@search.command("resume")
@click.argument("search", type=lab.searches.find)
@click.option("--trials", type=int, help="The new number of trials, including those already made.")
def resume(search: Search, trials: int | None) -> None:
    """Make the trials that are left of a search that was stopped or interrupted, or more, and wait for the end."""
    with queue.open_engine():
        lab.searches.resume(search.search_id, trials=trials)
        _finish(search.search_id)


def _finish(search_id: str) -> None:
    """Watch a search to its end and print it; one that failed is an error."""
    wait_for_job(job_id(KIND, search_id), name=lab.searches.get(search_id).name)
    ended = lab.searches.get(search_id)
    if ended.status in (RunStatus.FAILED, RunStatus.INTERRUPTED):
        raise RunError(f"{ended.name} ({ended.search_id[:8]}) {ended.status}: {ended.message or 'it gave no reason'}")
    _print(ended)


def _brief(search: Search) -> dict[str, Any]:
    return {
        **attributes(search, "search_id", "name", "status", "created_at", "default_value", "beats_default", "message"),
        "owner": search.maker.name,
        "num_trials": len(search.trials),
        "best_value": search.best.value if search.best else None,
    }


def _trial(trial: Trial) -> dict[str, Any]:
    return attributes(trial, "number", "state", "value", "params", "run_id", "message")


def _print(search: Search) -> None:
    counts = [(len(search.of(state)), state) for state in TrialState]
    states = ", ".join(f"{number} {state}" for number, state in counts if number)
    values = {
        **_brief(search),
        "trials": [_trial(trial) for trial in search.trials],
        "best": _trial(search.best) if search.best else None,
        "importance": importance(search.plan, search.trials),
        "seconds": search.seconds,
        "space": [str(parameter) for parameter in search.plan.space],
        **attributes(search.plan, "sampler", "pruner", "seed"),
        "budget": {"trials": search.plan.trials},
        "config": search.plan.config.model_dump(),
    }
    print_result(
        values,
        *map(Shown, ("name", "search_id", "status", "message")),
        f"trials: {states or 'none'}",
        describe_result(search),
        *map(Shown, ("seconds", "trials", "importance")),
    )

"""``runs``: list, show, stop, resume, delete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from aquadash.cli.briefs import brief
from aquadash.cli.guess import guess_values, guess_words
from aquadash.cli.output import json_option, percent, show, table
from aquadash.cli.train import finish, wait
from aquadash.lab import Lab
from aquadash.people import OWNER
from aquadash.runs import Run
from aquadash.runs.fields import metrics_of

if TYPE_CHECKING:
    from aquadash.lab.runs import Runs


@click.group()
def runs() -> None:
    """Stored runs."""


@runs.command("show")
@click.argument("run")
@json_option
def show_run(run: str, as_json: bool) -> None:
    """Show one run with its settings, figures and history."""
    lab = Lab(OWNER)
    found = lab.runs.find(run)
    history = lab.runs.history(found.run_id)
    values = {
        **brief(found),
        "config": found.config.model_dump(),
        "history": [asdict(record) for record in history],
        "worker": asdict(found.worker) if found.worker else None,
        "progress": asdict(found.progress) if found.progress else None,
        "environment": lab.runs.environment(found.run_id),
        "guess": guess_values(found),
    }

    def text() -> str:
        lines = [f"{found.name} ({found.run_id}) {found.status}", found.message, found.note]
        lines += guess_words(found)
        lines += [f"  {name}: {value:.4g}" for name, value in metrics_of(found).items()]
        rows = [
            (
                r.epoch,
                f"{r.loss:.4f}",
                percent(r.accuracy),
                f"{r.val_loss:.4f}",
                percent(r.val_accuracy),
                f"{r.seconds:.1f}",
            )
            for r in history
        ]
        header = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds")
        return "\n".join(
            [line for line in lines if line] + ["", table(rows, header=header), "", found.config.to_json()]
        )

    show(values, as_json=as_json, text=text)


@runs.command("stop")
@click.argument("run")
@json_option
def stop(run: str, as_json: bool) -> None:
    """Ask a run to stop; its complete epochs are kept."""
    found = _changed(run, lambda runs, run_id: runs.stop(run_id))
    said = "is taken out of the queue" if found.status.ended else "was asked to stop; it does so within seconds"
    show(brief(found), as_json=as_json, text=lambda: f"{found.name} ({found.run_id[:8]}) {said}.")


@runs.command("resume")
@click.argument("run")
@json_option
def resume(run: str, as_json: bool) -> None:
    """Go on with a run after its last complete epoch, and wait for its end."""
    from aquadash.engine import open_engine

    lab = Lab(OWNER)
    run_id = lab.runs.find(run).run_id
    with open_engine():
        lab.runs.resume(run_id)
        found = wait(lab, run_id)
    finish(found, as_json=as_json)


@runs.command("delete")
@click.argument("run")
@json_option
def delete(run: str, as_json: bool) -> None:
    """Put a run into the bin; runs restore brings it back."""
    found = _changed(run, lambda runs, run_id: runs.delete(run_id))
    show(
        brief(found),
        as_json=as_json,
        text=lambda: f"{found.name} is in the bin. Bring it back: runs restore {found.run_id[:8]}",
    )


@runs.command("restore")
@click.argument("run")
@json_option
def restore(run: str, as_json: bool) -> None:
    """Bring a run back from the bin."""
    found = _changed(run, lambda runs, run_id: runs.restore(run_id), deleted=True)
    show(brief(found), as_json=as_json, text=lambda: f"{found.name} is back.")


@runs.command("first-model")
@json_option
def first_model(as_json: bool) -> None:
    """Put the included model into the store, or bring it back from the bin."""
    lab = Lab(OWNER)
    found = lab.runs.first_model()
    if found.deleted:
        lab.runs.restore(found.run_id)
        found = lab.runs.get(found.run_id)
    show(brief(found), as_json=as_json, text=lambda: f"{found.name} is there, as {found.run_id[:8]}.")


@runs.command("rename")
@click.argument("run")
@click.argument("name")
@json_option
def rename(run: str, name: str, as_json: bool) -> None:
    """Give a run another name."""
    found = _changed(run, lambda runs, run_id: runs.rename(run_id, name))
    show(brief(found), as_json=as_json, text=lambda: f"{found.run_id[:8]} is now called {found.name}.")


@runs.command("note")
@click.argument("run")
@click.argument("text")
@json_option
def note(run: str, text: str, as_json: bool) -> None:
    """Keep a note with a run."""
    found = _changed(run, lambda runs, run_id: runs.note(run_id, text))
    show(brief(found), as_json=as_json, text=lambda: f"Noted with {found.name}.")


def _changed(text: str, change: Callable[[Runs, str], object], *, deleted: bool = False) -> Run:
    """Do something with the run that somebody has named, and return it as it is then."""
    runs = Lab(OWNER).runs
    run_id = runs.find_id(text, deleted=deleted)
    change(runs, run_id)
    return runs.get(run_id)

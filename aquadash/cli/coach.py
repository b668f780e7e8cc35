"""``coach``: what a run's curves and results say, in plain words."""

from __future__ import annotations

import click

from aquadash import data
from aquadash.cli.output import json_option, show
from aquadash.coach import Note, run_notes, training_counts
from aquadash.config import RunConfig, flatten
from aquadash.errors import RunError
from aquadash.evaluation import Evaluation
from aquadash.lab import Lab
from aquadash.people import OWNER
from aquadash.runs import Run


@click.command()
@click.argument("run")
@json_option
def coach(run: str, as_json: bool) -> None:
    """Say what could be better about a run, with the evidence and, where there is one, a change to try."""
    runs = Lab(OWNER).runs
    found = runs.find(run)
    notes = run_notes(
        found,
        runs.history(found.run_id),
        evaluation(found),
        count_training=lambda: training_counts(found, data.load),
    )
    values = {"run_id": found.run_id, "name": found.name, "notes": [note.to_dict() for note in notes]}

    def text() -> str:
        if not notes:
            return f"{found.name} ({found.run_id[:8]}): nothing to say yet."
        return "\n\n".join(_text(note, found.config) for note in notes)

    show(values, as_json=as_json, text=text)


def evaluation(run: Run) -> Evaluation | None:
    """The run's results on the test images; None while it has not ended, or where it has none."""
    if not run.status.ended or "test_accuracy" not in run.metrics:
        return None
    try:
        return Lab(OWNER).runs.evaluation(run.run_id)
    except RunError:
        return None


def _text(note: Note, config: RunConfig) -> str:
    lines = [f"{note.level}: {note.title}", f"  {note.evidence}"]
    if note.changes:
        now = flatten(config)
        lines += [
            f"  Try --set {name}={_value(value)} (was {_value(now[name])})" for name, value in note.changes.items()
        ]
    return "\n".join(lines)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)

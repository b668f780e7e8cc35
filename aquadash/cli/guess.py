"""A guess on the command line: what was typed, and how near it came."""

from __future__ import annotations

from typing import Any

import click

from aquadash import data
from aquadash.cli.coach import evaluation
from aquadash.config import RunConfig
from aquadash.errors import AquaDashError
from aquadash.evaluation import GuessScore, accuracy_words, check_pair, pair_words, score_guess
from aquadash.runs import Guess, Run


def read_guess(accuracy: float | None, pair: str | None, config: RunConfig) -> Guess | None:
    """The guess that the options of ``train`` make; None where nothing is guessed.

    Args:
        accuracy: In per cent.
        pair: ``"otter,seal"``: the true class, the predicted one.
        config: Names the data set, whose classes the pair is checked against.

    Raises:
        click.UsageError: It is no guess.
        AquaDashError: It names a class that is not there, or what cannot be guessed.
    """
    if accuracy is None and pair is None:
        return None
    if accuracy is not None and 0 < accuracy < 1:
        raise click.UsageError(f"--guess-accuracy is in per cent: {accuracy:g} is less than one. Write 60 for 60 %.")
    return Guess(
        None if accuracy is None else accuracy / 100,
        None if pair is None else _read_pair(pair, data.load(config.data.source).class_names),
    )


def guess_values(run: Run) -> dict[str, Any] | None:
    """A run's guess and, once there are results, its score, as plain values; None where nobody guessed."""
    if run.guess is None:
        return None
    pair = run.guess.confused_pair
    score = _score(run)
    return {
        "accuracy": run.guess.accuracy,
        "confused_pair": None if pair is None else list(pair),
        "score": None if score is None else score.to_dict(),
    }


def guess_words(run: Run) -> list[str]:
    """How near a run's guess came, a sentence for each part; empty while there is nothing to hold it against."""
    score = _score(run)
    if score is None:
        return []
    accuracy, pair = score.accuracy, score.pair
    return [
        *([] if accuracy is None else [f"Your guess of the accuracy. {accuracy_words(accuracy)}"]),
        *([] if pair is None else [f"Your guess of the mistake. {pair_words(pair)}"]),
    ]


def _score(run: Run) -> GuessScore | None:
    found = None if run.guess is None else evaluation(run)
    if run.guess is None or found is None:
        return None
    try:
        return score_guess(run.guess, found)
    except AquaDashError:
        # It names a class that the data set does not have any more.
        return None


def _read_pair(text: str, class_names: tuple[str, ...]) -> tuple[str, str]:
    parts = text.split(",")
    # A class's name may hold a comma, so every one is tried.
    pairs = [(",".join(parts[:i]).strip(), ",".join(parts[i:]).strip()) for i in range(1, len(parts))]
    if not pairs:
        raise click.UsageError(f"--guess-pair is {text[:80]!r}; expected TRUE,PREDICTED, such as otter,seal.")
    known = [pair for pair in pairs if all(name in class_names for name in pair)]
    if not known:
        check_pair(pairs[0], class_names)
    return (known or pairs)[0]

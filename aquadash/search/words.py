"""What a search found, in words."""

from __future__ import annotations

from aquadash.search.types import Search


def progress(search: Search) -> str:
    """How many of its trials are done, and how good the best is."""
    ended, most = sum(trial.state.ended for trial in search.trials), search.plan.most_trials
    best = search.best.value if search.best else None
    result = "no result yet" if best is None else f"best {_percent(best)}"
    return f"{ended}{'' if most is None else f' of {most}'} trials done, {result}"


def verdict(search: Search) -> str:
    """Whether the search beat the settings that it started from: a sentence or two of plain text."""
    best, default = search.best, search.default_value
    if best is None or best.value is None:
        return "No trial has come to its end yet, so there is nothing to choose from."
    if default is None:
        return (
            f"The best is trial {best.number} with {_percent(best.value)} validation accuracy. The settings that the "
            "search started from have no result to compare it with."
        )
    if not search.beats_default:
        return (
            f"No trial beats the settings that the search started from, which reach {_percent(default)} validation "
            "accuracy."
        )
    return (
        f"Trial {best.number} beats the settings that the search started from: {_percent(best.value)} validation "
        f"accuracy instead of {_percent(default)}. The best of {len(search.complete)} figures on the same images is a "
        "little too good; train its settings with other seeds before you trust a small difference."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"

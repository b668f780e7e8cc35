"""Notes before training: choices that usually fail, or do not do what they seem to."""

from __future__ import annotations

from aquadash.coach import network_rules, schedule_rules, training_rules
from aquadash.coach.note import Note, by_importance
from aquadash.config import RunConfig

_RULES = (*training_rules.RULES, *schedule_rules.RULES, *network_rules.RULES)


def config_notes(config: RunConfig) -> list[Note]:
    """What usually goes wrong with these settings, warnings first; empty when nothing stands out.

    Settings that the chosen network does not use are passed over.
    """
    return by_importance(rule(config) for rule in _RULES)

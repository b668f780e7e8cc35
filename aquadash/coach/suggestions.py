"""Changes to try for findings with several cures: the mildest that the settings leave room for."""

from typing import Any

from aquadash.coach.network_rules import frozen, mixes, uses
from aquadash.coach.rates import CUTS_BEFORE_STOP, USUAL_PATIENCE, USUAL_WAIT, lower
from aquadash.config import RunConfig

#: The least dropout that is suggested, and the most, as in the report.
LITTLE_DROPOUT, ENOUGH_DROPOUT = 0.2, 0.5


def against_overfitting(config: RunConfig) -> dict[str, Any]:
    """Return the first that is not in use: augmentation, which helps most, dropout, mixing, a penalty on weights."""
    if config.augmentation.pipeline == "none":
        return {"augmentation.pipeline": "notebook"}
    if config.augmentation.mode == "copies" and not frozen(config):
        return {"augmentation.mode": "fresh"}
    if uses(config, "dropout") and config.model.dropout < ENOUGH_DROPOUT:
        return {"model.dropout": ENOUGH_DROPOUT}
    if config.augmentation.mixing == "none" and not frozen(config):
        return {"augmentation.mixing": "mixup"}
    if uses(config, "l2") and config.model.l2 == 0:
        return {"model.l2": 0.0001}
    return {}


def against_underfitting(config: RunConfig) -> dict[str, Any]:
    """Return a change that weakens the first in use: mixing, dropout, penalties, label smoothing."""
    if mixes(config):
        return {"augmentation.mixing": "none"}
    if uses(config, "dropout") and config.model.dropout > LITTLE_DROPOUT:
        return {"model.dropout": LITTLE_DROPOUT}
    penalties = {f"model.{name}": 0.0 for name in ("l1", "l2") if uses(config, name) and getattr(config.model, name)}
    if penalties:
        return penalties
    return {"training.label_smoothing": 0.0} if config.training.label_smoothing else {}


def against_plateau(config: RunConfig) -> tuple[str, dict[str, Any]]:
    """Return advice and changes: a schedule that lowers the learning rate, or a lower rate."""
    training = config.training
    if training.schedule != "constant":
        return "A lower learning rate takes finer steps.", {"training.learning_rate": lower(config, 3)}
    changes: dict[str, Any] = {"training.schedule": "plateau", "training.schedule_epochs": USUAL_WAIT}
    if 0 < training.patience <= CUTS_BEFORE_STOP * USUAL_WAIT:
        changes["training.patience"] = USUAL_PATIENCE
    return "A schedule that cuts the learning rate when progress ends takes finer steps from then on.", changes

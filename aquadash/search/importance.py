"""Which of the settings that vary decided the result."""

from __future__ import annotations

from collections.abc import Sequence

from aquadash.search import strategies
from aquadash.search.plan import SearchPlan
from aquadash.search.types import Trial

#: With fewer complete trials any answer would be chance.
LEAST_TRIALS = 5


def importance(plan: SearchPlan, trials: Sequence[Trial]) -> dict[str, float]:
    """Each setting's share in the differences between the complete trials, the largest first.

    A random forest learns to predict the validation accuracy from the settings; a setting's share is how much of the
    forest's variance it explains by itself (functional ANOVA: F. Hutter, H. Hoos and K. Leyton-Brown, "An Efficient
    Approach for Assessing Hyperparameter Importance", ICML 2014).

    Args:
        plan: The search's plan.
        trials: Its trials.

    Returns:
        Shares from 0 to 1 that sum to 1; empty with fewer than :data:`LEAST_TRIALS` complete trials within the space,
        or when they are all equally good.
    """
    import optuna

    inside = [
        trial
        for trial in trials
        if trial.value is not None and all(parameter.contains(trial.params[parameter.name]) for parameter in plan.space)
    ]
    if len(inside) < LEAST_TRIALS or len({trial.value for trial in inside}) == 1:
        return {}
    strategies.quiet()
    space = strategies.distributions(plan)
    study = optuna.create_study(direction="maximize")
    for trial in inside:
        study.add_trial(optuna.trial.create_trial(params=dict(trial.params), distributions=space, value=trial.value))
    return optuna.importance.get_param_importances(study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0))

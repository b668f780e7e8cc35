"""A plan's space, sampler and pruner as Optuna has them, and which of the settings decided the result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from aquadash.config import SearchRange, Value, setting
from aquadash.search.plan import SearchPlan
from aquadash.search.space import SearchParameter
from aquadash.search.types import Trial

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler


#: With fewer complete trials importance would be chance.
MIN_TRIALS = 5


def quiet() -> None:
    """Keep Optuna from telling its own story on stderr, a line a trial."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)


def distributions(plan: SearchPlan) -> dict[str, BaseDistribution]:
    """The space, by setting."""
    return {parameter.name: _distribution(parameter) for parameter in plan.space}


def base_point(plan: SearchPlan) -> dict[str, Value]:
    """The settings to start from as a point of the space, without what lies outside of it."""
    base = plan.base
    return {p.name: base[p.name] for p in plan.space if p.contains(base[p.name])}


def sampler(plan: SearchPlan, *, number: int) -> BaseSampler:
    """The sampler that draws the trial of that number.

    It is made anew for every trial, from the plan's seed and the number: so a search that was continued after a restart
    draws what it would have drawn without.
    """
    from optuna import samplers

    seed = int(np.random.SeedSequence([plan.seed, number]).generate_state(1)[0])
    if plan.sampler == "tpe":
        # A third of the trials is drawn at random before it learns, within what Optuna's authors advise.
        startup = min(10, max(5, plan.trials // 3))
        return samplers.TPESampler(seed=seed, n_startup_trials=startup, multivariate=True)
    return samplers.RandomSampler(seed=seed)


def pruner(plan: SearchPlan) -> BasePruner:
    """What decides whether a trial goes on."""
    from optuna import pruners

    if plan.pruner == "median":
        # In the first tenth of the epochs, which are mostly chance, no trial is pruned.
        return pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=max(2, plan.epochs // 10))
    return pruners.NopPruner()


def _distribution(parameter: SearchParameter) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    values = parameter.values
    if not isinstance(values, SearchRange):
        return CategoricalDistribution(values)
    if setting(parameter.name).kind is int:
        return IntDistribution(int(values.low), int(values.high), log=values.log)
    return FloatDistribution(values.low, values.high, log=values.log)


def importance(plan: SearchPlan, trials: Sequence[Trial]) -> dict[str, float]:
    """Each setting's share in the differences between the complete trials, the largest first.

    A random forest learns to predict the validation accuracy from the settings; a setting's share is how much of the
    forest's variance it explains by itself (functional ANOVA: F. Hutter, H. Hoos and K. Leyton-Brown, "An Efficient
    Approach for Assessing Hyperparameter Importance", ICML 2014).

    Args:
        plan: The search's plan.
        trials: Its trials.

    Returns:
        Shares from 0 to 1 that sum to 1; empty with fewer than :data:`MIN_TRIALS` complete trials within the space,
        or when they are all equally good.
    """
    import optuna

    from aquadash.evaluation.metrics import import_scikit_learn

    inside = [
        trial
        for trial in trials
        if trial.value is not None and all(parameter.contains(trial.params[parameter.name]) for parameter in plan.space)
    ]
    if len(inside) < MIN_TRIALS or len({trial.value for trial in inside}) == 1:
        return {}
    quiet()
    # Optuna imports it below.
    import_scikit_learn()
    space = distributions(plan)
    study = optuna.create_study(direction="maximize")
    for trial in inside:
        study.add_trial(optuna.trial.create_trial(params=dict(trial.params), distributions=space, value=trial.value))
    return optuna.importance.get_param_importances(study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0))

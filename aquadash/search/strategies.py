"""A plan's space, sampler, pruner and trials in Optuna's types, and the importance of the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from aquadash.config import SearchRange, Value, setting
from aquadash.search.plan import SearchPlan
from aquadash.search.space import SearchParameter, widened
from aquadash.search.types import Trial, TrialState

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

#: The fewest complete trials for an importance; with fewer it would be chance.
MIN_TRIALS = 5


def distributions(plan: SearchPlan) -> dict[str, BaseDistribution]:
    """Return the space by setting."""
    return {parameter.name: _distribution(parameter) for parameter in plan.space}


def sampler(plan: SearchPlan, *, number: int) -> BaseSampler:
    """Return the sampler of a trial, seeded by plan and number: a continued search draws the same values."""
    from optuna import samplers

    seed = int(np.random.SeedSequence([plan.seed, number]).generate_state(1)[0])
    if plan.sampler == "tpe":
        # The first third of the trials is random, within the limits that Optuna's authors advise.
        startup = min(10, max(5, plan.trials // 3))
        return samplers.TPESampler(seed=seed, n_startup_trials=startup, multivariate=True)
    return samplers.RandomSampler(seed=seed)


def pruner(plan: SearchPlan) -> BasePruner:
    """Return the pruner of a plan."""
    from optuna import pruners

    if plan.pruner == "median":
        # No trial is pruned in the first tenth of the epochs, whose accuracies are mostly chance.
        return pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=max(2, plan.epochs // 10))
    return pruners.NopPruner()


def _distribution(
    parameter: SearchParameter, named: Callable[[str, Value], Value] = lambda name, value: value
) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    values = parameter.values
    if not isinstance(values, SearchRange):
        return CategoricalDistribution([named(parameter.name, value) for value in values])
    if setting(parameter.name).kind is int:
        return IntDistribution(int(values.low), int(values.high), log=values.log)
    return FloatDistribution(values.low, values.high, log=values.log)


def study_of(
    plan: SearchPlan,
    trials: Sequence[Trial],
    *,
    label: Callable[[str], str] = str,
    text: Callable[[str, Value], str] | None = None,
) -> Study:
    """Return an Optuna study in memory for charts and importances; accuracies are in percent, others have failed."""
    import optuna

    # The settings to start from may lie outside of the space.
    space = [widened(parameter, plan.base[parameter.name]) for parameter in plan.space]

    def named(name: str, value: Value) -> Value:
        return value if text is None or setting(name).kind in (int, float) else text(name, value)

    distributed = {label(p.name): _distribution(p, named) for p in space}

    def create(trial: Trial) -> FrozenTrial | None:
        if trial.value is None or not all(p.contains(trial.params[p.name]) for p in space):
            return None
        params = {label(p.name): named(p.name, trial.params[p.name]) for p in space}
        return optuna.trial.create_trial(params=params, distributions=distributed, value=100 * trial.value)

    return _study(trials, create)


def study_with_curves(plan: SearchPlan, trials: Sequence[Trial], curve: Callable[[Trial], dict[int, float]]) -> Study:
    """Return an Optuna study in memory for the sampler and the pruner."""
    import optuna

    space = {parameter.name: parameter for parameter in plan.space}
    distributed = distributions(plan)

    def create(trial: Trial) -> FrozenTrial:
        # The settings to start from may lie outside of the space, which samplers do not expect.
        params = {name: value for name, value in trial.params.items() if name in space and space[name].contains(value)}
        return optuna.trial.create_trial(
            state=optuna.trial.TrialState["FAIL" if trial.state is TrialState.FAILED else trial.state.name],
            value=trial.value,
            params=params,
            distributions={name: distributed[name] for name in params},
            intermediate_values=curve(trial),
        )

    return _study(trials, create)


def _study(trials: Sequence[Trial], create: Callable[[Trial], FrozenTrial | None]) -> Study:
    """Return a study of the created trials; a missing one has failed, so that the numbers stay."""
    import optuna

    # Otherwise Optuna prints a line for each trial.
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize")
    by_number = {trial.number: trial for trial in trials}
    for number in range(max(by_number, default=-1) + 1):
        created = create(by_number[number]) if number in by_number else None
        study.add_trial(created or optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL))
    return study


def should_prune(plan: SearchPlan, study: Study, accuracies: Mapping[int, float]) -> bool:
    """Return whether the pruner ends a trial with these validation accuracies by epoch."""
    import optuna

    state = optuna.trial.TrialState.RUNNING
    frozen = optuna.trial.create_trial(state=state, intermediate_values=dict(accuracies))
    return pruner(plan).prune(study, frozen)


def importance(plan: SearchPlan, trials: Sequence[Trial]) -> dict[str, float]:
    """Return each setting's share in the differences between the complete trials, the largest first.

    A random forest learns to predict the validation accuracy from the settings; the share is the part of the forest's
    variance that the setting alone explains (functional ANOVA: F. Hutter, H. Hoos and K. Leyton-Brown, "An Efficient
    Approach for Assessing Hyperparameter Importance", ICML 2014).

    Returns:
        Shares from 0 to 1 that sum to 1; empty for too few complete trials or for trials with equal accuracies.
    """
    study = study_of(plan, trials)
    if not has_importance(study):
        return {}
    import optuna

    from aquadash.evaluation.metrics import import_scikit_learn

    # Optuna's importances use scikit-learn.
    import_scikit_learn()
    return optuna.importance.get_param_importances(study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0))


def has_importance(study: Study) -> bool:
    """Return whether the study has enough complete trials with different accuracies for an importance."""
    values = [trial.value for trial in study.get_trials(deepcopy=False) if trial.value is not None]
    return len(values) >= MIN_TRIALS and len(set(values)) > 1

"""A plan's space, sampler, pruner and trials in Optuna's types, and the importance of the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

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

#: Returns the validation accuracy of a trial by epoch.
Curve: TypeAlias = Callable[[Trial], dict[int, float]]

#: Return the title of a setting, and the text of its value, for charts.
Label: TypeAlias = Callable[[str], str]
Text: TypeAlias = Callable[[str, Value], str]

#: The fewest complete trials for an importance; with fewer it would be chance.
MIN_TRIALS = 5


def propose(plan: SearchPlan, trials: Sequence[Trial], curve: Curve) -> Mapping[str, Value]:
    """Return the values of the next trial."""
    distributions = {parameter.name: _distribution(parameter) for parameter in plan.space}
    return _study(plan, trials, curve=curve).ask(distributions).params


def should_prune(plan: SearchPlan, trials: Sequence[Trial], curve: Curve, accuracies: Mapping[int, float]) -> bool:
    """Return whether the pruner ends a trial with these validation accuracies by epoch."""
    from optuna.trial import TrialState, create_trial

    study = _study(plan, trials, curve=curve)
    return study.pruner.prune(study, create_trial(state=TrialState.RUNNING, intermediate_values=dict(accuracies)))


def study_of(plan: SearchPlan, trials: Sequence[Trial], *, label: Label = str, text: Text | None = None) -> Study:
    """Return an Optuna study in memory for charts and importances; accuracies are in percent, others have failed."""
    # The settings to start from may lie outside of the space.
    space = tuple(widened(parameter, plan.base[parameter.name]) for parameter in plan.space)
    shown = [
        replace(trial, value=100 * trial.value)
        for trial in trials
        if trial.value is not None and all(parameter.contains(trial.params[parameter.name]) for parameter in space)
    ]
    return _study(replace(plan, space=space), shown, label=label, text=text)


def _study(
    plan: SearchPlan,
    trials: Sequence[Trial],
    *,
    label: Label = str,
    text: Text | None = None,
    curve: Curve = lambda trial: {},
) -> Study:
    """Return an Optuna study of the trials in memory; a missing one has failed, so that the numbers stay."""
    import optuna
    from optuna.trial import create_trial

    # Otherwise Optuna prints a line for each trial.
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    by_number = {trial.number: trial for trial in trials}
    count = max(by_number, default=-1) + 1
    study = optuna.create_study(direction="maximize", sampler=_sampler(plan, count), pruner=_pruner(plan))
    for number in range(count):
        trial = by_number.get(number, Trial(number, TrialState.FAILED))
        # The settings to start from may lie outside of the space, which samplers do not expect.
        inside = [part for part in plan.space if part.name in trial.params and part.contains(trial.params[part.name])]
        frozen = create_trial(
            state=optuna.trial.TrialState["FAIL" if trial.state is TrialState.FAILED else trial.state.name],
            value=trial.value,
            params={label(part.name): _named(part, trial.params[part.name], text) for part in inside},
            distributions={label(part.name): _distribution(part, text) for part in inside},
            intermediate_values=curve(trial),
        )
        study.add_trial(frozen)
    return study


def _sampler(plan: SearchPlan, number: int) -> BaseSampler:
    """Return the sampler of a trial, seeded by plan and number: a continued search draws the same values."""
    from optuna import samplers

    seed = int(np.random.SeedSequence([plan.seed, number]).generate_state(1)[0])
    if plan.sampler == "tpe":
        # The first third of the trials is random, within the limits that Optuna's authors advise.
        startup = min(10, max(5, plan.trials // 3))
        return samplers.TPESampler(seed=seed, n_startup_trials=startup, multivariate=True)
    return samplers.RandomSampler(seed=seed)


def _pruner(plan: SearchPlan) -> BasePruner:
    from optuna import pruners

    if plan.pruner == "median":
        # No trial is pruned in the first tenth of the epochs, whose accuracies are mostly chance.
        return pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=max(2, plan.epochs // 10))
    return pruners.NopPruner()


def _distribution(parameter: SearchParameter, text: Text | None = None) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    values = parameter.values
    if not isinstance(values, SearchRange):
        return CategoricalDistribution([_named(parameter, value, text) for value in values])
    if setting(parameter.name).kind is int:
        return IntDistribution(int(values.low), int(values.high), log=values.log)
    return FloatDistribution(values.low, values.high, log=values.log)


def _named(parameter: SearchParameter, value: Value, text: Text | None) -> Value:
    is_number = setting(parameter.name).kind in (int, float)
    return value if text is None or is_number else text(parameter.name, value)


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

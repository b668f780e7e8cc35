"""A plan's space, sampler and pruner as Optuna has them, and which of the settings decided the result."""

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


#: With fewer complete trials importance would be chance.
MIN_TRIALS = 5


def quiet() -> None:
    """Keep Optuna from telling its own story on stderr, a line a trial."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)


def distributions(plan: SearchPlan) -> dict[str, BaseDistribution]:
    """The space, by setting."""
    return {parameter.name: _distribution(parameter) for parameter in plan.space}


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
    """An Optuna study in memory with the trials, for charts and importances.

    Trials without a value are failed ones in it, so that numbers stay. The space is widened by the settings to start
    from; where a logarithmic range cannot hold them, trial 0 counts as failed.
    """
    import optuna

    quiet()
    space = [widened(parameter, plan.base[parameter.name]) for parameter in plan.space]

    def named(name: str, value: Value) -> Value:
        return value if text is None or setting(name).kind in (int, float) else text(name, value)

    distributions = {label(p.name): _distribution(p, named) for p in space}
    study = optuna.create_study(direction="maximize")
    by_number = {trial.number: trial for trial in trials}
    for number in range(max(by_number, default=-1) + 1):
        trial = by_number.get(number)
        if trial is None or trial.value is None or not all(p.contains(trial.params[p.name]) for p in space):
            study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL))
            continue
        params = {label(p.name): named(p.name, trial.params[p.name]) for p in space}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=100 * trial.value))
    return study


def study_with_curves(plan: SearchPlan, trials: Sequence[Trial], curve: Callable[[Trial], dict[int, float]]) -> Study:
    """Return an Optuna study in memory with the trials, for the sampler and the pruner."""
    import optuna
    from optuna.trial import TrialState as State

    quiet()
    states = {
        TrialState.COMPLETE: State.COMPLETE,
        TrialState.PRUNED: State.PRUNED,
        TrialState.FAILED: State.FAIL,
        TrialState.RUNNING: State.RUNNING,
    }
    space = {parameter.name: parameter for parameter in plan.space}
    distributed = distributions(plan)
    study = optuna.create_study(direction="maximize")
    by_number = {trial.number: trial for trial in trials}
    for number in range(max(by_number, default=-1) + 1):
        trial = by_number.get(number)
        if trial is None:
            study.add_trial(optuna.trial.create_trial(state=State.FAIL))
            continue
        # The settings to start from may lie outside of the space, which samplers do not expect.
        params = {name: value for name, value in trial.params.items() if name in space and space[name].contains(value)}
        study.add_trial(
            optuna.trial.create_trial(
                state=states[trial.state],
                value=trial.value,
                params=params,
                distributions={name: distributed[name] for name in params},
                intermediate_values=curve(trial),
            )
        )
    return study


def should_prune(plan: SearchPlan, study: Study, accuracies: Mapping[int, float]) -> bool:
    """Return whether a trial with these validation accuracies by epoch is to end."""
    import optuna

    state = optuna.trial.TrialState.RUNNING
    frozen = optuna.trial.create_trial(state=state, intermediate_values=dict(accuracies))
    return pruner(plan).prune(study, frozen)


def importance(plan: SearchPlan, trials: Sequence[Trial]) -> dict[str, float]:
    """Each setting's share in the differences between the complete trials, the largest first.

    A random forest learns to predict the validation accuracy from the settings; a setting's share is how much of the
    forest's variance it explains by itself (functional ANOVA: F. Hutter, H. Hoos and K. Leyton-Brown, "An Efficient
    Approach for Assessing Hyperparameter Importance", ICML 2014).

    Returns:
        Shares from 0 to 1 that sum to 1; empty with fewer than :data:`MIN_TRIALS` complete trials within the space,
        or when they are all equally good.
    """
    study = study_of(plan, trials)
    if not has_importance(study):
        return {}
    import optuna

    from aquadash.evaluation.metrics import import_scikit_learn

    # Optuna imports it below.
    import_scikit_learn()
    return optuna.importance.get_param_importances(study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0))


def has_importance(study: Study) -> bool:
    """Whether the study has enough complete trials, and different enough, to say which setting decided."""
    values = [trial.value for trial in study.get_trials(deepcopy=False) if trial.value is not None]
    return len(values) >= MIN_TRIALS and len(set(values)) > 1

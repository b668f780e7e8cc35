"""Plans: what can be carried out, and their round trip through JSON."""

import contextlib
import math
import re
from dataclasses import replace

import numpy as np
import pytest

from aquadash.config import SETTINGS, RunConfig, SearchRange, Value, flatten, with_values
from aquadash.errors import ConfigError, UnknownNameError
from aquadash.models import MODELS, effective
from aquadash.presets import PRESETS
from aquadash.search import Search, SearchPlan, Trial, TrialState, default_space, suggested
from aquadash.search.plan import MAX_TRIALS
from aquadash.search.space import SearchParameter, base_value, checked, ends, parse, parse_all, widened
from aquadash.search.strategies import MIN_TRIALS, importance
from aquadash.search.types import describe_result
from aquadash.store import RunStatus
from tests.support.search_fakes import BASE, plan


@pytest.mark.parametrize(
    ("refused", "complaint"),
    [
        (replace(plan(), config=PRESETS["notebook"].config), "validate on test images"),
        (plan(trials=1), "from 2 to"),
        (plan(trials=MAX_TRIALS + 1), "from 2 to"),
        (plan(sampler="randm"), "Did you mean 'random'"),
        (plan(pruner="secateurs"), "no pruner called 'secateurs'"),
        (plan("augmentation.pipeline=none,nothing"), "no pipeline called 'nothing'"),
        (replace(plan(), config=with_values(BASE, {"model.name": "nothing"})), "no model called 'nothing'"),
        (plan(seed=-1), "seed"),
        (replace(plan(), space=()), "from 1 to 20 settings, and 0 came"),
        (plan("model.filters=16|32"), "filters has no effect beside"),
        (plan("training.momentum=0.5..0.95", "training.optimizer=adam,adamw"), "momentum has no effect beside"),
        (plan("augmentation.keep_originals=no,yes"), "no effect beside the other"),  # The pipeline keeps them anyway.
    ],
)
def test_what_cannot_be_carried_out_is_refused(refused: SearchPlan, complaint: str) -> None:
    with pytest.raises((ConfigError, UnknownNameError), match=complaint):
        refused.checked()


def test_what_another_network_takes_is_not() -> None:
    plan("model.filters=16|32", "model.name=notebook,cnn").checked()  # On one of them it has an effect.
    plan("training.momentum=0.5..0.95", "training.optimizer=adam,nesterov").checked()
    plan("model.pool_size=2,3", "model.pooling=none,max", "model.name=notebook,cnn").checked()
    plan("augmentation.mixing_alpha=0.2..1", "augmentation.mixing=none,mixup").checked()


def test_the_most_epochs_include_those_that_vary() -> None:
    assert plan().epochs == 20
    assert plan("training.epochs=10,50,30").epochs == 50
    assert plan("training.epochs=5..60").epochs == 60


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("training.learning_rate=1e-4..1e-1:log", SearchRange(1e-4, 0.1, log=True)),
        ("model.dropout = 0 .. 0.5 ", SearchRange(0.0, 0.5)),
        ("training.patience=3..15:linear", SearchRange(3, 15)),
        ("training.epochs=1e1..1e2:log", SearchRange(10, 100, log=True)),
        ("training.optimizer=adam, sgd,", ("adam", "sgd")),
        ("training.batch_size=16,32", (16, 32)),
        ("training.learning_rate=0.1,1e-3", (0.1, 0.001)),
        ("model.residual=no,yes", (False, True)),
        ("model.filters=32,64|16", ("32, 64", "16")),
        ("model.dense_units=128|none", ("128", "")),
    ],
)
def test_text_is_read_and_written(text: str, values: SearchRange | tuple[Value, ...]) -> None:
    parameter = SearchParameter(text.partition("=")[0].strip(), values)
    assert parse(text) == parse(str(parameter)) == parameter
    assert type(ends(parse(text))[0]) is type(ends(parameter)[0])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("training.learning_rate", "not of the form"),
        ("training.learning_rate=0.1", "from 2 to 50 different ones"),
        ("training.learning_rate=0..1:log", "greater than 0"),
        ("training.weight_decay=0..1:log", "starts above 0"),
        ("training.learning_rate=1e-2..1e-3", "must be less than"),
        ("training.learning_rate=1e-3..50", "less than or equal to 10"),
        ("training.learning_rate=1..2..3", "not a range"),
        ("training.learning_rate=1e-3..1:exp", "log or linear"),
        ("training.learning_rate=nan..1", "finite"),
        ("model.dropout=0..1", "less than 1"),
        ("training.batch_size=8..64.5", "whole numbers"),
        ("training.optimizer=sgd..adam", "not a range"),
        ("training.optimizer=sgd,magic", "magic"),
        ("training.from_logits=0..1", "not a number"),
        ("model.filters=16,32", "different ones"),
        ("model.filters=16,32|0", "greater than or equal to 1"),
        ("training.learning_rat=1..2", r"Did you mean 'training\.learning_rate'"),
        ("model.dropout=0..0.5 model.dropout=0.1,0.2", "named twice"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(text: str, complaint: str) -> None:
    with pytest.raises((ConfigError, UnknownNameError), match=complaint):
        parse_all(text.split())


def test_settings_that_change_the_yardstick_are_not_searched() -> None:
    for name in ("seed", "data.source", "training.validation", "training.validation_fraction", "training.device"):
        with pytest.raises(ConfigError, match=f"cannot vary {name}. {SETTINGS[name].incomparable}"):
            checked(SearchParameter(name, ("a", "b")))


def test_a_space_is_widened_by_the_value_to_start_from() -> None:
    rate = parse("training.learning_rate=1e-3..1e-2:log")
    assert widened(rate, 0.005) == rate
    assert widened(rate, 0.5) == SearchParameter("training.learning_rate", SearchRange(1e-3, 0.5, log=True))
    decay = parse("training.weight_decay=1e-5..1e-2:log")
    assert widened(decay, 0.0) == decay  # A logarithm never comes to zero.
    assert widened(parse("training.batch_size=16,64"), 32) == SearchParameter("training.batch_size", (16, 32, 64))
    assert widened(parse("training.optimizer=sgd,adam"), "rmsprop").contains("rmsprop")


@pytest.mark.parametrize("model", sorted(MODELS))
def test_every_suggestion_can_be_searched_unless_it_does_nothing_beside_the_other_settings(model: str) -> None:
    config = with_values(RunConfig(), {"model.name": model})
    suggestions, working = suggested(config), effective(flatten(config))
    assert not any(SETTINGS[name].incomparable for name in suggestions)
    for name, parameter in suggestions.items():
        assert parameter.name == name and checked(parameter) == parameter == parse(str(parameter))
        with contextlib.nullcontext() if name in working else pytest.raises(ConfigError, match="beside the other"):
            SearchPlan(config, (parameter,)).checked()
        outside = not parameter.contains(base_value(config, name))
        assert not outside or (
            isinstance(parameter.values, SearchRange) and parameter.values.log and base_value(config, name) == 0
        ), name
    assert {"training.learning_rate", "training.batch_size", "training.optimizer"} <= set(suggestions)
    assert ("model.filters" in suggestions) is (model == "cnn")
    wide = suggested(with_values(config, {"training.learning_rate": 2.0}))["training.learning_rate"].values
    assert isinstance(wide, SearchRange) and wide.high == 2.0
    if MODELS[model].pretrained:
        assert suggestions["training.learning_rate"].values == SearchRange(1e-4, 1e-2, log=True)


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset_has_a_few_settings_to_vary(preset: str) -> None:
    config = with_values(PRESETS[preset].config, {"training.validation": "training"})
    space = default_space(config)
    assert 3 <= len(space) <= 6 and space[0].name == "training.learning_rate"
    SearchPlan(config, space).checked()


PLAN = plan("training.learning_rate=1e-4..1e-1:log", "training.optimizer=sgd,adam", "model.dropout=0..0.5")


def trials(count: int, *, flat: bool = False) -> list[Trial]:
    """The learning rate decides nearly everything, the optimizer a little, dropout nothing."""
    random = np.random.default_rng(0)
    made = []
    for number in range(count):
        rate = float(10 ** random.uniform(-4, -1))
        optimizer = ("sgd", "adam")[number % 2]
        value = 0.8 - 0.1 * abs(math.log10(rate / 0.003)) + (0.02 if optimizer == "adam" else 0.0)
        dropout = random.uniform(0, 0.5)
        params = {"training.learning_rate": rate, "training.optimizer": optimizer, "model.dropout": dropout}
        made.append(Trial(number, TrialState.COMPLETE, 0.5 if flat else value, params))
    return made


@pytest.mark.slow
def test_the_setting_that_decides_comes_first() -> None:
    shares = importance(PLAN, trials(30))
    assert next(iter(shares)) == "training.learning_rate" and set(shares) == {part.name for part in PLAN.space}
    assert sum(shares.values()) == pytest.approx(1.0) and shares["training.learning_rate"] > 0.7
    assert importance(PLAN, trials(30)) == shares  # The same trials, the same answer.


def test_it_says_nothing_of_few_or_equal_trials_or_of_those_outside_of_the_space() -> None:
    assert importance(PLAN, []) == importance(PLAN, trials(MIN_TRIALS - 1)) == {}
    assert importance(PLAN, trials(20, flat=True)) == {}
    outside = [Trial(0, TrialState.COMPLETE, 0.1, {**trials(1)[0].params, "training.learning_rate": 5.0})]
    assert importance(PLAN, outside + trials(MIN_TRIALS)[1:]) == {}
    assert importance(PLAN, [Trial(9, TrialState.PRUNED, None, {}), *trials(MIN_TRIALS)[1:]]) == {}


@pytest.mark.parametrize(
    ("values", "beats", "said"),
    [
        ((), False, "No trial has ended yet"),
        ((None, None), False, "No trial has a result"),
        ((0.5,), False, "No trial beats the settings to start from, which reach 50.0 %"),
        ((0.5, 0.5, 0.4), False, "No trial beats"),  # As good is not better.
        ((0.5, 0.4, 0.61, 0.61), True, "Trial 2 beats the settings to start from: 61.0 % .* of 50.0 %"),
        ((None, 0.6), False, "The best is trial 1 with 60.0 %.*no result"),
    ],
)
def test_verdict(values: tuple[float | None, ...], beats: bool, said: str) -> None:
    states = [TrialState.FAILED if value is None else TrialState.COMPLETE for value in values]
    trials = tuple(map(Trial, range(len(values)), states, values))
    ended = Search("a" * 32, "mine", RunStatus.FINISHED, 0.0, plan(), trials)
    assert ended.beats_default is beats
    assert re.search(said, describe_result(ended))
    without_first = replace(ended, trials=ended.trials[1:])
    assert without_first.default is None and not without_first.beats_default
    assert not without_first.complete or "are hidden from you" in describe_result(without_first)

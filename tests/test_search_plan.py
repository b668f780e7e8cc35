"""Plans: what can be carried out, and their round trip through JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from aquadash.config import with_values
from aquadash.errors import AquaDashError, ConfigError, UnknownNameError
from aquadash.presets import PRESETS
from aquadash.search import Budget, SearchPlan, parse
from aquadash.search.plan import MAX_TRIALS, from_json, grid_size
from tests.search_fakes import BASE, plan

MANY = [f"training.{name}=0..0.5" for name in ("weight_decay", "label_smoothing", "warmup_epochs")]
MANY += ["training.learning_rate=1e-4..1:log", "training.batch_size=8..64", "model.dropout=0..0.5"]
MANY += ["training.patience=1..9"]


@pytest.mark.parametrize(
    ("refused", "complaint"),
    [
        (replace(plan(), config=PRESETS["notebook"].config), "validate on test images"),
        (plan(budget=Budget(None, None)), "needs a budget"),
        (plan(budget=Budget(1)), "from 2 to"),
        (plan(budget=Budget(MAX_TRIALS + 1)), "from 2 to"),
        (plan(budget=Budget(None, 0.0)), "more than 0"),
        (plan(budget=Budget(5, 1e9)), "at most"),
        (plan(budget=Budget(None, float("nan"))), "more than 0"),
        (plan(sampler="randm"), "Did you mean 'random'"),
        (plan(pruner="secateurs"), "no pruner called 'secateurs'"),
        (plan("augmentation.pipeline=none,nothing"), "no pipeline called 'nothing'"),
        (replace(plan(), config=with_values(BASE, {"model.name": "nothing"})), "no model called 'nothing'"),
        (plan(seed=-1), "seed"),
        (replace(plan(), space=()), "from 1 to 20 settings, and 0 came"),
        (plan("model.filters=16|32"), "filters has no effect beside"),
        (plan("training.momentum=0.5..0.95", "training.optimizer=adam,adamw"), "momentum has no effect beside"),
        (plan("augmentation.keep_originals=no,yes"), "no effect beside the other"),  # The pipeline keeps them anyway.
        (plan(*MANY, sampler="grid"), "16,384 points"),
    ],
)
def test_what_cannot_be_carried_out_is_refused(refused: SearchPlan, complaint: str) -> None:
    with pytest.raises((ConfigError, UnknownNameError), match=complaint):
        refused.checked()


def test_what_another_sampler_or_network_takes_is_not() -> None:
    plan(*MANY, sampler="tpe").checked()
    plan("model.filters=16|32", "model.name=notebook,cnn").checked()  # On one of them it has an effect.
    plan("training.momentum=0.5..0.95", "training.optimizer=adam,nesterov").checked()
    plan("model.pool_size=2,3", "model.pooling=none,max", "model.name=notebook,cnn").checked()
    plan("augmentation.mixing_alpha=0.2..1", "augmentation.mixing=none,mixup").checked()


def test_the_most_trials_of_a_grid_are_its_points_and_the_settings_to_start_from() -> None:
    assert grid_size((parse("training.optimizer=sgd,adam"), parse("model.dropout=0..0.5"))) == 8
    assert plan("training.optimizer=sgd,adam", sampler="grid", budget=Budget(None, 1)).max_trials == 2
    assert plan("training.optimizer=adamw,adam", sampler="grid", budget=Budget(None, 1)).max_trials == 3
    assert plan("training.optimizer=adamw,adam", sampler="grid", budget=Budget(2)).max_trials == 2
    assert plan(budget=Budget(None, 5)).max_trials is None


def test_the_most_epochs_include_those_that_vary() -> None:
    assert plan().epochs == 20
    assert plan("training.epochs=10,50,30").epochs == 50
    assert plan("training.epochs=5..60").epochs == 60


def test_json_round_trip() -> None:
    one = plan("training.optimizer=sgd,adam", "model.dropout=0..0.5", pruner="median", seed=4, budget=Budget(None, 2.5))
    assert from_json(one.to_json()) == one


@pytest.mark.parametrize("text", ["", "{}", '{"config": {}, "space": 3}'])
def test_what_is_no_plan_is_an_error_for_people(text: str) -> None:
    with pytest.raises(AquaDashError):
        from_json(text)


def test_a_plan_of_another_version_is_an_error_for_people() -> None:
    values = json.loads(plan().to_json())
    values["budget"]["dollars"] = 3
    with pytest.raises(ConfigError, match="not a search's plan"):
        from_json(json.dumps(values))

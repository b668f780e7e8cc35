"""Plans: what can be carried out, and their round trip through JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from aquadash.config import with_values
from aquadash.errors import AquaDashError, ConfigError, UnknownNameError
from aquadash.presets import PRESETS
from aquadash.search import SearchPlan
from aquadash.search.plan import MAX_TRIALS, from_json
from tests.search_fakes import BASE, plan


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


def test_json_round_trip() -> None:
    one = plan("training.optimizer=sgd,adam", "model.dropout=0..0.5", pruner="median", seed=4, trials=7)
    assert from_json(one.to_json()) == one


@pytest.mark.parametrize("text", ["", "{}", '{"config": {}, "space": 3}'])
def test_what_is_no_plan_is_an_error_for_people(text: str) -> None:
    with pytest.raises(AquaDashError):
        from_json(text)


def test_a_plan_of_another_version_is_an_error_for_people() -> None:
    values = json.loads(plan().to_json())
    del values["trials"]
    with pytest.raises(ConfigError, match="not a search's plan"):
        from_json(json.dumps(values))

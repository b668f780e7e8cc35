"""How the controls stand, and what is said about the network."""

from __future__ import annotations

import pytest

from aquadash.config import RunConfig
from aquadash.models import MODELS
from aquadash.presets import PRESETS
from aquadash.ui.train.train_settings import network_text, rows


def test_numbers_share_a_line_and_nothing_else_does() -> None:
    names = ["training.epochs", "training.batch_size", "seed", "training.optimizer", "model.l1", "model.residual"]
    assert list(rows(names)) == [
        ("training.epochs", "training.batch_size"),
        ("seed",),
        ("training.optimizer",),
        ("model.l1",),
        ("model.residual",),
    ]
    assert list(rows([])) == []


@pytest.mark.parametrize("name", MODELS)
def test_every_network_is_described(name: str) -> None:
    assert network_text(name, origin=RunConfig()).endswith(".")


def test_the_fixed_network_leads_to_the_free_one() -> None:
    assert f"**{MODELS['cnn'].title}** starts as the same network" in network_text("notebook", origin=RunConfig())


def test_a_pretrained_network_is_offered_with_its_preset() -> None:
    presets = {name: preset for name, preset in PRESETS.items() if MODELS[preset.config.model.name].pretrained}
    for preset in presets.values():
        name = preset.config.model.name
        assert f"**{preset.title}**" in network_text(name, origin=RunConfig())
        assert f"**{preset.title}**" not in network_text(name, origin=preset.config)

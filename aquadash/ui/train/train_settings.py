"""The controls of a run's settings: the report's own knobs first, the others folded into groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import streamlit as st

from aquadash import augment
from aquadash.config import RunConfig, setting
from aquadash.data import is_here
from aquadash.models import MODELS
from aquadash.presets import PRESETS
from aquadash.ui import hyperparameters as fields
from aquadash.ui import inputs, shell
from aquadash.ui.glossary import term
from aquadash.ui.text import plain
from aquadash.ui.train import augmentation_fields, form_state, schedule_preview

#: The folded groups of the form: title and icon. The settings of the group "first" are shown at once.
GROUPS = {
    "network": ("Network", "🕸️"),
    "transfer": ("Transfer learning", "🎓"),
    "schedule": ("Learning rate schedule", "📉"),
    "optimizer": ("Optimizer & regularization", "⛰️"),
    "augmentation": ("Augmentation", "🎨"),
    "data": ("Data split & seed", "🎲"),
    "stopping": ("Early stopping", "🛑"),
    "device": ("Precision & device", "💻"),
}


def show(values: Mapping[str, Any], problems: Mapping[str, str], config: RunConfig | None) -> None:
    """Draw the controls of all settings that make a difference.

    Args:
        values: All settings, as the controls say.
        problems: Of the controls that cannot be read: what is wrong.
        config: The same as a config; None while it cannot be used.
    """
    effective = fields.effective(values)
    _controls(fields.group("first"), problems, values)
    for group, (title, icon) in GROUPS.items():
        shown = [name for name in fields.group(group) if name in effective]
        if not shown:
            continue
        # With keys they stay open or closed when a group before them comes or goes.
        if group == "schedule":
            with st.expander(title, icon=icon, key="group-schedule", on_change="rerun") as box:
                _controls(shown, problems, values)
                # Only when somebody looks: drawing takes longer than all the controls.
                if box.open and config is not None:
                    schedule_preview.show(config.training)
            continue
        with st.expander(title, icon=icon, key=f"group-{group}"):
            if group == "network":
                _controls(("model.name",), problems, values)
                st.caption(network_text(values["model.name"], origin=form_state.origin().config))
                shown.remove("model.name")
            elif group == "transfer":
                st.caption(term("transfer learning"))
            _controls(shown, problems, values)
            if group == "augmentation":
                augmentation_fields.links(values)
                if config is not None and values["augmentation.pipeline"] != "none":
                    _describe(config)


def _describe(config: RunConfig) -> None:
    """What the augmentation settings amount to, in words and pictures."""
    with shell.guard():
        st.caption(f"🎨 {plain(augment.plan(config.augmentation).describe())}")
        if is_here(config.data.source):
            augmentation_fields.samples(config)


def network_text(name: str, *, origin: RunConfig) -> str:
    """What a network is and what can be chosen about it, in markdown.

    Args:
        name: The network's name.
        origin: What the form was filled from: a preset made for this network is told where it is another's.
    """
    entry = MODELS[name]
    told = [plain(entry.summary)]
    if name == "notebook":
        told.append(
            f"Its architecture is fixed; **{plain(MODELS['cnn'].title)}** starts as the same network with every "
            "number free."
        )
    made_for_it = [preset.title for preset in PRESETS.values() if preset.config.model.name == name]
    if entry.pretrained and made_for_it and origin.model.name != name:
        listed = " or ".join(f"**{plain(title)}**" for title in made_for_it)
        told.append(f"The preset {listed} has settings that suit it.")
    return " ".join(told)


def _controls(names: Sequence[str], problems: Mapping[str, str], values: Mapping[str, Any]) -> None:
    """Numbers side by side, whatever needs more room on a line of its own."""
    for row in rows(names):
        columns = st.columns(len(row), vertical_alignment="bottom") if len(row) > 1 else [st.container()]
        for column, name in zip(columns, row, strict=True):
            with column:
                if name == augmentation_fields.PIPELINE:
                    augmentation_fields.show(values)
                else:
                    _control(name)
                if name in problems:
                    st.error(plain(problems[name]), icon="🚧")


def rows(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The settings line by line: two numbers that follow one another share a line."""
    waiting: str | None = None
    for name in names:
        narrow = setting(name).kind in (int, float)
        if narrow and waiting:
            yield waiting, name
            waiting = None
        elif narrow:
            waiting = name
        else:
            if waiting:
                yield (waiting,)
                waiting = None
            yield (name,)
    if waiting:
        yield (waiting,)


def _control(name: str) -> None:
    """The widget of a setting."""
    form_state.prepare(name)
    common: dict[str, Any] = {"label": fields.label(name), "help": fields.help_text(name), "key": form_state.key(name)}
    kind, options = setting(name).kind, fields.choices(name)
    if options:
        inputs.selectbox(options=options, format_func=lambda option: fields.value_text(name, option), **common)
    elif kind is bool:
        inputs.checkbox(**common)
    elif kind is tuple:
        inputs.text_input(max_chars=100, placeholder="none", **common)
    else:
        limits = fields.number(name, st.session_state[form_state.key(name)])
        inputs.number_input(
            min_value=limits.low,
            max_value=limits.high,
            step=limits.step,
            format="%d" if kind is int else "%g",
            **common,
        )

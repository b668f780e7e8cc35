"""A control for each setting of a step: a slider with one handle or two, or a menu.

The pipeline holds the values: callbacks change it, and each drawing, also after undo, gives the controls its values.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st

from aquadash.augment import Operator, Parameter, Range, editing, operator_info
from aquadash.augment.catalogue import settings_of
from aquadash.augment.spec import Value
from aquadash.ui.augment import builder_state
from aquadash.ui.kit import inputs
from aquadash.ui.kit.glossary import term

_LABELS = {"probability": "Probability", "word": "Choice", "number": "Value", "integer": "Value"}


@dataclass(frozen=True)
class Scale:
    """Converts a setting's values to the numbers of its control and back."""

    low: float
    high: float
    #: The difference between two numbers.
    step: float
    #: The control's number divided by the setting's value: 100 for per cent.
    factor: float = 1.0
    #: The text behind each number.
    unit: str = ""
    #: Whether all numbers are whole.
    whole: bool = False

    @classmethod
    def of(cls, parameter: Parameter) -> Scale:
        """Return a scale of about a hundred steps of 1, 0.1, 0.01 ..."""
        if parameter.kind == "integer":
            return cls(int(parameter.low), int(parameter.high), parameter.step, whole=True)
        factor, unit = (100.0, " %") if parameter.percent or parameter.kind == "probability" else (1.0, "")
        low, high = round(parameter.low * factor, 6), round(parameter.high * factor, 6)
        step = 10.0 ** math.floor(math.log10((high - low) / 50))
        while step > 1e-6 and abs(low / step - round(low / step)) > 1e-6:
            step /= 10
        return cls(low, high, round(step, 9), factor, unit)

    def shown(self, value: Value) -> float:
        """Convert a value to the control's number."""
        return round(float(value)) if self.whole else round(float(value) * self.factor, 6)  # type: ignore[arg-type]

    def meant(self, number: float) -> float:
        """Convert the control's number to a value."""
        if not self.whole:
            return round(number / self.factor, 9)
        # The end of a slider may be between two steps.
        return int(self.low + self.step * round((number - self.low) / self.step))

    @property
    def format(self) -> str:
        """Return the printf format of the numbers."""
        return "%d" if self.whole else f"%g{self.unit.replace('%', '%%')}"


def render_settings(step: Operator) -> None:
    """Draw the controls of a step's settings."""
    values = settings_of(step)
    for parameter in operator_info(step.name).parameters:
        value, stem = values[parameter.name], f"step{step.id}:{parameter.name}"
        put = partial(_put, step, parameter.name, stem)
        title = parameter.title or _LABELS[parameter.kind]
        label = title[:1].upper() + title[1:]
        if parameter.kind == "word":
            inputs.render_controlled(
                inputs.selectbox,
                label,
                parameter.words,
                parameter.words.index(str(value)),
                stem=stem,
                value=value,
                take=put,
                help=parameter.help,
            )
            continue
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _slider(label, parameter.help, Scale.of(parameter), value, stem, put)
            if parameter.drawn or isinstance(value, Range):
                # No tag: undo takes the switch back alone.
                _switch(label, parameter, value, stem, partial(_put, step, parameter.name, None))


def probability(step: Operator) -> None:
    """Draw the control of a step's probability; a step with a setting for it has that one alone."""
    if step.probability == 1.0 and any(
        each.name == "p" for each in operator_info(step.name).parameters if not each.drawn
    ):
        return

    def put(value: Value) -> None:
        fraction = float(value)  # type: ignore[arg-type]
        builder_state.edit(lambda spec: editing.set_probability(spec, step.id, fraction), tag=stem)

    stem = f"step{step.id}/probability"
    _slider("Probability", term("step probability"), Scale(0.0, 100.0, 1.0, 100.0, " %"), step.probability, stem, put)


def _put(step: Operator, name: str, tag: str | None, value: Value) -> None:
    builder_state.edit(lambda spec: editing.set_setting(spec, step.id, name, value), tag=tag)


def _switch(label: str, parameter: Parameter, value: Value, stem: str, put: Callable[[Value], None]) -> None:
    """Draw the switch between a fixed value and a range."""
    drawn = isinstance(value, Range)
    other = editing.as_fixed if drawn else editing.as_range
    inputs.render_controlled(
        inputs.toggle,
        f"{label}: range",
        drawn,
        stem=f"{stem}/drawn",
        value=drawn,
        take=lambda _: put(other(parameter, value)),
        help=term("drawn value"),
    )


def _slider(label: str, help: str, scale: Scale, value: Value, stem: str, put: Callable[[Value], None]) -> None:
    """Draw a slider with one handle for a fixed value, two for a range."""
    shown: float | tuple[float, float]
    if isinstance(value, Range):
        shown = (scale.shown(value.low), scale.shown(value.high))
    else:
        shown = scale.shown(value)

    def take(held: float | tuple[float, float]) -> None:
        put(Range(*map(scale.meant, held)) if isinstance(held, tuple) else scale.meant(held))

    inputs.render_controlled(
        inputs.slider,
        label,
        scale.low,
        scale.high,
        shown,
        # Another key: a slider cannot change its number of handles.
        stem=f"{stem}/{'range' if isinstance(value, Range) else 'slider'}",
        value=shown,
        take=take,
        step=scale.step,
        format=scale.format,
        help=help,
    )

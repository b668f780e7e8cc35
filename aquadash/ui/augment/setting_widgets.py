"""A control for each setting of a step: a slider with one handle or two, or a menu.

The pipeline holds the values: callbacks change it, and each drawing, also after undo, gives the controls its values.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from aquadash.augment import Operator, Parameter, PipelineSpec, Range, editing, operator_info
from aquadash.augment.catalogue import settings_of
from aquadash.augment.editing import StepId
from aquadash.augment.spec import Value
from aquadash.ui.augment import builder_state
from aquadash.ui.kit import inputs
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.text import sentence

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


def render_control(
    step: Operator,
    name: str,
    widget: Callable[..., Any],
    label: str,
    /,
    *limits: Any,
    value: Any,
    change: Callable[[PipelineSpec, StepId, Any], PipelineSpec],
    merges: bool = False,
    **options: Any,
) -> None:
    """Draw a control of a step with :func:`inputs.render_controlled`; one undo takes back changes that merge."""
    stem = f"step{step.id}{name}"

    def take(new: Any) -> None:
        builder_state.edit(lambda spec: change(spec, step.id, new), tag=stem if merges else None)

    inputs.render_controlled(widget, label, *limits, stem=stem, value=value, take=take, **options)


def render_settings(step: Operator) -> None:
    """Draw the controls of a step's settings."""
    values = settings_of(step)
    for parameter in operator_info(step.name).parameters:
        _setting(step, parameter, values[parameter.name])


def _setting(step: Operator, parameter: Parameter, value: Value) -> None:
    name, label = f":{parameter.name}", sentence(parameter.title or _LABELS[parameter.kind])

    def change(spec: PipelineSpec, step_id: StepId, new: Value) -> PipelineSpec:
        return editing.set_setting(spec, step_id, parameter.name, new)

    if parameter.kind == "word":
        words, help = parameter.words, parameter.help
        render_control(step, name, inputs.selectbox, label, words, value=value, change=change, merges=True, help=help)
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _slider(step, name, label, parameter.help, Scale.of(parameter), value, change)
        is_range = isinstance(value, Range)
        if parameter.drawn or is_range:
            other = editing.as_fixed if is_range else editing.as_range
            render_control(
                step,
                f"{name}/drawn",
                inputs.toggle,
                f"{label}: range",
                value=is_range,
                change=lambda spec, step_id, _: change(spec, step_id, other(parameter, value)),
                help=term("drawn value"),
            )


def probability(step: Operator) -> None:
    """Draw the control of a step's probability, unless the step always runs and has a setting for it."""
    has_setting = any(each.name == "p" and not each.drawn for each in operator_info(step.name).parameters)
    if step.probability < 1.0 or not has_setting:
        help, scale = term("step probability"), Scale(0.0, 100.0, 1.0, 100.0, " %")
        _slider(step, "/probability", "Probability", help, scale, step.probability, editing.set_probability)


def _slider(
    step: Operator,
    name: str,
    label: str,
    help: str,
    scale: Scale,
    value: Value,
    change: Callable[[PipelineSpec, StepId, Any], PipelineSpec],
) -> None:
    is_range = isinstance(value, Range)

    def change_shown(spec: PipelineSpec, step_id: StepId, new: Any) -> PipelineSpec:
        return change(spec, step_id, Range(*map(scale.meant, new)) if is_range else scale.meant(new))

    render_control(
        step,
        # Another key: a slider cannot change its number of handles.
        f"{name}/{'range' if is_range else 'slider'}",
        inputs.slider,
        label,
        scale.low,
        scale.high,
        value=(scale.shown(value.low), scale.shown(value.high)) if isinstance(value, Range) else scale.shown(value),
        change=change_shown,
        merges=True,
        step=scale.step,
        format=scale.format,
        help=help,
    )

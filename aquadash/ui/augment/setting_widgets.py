"""A control for each setting of a pipeline's step: a slider with number fields, fixed or a range, or a menu.

The pipeline is the truth: a control's callback changes it, and every drawing gives the control the pipeline's value
again, so that undo moves the sliders, too, and a slider agrees with the number fields beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from aquadash.augment import Operator, Parameter, Range, editing
from aquadash.augment.catalogue import settings_of
from aquadash.augment.editing import Path
from aquadash.augment.spec import Value
from aquadash.ui import inputs
from aquadash.ui.augment import builder_state
from aquadash.ui.glossary import term

#: Of the number fields, in pixels: six digits and the steppers that appear beside them where there is room.
_FIELD_WIDTH = 92
_LABELS = {"probability": "How often", "word": "Which", "number": "Value", "integer": "Value"}


@dataclass(frozen=True)
class Scale:
    """The numbers that a control shows for a setting.

    Attributes:
        low: The least.
        high: The greatest.
        step: From one to the next.
        factor: What a value is multiplied by: 100 for per cent.
        unit: Behind each number.
        whole: Whether there are only whole numbers.
    """

    low: float
    high: float
    step: float
    factor: float = 1.0
    unit: str = ""
    whole: bool = False

    @classmethod
    def of(cls, parameter: Parameter) -> Scale:
        """The scale that suits a setting: about a hundred steps, of 1, 0.1, 0.01 ..."""
        if parameter.kind == "integer":
            return cls(int(parameter.low), int(parameter.high), parameter.step, whole=True)
        factor, unit = (100.0, " %") if parameter.percent or parameter.kind == "probability" else (1.0, "")
        low, high = round(parameter.low * factor, 6), round(parameter.high * factor, 6)
        step = 10.0 ** math.floor(math.log10((high - low) / 50))
        while step > 1e-6 and abs(low / step - round(low / step)) > 1e-6:
            step /= 10
        return cls(low, high, round(step, 9), factor, unit)

    def shown(self, value: Value) -> float:
        """A fixed value as the control has it."""
        return round(float(value)) if self.whole else round(float(value) * self.factor, 6)  # type: ignore[arg-type]

    def meant(self, number: float) -> float:
        """The value that a number of the control stands for."""
        if not self.whole:
            return round(number / self.factor, 9)
        # What is typed into a number field may lie between the steps.
        return int(self.low + self.step * round((number - self.low) / self.step))

    @property
    def format(self) -> str:
        """How the numbers are printed."""
        return "%d" if self.whole else f"%g{self.unit.replace('%', '%%')}"


def show(step: Operator, path: Path, number: int, parameters: tuple[Parameter, ...]) -> None:
    """Draw the controls of a step's settings.

    Args:
        step: The step.
        path: Where it is.
        number: Its number, for the keys.
        parameters: The settings that are to have a control.
    """
    values = settings_of(step)
    for parameter in parameters:
        stem = f"step{number}:{parameter.name}"
        put = partial(_put, path, parameter.name, stem)
        switch = partial(_put, path, parameter.name, None)
        if parameter.kind == "word":
            _word(parameter, str(values[parameter.name]), stem, put)
        else:
            _numbers(parameter, values[parameter.name], stem, put, switch)


def probability(step: Operator, path: Path, number: int) -> None:
    """Draw the control of the share of the images that a step is applied to."""

    def put(value: Value) -> None:
        fraction = float(value)  # type: ignore[arg-type]
        builder_state.edit(lambda spec: editing.set_probability(spec, path, fraction), tag=stem)

    stem = f"step{number}/probability"
    scale = Scale(0.0, 100.0, 1.0, 100.0, " %")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _fixed("Probability", term("step probability"), scale, step.probability, stem, put)


def _put(path: Path, name: str, tag: str | None, value: Value) -> None:
    builder_state.edit(lambda spec: editing.set_setting(spec, path, name, value), tag=tag)


def _word(parameter: Parameter, value: str, stem: str, put: Callable[[Value], None]) -> None:
    inputs.controlled(
        inputs.selectbox,
        _label(parameter),
        parameter.words,
        parameter.words.index(value),
        stem=stem,
        value=value,
        take=put,
        help=parameter.help,
    )


def _numbers(
    parameter: Parameter,
    value: Value,
    stem: str,
    put: Callable[[Value], None],
    switch: Callable[[Value], None],
) -> None:
    """Controls of a number or a range of numbers, and the switch between the two, which is a change of its own."""
    scale = Scale.of(parameter)
    label = _label(parameter)
    if isinstance(value, Range):
        _range_slider(label, parameter.help, scale, value, stem, put)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _range_fields(label, scale, value, stem, put)
            _toggle(parameter, value, f"{stem}/drawn", switch)
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _fixed(label, parameter.help, scale, value, stem, put)
        if parameter.drawn:
            _toggle(parameter, value, f"{stem}/drawn", switch)


def _toggle(parameter: Parameter, value: Value, stem: str, switch: Callable[[Value], None]) -> None:
    """Fixed or drawn from a range."""
    drawn = isinstance(value, Range)
    other = editing.as_fixed if drawn else editing.as_range
    inputs.controlled(
        inputs.toggle,
        "Range",
        drawn,
        stem=stem,
        value=drawn,
        take=lambda _: switch(other(parameter, value)),
        help=term("drawn value"),
    )


def _fixed(label: str, help: str, scale: Scale, value: Value, stem: str, put: Callable[[Value], None]) -> None:
    """A slider and a number field that say the same."""
    shown = scale.shown(value)

    def take(number: float) -> None:
        put(scale.meant(number))

    _slider(label, help, scale, shown, f"{stem}/slider", take)
    _field(label, scale, shown, f"{stem}/field", (scale.low, scale.high), take)


def _range_slider(label: str, help: str, scale: Scale, value: Range, stem: str, put: Callable[[Value], None]) -> None:
    """A slider with two handles."""
    shown = (scale.shown(value.low), scale.shown(value.high))
    _slider(label, help, scale, shown, f"{stem}/range", lambda ends: put(Range(*map(scale.meant, ends))))


def _range_fields(label: str, scale: Scale, value: Range, stem: str, put: Callable[[Value], None]) -> None:
    """A number field for each end."""
    low, high = scale.shown(value.low), scale.shown(value.high)

    def from_low(number: float) -> None:
        put(Range(scale.meant(number), value.high))

    def to_high(number: float) -> None:
        put(Range(value.low, scale.meant(number)))

    _field(f"{label}, from", scale, low, f"{stem}/low", (scale.low, high), from_low)
    _field(f"{label}, to", scale, high, f"{stem}/high", (low, scale.high), to_high)


def _slider(label: str, help: str, scale: Scale, shown: Any, stem: str, take: Callable[[Any], None]) -> None:
    inputs.controlled(
        inputs.slider,
        label,
        scale.low,
        scale.high,
        shown,
        stem=stem,
        value=shown,
        take=take,
        step=scale.step,
        format=scale.format,
        help=help,
    )


def _field(
    label: str, scale: Scale, shown: float, stem: str, bounds: tuple[float, float], take: Callable[[Any], None]
) -> None:
    inputs.controlled(
        inputs.number_input,
        label,
        *bounds,
        shown,
        stem=stem,
        value=shown,
        take=take,
        step=scale.step,
        format="%d" if scale.whole else "%g",
        label_visibility="collapsed",
        width=_FIELD_WIDTH,
    )


def _label(parameter: Parameter) -> str:
    title = parameter.title or _LABELS[parameter.kind]
    return title[:1].upper() + title[1:]

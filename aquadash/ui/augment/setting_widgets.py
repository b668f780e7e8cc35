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
        value, stem = values[parameter.name], f"step{number}:{parameter.name}"
        put = partial(_put, path, parameter.name, stem)
        title = parameter.title or _LABELS[parameter.kind]
        label = title[:1].upper() + title[1:]
        if parameter.kind == "word":
            inputs.controlled(
                inputs.selectbox,
                label,
                parameter.words,
                parameter.words.index(str(value)),
                stem=stem,
                value=value,
                take=put,
                help=parameter.help,
            )
        elif parameter.drawn or isinstance(value, Range):
            # The switch is a change of its own.
            switch = partial(_switch, label, parameter, value, stem, partial(_put, path, parameter.name, None))
            _numbers(label, parameter.help, Scale.of(parameter), value, stem, put, switch)
        else:
            _numbers(label, parameter.help, Scale.of(parameter), value, stem, put)


def probability(step: Operator, path: Path, number: int) -> None:
    """Draw the control of the share of the images that a step is applied to."""

    def put(value: Value) -> None:
        fraction = float(value)  # type: ignore[arg-type]
        builder_state.edit(lambda spec: editing.set_probability(spec, path, fraction), tag=stem)

    stem = f"step{number}/probability"
    scale = Scale(0.0, 100.0, 1.0, 100.0, " %")
    _numbers("Probability", term("step probability"), scale, step.probability, stem, put)


def _put(path: Path, name: str, tag: str | None, value: Value) -> None:
    builder_state.edit(lambda spec: editing.set_setting(spec, path, name, value), tag=tag)


def _switch(label: str, parameter: Parameter, value: Value, stem: str, put: Callable[[Value], None]) -> None:
    """Fixed or drawn from a range."""
    drawn = isinstance(value, Range)
    other = editing.as_fixed if drawn else editing.as_range
    inputs.controlled(
        inputs.toggle,
        f"{label}: range",
        drawn,
        stem=f"{stem}/drawn",
        value=drawn,
        take=lambda _: put(other(parameter, value)),
        help=term("drawn value"),
    )


def _numbers(
    label: str,
    help: str,
    scale: Scale,
    value: Value,
    stem: str,
    put: Callable[[Value], None],
    switch: Callable[[], None] = lambda: None,
) -> None:
    """A slider of a number or a range of numbers, and a field for each end that says the same; beside them a switch."""

    def control(
        widget: Callable[..., Any],
        name: str,
        label: str,
        ends: tuple[float, float],
        shown: Any,
        meant: Callable[[Any], Value],
    ) -> None:
        inputs.controlled(
            widget,
            label,
            *ends,
            shown,
            stem=f"{stem}/{name}",
            value=shown,
            take=lambda held: put(meant(held)),
            step=scale.step,
        )

    ends = (scale.low, scale.high)
    slider = partial(control, partial(inputs.slider, format=scale.format, help=help))
    plain_format = "%d" if scale.whole else "%g"
    field = partial(
        control, partial(inputs.number_input, format=plain_format, label_visibility="collapsed", width=_FIELD_WIDTH)
    )
    row = partial(st.container, horizontal=True, vertical_alignment="center", gap="small")
    if isinstance(value, Range):
        low, high = scale.shown(value.low), scale.shown(value.high)
        slider("range", label, ends, (low, high), lambda held: Range(*map(scale.meant, held)))
        with row():
            field("low", f"{label}, from", (scale.low, high), low, lambda held: Range(scale.meant(held), value.high))
            field("high", f"{label}, to", (low, scale.high), high, lambda held: Range(value.low, scale.meant(held)))
            switch()
    else:
        shown = scale.shown(value)
        with row():
            slider("slider", label, ends, shown, scale.meant)
            field("field", label, ends, shown, scale.meant)
            switch()

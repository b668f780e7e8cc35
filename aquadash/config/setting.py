"""The record of a setting: everything that forms, commands, tables, searches and exports know about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal, TypeAlias

#: A value that a search may try. Lists of numbers are kept as the text that the settings understand: ``"32, 64"``.
Value: TypeAlias = int | float | bool | str

#: Networks that use the same settings: :class:`aquadash.models.ModelEntry` says which family a network is of.
Family: TypeAlias = Literal["cnn", "backbone", "applications"]


@dataclass(frozen=True)
class SearchRange:
    """All numbers between two, both allowed."""

    low: float
    high: float
    #: Whether values are drawn evenly by their logarithm, as suits learning rates and penalties (J. Bergstra and Y.
    #: Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 2012).
    log: bool = False


@dataclass(frozen=True)
class Setting:
    """One setting of a run.

    It stands in the annotation of a section's field; :func:`aquadash.config.setting` gives it with what pydantic
    knows: name, kind, choices and limits.
    """

    label: str
    _: KW_ONLY
    #: Its effect, in a line or two.
    help: str
    #: The group of the form that its control is in; empty for a setting without a control of its own.
    group: str = ""
    #: Its place in the group, the lowest first; among equals the order of the sections.
    order: int = 0
    #: The line of the glossary that explains its term of art.
    term: str = ""
    #: Texts for people in place of values.
    texts: Mapping[Any, str] = field(default_factory=dict)
    #: Step of a number's buttons; None: by its power of ten.
    step: float | None = None
    #: The unit of its value, where others need it.
    unit: Literal["", "epochs"] = ""
    #: The families of networks that use it; all when empty.
    networks: tuple[Family, ...] = ()
    #: Whether it makes a difference beside the other settings, which come as :func:`flatten` gives them; those
    #: that the network does not use are None.
    needs: Callable[[Mapping[str, Any]], bool] = lambda values: True
    #: The values that a search usually tries.
    search: SearchRange | tuple[Value, ...] | None = None
    #: Why a search cannot vary it; empty where it can.
    incomparable: str = ""
    #: Whether an epoch takes noticeably longer or shorter with another value of it.
    affects_pace: bool = True
    #: Its dotted name.
    name: str = ""
    #: The type of its values: ``int``, ``float``, ``bool``, ``str``, or ``tuple`` for a few whole numbers.
    kind: type = str
    #: The values it may take, where it takes one of a few; empty otherwise.
    choices: tuple[str, ...] = ()
    #: The least number, None where there is none, and whether it is allowed itself; likewise the greatest.
    low: float | None = None
    low_allowed: bool = True
    high: float | None = None
    high_allowed: bool = True

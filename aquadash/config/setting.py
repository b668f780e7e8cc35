"""The record of a setting: everything that forms, commands, tables, searches and exports know about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal, TypeAlias

#: What a search may set a setting to. Lists of numbers are kept as the text that the settings understand: ``"32, 64"``.
Value: TypeAlias = int | float | bool | str

#: Networks that use the same settings: :class:`aquadash.models.ModelEntry` says which family a network is of.
Family: TypeAlias = Literal["cnn", "backbone", "applications"]


@dataclass(frozen=True)
class SearchRange:
    """All numbers between two.

    Attributes:
        low: The least.
        high: The greatest.
        log: Whether each factor of ten gets the same attention, rather than each unit. Right for learning rates and
            penalties: ten times as much is as big a step anywhere on their scale (J. Bergstra and Y. Bengio, "Random
            Search for Hyper-Parameter Optimization", JMLR 2012).
    """

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Setting:
    """One setting of a run.

    It stands in the annotation of a section's field; :func:`aquadash.config.setting` gives it with what pydantic
    knows: name, kind, choices and limits.

    Attributes:
        label: Its name for people.
        help: What it does, in a line or two.
        group: The group of the form that its control is in; empty for a setting without a control of its own.
        order: Its place in the group, the lowest first; among equals the order of the sections.
        term: The line of the glossary that explains its term of art.
        texts: How values read where they do not read well as they are.
        step: What the buttons of a number add; without one they follow its power of ten.
        unit: What it counts, where that matters to others.
        networks: The families of networks that use it; all when empty.
        needs: Whether it makes a difference beside the other settings, which come as :func:`flatten` gives them;
            those that the network does not use are None.
        search: What a search usually varies it between.
        incomparable: Why a search cannot vary it; empty where it can.
        affects_pace: Whether an epoch takes noticeably longer or shorter with another value of it.
        name: Its dotted name.
        kind: The type of its values: ``int``, ``float``, ``bool``, ``str``, or ``tuple`` for a few whole numbers.
        choices: The values it may take, where it takes one of a few; empty otherwise.
        low: The least number, None where there is none.
        low_allowed: Whether that number itself is allowed.
        high: The greatest number, None where there is none.
        high_allowed: Whether that number itself is allowed.
    """

    label: str
    _: KW_ONLY
    help: str
    group: str = ""
    order: int = 0
    term: str = ""
    texts: Mapping[Any, str] = field(default_factory=dict)
    step: float | None = None
    unit: Literal["", "epochs"] = ""
    networks: tuple[Family, ...] = ()
    needs: Callable[[Mapping[str, Any]], bool] = lambda values: True
    search: SearchRange | tuple[Value, ...] | None = None
    incomparable: str = ""
    affects_pace: bool = True
    name: str = ""
    kind: type = str
    choices: tuple[str, ...] = ()
    low: float | None = None
    low_allowed: bool = True
    high: float | None = None
    high_allowed: bool = True

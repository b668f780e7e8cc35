"""The record of a setting for forms, commands, tables, searches and exports."""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal, TypeAlias

#: A value for a search to try. Lists of numbers are text that the settings read, such as ``"32, 64"``.
Value: TypeAlias = int | float | bool | str

#: Networks with the same settings; :class:`aquadash.models.ModelEntry` has the family of each network.
Family: TypeAlias = Literal["cnn", "perceptron", "backbone", "applications"]


@dataclass(frozen=True)
class SearchRange:
    """The numbers from a lowest to a highest one."""

    low: float
    high: float
    #: Whether values are sampled evenly by their logarithm, as for learning rates and penalties: J. Bergstra and Y.
    #: Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 2012.
    log: bool = False


@dataclass(frozen=True)
class Setting:
    """A setting of a run, in the annotation of a section's field; ``SETTINGS`` has it with name, kind and limits."""

    label: str
    _: KW_ONLY
    #: The effect, in a line or two.
    help: str
    #: The group of the form with its control; empty for a setting without a control.
    group: str = ""
    #: The rank in the group, the lowest first; equal ranks are in the order of the sections.
    order: int = 0
    #: The entry of the glossary that explains it; empty for none.
    term: str = ""
    #: Texts for people by value.
    texts: Mapping[Any, str] = field(default_factory=dict)
    #: The step of a number's buttons; None for a power of ten.
    step: float | None = None
    #: The unit of the value.
    unit: Literal["", "epochs"] = ""
    #: The families of networks that use it; empty for all.
    families: tuple[Family, ...] = ()
    #: A function that returns whether it makes a difference with the other values, by dotted name; values that the
    #: network does not use are None.
    needs: Callable[[Mapping[str, Any]], bool] = lambda values: True
    #: The values that a search usually tries.
    search: SearchRange | tuple[Value, ...] | None = None
    #: The reason why a search cannot vary it; empty if it can.
    incomparable: str = ""
    #: Whether it noticeably changes the time of an epoch.
    affects_pace: bool = True
    #: The dotted name.
    name: str = ""
    #: The type of the values: ``int``, ``float``, ``bool``, ``str``, or ``tuple`` for a few whole numbers.
    kind: type = str
    #: The allowed values, if there are a few; empty otherwise.
    choices: tuple[str, ...] = ()
    #: The least number; None for none.
    low: float | None = None
    #: Whether the least number itself is allowed.
    low_allowed: bool = True
    #: The greatest number; None for none.
    high: float | None = None
    #: Whether the greatest number itself is allowed.
    high_allowed: bool = True

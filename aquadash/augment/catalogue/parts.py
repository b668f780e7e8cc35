"""The records of the catalogue."""

from dataclasses import dataclass
from typing import Literal

from aquadash.augment.spec import Operator, Value
from aquadash.errors import look_up

Kind = Literal["number", "integer", "probability", "word"]


@dataclass(frozen=True)
class Parameter:
    """A setting of an operator."""

    #: imgaug's name for it.
    name: str
    #: Its name within a sentence; empty where the value suffices.
    title: str
    #: Its effect, in a sentence.
    help: str
    #: The value where a pipeline leaves it out; None if a pipeline must give one.
    default: Value | None = None
    #: The least value; unused for ``word``, as is ``high``.
    low: float = 0.0
    #: The greatest value.
    high: float = 0.0
    #: ``number`` and ``integer``; ``probability``, or yes and no; ``word`` for one of ``words``.
    kind: Kind = "number"
    #: True if a :class:`Range` is allowed.
    drawn: bool = True
    #: True if 0 to 1 reads best as 0 % to 100 %.
    percent: bool = False
    #: The values a ``word`` may have.
    words: tuple[str, ...] = ()
    #: Whole numbers go from ``low`` in steps of this size; 2 for the odd sides of a kernel.
    step: int = 1


@dataclass(frozen=True)
class OperatorInfo:
    """An operator of the catalogue."""

    #: imgaug's name for it.
    name: str
    #: The family it belongs to, a key of :data:`aquadash.augment.catalogue.FAMILIES`.
    family: str
    #: A short name for people.
    title: str
    #: Its effect on a picture, in a sentence.
    help: str
    #: Its effect on an animal in a picture of 32 x 32 pixels, in a sentence.
    effect: str
    #: The operator with telling settings, for its thumbnail.
    example: Operator
    #: When it makes the label wrong or the animal unrecognisable, in a sentence; empty for a harmless one.
    harm: str = ""
    parameters: tuple[Parameter, ...] = ()
    #: The places for other operators: pairs of imgaug's name and a title; empty for an operator that steers none.
    slots: tuple[tuple[str, str], ...] = ()
    #: Pairs of imgaug's argument and a value, passed along with the settings.
    fixed: tuple[tuple[str, Value], ...] = ()
    #: True if its slot holds steps to choose from, False if they are applied in order.
    choices: bool = False
    #: True if the operators inside it get pictures of a single channel.
    one_channel: bool = False
    #: True if it works on pictures of three channels only.
    needs_colour: bool = False
    #: True if imgaug makes augmenters inside it that have to be seeded as well.
    hidden_parts: bool = False
    #: ``module:function`` of this room that makes it from the settings, the slots and ``seed``, where imgaug's class
    #: is slow or fails. Its source goes into exported code.
    maker: str = ""
    #: ``module:class`` of this room that gives imgaug's bytes in less time.
    quick: str = ""

    def parameter(self, name: str) -> Parameter:
        """Return the setting of that name; an unknown one raises an ``UnknownNameError``."""
        return look_up(f"setting of {self.name}", name, {parameter.name: parameter for parameter in self.parameters})

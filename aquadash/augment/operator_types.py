"""What the catalogue of operators is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aquadash.augment.spec import Operator, Value
from aquadash.errors import UnknownNameError

Kind = Literal["number", "integer", "share", "word"]


@dataclass(frozen=True)
class Parameter:
    """A setting of an operator.

    Attributes:
        name: imgaug's name for it.
        title: What it is, in the words of a sentence; empty where the value says it all.
        help: What it changes, in a sentence.
        default: The value where a pipeline leaves it out; None if it has to be given.
        kind: ``number`` and ``integer``; ``share`` for a probability, or yes and no; ``word`` for one of ``words``.
        low: The least value; of no meaning for ``word``, as is ``high``.
        high: The greatest value.
        drawn: True if a :class:`Range` is allowed.
        percent: True if 0 to 1 reads best as 0 % to 100 %.
        words: The values a ``word`` may have.
        step: Whole numbers go from ``low`` in steps of this size; 2 for the odd sides of a kernel.
    """

    name: str
    title: str
    help: str
    default: Value | None
    kind: Kind = "number"
    low: float = 0.0
    high: float = 0.0
    drawn: bool = True
    percent: bool = False
    words: tuple[str, ...] = ()
    step: int = 1


@dataclass(frozen=True)
class OperatorInfo:
    """An operator of the catalogue.

    Attributes:
        name: imgaug's name for it.
        title: A short name for people.
        help: What it does to a picture, in a sentence.
        parameters: Its settings.
        slots: The places where other operators go: pairs of imgaug's name and a title, empty if it steers none.
        family: The family it belongs to, a key of :data:`aquadash.augment.operators.FAMILIES`.
        effect: What becomes of an animal in a picture of 32 x 32 pixels, in a sentence.
        harm: When it makes the label wrong or the animal unrecognisable, in a sentence.
        example: The operator with telling settings, for a thumbnail and as what a new step starts from.
        fixed: Pairs of imgaug's argument and a value, passed along with the settings; nobody may change them.
        choices: True if its slot holds steps to choose from, False if they are applied in order.
        one_channel: True if the operators inside it get pictures of a single channel.
        needs_colour: True if it works on pictures of three channels only.
        hidden_parts: True if imgaug makes augmenters inside it that have to be seeded as well.
        maker: Module of this room and function that make it, where imgaug's class will not do; the module stands on its
            own, so that its source can go into exported code. The function takes the settings, slots and ``seed``.
        quick: Module of this room and class that give imgaug's bytes in less time.
    """

    name: str
    title: str
    help: str
    parameters: tuple[Parameter, ...] = ()
    slots: tuple[tuple[str, str], ...] = ()
    family: str = "geometry"
    effect: str = ""
    harm: str = ""
    example: Operator | None = None
    fixed: tuple[tuple[str, Value], ...] = ()
    choices: bool = False
    one_channel: bool = False
    needs_colour: bool = False
    hidden_parts: bool = False
    maker: tuple[str, str] | None = None
    quick: tuple[str, str] | None = None

    def parameter(self, name: str) -> Parameter:
        """The setting of that name.

        Raises:
            UnknownNameError: The operator has no such setting.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise UnknownNameError.of(f"setting of {self.name}", name, [parameter.name for parameter in self.parameters])

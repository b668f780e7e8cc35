"""What the catalogue of operators is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aquadash.augment.spec import Value
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
    """

    name: str
    title: str
    help: str
    parameters: tuple[Parameter, ...] = ()
    slots: tuple[tuple[str, str], ...] = ()
    family: str = "geometry"
    effect: str = ""
    harm: str = ""

    def parameter(self, name: str) -> Parameter:
        """The setting of that name.

        Raises:
            UnknownNameError: The operator has no such setting.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise UnknownNameError.of(f"setting of {self.name}", name, [parameter.name for parameter in self.parameters])

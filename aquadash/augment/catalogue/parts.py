"""The records of the catalogue, short ways to write settings down, and settings that many operators share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

from aquadash.augment.spec import Operator, Range, Value
from aquadash.errors import UnknownNameError

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
    #: The value where a pipeline leaves it out; None if it has to be given.
    default: Value | None
    #: The least value; of no meaning for ``word``, as is ``high``.
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
    #: A short name for people.
    title: str
    #: Its effect on a picture, in a sentence.
    help: str
    parameters: tuple[Parameter, ...] = ()
    #: The places where other operators go: pairs of imgaug's name and a title, empty if it steers none.
    slots: tuple[tuple[str, str], ...] = ()
    #: Its effect on an animal in a picture of 32 x 32 pixels, in a sentence.
    effect: str = ""
    #: When it makes the label wrong or the animal unrecognisable, in a sentence.
    harm: str = ""
    #: The operator with telling settings, for a thumbnail and as what a new step starts from.
    example: Operator | None = None
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
    #: will not do. Its source goes into exported code.
    maker: str = ""
    #: ``module:class`` of this room that gives imgaug's bytes in less time.
    quick: str = ""
    #: The family it belongs to, a key of :data:`aquadash.augment.catalogue.FAMILIES`, which fills it in.
    family: str = ""

    def parameter(self, name: str) -> Parameter:
        """The setting of that name.

        Raises:
            UnknownNameError: The operator has no such setting.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise UnknownNameError.of(f"setting of {self.name}", name, [parameter.name for parameter in self.parameters])


COLOUR_SPACES = ("RGB", "BGR", "HSV", "HLS", "Lab", "YCrCb")

#: The slots of everything that blends two versions of a picture.
BLEND_SLOTS = (("foreground", "where the mask is high"), ("background", "where the mask is low"))


#: A number from ``low`` to ``high``, a whole one, and a probability, or yes and no.
number = partial(Parameter, kind="number")
whole = partial(Parameter, kind="integer")
probability = partial(Parameter, kind="probability", high=1.0, drawn=False, percent=True)


def percentage(
    name: str, title: str, help: str, default: float | Range | None, low: float = 0.0, high: float = 1.0
) -> Parameter:
    """A number that reads best as per cent: 0.2 for 20 %."""
    return Parameter(name, title, help, default, low, high, percent=True)


def word(name: str, title: str, help: str, default: str | None, words: tuple[str, ...]) -> Parameter:
    """One of some words."""
    return Parameter(name, title, help, default, kind="word", drawn=False, words=words)


PER_CHANNEL = probability(
    "per_channel",
    "red, green and blue each on their own",
    "Share of the images in which each colour channel gets a value of its own, which tints the picture.",
    False,
)

EDGE_MODE = word(
    "mode",
    "new edge",
    "Filling of the uncovered edge: black (constant), the last row (edge), the mirror image (reflect, symmetric), "
    "or the other side (wrap).",
    "constant",
    ("constant", "edge", "reflect", "symmetric", "wrap"),
)

#: The number of dots in noise that covers whole rectangles, as a share of the picture's pixels along a side.
GRID = percentage(
    "size_percent",
    "grid",
    "Rectangles along a side, as a share of its pixels: the smaller, the larger the rectangles. There are at "
    "least 3 along each side.",
    0.1,
    0.001,
)

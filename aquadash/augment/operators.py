"""The catalogue of augmentation operators: what each does, which settings it takes and how far they may go.

Names, settings and defaults are imgaug's, so that what a student reads here can be looked up in its documentation.
"""

from __future__ import annotations

from aquadash.augment.operator_types import OperatorInfo, Parameter
from aquadash.augment.spec import Operator, Range, Value
from aquadash.errors import ConfigError, UnknownNameError


def _share(name: str, title: str, help: str, default: float | bool) -> Parameter:
    return Parameter(name, title, help, default, kind="share", low=0.0, high=1.0, drawn=False, percent=True)


_PER_CHANNEL = _share(
    "per_channel",
    "red, green and blue each on their own",
    "Share of the images in which each colour channel gets a value of its own, which tints the picture.",
    False,
)
_EDGE_MODES = ("constant", "edge", "reflect", "symmetric", "wrap")
_COLOUR_SPACES = ("RGB", "BGR", "HSV", "HLS", "Lab", "YCrCb")


def _edge_mode() -> Parameter:
    return Parameter(
        "mode",
        "new edge",
        "What fills the uncovered edge: black (constant), the last row (edge), the mirror image (reflect, symmetric), "
        "or the other side (wrap).",
        "constant",
        kind="word",
        drawn=False,
        words=_EDGE_MODES,
    )


def _shift(direction: str) -> Parameter:
    return Parameter(
        "px", "pixels", f"How far it moves {direction}, in whole pixels.", None, kind="integer", low=-20, high=20
    )


def _info(
    name: str, title: str, help: str, *parameters: Parameter, slots: tuple[tuple[str, str], ...] = ()
) -> OperatorInfo:
    return OperatorInfo(name, title, help, parameters, slots)


_ALL: tuple[OperatorInfo, ...] = (
    _info(
        "Fliplr",
        "Flip left-right",
        "Mirrors the picture, so that an animal that looks left looks right.",
        _share("p", "", "Share of the images that are flipped.", 1.0),
    ),
    _info(
        "TranslateX",
        "Shift sideways",
        "Moves the picture to the left or right, so that the animal is not always in the same place.",
        _shift("to the right"),
        _edge_mode(),
    ),
    _info(
        "TranslateY",
        "Shift up or down",
        "Moves the picture up or down.",
        _shift("down"),
        _edge_mode(),
    ),
    _info(
        "Cutout",
        "Cover a square",
        "Covers a square in a random place, so that the network learns to look at more than one part of the animal.",
        Parameter("nb_iterations", "squares", "How many squares.", 1, kind="integer", low=0, high=10),
        Parameter(
            "size", "side", "Side of the square as a share of the picture's.", 0.2, low=0.0, high=1.0, percent=True
        ),
        Parameter("cval", "brightness", "What fills it, 0 black to 255 white.", 128, kind="integer", low=0, high=255),
    ),
    _info(
        "GaussianBlur",
        "Blur",
        "Smears each pixel over its neighbours, as a lens out of focus does.",
        Parameter(
            "sigma",
            "sigma",
            "Width of the smear in pixels; 0 leaves the picture sharp.",
            Range(0.0, 3.0),
            low=0.0,
            high=10.0,
        ),
    ),
    _info(
        "Sharpen",
        "Sharpen",
        "Makes edges stand out.",
        Parameter(
            "alpha",
            "strength",
            "0 leaves the picture as it is, 1 shows only its sharpened version.",
            Range(0.0, 0.2),
            low=0.0,
            high=1.0,
            percent=True,
        ),
        Parameter(
            "lightness",
            "lightness",
            "Brightness of the sharpened version; 1 keeps it.",
            Range(0.8, 1.2),
            low=0.0,
            high=4.0,
        ),
    ),
    _info(
        "ChannelShuffle",
        "Swap colour channels",
        "Mixes up red, green and blue, so that the network cannot rely on colours alone.",
        _share("p", "", "Share of the images whose channels are mixed up.", 1.0),
    ),
    _info(
        "Add",
        "Add",
        "Adds the same number to every pixel: brighter, or darker when it is below 0.",
        Parameter(
            "value",
            "amount",
            "The number that is added; pixels go from 0 to 255.",
            Range(-20, 20),
            kind="integer",
            low=-255,
            high=255,
        ),
        _PER_CHANNEL,
    ),
    _info(
        "Multiply",
        "Multiply",
        "Multiplies every pixel by the same number: brighter above 1, darker below.",
        Parameter(
            "mul", "factor", "The number that every pixel is multiplied by.", Range(0.8, 1.2), low=0.0, high=10.0
        ),
        _PER_CHANNEL,
    ),
    _info(
        "LinearContrast",
        "Contrast",
        "Moves every pixel away from middle grey (128), or towards it.",
        Parameter(
            "alpha", "factor", "Above 1 there is more contrast, below 1 less.", Range(0.6, 1.4), low=0.0, high=10.0
        ),
        _PER_CHANNEL,
    ),
    _info(
        "CoarseDropout",
        "Black out rectangles",
        "Covers parts of the picture with black, so that the network learns to do without them.",
        Parameter(
            "p",
            "share covered",
            "Chance of each rectangle to be covered.",
            Range(0.02, 0.1),
            low=0.0,
            high=1.0,
            percent=True,
        ),
        Parameter(
            "size_percent",
            "grid",
            "Rectangles along a side, as a share of its pixels: the smaller, the larger the rectangles. There are at "
            "least 3 along each side.",
            None,
            low=0.001,
            high=1.0,
            percent=True,
        ),
        _PER_CHANNEL,
    ),
    _info(
        "WithColorspace",
        "In another colour space",
        "Describes the colours in another way (HSV: hue, saturation, value), applies operators there and comes back.",
        Parameter(
            "to_colorspace", "", "The colour space to work in.", None, kind="word", drawn=False, words=_COLOUR_SPACES
        ),
        Parameter(
            "from_colorspace",
            "from",
            "The colour space of the picture.",
            "RGB",
            kind="word",
            drawn=False,
            words=_COLOUR_SPACES,
        ),
        slots=(("children", "there"),),
    ),
    _info(
        "WithChannels",
        "On one channel",
        "Applies operators to one channel and leaves the others alone.",
        Parameter(
            "channels", "number", "Which channel, counted from 0.", None, kind="integer", low=0, high=2, drawn=False
        ),
        slots=(("children", "there"),),
    ),
    _info(
        "Sometimes",
        "Sometimes",
        "Applies operators to some of the images and leaves the others as they are.",
        _share("p", "", "Share of the images that are changed.", 0.5),
        slots=(("then_list", "then"),),
    ),
    _info("Sequential", "One after the other", "Applies operators in order.", slots=(("children", "in order"),)),
    _info(
        "BlendAlphaFrequencyNoise",
        "Blend through a cloudy mask",
        "Changes the picture in two ways and blends the two through a mask that looks like clouds.",
        Parameter(
            "exponent",
            "exponent",
            "The look of the clouds: -4 large and soft, 4 fine grain.",
            Range(-4.0, 4.0),
            low=-8.0,
            high=8.0,
        ),
        Parameter(
            "size_px_max",
            "mask size in pixels",
            "Longer side of the mask before it is enlarged.",
            Range(4, 16),
            kind="integer",
            low=4,
            high=64,
        ),
        Parameter(
            "iterations",
            "layers",
            "How many clouds are laid over each other.",
            Range(1, 3),
            kind="integer",
            low=1,
            high=5,
        ),
        _share("sigmoid", "crisp edges", "Share of the masks that are pushed towards all or nothing.", 0.5),
        _PER_CHANNEL,
        slots=(("foreground", "where the mask is high"), ("background", "where the mask is low")),
    ),
)

#: The families of operators and their titles, in the order of a menu.
FAMILIES: dict[str, str] = {"geometry": "Flip and geometry"}

#: Every operator by its name, in the order of a menu.
OPERATORS: dict[str, OperatorInfo] = {info.name: info for info in _ALL}


def operator_info(name: str) -> OperatorInfo:
    """The catalogue's entry of that name.

    Raises:
        UnknownNameError: There is none; the message names the nearest.
    """
    try:
        return OPERATORS[name]
    except KeyError:
        raise UnknownNameError.of("operator", name, OPERATORS) from None


def settings_of(operator: Operator) -> dict[str, Value]:
    """All settings of an operator, defaults included, in the catalogue's order.

    Raises:
        ConfigError: A setting that has no default is left out.
    """
    given = dict(operator.settings)
    values: dict[str, Value] = {}
    for parameter in operator_info(operator.name).parameters:
        value = given.get(parameter.name, parameter.default)
        if value is None:
            raise ConfigError(f"{operator.name} needs its setting {parameter.name!r}: {parameter.help}")
        values[parameter.name] = value
    return values

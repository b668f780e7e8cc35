"""Two versions of a picture in one."""

from __future__ import annotations

from functools import partial

from aquadash.augment.catalogue.parts import (
    BLEND_SLOTS,
    PER_CHANNEL,
    OperatorInfo,
    Parameter,
    number,
    percentage,
    probability,
    whole,
)
from aquadash.augment.spec import Range, op

_entry = partial(OperatorInfo, slots=BLEND_SLOTS)

_HARM = "It is as harmful as the two versions that it blends. A version without steps is the unchanged picture."
_GREY = op("Grayscale", alpha=1.0)
_BRIGHT = op("Multiply", mul=1.8)


_FACTOR = percentage("factor", "mask", "Height of the mask, 0 to 1.", Range(0.0, 1.0))


def _gradient(axis: str) -> tuple[Parameter, ...]:
    return (
        percentage("min_value", "least", "Where the mask is lowest.", Range(0.0, 0.2)),
        percentage("max_value", "greatest", "Where the mask is highest.", Range(0.8, 1.0)),
        percentage("start_at", "start", f"Where the rise starts, {axis}.", Range(0.0, 0.2)),
        percentage("end_at", "end", f"Where the rise ends, {axis}.", Range(0.8, 1.0)),
    )


def _noise(layers: str, *, min_size: int, crisp: float) -> tuple[Parameter, ...]:
    size_help = "Longer side of the mask before it is enlarged."
    crisp_help = "Share of the masks that are pushed towards all or nothing."
    return (
        whole("size_px_max", "mask size in pixels", size_help, Range(min_size, 16), min_size, 64),
        whole("iterations", "layers", f"How many {layers} are laid over each other.", Range(1, 3), 1, 5),
        probability("sigmoid", "crisp edges", crisp_help, crisp),
    )


_GRID = (
    whole("nb_rows", "rows", "Rows of the grid.", Range(2, 6), 1, 16),
    whole("nb_cols", "columns", "Columns of the grid.", Range(2, 6), 1, 16),
)

ENTRIES = (
    _entry(
        "BlendAlpha",
        "Blend evenly",
        "Changes the picture in two ways and mixes the two evenly.",
        (_FACTOR, PER_CHANNEL),
        effect="A softened version of a change, such as half-way to grey.",
        harm="With a shift or flip inside, two ghostly animals lie over each other.",
        example=op("BlendAlpha", factor=0.6, foreground=_GREY),
    ),
    _entry(
        "BlendAlphaElementwise",
        "Blend pixel by pixel",
        "Changes the picture in two ways, with another mix for each pixel.",
        (_FACTOR, PER_CHANNEL),
        effect="A grain of both versions.",
        harm="With a shift or flip inside, the two animals crumble into each other.",
        example=op("BlendAlphaElementwise", factor=Range(0.0, 1.0), foreground=op("Invert", p=1.0)),
    ),
    _entry(
        "BlendAlphaSimplexNoise",
        "Blend through soft blots",
        "Changes the picture in two ways and blends the two through a mask of blots.",
        (
            *_noise("masks", min_size=2, crisp=True),
            PER_CHANNEL,
        ),
        effect="Patches of light and shade, or of one colour and another, as under trees.",
        harm=_HARM,
        example=op("BlendAlphaSimplexNoise", size_px_max=8, iterations=1, foreground=op("Multiply", mul=0.3)),
    ),
    _entry(
        "BlendAlphaFrequencyNoise",
        "Blend through a cloudy mask",
        "Changes the picture in two ways and blends the two through a mask that looks like clouds.",
        (
            number(
                "exponent",
                "exponent",
                "The look of the clouds: -4 large and soft, 4 fine grain.",
                Range(-4.0, 4.0),
                -8.0,
                8.0,
            ),
            *_noise("clouds", min_size=4, crisp=0.5),
            PER_CHANNEL,
        ),
        effect="Cloud shadows over animal and water, or grain, depending on the exponent.",
        harm=_HARM,
        example=op("BlendAlphaFrequencyNoise", exponent=-2.0, foreground=_BRIGHT, background=op("Multiply", mul=0.4)),
        maker="noise:blend_frequency_noise",
    ),
    _entry(
        "BlendAlphaHorizontalLinearGradient",
        "Blend from left to right",
        "Fades from one version to the other from left to right.",
        _gradient("from 0 % at the left to 100 % at the right"),
        effect="Light from one side: one end of the animal is changed, the other is not.",
        harm=_HARM,
        example=op("BlendAlphaHorizontalLinearGradient", foreground=op("Multiply", mul=0.2)),
    ),
    _entry(
        "BlendAlphaVerticalLinearGradient",
        "Blend from top to bottom",
        "Fades from one version to the other from top to bottom.",
        _gradient("from 0 % at the top to 100 % at the bottom"),
        effect="Depth of water: light above and dark below, or the other way round.",
        harm=_HARM,
        example=op("BlendAlphaVerticalLinearGradient", foreground=op("Multiply", mul=0.2)),
    ),
    _entry(
        "BlendAlphaRegularGrid",
        "Blend in random tiles",
        "Takes each tile of a grid from one of the two versions, at random.",
        _GRID,
        effect="Some tiles changed and some not.",
        harm="With a covering change inside, half of the animal is hidden on average.",
        example=op("BlendAlphaRegularGrid", nb_rows=4, nb_cols=4, foreground=op("Multiply", mul=0.2)),
    ),
    _entry(
        "BlendAlphaCheckerboard",
        "Blend in a chequerboard",
        "Takes the tiles of a chequerboard from the two versions in turn.",
        _GRID,
        effect="Every second tile is changed.",
        harm="The same tiles in each picture: the network may learn the pattern instead of the animal.",
        example=op("BlendAlphaCheckerboard", nb_rows=4, nb_cols=4, foreground=op("Multiply", mul=0.3)),
    ),
    _entry(
        "BlendAlphaSomeColors",
        "Blend by colour",
        "Chooses some hues at random and changes only the pixels that have them.",
        (
            whole("nb_bins", "hues", "How many parts the colour circle is divided into.", Range(5, 15), 1, 64),
            number("smoothness", "smoothness", "How softly chosen hues fade into others.", Range(0.1, 0.3), 0.0, 1.0),
        ),
        effect="The water is changed and the animal is not, or the other way round.",
        harm="If only the animal changes, a strong change makes it unlike any test picture.",
        example=op("BlendAlphaSomeColors", nb_bins=8, smoothness=0.1, foreground=op("Invert", p=1.0)),
        needs_colour=True,
    ),
)

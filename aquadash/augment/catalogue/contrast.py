"""Brightness and contrast."""

from __future__ import annotations

from aquadash.augment.catalogue.parts import PER_CHANNEL, OperatorInfo, number, whole
from aquadash.augment.spec import Range, op

_CLIP_LIMIT = number("clip_limit", "limit", "How far contrast may rise within a tile.", Range(0.1, 8.0), 0.1, 40.0)
_TILE = whole("tile_grid_size_px", "tile", "Side of a tile in pixels.", Range(3, 12), 3, 32)

ENTRIES = (
    OperatorInfo(
        "Add",
        "Add",
        "Adds the same number to every pixel: brighter, or darker when it is below 0.",
        (
            whole(
                "value",
                "amount",
                "The number that is added; pixels go from 0 to 255.",
                Range(-20, 20),
                -255,
                255,
            ),
            PER_CHANNEL,
        ),
        effect="The same scene under more or less light.",
        harm="Beyond 60, foam turns plain white or a dark back plain black, and its shading is gone for good.",
        example=op("Add", value=60),
    ),
    OperatorInfo(
        "Multiply",
        "Multiply",
        "Multiplies every pixel by the same number: brighter above 1, darker below.",
        (
            number("mul", "factor", "The number that every pixel is multiplied by.", Range(0.8, 1.2), 0.0, 10.0),
            PER_CHANNEL,
        ),
        effect="The same scene with another exposure; dark parts change less than bright ones.",
        harm="Above 2 sky, foam and pale seals burn out to white; below 0.2 the picture is black.",
        example=op("Multiply", mul=1.6),
        quick="augmenters:BatchMultiply",
    ),
    OperatorInfo(
        "AddToBrightness",
        "Add to the brightness",
        "Adds to the brightness alone, measured apart from the colours.",
        (whole("add", "amount", "The number that is added.", Range(-30, 30), -255, 255),),
        effect="More or less light, with truer colours than adding to red, green and blue.",
        harm="Beyond 80 the picture is nearly white or black.",
        example=op("AddToBrightness", add=60),
        hidden_parts=True,
        needs_colour=True,
    ),
    OperatorInfo(
        "MultiplyBrightness",
        "Multiply the brightness",
        "Multiplies the brightness alone, measured apart from the colours.",
        (number("mul", "factor", "The number that the brightness is multiplied by.", Range(0.7, 1.3), 0.0, 10.0),),
        effect="Another exposure, with truer colours than multiplying red, green and blue.",
        harm="Above 2 bright parts burn out; below 0.2 the picture is black.",
        example=op("MultiplyBrightness", mul=1.6),
        hidden_parts=True,
        needs_colour=True,
    ),
    OperatorInfo(
        "MultiplyAndAddToBrightness",
        "Multiply and add to the brightness",
        "Multiplies the brightness alone, then adds to it.",
        (
            number("mul", "factor", "The number that the brightness is multiplied by.", Range(0.7, 1.3), 0.0, 10.0),
            whole("add", "amount", "The number that is added.", Range(-30, 30), -255, 255),
        ),
        effect="Different light and a different exposure at once.",
        harm="The two add up: far ends of both ranges give white or black pictures.",
        example=op("MultiplyAndAddToBrightness", mul=0.7, add=60),
        fixed=(("random_order", False),),
        hidden_parts=True,
        needs_colour=True,
    ),
    OperatorInfo(
        "LinearContrast",
        "Contrast",
        "Moves every pixel away from middle grey (128), or towards it.",
        (
            number("alpha", "factor", "Above 1 there is more contrast, below 1 less.", Range(0.6, 1.4), 0.0, 10.0),
            PER_CHANNEL,
        ),
        effect="A misty morning below 1, harsh sun above.",
        harm="At 0 everything is grey. Above 3 the coat's shading is lost to black and white.",
        example=op("LinearContrast", alpha=1.8),
    ),
    OperatorInfo(
        "GammaContrast",
        "Gamma",
        "Brightens or darkens the middle tones and leaves black and white alone.",
        (
            number("gamma", "gamma", "Below 1 brighter, above 1 darker.", Range(0.7, 1.7), 0.1, 10.0),
            PER_CHANNEL,
        ),
        effect="Details in the shade come out or disappear; black and white stay.",
        harm="Above 4 all but the sky is black: a dark beaver under a bank cannot be found.",
        example=op("GammaContrast", gamma=0.5),
    ),
    OperatorInfo(
        "SigmoidContrast",
        "S-curve",
        "Pushes tones apart around a middle and flattens the ends, as film does.",
        (
            number("gain", "steepness", "How strongly tones are pushed apart.", Range(5, 6), 0.0, 30.0),
            number(
                "cutoff", "middle", "The tone around which they part, 0 black to 1 white.", Range(0.3, 0.6), 0.0, 1.0
            ),
            PER_CHANNEL,
        ),
        effect="Animal and water stand apart more, dark and bright parts lose shading.",
        harm="Above 15 it is nearly two tones; a middle near 0 or 1 makes the picture white or black.",
        example=op("SigmoidContrast", gain=10.0, cutoff=0.5),
    ),
    OperatorInfo(
        "LogContrast",
        "Logarithm",
        "Brightens dark tones a lot and bright ones a little.",
        (
            number("gain", "factor", "1 keeps white white; lower is darker.", Range(0.4, 1.6), 0.0, 3.0),
            PER_CHANNEL,
        ),
        effect="A dark back in dark water becomes visible.",
        harm="Above 1.5 bright parts burn out to white, below 0.3 the picture is nearly black.",
        example=op("LogContrast", gain=1.2),
    ),
    OperatorInfo(
        "HistogramEqualization",
        "Even out brightness",
        "Spreads brightness evenly from black to white, in the colour space Lab.",
        effect="A hazy picture becomes strong; colours mostly stay.",
        harm="In open water it blows up noise into waves, but the animal remains; mostly harmless.",
        example=op("HistogramEqualization"),
        needs_colour=True,
    ),
    OperatorInfo(
        "AllChannelsHistogramEqualization",
        "Even out each channel",
        "Spreads red, green and blue each evenly from black to white.",
        effect="Strong contrast and a colour cast that hides the light of the scene.",
        harm="A picture that is nearly all blue water gets false colours.",
        example=op("AllChannelsHistogramEqualization"),
    ),
    OperatorInfo(
        "CLAHE",
        "Local contrast",
        "Evens brightness out tile by tile, with a limit, in Lab (contrast limited adaptive equalisation).",
        (_CLIP_LIMIT, _TILE),
        effect="Fur and ripples come out everywhere, in the shade as in the light.",
        harm="Rarely; a high limit makes noise in still water look like texture of fur.",
        example=op("CLAHE", clip_limit=6.0, tile_grid_size_px=8),
        needs_colour=True,
    ),
    OperatorInfo(
        "AllChannelsCLAHE",
        "Local contrast of each channel",
        "Evens out red, green and blue each, tile by tile, with a limit.",
        (_CLIP_LIMIT, _TILE, PER_CHANNEL),
        effect="Strong local contrast, with shifts in colour.",
        harm="A high limit gives grey seals coloured spots.",
        example=op("AllChannelsCLAHE", clip_limit=6.0, tile_grid_size_px=8),
    ),
)

"""Hue, saturation, channels and the number of colours."""

from __future__ import annotations

from functools import partial

from aquadash.augment.catalogue.parts import PER_CHANNEL, OperatorInfo, number, percentage, probability, whole
from aquadash.augment.spec import Range, op

_entry = partial(OperatorInfo, needs_colour=True)

ENTRIES = (
    OperatorInfo(
        "ChannelShuffle",
        "Swap colour channels",
        "Mixes up red, green and blue, so that the network cannot rely on colours alone.",
        (probability("p", "", "Share of the images whose channels are mixed up.", 1.0),),
        effect="Blue water turns red or green; a grey seal stays grey, as its channels are alike.",
        harm="Brown fur against blue water is a good clue, but the network learns to ignore colour: use it sparingly.",
        example=op("ChannelShuffle", p=1.0),
    ),
    _entry(
        "AddToHue",
        "Shift the hue",
        "Moves every colour around the colour circle by the same angle.",
        (whole("value", "amount", "Share of the circle: 255 or -255 is once around.", Range(-255, 255), -255, 255),),
        effect="Water turns green or violet; black, white and grey do not change.",
        harm="It hardly matters for grey seals and whales; beavers and otters lose their brown beyond about 20.",
        example=op("AddToHue", value=90),
    ),
    _entry(
        "AddToSaturation",
        "Add to the saturation",
        "Makes all colours stronger, or paler when below 0.",
        (
            whole(
                "value", "amount", "The number that is added; saturation goes from 0 to 255.", Range(-75, 75), -255, 255
            ),
        ),
        effect="The sea gets gaudy, or lighter and grey; shape stays.",
        harm="At +100 faint tints of a grey coat are blown up into false colours.",
        example=op("AddToSaturation", value=90),
    ),
    _entry(
        "AddToHueAndSaturation",
        "Shift hue and saturation",
        "Adds the same number to hue and saturation.",
        (
            whole(
                "value", "amount", "The number that is added; 255 is once around the circle.", Range(-40, 40), -255, 255
            ),
            probability(
                "per_channel", "each on its own", "Share of the images in which the two get a number each.", False
            ),
        ),
        effect="Other weather and other water: tint and strength of the colours change together.",
        harm="Beyond 40 brown animals turn green or red, which no test picture shows.",
        example=op("AddToHueAndSaturation", value=60),
    ),
    _entry(
        "MultiplyHue",
        "Multiply the hue",
        "Multiplies the angle on the colour circle, so that reds stay and blues move far.",
        (number("mul", "factor", "The number that the hue is multiplied by.", Range(-3.0, 3.0), -3.0, 3.0),),
        effect="Sky and water change colour strongly, brown fur only a little.",
        harm="Below 0.5 or above 1.5 green and blue backgrounds trade places, so scenes stop being a clue.",
        example=op("MultiplyHue", mul=0.4),
        hidden_parts=True,
    ),
    _entry(
        "MultiplySaturation",
        "Multiply the saturation",
        "Strengthens colours above 1 and fades them below; grey stays grey.",
        (number("mul", "factor", "The number that the saturation is multiplied by.", Range(0.0, 3.0), 0.0, 10.0),),
        effect="From a black-and-white photograph to a gaudy postcard.",
        harm="Mild: shape stays. Above 3, specks of colour in fur and foam take over.",
        example=op("MultiplySaturation", mul=3.0),
        hidden_parts=True,
    ),
    _entry(
        "RemoveSaturation",
        "Fade the colours",
        "Takes away a share of the saturation.",
        (percentage("mul", "share", "Share of the saturation that is taken away.", 1.0),),
        effect="Brown fur and blue water fade towards a lighter grey.",
        harm="An otter in brown water may differ from it by colour alone; faded, it disappears.",
        example=op("RemoveSaturation", mul=0.8),
        hidden_parts=True,
    ),
    _entry(
        "Grayscale",
        "Grey",
        "Mixes the picture with its black-and-white version.",
        (percentage("alpha", "strength", "0 keeps all colours, 1 keeps none.", 1.0),),
        effect="A black-and-white photograph: only light and dark are left.",
        harm="Whales and seals lose little; a beaver loses the brown that sets it off from a green bank.",
        example=op("Grayscale", alpha=1.0),
    ),
    _entry(
        "ChangeColorTemperature",
        "Warm or cold light",
        "Tints the picture as candle light (low) or a blue sky (high) would.",
        (whole("kelvin", "kelvin", "Colour temperature; 6600 hardly changes it.", Range(1000, 11000), 1000, 40000),),
        effect="The same beach at sunset or under a clear sky.",
        harm="Below 2000 everything is orange, and water, sand and fur are hard to tell apart.",
        example=op("ChangeColorTemperature", kelvin=3000),
    ),
    _entry(
        "KMeansColorQuantization",
        "Few colours, chosen",
        "Leaves a few colours, chosen to fit the picture (k-means).",
        (whole("n_colors", "colours", "How many colours are left.", Range(2, 16), 2, 64),),
        effect="Flat patches in the picture's own main colours.",
        harm="With 2 or 3 colours animal and background easily fall into the same one.",
        example=op("KMeansColorQuantization", n_colors=4),
        # imgaug works on at most 128 pixels a side; enlarging would mix the colours.
        fixed=(("interpolation", "nearest"),),
    ),
    OperatorInfo(
        "UniformColorQuantization",
        "Few colours, evenly spaced",
        "Rounds each channel to a few evenly spaced values.",
        (whole("n_colors", "values", "Values a channel may have.", Range(2, 16), 2, 64),),
        effect="Smooth fur and sky break into steps, in colours that the picture may not have had.",
        harm="With 2 or 3 values a dark otter in dark water is one black area.",
        example=op("UniformColorQuantization", n_colors=4),
    ),
    OperatorInfo(
        "Posterize",
        "Posterise",
        "Keeps only the leading bits of each pixel.",
        (whole("nb_bits", "bits", "Bits that are kept; 8 keeps all.", Range(1, 8), 1, 8),),
        effect="Smooth shades become steps, as on a poster.",
        harm="At 1 or 2 bits the shading that models head and body is gone.",
        example=op("Posterize", nb_bits=2),
    ),
    OperatorInfo(
        "Invert",
        "Negative",
        "Turns dark into light and each colour into its opposite.",
        (probability("p", "", "Share of the images that are inverted.", 1.0), PER_CHANNEL),
        effect="A photographic negative: a dark seal is light, on orange water.",
        harm="No test picture is a negative. It hides that killer whales are black above and white below.",
        example=op("Invert", p=1.0),
    ),
    OperatorInfo(
        "Solarize",
        "Solarise",
        "Inverts only those pixels that are brighter than a threshold.",
        (
            probability("p", "", "Share of the images that are changed.", 1.0),
            whole(
                "threshold", "threshold", "Pixels above are inverted; pixels go from 0 to 255.", Range(64, 192), 0, 255
            ),
        ),
        effect="Foam, sky and sand turn dark, while dark fur stays as it is.",
        harm="A low threshold cuts a bright body into light and dark zones that look like markings.",
        example=op("Solarize", p=1.0, threshold=128),
    ),
)

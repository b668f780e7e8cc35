"""Operators that steer others."""

from __future__ import annotations

from aquadash.augment.catalogue.parts import COLOUR_SPACES, OperatorInfo, probability, whole, word
from aquadash.augment.spec import Range, op

_HARM = "It is as harmful as the operators inside it."

ENTRIES = (
    OperatorInfo(
        "Sequential",
        "One after the other",
        "Applies operators in order.",
        slots=(("children", "in order"),),
        effect="The changes add up: the next cannot bring back details that one has hidden.",
        harm="Several mild changes together can be a strong one: look at the last picture, not at each step's.",
        example=op("Sequential", children=(op("Fliplr", p=1.0), op("GaussianBlur", sigma=1.0))),
    ),
    OperatorInfo(
        "Sometimes",
        "Sometimes",
        "Applies operators to some of the images and leaves the others as they are.",
        (probability("p", "", "Share of the images that are changed.", 0.5),),
        slots=(("then_list", "then"),),
        effect="Some animals are changed and some are as photographed.",
        harm="Less harm than the operators alone: at 10 % the network still sees mostly real pictures.",
        example=op("Sometimes", p=0.5, then_list=op("Grayscale", alpha=1.0)),
    ),
    OperatorInfo(
        "OneOf",
        "One of these",
        "Applies one operator to each image, chosen at random.",
        slots=(("children", "one of"),),
        choices=True,
        effect="Each animal is changed in only one way.",
        harm="Milder than all of them together; a harmful one still hits its share of the images.",
        example=op("OneOf", children=(op("Fliplr", p=1.0), op("Rotate", rotate=25.0))),
    ),
    OperatorInfo(
        "SomeOf",
        "Some of these",
        "Applies a number of the operators to each image, chosen at random, in their order.",
        (whole("n", "number", "How many are applied; a larger number means all.", Range(1, 2), 0, 10),),
        slots=(("children", "some of"),),
        choices=True,
        effect="Each animal gets its own mix of changes.",
        harm="High numbers let changes add up: a blurred, darkened and covered otter is hard to recognise.",
        example=op(
            "SomeOf", n=2, children=(op("Fliplr", p=1.0), op("Grayscale", alpha=1.0), op("GaussianBlur", sigma=1.0))
        ),
    ),
    OperatorInfo(
        "WithColorspace",
        "In another colour space",
        "Converts the colours (HSV: hue, saturation, value), applies operators and converts back.",
        (
            word("to_colorspace", "", "The colour space to work in.", None, COLOUR_SPACES),
            word("from_colorspace", "from", "The colour space of the picture.", "RGB", COLOUR_SPACES),
        ),
        slots=(("children", "there"),),
        effect="Changing one channel of HSV changes hue, saturation or brightness.",
        harm="Flips and turns are safe, but noise or covering in HSV gives garish colours that no photograph has.",
        example=op(
            "WithColorspace", to_colorspace="HSV", children=op("WithChannels", channels=0, children=op("Add", value=60))
        ),
        needs_colour=True,
    ),
    OperatorInfo(
        "WithChannels",
        "On one channel",
        "Applies operators to one channel and leaves the others alone.",
        (whole("channels", "number", "Which channel, counted from 0.", None, 0, 2, drawn=False),),
        slots=(("children", "there"),),
        effect="Only red, green or blue changes, which tints the picture.",
        harm="With a shift or turn inside, colour fringes appear around the animal, as in a misprint.",
        example=op("WithChannels", channels=0, children=op("Add", value=80)),
        needs_colour=True,
        one_channel=True,
    ),
    OperatorInfo(
        "WithBrightnessChannels",
        "On the brightness",
        "Applies operators to the brightness alone; colours stay.",
        slots=(("children", "there"),),
        effect="Noise, contrast or cover change light and dark without a tint.",
        harm=_HARM,
        example=op("WithBrightnessChannels", children=op("LinearContrast", alpha=2.0)),
        needs_colour=True,
        one_channel=True,
    ),
)

"""Everything that smears."""

from __future__ import annotations

from aquadash.augment.catalogue.parts import OperatorInfo, number, whole
from aquadash.augment.spec import Range, op

ENTRIES = (
    OperatorInfo(
        "GaussianBlur",
        "Blur",
        "Smears each pixel over its neighbours, as a lens out of focus does.",
        (
            number(
                "sigma",
                "sigma",
                "Width of the smear in pixels; 0 leaves the picture sharp.",
                Range(0.0, 3.0),
                0.0,
                10.0,
            ),
        ),
        effect="Fur, whiskers and spray go first, then the outline of the animal.",
        harm="At 32 x 32, up to 1 is harmless. Above 2 a seal and an otter are the same brown blot.",
        example=op("GaussianBlur", sigma=1.5),
    ),
    OperatorInfo(
        "AverageBlur",
        "Box blur",
        "Replaces each pixel by the mean of the square around it.",
        (whole("k", "side", "Side of the square in pixels; 1 leaves the picture sharp.", Range(1, 7), 1, 15),),
        effect="Like a blur, with slightly boxy smears.",
        harm="From a side of 5, a sixth of the picture's, heads lose eyes and ears.",
        example=op("AverageBlur", k=4),
    ),
    OperatorInfo(
        "MedianBlur",
        "Median blur",
        "Replaces each pixel by the middle value of the square around it, which keeps edges and drops specks.",
        (whole("k", "side", "Side of the square in pixels, odd.", Range(1, 7), 1, 15, step=2),),
        effect="Specks and whiskers vanish, while the outline of the body stays crisp.",
        harm="From a side of 5, thin things such as flippers and an otter's tail are swallowed.",
        example=op("MedianBlur", k=5),
    ),
    OperatorInfo(
        "BilateralBlur",
        "Blur within edges",
        "Mixes each pixel with neighbours of a similar colour only, so that edges stay.",
        (
            whole("d", "reach", "Width of the neighbourhood in pixels.", Range(1, 9), 1, 15),
            number("sigma_color", "colour", "How different colours may be and still mix.", Range(10, 250), 1.0, 255.0),
            number("sigma_space", "distance", "How far away pixels still count.", Range(10, 250), 1.0, 255.0),
        ),
        effect="Fur and waves become smooth patches with clear borders, like a poster.",
        harm="Coats that differ only in texture, like a wet otter's and a wet beaver's, look the same.",
        example=op("BilateralBlur", d=9, sigma_color=100.0, sigma_space=100.0),
        needs_colour=True,
    ),
    OperatorInfo(
        "MotionBlur",
        "Motion blur",
        "Smears the picture along a line, as a moving camera or animal does.",
        (
            whole("k", "length", "Length of the smear in pixels, made odd.", Range(3, 7), 3, 15),
            number("angle", "angle", "Direction of the line in degrees.", Range(0, 360), 0.0, 360.0),
            number(
                "direction",
                "balance",
                "0 smears evenly, 1 and -1 weigh the front or the back.",
                Range(-1.0, 1.0),
                -1.0,
                1.0,
            ),
        ),
        effect="A leaping dolphin leaves a trail; details across the line are lost, those along it stay.",
        harm="From 9 pixels on the head is a third of the picture wide, and small animals dissolve into streaks.",
        example=op("MotionBlur", k=7, angle=45.0, direction=0.0),
    ),
    OperatorInfo(
        "MeanShiftBlur",
        "Melt alike colours",
        "Moves each pixel's colour to the most common one among its neighbours.",
        (
            number("spatial_radius", "reach", "How far neighbours count, in pixels.", Range(5.0, 40.0), 1.0, 40.0),
            number(
                "color_radius", "colour", "How different colours may be and still melt.", Range(5.0, 40.0), 1.0, 40.0
            ),
        ),
        effect="The picture breaks into flat patches: one for the water, some for the animal.",
        harm="A grey seal on grey rock melts into the rock. It is also slow.",
        example=op("MeanShiftBlur", spatial_radius=8.0, color_radius=25.0),
        needs_colour=True,
    ),
)

"""Covering and dropping parts."""

from __future__ import annotations

from dataclasses import replace

from aquadash.augment.catalogue.parts import GRID, PER_CHANNEL, OperatorInfo, percentage, probability, whole
from aquadash.augment.spec import Range, op

ENTRIES = (
    OperatorInfo(
        "Cutout",
        "Cover a square",
        "Covers a square in a random place, so that the network learns to look at more than one part of the animal.",
        (
            whole("nb_iterations", "squares", "How many squares.", 1, 0, 10),
            percentage("size", "side", "Side of the square as a share of the picture's.", 0.2),
            whole("cval", "brightness", "Grey value of the square, 0 black to 255 white.", 128, 0, 255),
        ),
        effect="A grey square hides a flipper, or a piece of water.",
        harm="A side of 50 % can hide the whole head, or a whole small otter, while the label stays.",
        example=op("Cutout", nb_iterations=1, size=0.4),
    ),
    OperatorInfo(
        "CoarseDropout",
        "Black out rectangles",
        "Covers parts of the picture with black, so that the network learns to do without them.",
        (
            percentage("p", "share covered", "Chance of each rectangle to be covered.", Range(0.02, 0.1)),
            replace(GRID, default=None),
            PER_CHANNEL,
        ),
        effect="Black rectangles lie over the animal and its surroundings.",
        harm="With a grid below 10 % each is a third of a side wide: above 30 % covered, a small otter is hidden.",
        example=op("CoarseDropout", p=0.15, size_percent=0.15),
    ),
    OperatorInfo(
        "Dropout",
        "Black out pixels",
        "Sets single pixels to black.",
        (
            percentage("p", "share", "Chance of each pixel to be black.", Range(0.0, 0.05)),
            PER_CHANNEL,
        ),
        effect="Black pinholes; the pixels around them still show the animal.",
        harm="Up to 20 % the animal is plain to see. Above 50 % dark animals are the first to go.",
        example=op("Dropout", p=0.15),
    ),
    OperatorInfo(
        "Dropout2d",
        "Drop colour channels",
        "Sets whole channels to black.",
        (
            percentage("p", "chance", "Chance of each channel to be dropped.", 0.1),
            whole("nb_keep_channels", "kept", "How many channels are kept at least.", 1, 0, 3, drawn=False),
        ),
        effect="A darker picture in the one or two channels that are left.",
        harm="With none kept, it may be all black: a label without an animal.",
        example=op("Dropout2d", p=0.6, nb_keep_channels=1),
    ),
    OperatorInfo(
        "TotalDropout",
        "Drop the picture",
        "Sets the whole picture to black.",
        (probability("p", "", "Share of the images that are dropped.", 1.0),),
        effect="Nothing is left of the animal.",
        harm="Always: a black picture with the label 'seal' teaches something false. Try it to see the effect.",
        example=op("TotalDropout", p=1.0),
    ),
)

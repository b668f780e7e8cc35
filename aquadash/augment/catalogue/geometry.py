"""Flips, turns, shifts and other changes of place."""

from __future__ import annotations

from dataclasses import replace

from aquadash.augment.catalogue.parts import (
    EDGE_MODE,
    OperatorInfo,
    Parameter,
    number,
    percentage,
    probability,
    whole,
)
from aquadash.augment.spec import Range, op


def _shift(direction: str) -> Parameter:
    return whole("px", "pixels", f"How far it moves {direction}, in whole pixels.", None, -20, 20)


def _scale(axis: str) -> Parameter:
    return number("scale", "factor", f"The new {axis} as a multiple of the old one.", Range(0.5, 1.5), 0.2, 4.0)


def _slant(axis: str) -> Parameter:
    return number("shear", "degrees", f"How far it leans {axis}, in degrees.", Range(-30, 30), -60.0, 60.0)


_PAD_MODE = replace(
    EDGE_MODE,
    name="pad_mode",
    help="The content of the added rows: black (constant), the last row (edge), the mirror image (reflect, symmetric) "
    "or the other side (wrap).",
)

ENTRIES = (
    OperatorInfo(
        "Fliplr",
        "Flip left-right",
        "Mirrors the picture, so that an animal that looks left looks right.",
        (probability("p", "", "Share of the images that are flipped.", 1.0),),
        effect="An otter that swims to the left swims to the right. Safe: only text would look wrong.",
        example=op("Fliplr", p=1.0),
    ),
    OperatorInfo(
        "Flipud",
        "Flip upside down",
        "Mirrors the picture from top to bottom.",
        (probability("p", "", "Share of the images that are flipped.", 1.0),),
        effect="The animal lies on its back, with the water above it and the sky below.",
        harm="Hardly any photo looks like this: the network spends effort on seals under an upside-down shore.",
        example=op("Flipud", p=1.0),
    ),
    OperatorInfo(
        "Rot90",
        "Turn by quarters",
        "Turns the picture by 90 degrees, once or several times.",
        (whole("k", "quarters", "How many quarter turns clockwise.", 1, 0, 3),),
        effect="A whale that lies flat stands upright; no pixel is lost in a square picture.",
        harm="Horizon and waterline stand upright, which no test picture shows; it suits only views from above.",
        example=op("Rot90", k=1),
        fixed=(("keep_size", True),),
    ),
    OperatorInfo(
        "Rotate",
        "Turn",
        "Turns the picture about its middle by any angle.",
        (
            number("rotate", "degrees", "The angle, clockwise when above 0.", Range(-30, 30), -180.0, 180.0),
            EDGE_MODE,
        ),
        effect="The animal and the horizon tilt, and the corners fill with new edge.",
        harm="Up to 15 degrees is a tilted camera. Beyond 45 tails are cut off, and black corners become a clue.",
        example=op("Rotate", rotate=25.0, mode="constant"),
    ),
    OperatorInfo(
        "ScaleX",
        "Stretch sideways",
        "Makes the picture wider or narrower within its frame.",
        (_scale("width"), EDGE_MODE),
        effect="A slim otter grows plump, or the other way round; above 1 its head and tail may leave the frame.",
        harm="The build of the body tells a seal from an otter: below 0.6 or above 1.6 that clue is gone.",
        example=op("ScaleX", scale=0.6),
    ),
    OperatorInfo(
        "ScaleY",
        "Stretch upwards",
        "Makes the picture taller or flatter within its frame.",
        (_scale("height"), EDGE_MODE),
        effect="A round beaver grows flat like a seal at rest, or tall.",
        harm="The build of the body tells beavers from otters: below 0.6 or above 1.6 that clue is gone.",
        example=op("ScaleY", scale=0.6),
    ),
    OperatorInfo(
        "ShearX",
        "Slant sideways",
        "Pushes the top of the picture to one side and the bottom to the other.",
        (_slant("sideways"), EDGE_MODE),
        effect="The animal leans; upright lines become slanted.",
        harm="Up to 20 degrees it reads as another pose. Beyond 40 the body is pulled apart into streaks.",
        example=op("ShearX", shear=25.0),
    ),
    OperatorInfo(
        "ShearY",
        "Slant upwards",
        "Pushes one side of the picture up and the other down.",
        (_slant("upwards"), EDGE_MODE),
        effect="The waterline runs uphill, and the animal with it.",
        harm="Up to 20 degrees it reads as a tilted camera. Beyond 40 the body is pulled apart into streaks.",
        example=op("ShearY", shear=25.0),
    ),
    OperatorInfo(
        "TranslateX",
        "Shift sideways",
        "Moves the picture to the left or right, so that the animal is not always in the same place.",
        (_shift("to the right"), EDGE_MODE),
        effect="The animal sits elsewhere; parts that leave the frame are lost.",
        harm="Up to 4 pixels is safe. Beyond 8 of 32 the head may be outside, and the rest fits several animals.",
        example=op("TranslateX", px=7),
    ),
    OperatorInfo(
        "TranslateY",
        "Shift up or down",
        "Moves the picture up or down.",
        (_shift("down"), EDGE_MODE),
        effect="The animal sits higher or lower; parts that leave the frame are lost.",
        harm="Up to 4 pixels is safe. Beyond 8 of 32 a seal on the sand may be cut down to a strip of its back.",
        example=op("TranslateY", px=7),
    ),
    OperatorInfo(
        "Affine",
        "Scale, turn and slant",
        "Resizes, turns, slants and shifts in one go, which blurs less than one after the other.",
        (
            number("scale", "factor", "The new size as a multiple of the old one.", Range(0.8, 1.2), 0.2, 4.0),
            percentage("translate_percent", "shift", "Shift right and down, as a share of a side.", 0.0, -0.6, 0.6),
            number("rotate", "turn", "The angle in degrees, clockwise when above 0.", Range(-15, 15), -180.0, 180.0),
            number("shear", "slant", "How far it leans sideways, in degrees.", Range(-8, 8), -60.0, 60.0),
            EDGE_MODE,
        ),
        effect="Another camera position: nearer or farther, tilted and a little aside.",
        harm="Four changes add up: at the far end of several ranges at once, a small dolphin leaves the frame.",
        example=op("Affine", scale=0.9, translate_percent=0.05, rotate=20.0, shear=10.0),
    ),
    OperatorInfo(
        "Crop",
        "Cut off the edges",
        "Cuts strips off all four sides and enlarges the rest to the old size.",
        (percentage("percent", "share cut off", "Share of each side that is cut off.", Range(0.0, 0.1), 0.0, 0.4),),
        effect="The animal comes nearer; each side loses another strip.",
        harm="Beyond 25 % a side only the middle is left: a flank without head and tail could be any of the five.",
        example=op("Crop", percent=0.2),
        fixed=(("keep_size", True),),
    ),
    OperatorInfo(
        "Pad",
        "Add edges",
        "Adds strips on all four sides and shrinks the whole to the old size.",
        (
            percentage("percent", "share added", "Share of each side that is added.", Range(0.0, 0.2)),
            _PAD_MODE,
        ),
        effect="The animal moves away and shrinks, with new edge around it.",
        harm="At 50 % a side an otter of 12 pixels shrinks to 6: ears, whiskers and tail become a blot.",
        example=op("Pad", percent=0.25),
        fixed=(("keep_size", True),),
    ),
    OperatorInfo(
        "CropAndPad",
        "Cut off or add edges",
        "Cuts a strip off a side when below 0 and adds one when above, each side on its own.",
        (
            percentage(
                "percent", "share", "Share of each side that is added, or cut off when below 0.", Range(-0.1, 0.1), -0.4
            ),
            _PAD_MODE,
        ),
        effect="The animal comes nearer or moves away, and is stretched where the sides differ.",
        harm="Beyond 25 % cut off the head may be gone; beyond 50 % added the animal is a blot.",
        example=op("CropAndPad", percent=Range(-0.2, 0.3)),
        fixed=(("keep_size", True),),
    ),
)

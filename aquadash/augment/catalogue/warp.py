"""Bending, tilting and taking apart."""

from __future__ import annotations

from dataclasses import replace

from aquadash.augment.catalogue.parts import EDGE_MODE, OperatorInfo, Parameter, number, whole
from aquadash.augment.spec import Range, op

#: Elastic transformations name two of the modes in another way.
_ELASTIC_MODE = replace(
    EDGE_MODE,
    words=("constant", "nearest", "reflect", "wrap"),
    help=(
        "Filling of the uncovered edge: black (constant), the last row (nearest), the mirror image (reflect), or the "
        "other side (wrap)."
    ),
)


def _cells(name: str, title: str, default: Range) -> Parameter:
    return whole(name, title, f"How many {title} the grid has.", default, 2, 8)


ENTRIES = (
    OperatorInfo(
        "PerspectiveTransform",
        "Change the viewpoint",
        "Moves the four corners, as if the picture was seen at an angle.",
        (
            number(
                "scale",
                "strength",
                "How far corners move, as a share of a side (standard deviation).",
                Range(0.0, 0.06),
                0.0,
                0.3,
            ),
        ),
        effect="The animal seems to be photographed from another side, and is zoomed in a little.",
        harm="Above 0.15 corners may move to the middle, and only a patch of fur or water is left.",
        example=op("PerspectiveTransform", scale=0.15),
        fixed=(("keep_size", True),),
    ),
    OperatorInfo(
        "ElasticTransformation",
        "Rubber sheet",
        "Moves each pixel a little, neighbours alike, as if the picture was printed on rubber.",
        (
            number("alpha", "strength", "How far pixels move.", Range(1.0, 40.0), 0.0, 100.0),
            number("sigma", "smoothness", "How alike neighbours move, in pixels.", Range(4.0, 8.0), 0.5, 10.0),
            _ELASTIC_MODE,
        ),
        effect="Outlines of body and waves wobble.",
        harm="With little smoothness (below 3) the pixels are strewn about, and the animal's outline dissolves.",
        example=op("ElasticTransformation", alpha=25.0, sigma=4.0),
    ),
    OperatorInfo(
        "PiecewiseAffine",
        "Bend on a grid",
        "Lays a grid over the picture, moves its points and bends the parts in between.",
        (
            number("scale", "strength", "How far points move, as a share of a side.", Range(0.0, 0.04), 0.0, 0.15),
            _cells("nb_rows", "rows", Range(2, 4)),
            _cells("nb_cols", "columns", Range(2, 4)),
        ),
        effect="Parts of the body grow or shrink: a longer snout, a shorter tail.",
        harm="Above 0.08 parts fold over each other: a head may be doubled or gone.",
        example=op("PiecewiseAffine", scale=0.06, nb_rows=4, nb_cols=4),
        maker="augmenters:GridBend",
    ),
    OperatorInfo(
        "Jigsaw",
        "Swap the pieces",
        "Cuts the picture into pieces like a jigsaw puzzle and swaps neighbours.",
        (
            whole("nb_rows", "rows", "Pieces from top to bottom.", Range(3, 10), 1, 16),
            whole("nb_cols", "columns", "Pieces from left to right.", Range(3, 10), 1, 16),
            whole("max_steps", "swaps", "How often pieces change places, at most.", 1, 0, 10),
        ),
        effect="Head and tail change places; fur and water are kept, the shape of the body is not.",
        harm="When shape is the only clue, as with a dolphin against open water, many swaps destroy it.",
        example=op("Jigsaw", nb_rows=4, nb_cols=4, max_steps=2),
        fixed=(("allow_pad", False),),
        maker="augmenters:AnySizeJigsaw",
    ),
    OperatorInfo(
        "WithPolarWarping",
        "Around the middle",
        "Unrolls the picture around its middle, applies operators there and rolls it up again.",
        slots=(("children", "there"),),
        effect="A shift becomes a turn or a zoom, so the animal is twisted about the middle.",
        harm="Rolling up blurs the outer parts, and strong changes smear the body into rings.",
        example=op("WithPolarWarping", children=op("Affine", scale=1.0, translate_percent=0.1, rotate=10.0, shear=0.0)),
    ),
)

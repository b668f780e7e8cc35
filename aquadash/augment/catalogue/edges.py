"""Sharpening and edges."""

from __future__ import annotations

from aquadash.augment.catalogue.parts import OperatorInfo, Parameter, number, percentage, whole
from aquadash.augment.spec import Range, op


def _alpha(version: str, default: Range) -> Parameter:
    return percentage("alpha", "strength", f"0 leaves the picture as it is, 1 shows only {version}.", default)


ENTRIES = (
    OperatorInfo(
        "Sharpen",
        "Sharpen",
        "Makes edges stand out.",
        (
            _alpha("its sharpened version", Range(0.0, 0.2)),
            number(
                "lightness", "lightness", "Brightness of the sharpened version; 1 keeps it.", Range(0.8, 1.2), 0.0, 4.0
            ),
        ),
        effect="Eyes, whiskers and the line between fur and water stand out, and so does noise.",
        harm="Near full strength each pixel jumps to black or white, and the coat's colour is lost.",
        example=op("Sharpen", alpha=0.6, lightness=1.0),
    ),
    OperatorInfo(
        "Emboss",
        "Emboss",
        "Lights edges from one side, as if the picture was pressed into metal.",
        (
            _alpha("the embossed version", Range(0.0, 1.0)),
            number("strength", "depth", "How deep the edges seem.", Range(0.25, 1.0), 0.0, 2.0),
        ),
        effect="One side of the animal gets a bright rim and the other a dark one.",
        harm="Rarely: shape and colour stay. At full strength with depth above 1.5 noise covers fine marks.",
        example=op("Emboss", alpha=1.0, strength=1.0),
    ),
    OperatorInfo(
        "EdgeDetect",
        "Show edges",
        "Blends the picture with its edges, bright lines on black.",
        (_alpha("the edges", Range(0.0, 0.75)),),
        effect="The picture darkens, and outlines of animal and waves glow.",
        harm="Above 75 % colour and coat are gone; only an animal with a clear outline can still be recognised.",
        example=op("EdgeDetect", alpha=0.7),
    ),
    OperatorInfo(
        "DirectedEdgeDetect",
        "Show edges of one direction",
        "Blends the picture with those edges that face one way.",
        (
            _alpha("the edges", Range(0.0, 0.75)),
            number("direction", "direction", "The way they face, 0 to 1 for a full turn.", Range(0.0, 1.0), 0.0, 1.0),
        ),
        effect="The picture darkens, and one side of the animal glows.",
        harm="Above 75 % only half an outline is left, which fits several animals.",
        example=op("DirectedEdgeDetect", alpha=0.7, direction=0.2),
    ),
    OperatorInfo(
        "Canny",
        "Draw outlines",
        "Finds outlines by Canny's method and paints them in a colour drawn for each picture.",
        (_alpha("the outlines", Range(0.0, 1.0)),),
        effect="Thin coloured lines along body and waves, on a background of another colour.",
        harm="At full strength coat and colour are replaced by random ones: only the outline can still teach.",
        example=op("Canny", alpha=0.6),
        needs_colour=True,
    ),
    OperatorInfo(
        "Cartoon",
        "Cartoon",
        "Flat strong colours and dark outlines, like a drawn film.",
        (
            whole("blur_ksize", "smoothing", "Side of the median blur before, in pixels.", Range(1, 5), 1, 7),
            number(
                "segmentation_size", "patches", "Size of the flat patches; 0 makes none.", Range(0.8, 1.2), 0.0, 2.0
            ),
            number("saturation", "saturation", "How strong the colours get; 1 keeps them.", Range(1.5, 2.5), 0.0, 5.0),
            number("edge_prevalence", "outlines", "How many dark outlines are drawn.", Range(0.9, 1.1), 0.1, 2.0),
        ),
        effect="The animal becomes a few bright patches with black borders.",
        harm="A small animal can be swallowed by one patch, together with the water around it.",
        example=op("Cartoon", blur_ksize=1, segmentation_size=0.8, saturation=2.0, edge_prevalence=1.0),
        needs_colour=True,
    ),
)

"""Faults of cameras, lenses and files.

Apart from the JPEG compression these are the corruptions of Hendrycks and Dietterich (ICLR 2019) in imgaug's form, by
way of the package imagecorruptions.
"""

from __future__ import annotations

from aquadash.augment.catalogue.parts import OperatorInfo, whole
from aquadash.augment.spec import op

_SEVERITY = whole("severity", "strength", "From 1, the mildest, to 5, the strongest.", 1, 1, 5)


def _entry(name: str, title: str, help: str, *, effect: str, harm: str) -> OperatorInfo:
    return OperatorInfo(
        name,
        title,
        help,
        (_SEVERITY,),
        effect=effect,
        harm=harm,
        example=op(name, severity=3),
        fixed=(("kind", name),),
        maker="augmenters:corruption",
    )


ENTRIES = (
    OperatorInfo(
        "JpegCompression",
        "JPEG compression",
        "Saves the picture as a small JPEG file and reads it back.",
        (whole("compression", "strength", "0 for the best quality, 100 for the smallest file.", 80, 0, 100),),
        effect="Blocks of 8 pixels, and colours that bleed across outlines.",
        harm="A picture of 32 pixels has 4 x 4 blocks: above 90 each is one colour, and the animal is gone.",
        example=op("JpegCompression", compression=90),
    ),
    _entry(
        "ShotNoise",
        "Shot noise",
        "The noise of few photons: strong in bright parts.",
        effect="A coloured grain, as in a photograph at dusk.",
        harm="At 4 and 5 a pale animal is lost in the grain.",
    ),
    _entry(
        "SpeckleNoise",
        "Speckle noise",
        "Noise in proportion to brightness, as in radar pictures.",
        effect="Bright fur and foam turn grainy, dark parts stay clean.",
        harm="At 4 and 5 bright coats lose their markings.",
    ),
    _entry(
        "DefocusBlur",
        "Out of focus",
        "The disc-shaped blur of a lens that is focused elsewhere.",
        effect="Bright spots become discs, and the animal a soft shape.",
        harm="Made for large pictures: from 2 on an animal at 32 pixels is hardly more than a blot.",
    ),
    _entry(
        "GlassBlur",
        "Through frosted glass",
        "Swaps nearby pixels at random and blurs them.",
        effect="Ragged outlines, as through a wet window.",
        harm="From 3 on pixels travel over a tenth of the picture, and heads fall apart.",
    ),
    _entry(
        "ZoomBlur",
        "Zoom blur",
        "The blur of zooming while the shutter is open.",
        effect="Streaks away from the middle; the middle stays fairly clear.",
        harm="An animal near the edge is smeared beyond recognition from 3 on.",
    ),
    _entry(
        "Spatter",
        "Splashes",
        "Drops of water, and mud from 4 on, on the lens.",
        effect="Blots of water or mud cover parts of the scene.",
        harm="Mud can hide a small animal at 4 and 5.",
    ),
    _entry(
        "Saturate",
        "Wrong saturation",
        "Colours too pale (1 and 2) or too strong (3 to 5).",
        effect="A washed-out or gaudy photograph; shapes stay.",
        harm="At 5 tints of grey coats turn into false colours; below that mostly harmless.",
    ),
    _entry(
        "Pixelate",
        "Pixelate",
        "Shrinks the picture and enlarges it again in blocks.",
        effect="Blocky, as an enlarged thumbnail.",
        harm="At 5 a quarter of the side is left: 8 x 8 pixels of an animal.",
    ),
    _entry(
        "Brightness",
        "Too bright",
        "Overexposes the picture.",
        effect="Pale colours, and sky and foam in plain white.",
        harm="At 5 a pale seal runs into the sand.",
    ),
)

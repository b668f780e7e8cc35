"""Fog, clouds, rain and snow."""

from __future__ import annotations

from functools import partial

from aquadash.augment.catalogue.parts import OperatorInfo, number, whole
from aquadash.augment.spec import Range, op

_entry = partial(OperatorInfo, needs_colour=True)

ENTRIES = (
    _entry(
        "Fog",
        "Fog",
        "Lays a fairly even, dense white veil over the picture.",
        effect="The animal looks pale and far away.",
        harm="A pale seal or a whale's blow may vanish: look at some examples before you use it on all images.",
        example=op("Fog"),
    ),
    _entry(
        "Clouds",
        "Clouds",
        "Lays white clouds of random size and density over the picture.",
        effect="White swathes cover parts of animal and scene.",
        harm="A thick cloud can hide the whole animal at 32 pixels; use it on a share of the images.",
        example=op("Clouds"),
    ),
    _entry(
        "Rain",
        "Rain",
        "Draws streaks of falling rain.",
        (
            whole("nb_iterations", "layers", "How many layers of rain; more than 3 are 3.", Range(1, 3), 0, 5),
            number("drop_size", "drops", "Size of the drops, as a share.", Range(0.01, 0.02), 0.01, 0.5),
            number("speed", "speed", "How long the streaks are, as a share.", Range(0.04, 0.2), 0.01, 0.5),
        ),
        effect="A grey veil with slanted streaks; contrast falls.",
        harm="Made for larger pictures: three layers wash out nearly all detail at this size.",
        example=op("Rain", nb_iterations=1, drop_size=0.1, speed=0.1),
        hidden_parts=True,
    ),
    _entry(
        "Snowflakes",
        "Snowflakes",
        "Draws falling snow over the picture.",
        (
            number("density", "density", "How many flakes there are.", Range(0.005, 0.075), 0.0, 0.5),
            number("density_uniformity", "evenness", "How evenly they are spread, 0 to 1.", Range(0.3, 0.9), 0.0, 1.0),
            number(
                "flake_size",
                "flakes",
                "Size of the flakes; near 1, most small pictures get none.",
                Range(0.2, 0.7),
                0.05,
                1.0,
            ),
            number(
                "flake_size_uniformity", "alike", "How alike flakes are in size, 0 to 1.", Range(0.4, 0.8), 0.0, 1.0
            ),
            number("angle", "angle", "How slanted they fall, in degrees.", Range(-30, 30), -90.0, 90.0),
            number("speed", "speed", "How smeared they are, 0 to 1.", Range(0.007, 0.03), 0.0, 0.2),
        ),
        effect="White dots and dashes over the scene.",
        harm="Dense large flakes cover eyes and snouts, and a white whale pup cannot be told from them.",
        example=op("Snowflakes", density=0.06, flake_size=0.6, speed=0.01),
        hidden_parts=True,
    ),
    _entry(
        "FastSnowyLandscape",
        "Snow-covered ground",
        "Brightens pixels below a threshold, so that the ground looks covered by snow.",
        (
            number(
                "lightness_threshold",
                "threshold",
                "Pixels darker than this are brightened.",
                Range(100, 255),
                0.0,
                255.0,
            ),
            number("lightness_multiplier", "factor", "How much brighter it gets.", Range(1.0, 4.0), 0.0, 5.0),
        ),
        effect="Rocks, sand and dark water turn white, and dark animals with them.",
        harm="It cannot tell ground from animal: a dark beaver turns as white as the ground.",
        example=op("FastSnowyLandscape", lightness_threshold=140.0, lightness_multiplier=2.5),
    ),
)

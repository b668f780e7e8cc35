"""The Augment page's preview: what the pipeline makes of the sample images, seen in several ways."""

from __future__ import annotations

from aquadash.ui.augment import augment_views as views
from aquadash.ui.augment.studio import Studio
from aquadash.ui.sections import Section, Sections

LOOKS = Sections(
    "look",
    "How to look at it",
    {
        "draws": Section(
            "Draws",
            views.draws,
            question="Each row is an image and some of the versions that training may see of it.",
        ),
        "steps": Section(
            "Steps",
            views.steps,
            question="Each row is an image on its way: as it is, then after each step. The last is this version's "
            "first draw.",
        ),
        "same": Section(
            "Same draw",
            views.same_draw,
            question="Down a column all images get the same random choices. In training each gets choices of its own.",
        ),
        "difference": Section(
            "Difference",
            views.differences,
            question="Each row is an image, a version of it, and what changed between the two.",
        ),
        "histograms": Section(
            "Histograms",
            views.histograms,
            question="How bright the pixels are in each colour channel, before and after.",
        ),
    },
)


def show(studio: Studio) -> None:
    """Draw the choice among the looks, and the chosen one."""
    LOOKS.choose().show(studio)

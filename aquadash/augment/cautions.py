"""What the figures of a branch give reason to warn of, in plain words."""

from __future__ import annotations

from dataclasses import dataclass

from aquadash.augment.spec import Branch

#: From this share of the images on, nearly constant or mostly black ones are worth a word: each is a label without a
#: picture. Fewer are left alone: the report's own pipelines make up to 1 in 1,000.
RUINED_SHARE = 0.01
#: From this share on, unchanged images are: of the report's third pipeline, whose steps are each for some of the images
#: only, 28 % come out as they went in, which is meant.
UNCHANGED_SHARE = 1 / 3


@dataclass(frozen=True)
class Caution:
    """One thing that may be wrong with a branch.

    Attributes:
        kind: ``"nearly constant"``, ``"mostly black"``, ``"unchanged"`` or ``"all off"``.
        share: Of the images, 0 to 1.
        words: What is the matter and what to do about it, plain text.
    """

    kind: str
    share: float
    words: str


def cautions(branch: Branch, *, unchanged: float, nearly_constant: float, mostly_black: float) -> tuple[Caution, ...]:
    """The cautions for a branch, the gravest first.

    Args:
        branch: The branch. One without steps is meant to leave the images alone and gets none.
        unchanged: Share of the images that come out identical.
        nearly_constant: Share that becomes nearly constant.
        mostly_black: Share that becomes mostly black.
    """
    if not branch.operators:
        return ()
    if branch.is_original:
        words = "Every step is switched off, so the images come out as they went in. Switch a step on, or remove them."
        return (Caution("all off", 1.0, words),)
    found = []
    if nearly_constant >= RUINED_SHARE:
        words = (
            f"{_share(nearly_constant)} of the images become nearly constant: one flat colour, with an animal's label "
            "on it. Take the strongest step back, or apply it to fewer images."
        )
        found.append(Caution("nearly constant", nearly_constant, words))
    if mostly_black >= RUINED_SHARE:
        words = (
            f"{_share(mostly_black)} of the images become mostly black, and the animal can no longer be told. Cover "
            "or move less, or darken less."
        )
        found.append(Caution("mostly black", mostly_black, words))
    if unchanged >= UNCHANGED_SHARE:
        words = (
            f"{_share(unchanged)} of the images come out unchanged. Training sees those twice or more often and learns "
            "nothing new from them. Raise the steps' probabilities or widen their ranges, unless that is what you want."
        )
        found.append(Caution("unchanged", unchanged, words))
    return tuple(found)


def _share(share: float) -> str:
    """A share in whole per cent, never a rounded "100 %" for less than all."""
    if share >= 1.0:
        return "100 %"
    return f"{min(100 * share, 99):.0f} %"

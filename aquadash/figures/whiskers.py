"""The whiskers of an interval on a mark."""

from __future__ import annotations

from collections.abc import Sequence


def whiskers(
    shares: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    *,
    colour: str,
    thickness: float = 1.5,
    width: float = 4,
) -> dict[str, object]:
    """Plotly's ``error_x`` or ``error_y`` for shares that are drawn in per cent.

    Args:
        shares: Where the marks are, as shares of 1.
        intervals: Lower and upper end of each, likewise.
        colour: Of the lines.
        thickness: Of the lines, in pixels.
        width: Of the bars at their ends, in pixels.
    """
    pairs = list(zip(shares, intervals, strict=True))
    return {
        "type": "data",
        "symmetric": False,
        "array": [100 * (high - share) for share, (_, high) in pairs],
        "arrayminus": [100 * (share - low) for share, (low, _) in pairs],
        "color": colour,
        "thickness": thickness,
        "width": width,
    }

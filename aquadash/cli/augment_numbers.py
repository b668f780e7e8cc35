"""The figures of a pipeline as lines of text."""

from __future__ import annotations

from aquadash.augment.numbers import BranchNumbers, PipelineNumbers
from aquadash.cli.output import table


def numbers_text(numbers: PipelineNumbers) -> str:
    """What ``augment --numbers`` prints: a table of the branches, one of their colours, and the cautions."""
    branches = numbers.branches
    header = ("version", "ms an image", "clipped", "unchanged", "nearly constant", "mostly black")
    rows = [
        (
            branch.title,
            f"{branch.time.milliseconds:.3f}" if branch.time else "-",
            *(f"{100 * share:.1f} %" for share in _shares(branch)),
        )
        for branch in branches
    ]
    colours = [
        (
            branch.title,
            change.name,
            f"{change.mean_before:.1f} ± {change.deviation_before:.1f}",
            f"{change.mean_after:.1f} ± {change.deviation_after:.1f}",
        )
        for branch in branches
        for change in branch.channels
    ]
    parts = [table(rows, header=header), table(colours, header=("version", "channel", "before", "after"))]
    parts += [f"{branch.title}: {caution.words}" for branch in branches for caution in branch.cautions]
    return f"{branches[0].images} images measured\n\n" + "\n\n".join(parts)


def _shares(branch: BranchNumbers) -> tuple[float, float, float, float]:
    return branch.clipped, branch.unchanged, branch.nearly_constant, branch.mostly_black

"""The steps of a branch in plain words, one text for each step at its top."""

from __future__ import annotations

from dataclasses import dataclass

from aquadash.augment.spec import Branch
from aquadash.augment.words import describe


@dataclass(frozen=True)
class StepWords:
    """A step that is switched on.

    Attributes:
        title: What it does, without a colon at the end: ``"Blur, sigma 0 to 1"``.
        inner: What the steps inside of it do, on one line; empty where there are none.
    """

    title: str
    inner: str

    @property
    def whole(self) -> str:
        """Both on one line."""
        return f"{self.title}: {self.inner}" if self.inner else self.title


def step_words(branch: Branch) -> tuple[StepWords, ...]:
    """What each step of a branch that is switched on does, in order."""
    words = []
    for step in branch.operators:
        if step.enabled:
            title, *inner = (line.strip() for line in describe(Branch("", (step,))))
            words.append(StepWords(title.removesuffix(":"), " ".join(_sentences(inner))))
    return tuple(words)


def _sentences(lines: list[str]) -> list[str]:
    """Lines to be read one after the other: a semicolon where one ends that does not lead to the next by a colon."""
    return [line if line.endswith(":") or number == len(lines) else f"{line};" for number, line in enumerate(lines, 1)]

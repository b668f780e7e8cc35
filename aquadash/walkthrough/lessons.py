"""The sections of the lesson, in the report's order, and the verdict on an answer."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import partial


@dataclass(frozen=True)
class Lesson:
    """A section of the lesson, by the heading of the report's section that it is about, and its minutes."""

    title: str
    heading: str
    minutes: int


#: By their word in the address.
LESSONS: dict[str, Lesson] = {
    "extraction": Lesson("🐟 Extraction", "Data Preprocessing (Extraction)", 3),
    "augmentation": Lesson("🎲 Augmentation", "Data Preprocessing (Augmentation)", 4),
    "copies": Lesson("🧮 Copies", "Data Preprocessing (Applying the Augmentations; Data Verification)", 3),
    "normalization": Lesson("📏 Normalization", "Data Preprocessing (Normalization)", 3),
    "convolution": Lesson("🔍 Convolution", "Building our Convolutional Base", 4),
    "dense": Lesson("🧱 Dense layers", "Regularization (Dropout) and Adding Dense Layers", 3),
    "loss": Lesson("📉 Loss", "Model Compilation", 4),
    "stopping": Lesson("✋ Early stopping", "Regularization (Early Stopping Callback)", 3),
    "training": Lesson("🏊 Training", "Training the Model", 4),
    "predictions": Lesson(
        "📷 Predictions", "Model Verification (Prediction probability for each class on a certain test image)", 3
    ),
    "matrix": Lesson("🔀 Confusion matrix", "Confusion Matrix Heatmap and Classification Report", 4),
    "curves": Lesson("📈 Curves", "Plot of Accuracy vs. Epochs; Plot of Loss vs. Epochs; Is it Overfit?", 3),
    "result": Lesson("🏁 Result", "Final Results", 2),
    "recommendation": Lesson("🧭 Recommendation", "Recommendation", 2),
}


class Outcome(StrEnum):
    """The judgement of an answer."""

    RIGHT = "right"
    NEARLY = "nearly"
    WRONG = "wrong"


@dataclass(frozen=True)
class Verdict:
    """The judgement of an answer with its reason, or a hint without the solution, as plain text."""

    outcome: Outcome
    text: str


#: Functions from a text to a :class:`Verdict`; ``nearly``: the answer is close, or right in part.
right, nearly, wrong = (partial(Verdict, outcome) for outcome in Outcome)

#: An optional sign, digits with at most one point or comma, an optional per cent sign.
_NUMBER = re.compile(r"[+\-−]?(\d+([.,]\d*)?|[.,]\d+)\s*%?")


def read_number(text: str) -> float | None:
    """Read a typed number with a point or a comma and perhaps a per cent sign; None for anything else."""
    trimmed = text.strip()
    if len(trimmed) > 24 or not _NUMBER.fullmatch(trimmed):
        return None
    return float(trimmed.rstrip("% ").replace(",", ".").replace("−", "-"))


def no_number(text: str) -> Verdict:
    """Return the verdict on a text that :func:`read_number` could not read."""
    reason = f"“{text.strip()[:40]}” is not a number." if text.strip() else "There is no answer yet."
    return wrong(f"{reason} Type digits, such as 12 or 0.5.")

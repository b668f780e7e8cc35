"""The sections of the lesson, in the report's order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Lesson:
    """One section.

    Attributes:
        title: For people, an emoji in front.
        heading: The section of the report that it is about.
        minutes: About how long a student takes.
    """

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

#: About how long the whole takes.
MINUTES = sum(lesson.minutes for lesson in LESSONS.values())

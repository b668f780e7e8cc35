"""The report's figures from its code, text and outputs."""

from dataclasses import dataclass

from aquadash.evaluation import ClassScores
from aquadash.store.types import EpochRecord

#: Training images before and after augmentation, and the test images that the result comes from.
TRAIN_IMAGES = 2_500
AUGMENTED_IMAGES = 12_500
MEASURED_IMAGES = 100

PARAMETERS = 1_091_045
PATIENCE_IN_TEXT = 3
PATIENCE_IN_CODE = 5

TEST_ACCURACY = 0.67
TEST_LOSS = 1.0159

CLASSES = ("beaver", "dolphin", "otter", "seal", "whale")

_RATE = 0.01

#: The printed log with whole seconds, at the default rate of Keras's SGD.
LOG: tuple[EpochRecord, ...] = (
    EpochRecord(1, 0.9826, 0.6052, 1.0847, 0.5625, _RATE, 5),
    EpochRecord(2, 0.9644, 0.6145, 1.0588, 0.5650, _RATE, 7),
    EpochRecord(3, 0.9485, 0.6270, 1.0737, 0.5450, _RATE, 12),
    EpochRecord(4, 0.9184, 0.6357, 1.0722, 0.5675, _RATE, 8),
    EpochRecord(5, 0.8999, 0.6482, 1.0661, 0.5725, _RATE, 4),
    EpochRecord(6, 0.8887, 0.6493, 1.1288, 0.5475, _RATE, 11),
    EpochRecord(7, 0.8567, 0.6657, 1.0865, 0.5800, _RATE, 12),
)

#: The classification report of 100 test images.
SCORES: tuple[ClassScores, ...] = (
    ClassScores("beaver", 0.6897, 0.8333, 0.7547, 24),
    ClassScores("dolphin", 0.7917, 0.9048, 0.8444, 21),
    ClassScores("otter", 0.5385, 0.4375, 0.4828, 16),
    ClassScores("seal", 0.4737, 0.5000, 0.4865, 18),
    ClassScores("whale", 0.8000, 0.5714, 0.6667, 21),
)
WEIGHTED_AVERAGE = ClassScores("weighted average", 0.6712, 0.6700, 0.6633, MEASURED_IMAGES)


@dataclass(frozen=True)
class Answer:
    """The answer of the report's network to one image."""

    #: Position among the test images, from 0.
    image: int
    #: Name of the true class; empty if the report does not name it.
    true: str
    predicted: str
    #: Probability of ``predicted``, 0 to 1, as printed.
    probability: float


#: In the report's order.
ANSWERS: tuple[Answer, ...] = (
    Answer(3, "otter", "beaver", 0.9287713170051575),
    Answer(12, "", "dolphin", 0.8922249674797058),
    Answer(19, "otter", "beaver", 0.9668521881103516),
    Answer(25, "seal", "otter", 0.34662190079689026),
    Answer(8, "whale", "whale", 0.8706789016723633),
)


def right_ones(scores: ClassScores) -> int:
    """Return the number of the class's images that were right: recall times support."""
    return round(scores.recall * scores.support)

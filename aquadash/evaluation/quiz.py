"""A guess of a test image's class beside the network's answer."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from aquadash.errors import look_up
from aquadash.evaluation.metrics import predicted_labels
from aquadash.evaluation.records import Predictions


@dataclass(frozen=True)
class QuizAnswer:
    """A person's and a network's answer to one image, each a class name."""

    #: The index of the image in the test split.
    image: int
    true: str
    guess: str
    network: str
    #: The network's probability of its answer, 0 to 1.
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"guess_right": self.guess == self.true, "network_right": self.network == self.true}


def quiz_answer(predictions: Predictions, image: int, guess: str, *, class_names: Sequence[str]) -> QuizAnswer:
    """Return the answers to a test image; an unknown image or class raises :class:`UnknownNameError`."""
    positions = {str(index): position for position, index in enumerate(predictions.indices.tolist())}
    position = look_up("test image", str(image), positions)
    look_up("class", guess, {name: name for name in class_names})
    y_prob = predictions.probabilities[position]
    network = int(predicted_labels(y_prob[None])[0])
    true = class_names[int(predictions.labels[position])]
    return QuizAnswer(image, true, guess, class_names[network], float(y_prob[network]))

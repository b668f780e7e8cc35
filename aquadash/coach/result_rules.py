"""Rules on a run's answers to the test images.

They are observations only. Whoever chooses settings by what the test images say has made them validation images, and
nothing is left that could tell how good the network is; so no rule here suggests a change because of them.
"""

from __future__ import annotations

from aquadash.coach.note import Note
from aquadash.coach.situation import Situation
from aquadash.evaluation import Evaluation

#: A class that is recognised less than half as often as by guessing is ignored rather than difficult.
SHARE_OF_GUESSING = 0.5

#: From fewer images of a class nothing follows.
FEWEST_IMAGES = 10

#: A class with less than half of the training images that the classes have on average is rare.
RARE = 0.5

#: More names would not be read.
_MOST_NAMED = 3


def classes_ignored(s: Situation) -> Note | None:
    """Classes that the network hardly ever names although they are there."""
    found = s.evaluation
    if found is None:
        return None
    guessing = 1 / len(found.classes)
    ignored = [
        index
        for index, scores in enumerate(found.report)
        if scores.support >= FEWEST_IMAGES and scores.recall < SHARE_OF_GUESSING * guessing
    ]
    if not ignored:
        return None
    names = [found.classes[index] for index in ignored]
    listed = ", ".join(names[:_MOST_NAMED]) + (
        f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    )
    rare = _rare(s, names)
    advice = (
        "There are few training images of it: counting them more makes up for that."
        if rare
        else "Look at these images on the Evaluate page: what do they have in common? It is an observation on test "
        "images; settings chosen by it would spoil the test."
    )
    return Note(
        "class-ignored",
        "hint",
        f"Hardly ever recognised: {listed}",
        f"{_missed(found, ignored[0])} By guessing it would be {100 * guessing:.0f} %. {advice}",
        {"training.class_weights": "balanced"} if rare and s.config.training.class_weights == "none" else {},
    )


def _missed(found: Evaluation, index: int) -> str:
    """What became of the images of a class, in a sentence or two."""
    row = found.confusion_matrix[index].tolist()
    name, right, total = found.classes[index], row[index], sum(row)
    others = [(count, other) for other, count in enumerate(row) if other != index]
    count, other = max(others, key=lambda pair: pair[0])
    said = (
        "never named at all" if not found.confusion_matrix[:, index].any() else f"right for {right} of {total} images"
    )
    return f"{name} is {said}; most of them, {count}, were taken for {found.classes[other]}."


def _rare(s: Situation, names: list[str]) -> bool:
    """Whether all of these classes have few training images, which has nothing to do with the test."""
    counts = s.count_training()
    if not counts:
        return False
    mean = sum(counts.values()) / len(counts)
    return all(counts.get(name, mean) < RARE * mean for name in names)

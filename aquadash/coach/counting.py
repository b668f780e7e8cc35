"""How many training images of each class a run had to learn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from aquadash.data import SOURCES, Dataset
from aquadash.errors import AquaDashError
from aquadash.runs import Run


def training_counts(run: Run, load: Callable[[str], Dataset]) -> Mapping[str, int]:
    """Training images by class name, validation images among them; empty where the run's images are not here any more.

    Args:
        run: The run.
        load: Gives the data set of a source.
    """
    source = SOURCES.get(run.config.data.source)
    if source is None or source.key() is None:
        # Loading would begin a download, which nobody has asked for.
        return {}
    try:
        dataset = load(source.name)
    except AquaDashError:
        return {}
    if dataset.fingerprint != run.dataset_fingerprint:
        return {}
    counts = Counter(dataset.train.labels.tolist())
    return {name: counts[label] for label, name in enumerate(dataset.class_names)}

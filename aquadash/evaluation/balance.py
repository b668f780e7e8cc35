"""Accuracy that allows for classes of different sizes: the mean recall, and Cohen's kappa."""

import math

import numpy as np
from numpy.typing import ArrayLike

from aquadash.evaluation.intervals import Interval, wilson_interval


def balanced_accuracy(confusion_matrix: ArrayLike) -> tuple[float, Interval]:
    """Return the mean recall of the classes that have images, and its 95 % interval; all 0 to 1.

    Brodersen, Ong, Stephan and Buhmann, "The balanced accuracy and its posterior distribution", ICPR 2010. The interval
    combines Wilson's of each class: Zou and Donner, Statistics in Medicine 27 (2008), 1693-1702.

    Args:
        confusion_matrix: Counts, shape (classes, classes), at least one image; rows are true classes.
    """
    counts = np.asarray(confusion_matrix, dtype=np.int64)
    sizes, hits = counts.sum(axis=1), np.diag(counts)
    classes = [(int(right), int(size)) for right, size in zip(hits, sizes, strict=True) if size]
    recalls = [right / size for right, size in classes]
    intervals = [wilson_interval(right, size) for right, size in classes]
    mean = sum(recalls) / len(classes)
    below = math.hypot(*(recall - low for recall, (low, _) in zip(recalls, intervals, strict=True))) / len(classes)
    above = math.hypot(*(high - recall for recall, (_, high) in zip(recalls, intervals, strict=True))) / len(classes)
    return mean, (max(mean - below, 0.0), min(mean + above, 1.0))


def cohens_kappa(confusion_matrix: ArrayLike) -> tuple[float, Interval]:
    """Return the agreement of predicted and true classes beyond chance, and its 95 % interval; all -1 to 1.

    1 is perfect, 0 is as good as guessing with the same frequencies: J. Cohen, Educational and Psychological
    Measurement 20 (1960), 37-46. As in Cohen's standard error, the interval holds the chance agreement fixed, so it
    is too wide where the classes differ much in size. Where true and predicted classes are all the same class, kappa is
    not defined, and 0 stands for it.

    Args:
        confusion_matrix: Counts, shape (classes, classes), at least one image; rows are true classes.
    """
    counts = np.asarray(confusion_matrix, dtype=np.int64)
    n, right = int(counts.sum()), int(np.trace(counts))
    by_chance = float(counts.sum(axis=0) @ counts.sum(axis=1)) / n**2
    if by_chance >= 1:
        return 0.0, (0.0, 0.0)
    kappa, low, high = ((share - by_chance) / (1 - by_chance) for share in (right / n, *wilson_interval(right, n)))
    return kappa, (max(low, -1.0), high)

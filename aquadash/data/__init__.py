"""Labelled images: data sets, where they come from, how they are split and what they look like."""

from aquadash.data.dataset import Dataset, Split
from aquadash.data.progress import ProgressCallback
from aquadash.data.sources import SOURCES, Source, load
from aquadash.data.splits import stratified_split

__all__ = ["SOURCES", "Dataset", "ProgressCallback", "Source", "Split", "load", "stratified_split"]

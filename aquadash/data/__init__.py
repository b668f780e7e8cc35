"""Labelled images: data sets, where they come from, how they are split and what they look like."""

from aquadash.data.dataset import Dataset, Split, stratified_split
from aquadash.data.progress import ProgressCallback
from aquadash.data.sources import SOURCES, Source, is_here, load, title_of

"""The run store. MLflow is imported when the store is first opened."""

from __future__ import annotations

from aquadash.runs.store import EPOCH_METRICS, RunStore, open_store
from aquadash.runs.types import EpochRecord, EpochReplay, Guess, Predictions, Progress, Run, RunStatus, Worker

"""The store: one database for runs, jobs and searches, and a folder of files for each run."""

from aquadash.store.job_types import Job, JobProgress, LeaseLostError, RunStatus, Stopped, Worker
from aquadash.store.runs import EPOCH_METRICS, RunStore, open_jobs, open_store
from aquadash.store.types import EpochRecord, EpochReplay, Guess, Predictions, Progress, Run

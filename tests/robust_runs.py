"""Runs whose robustness is measured, or seems to be, for the tests of the job, the page and the command."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from aquadash import augment
from aquadash.files import file_digest
from aquadash.jobs import Job, JobStatus, open_jobs
from aquadash.robustness.corruptions import CORRUPTIONS, SEVERITIES
from aquadash.robustness.job import KIND
from aquadash.robustness.measure import RobustnessRequest
from aquadash.robustness.result import BranchResult, Condition, RobustnessResult
from aquadash.runs import Run, RunStore
from aquadash.runs.artifacts import MODEL
from tests.job_rows import claim
from tests.tiny_networks import COARSE_COLOURS, colour_network, give_network


def add_tiny_model(store: RunStore, run: Run, folder: Path) -> Run:
    """Give a run on the drawn animals a small network that looks at coarse colours; loads TensorFlow."""
    path = folder / "model.keras"
    colour_network(COARSE_COLOURS, np.random.default_rng(1).normal(scale=2.0, size=(48, 5)), side=32).save(path)
    return give_network(store, run.run_id, COARSE_COLOURS, path)


def made_up_result(
    *, fingerprint: str, images: int = 500, skill: float = 0.7, cells: int = 75, seed: int = 0
) -> RobustnessResult:
    """Figures that fall with the severity, faster for some corruptions than for others."""
    random = np.random.default_rng(1)
    hardness = random.random(images)

    def condition(share: float) -> Condition:
        return Condition(hardness < share)

    request = RobustnessRequest()
    found = {
        (name, severity): condition(skill - 0.1 * severity * (list(CORRUPTIONS).index(name) + 1) / len(CORRUPTIONS))
        for name, severity in request.cells()[:cells]
    }
    branches = {
        key: BranchResult(
            augment.PIPELINES[key.pipeline].title,
            augment.PIPELINES[key.pipeline].branches[key.branch].title,
            condition(skill - 0.02 * key.branch),
        )
        for key in (request.branches() if cells == len(CORRUPTIONS) * len(SEVERITIES) else [])
    }
    identity = {
        "model_sha256": "0" * 64,
        "dataset_fingerprint": fingerprint,
        "seed": seed,
        "images": images,
        "test_images": 500,
    }
    return RobustnessResult(identity, time.time(), condition(skill), found, branches)


def of_model(store: RunStore, run: Run, result: RobustnessResult) -> RobustnessResult:
    """Those figures as if the run's network had them, if it has one."""
    model = store.artifact(run.run_id, MODEL)
    digest = {} if model is None else {"model_sha256": file_digest(model)}
    return replace(result, identity={**result.identity, **digest})


def add_result(
    store: RunStore, run: Run, result: RobustnessResult, *, status: JobStatus = JobStatus.FINISHED, message: str = ""
) -> Job:
    """Store figures as if a job had measured them and ended so, or were still at work."""
    jobs = open_jobs()
    jobs.submit(KIND, run.run_id, RobustnessRequest(seed=result.identity["seed"]).to_dict())
    job = claim(KIND)
    store.add_robustness(run.run_id, of_model(store, run, result).to_json())
    if status.ended:
        jobs.end(job, status, message=message)
    return job

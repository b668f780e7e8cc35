"""Runs whose robustness is measured, or seems to be, for the tests of the job, the page and the command."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from aquadash.files import file_digest
from aquadash.robustness.corruptions import CORRUPTIONS, SEVERITIES
from aquadash.robustness.job import KIND
from aquadash.robustness.measurement import Condition, Measurement, Scores
from aquadash.robustness.requests import RobustnessRequest, request_values
from aquadash.store import Job, Run, RunStatus, RunStore, open_jobs
from aquadash.store.artifacts import MODEL
from tests.support.job_rows import claim
from tests.support.tiny_networks import COARSE_COLOURS, colour_network, give_network


def add_tiny_model(store: RunStore, run: Run, folder: Path) -> Run:
    """Give a run on the drawn animals a small network that looks at coarse colours; loads TensorFlow."""
    path = folder / "model.keras"
    colour_network(COARSE_COLOURS, np.random.default_rng(1).normal(scale=2.0, size=(48, 5)), side=32).save(path)
    return give_network(store, run.run_id, COARSE_COLOURS, path)


def made_up_result(
    *, fingerprint: str, images: int = 500, skill: float = 0.7, cells: int = 75, seed: int = 0
) -> Measurement:
    """Figures that fall with the severity, faster for some corruptions than for others."""
    random = np.random.default_rng(1)
    hardness = random.random(images)

    def scores(share: float) -> Scores:
        return Scores(hardness < share)

    def falling(condition: Condition) -> float:
        if condition.kind == "pipeline":
            return skill - 0.02 * condition.level
        order = (list(CORRUPTIONS).index(condition.name) + 1) / len(CORRUPTIONS)
        return skill - 0.1 * condition.level * order

    conditions = list(RobustnessRequest().conditions())
    # The pipelines come last.
    measured = conditions if cells == len(CORRUPTIONS) * len(SEVERITIES) else conditions[:cells]
    identity = {
        "model_sha256": "0" * 64,
        "dataset_fingerprint": fingerprint,
        "seed": seed,
        "images": images,
        "test_images": 500,
    }
    figures = {condition: scores(falling(condition)) for condition in measured}
    return Measurement(identity, time.time(), scores(skill), figures)


def of_model(store: RunStore, run: Run, result: Measurement) -> Measurement:
    """Those figures as if the run's network had them, if it has one."""
    model = store.artifact(run.run_id, MODEL)
    digest = {} if model is None else {"model_sha256": file_digest(model)}
    return replace(result, identity={**result.identity, **digest})


def add_result(
    store: RunStore, run: Run, result: Measurement, *, status: RunStatus = RunStatus.FINISHED, message: str = ""
) -> Job:
    """Store figures as if a job had measured them and ended so, or were still at work."""
    jobs = open_jobs()
    jobs.submit(KIND, run.run_id, request_values(RobustnessRequest(seed=result.identity["seed"])))
    job = claim(KIND)
    store.add_robustness(run.run_id, of_model(store, run, result).to_json())
    if status.ended:
        jobs.end(job, status, message=message)
    return job

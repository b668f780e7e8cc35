"""The process that measures, as the app talks to it: real networks, a line each way, and its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aquadash.config import RunConfig, with_values
from aquadash.training.probe import Measurement
from aquadash.training.probe_process import ProbeProcess
from aquadash.training.probe_service import Question

pytestmark = pytest.mark.slow

ANSWER_SECONDS = 120.0


def line(**changes: object) -> str:
    config = with_values(RunConfig(), changes)
    return Question.of(config, image_shape=(16, 16, 3), num_classes=3).to_line()


@pytest.fixture(scope="module")
def process() -> Iterator[ProbeProcess]:
    process = ProbeProcess()
    try:
        assert process.wait_ready(ANSWER_SECONDS)
        yield process
    finally:
        process.end()
    assert not process.alive


def ask(process: ProbeProcess, text: str) -> dict:
    reply = process.ask(text, timeout=ANSWER_SECONDS)
    assert reply is not None and "grown_bytes" in reply
    return reply


def test_it_measures(process: ProbeProcess) -> None:
    measured = Measurement.from_dict(ask(process, line(**{"augmentation.pipeline": "none"}))["measurement"])
    assert [layer.kind for layer in measured.layers[:3]] == ["Conv2D", "MaxPooling2D", "Conv2D"]
    # Names do not depend on what was built before.
    assert measured.layers[0].name == "conv2d"
    assert measured.phases[0].seconds_per_image > 0 and measured.phases[0].step_images == 32
    # A process with TensorFlow takes some hundreds of megabytes; a step of this network some megabytes.
    assert measured.base_bytes > 2e8 > measured.step_bytes > measured.state_bytes >= 4 * measured.parameters


def test_a_bad_network_and_a_bad_line_are_answers(process: ProbeProcess) -> None:
    assert "parameters" in ask(process, line(**{"model.name": "cnn", "model.dense_units": (4096,) * 4}))["error"]
    assert "cannot be built" in ask(process, "nonsense\n")["error"]
    assert "measurement" in ask(process, line())


def test_memory_that_runs_out_takes_it_before_the_app(process: ProbeProcess) -> None:
    score = Path(f"/proc/{process._process.pid}/oom_score_adj")
    if not score.exists():
        pytest.skip("needs Linux")
    assert score.read_text().strip() == "1000"


def test_it_ends_with_its_input_even_in_the_middle(process: ProbeProcess) -> None:
    """The last test, for it takes the process that the others share."""
    child = process._process
    assert child.stdin is not None
    child.stdin.write(line() * 200)
    child.stdin.close()
    # 200 measurements would take minutes.
    child.wait(timeout=40)

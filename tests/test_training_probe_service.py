"""The process that stays at hand: asked one thing at a time, replaced when it dies, and gone when nobody needs it."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from aquadash.config import RunConfig, with_values
from aquadash.errors import AquaDashError, ConfigError
from aquadash.training import probe_service
from aquadash.training.probe import Measurement
from aquadash.training.probe_service import ProbeService, Question
from tests.waiting import wait_for

#: Stands in for the process that measures. It does what the network's name says, and writes down what it was asked.
FAKE = """
import json, os, sys, time
log = open(sys.argv[1], "a")
print(os.getpid(), "start", file=log, flush=True)
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    question = json.loads(line)
    name = question["config"]["model"]["name"]
    print(os.getpid(), name, file=log, flush=True)
    reply = {"grown_bytes": 10**12 if name == "grows" else 0}
    if name == "dies":
        os._exit(1)
    if name == "hangs":
        time.sleep(600)
    while name == "waits" and not os.path.exists(sys.argv[1] + ".go"):
        time.sleep(0.05)
    if name == "refused":
        reply["error"] = "No such network."
    else:
        phase = {"on_features": False, "seconds_per_image": 1.0, "validation_seconds_per_image": 1.0, "steps": 1,
                 "step_images": question["num_classes"]}
        numbers = ["parameters", "trainable_parameters", "multiply_adds", "body_seconds_per_image", "features",
                   "augment_seconds_per_image", "step_bytes", "state_bytes", "base_bytes", "free_bytes"]
        reply["measurement"] = {"layers": [], "phases": [phase], **dict.fromkeys(numbers, 0)}
    print(json.dumps(reply), flush=True)
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "asked.txt"


Make = Callable[..., ProbeService]


@pytest.fixture
def make(log: Path) -> Iterator[Make]:
    """Makes services with the stand-in; all are closed at the end, and none of their processes may survive."""
    made: list[ProbeService] = []

    def make(**options: float) -> ProbeService:
        made.append(ProbeService((sys.executable, "-c", FAKE, str(log)), **options))
        return made[-1]

    yield make
    for service in made:
        service.close()
    assert not alive(log)
    assert not [thread for thread in threading.enumerate() if thread.name == "aquadash-probe"]


def asked(log: Path) -> list[str]:
    """What the processes were asked, in order, their starts included."""
    return [line.split()[1] for line in log.read_text().splitlines()] if log.exists() else []


def alive(log: Path) -> set[int]:
    """The processes of the log that still run."""
    pids = {int(line.split()[0]) for line in log.read_text().splitlines()} if log.exists() else set()
    return {pid for pid in pids if psutil.pid_exists(pid)}


def question(name: str, *, classes: int = 5, busy: bool = False) -> Question:
    config = with_values(RunConfig(), {"model.name": name})
    return Question.of(config, image_shape=(32, 32, 3), num_classes=classes, busy=busy)


def answer(service: ProbeService, name: str, **more: int) -> Measurement | AquaDashError:
    found = service.wait(question(name, **more), timeout=60)
    assert found is not None
    return found


def test_a_question_is_answered_once_and_known_afterwards(make: Make, log: Path) -> None:
    service = make()
    assert service.known(question("small")) is None and asked(log) == []
    assert service.look(question("small")) is None
    found = answer(service, "small")
    assert isinstance(found, Measurement) and found.phases[0].step_images == 5
    assert service.look(question("small")) == service.known(question("small")) == found
    assert answer(service, "small", classes=7) != found
    assert asked(log) == ["start", "small", "small"]


def test_settings_that_change_nothing_are_the_same_question(make: Make, log: Path) -> None:
    service = make()
    answer(service, "small")
    changed = with_values(RunConfig(), {"model.name": "small", "training.epochs": 7, "seed": 3})
    assert service.look(Question.of(changed, image_shape=(32, 32, 3), num_classes=5)) is not None


def test_what_was_measured_beside_a_training_is_another_answer(make: Make, log: Path) -> None:
    service = make()
    answer(service, "small")
    assert service.known(question("small", busy=True)) is None


def test_a_refusal_is_an_error_for_people(make: Make) -> None:
    found = answer(make(), "refused")
    assert isinstance(found, ConfigError) and str(found) == "No such network."


def test_it_can_be_warmed_before_the_first_question(make: Make, log: Path) -> None:
    service = make()
    assert not service.warm
    service.start()
    wait_for(lambda: service.warm)
    assert asked(log) == ["start"]
    service.start()
    answer(service, "small")
    assert asked(log) == ["start", "small"]


def test_a_process_that_was_killed_is_replaced(make: Make, log: Path) -> None:
    service = make()
    answer(service, "small")
    (pid,) = alive(log)
    psutil.Process(pid).kill()
    assert isinstance(answer(service, "other"), Measurement)
    assert asked(log)[-2:] == ["start", "other"] and alive(log) != {pid}


def test_a_network_that_ends_the_process_is_given_up_after_two_tries(make: Make, log: Path) -> None:
    service = make()
    assert "for lack of memory" in str(answer(service, "dies"))
    assert asked(log) == ["start", "dies"] * 2
    assert isinstance(answer(service, "small"), Measurement)


def test_no_answer_in_time_ends_the_process(make: Make, log: Path) -> None:
    service = make(answer_seconds=0.2)
    assert "took more than 0 s" in str(answer(service, "hangs"))
    assert not alive(log)


def test_a_failure_is_tried_again_later(make: Make, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_service, "_UNANSWERED_SECONDS", 0.0)
    service = make()
    # Asked again and again, as a page does: what asks while the second try still fails is answered by that.
    wait_for(lambda: service.look(question("dies")) is None and asked(log).count("dies") >= 3)


def test_without_questions_the_process_ends_and_comes_back(make: Make, log: Path) -> None:
    service = make(idle_seconds=0.1)
    answer(service, "small")
    wait_for(lambda: not alive(log))
    assert isinstance(answer(service, "other"), Measurement)


def test_a_question_that_nobody_asks_again_is_dropped(make: Make, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = make()
    service.look(question("waits"))
    wait_for(lambda: "waits" in asked(log))
    service.look(question("left"))
    monkeypatch.setattr(probe_service, "_STILL_WANTED_SECONDS", 0.3)
    left_at = time.monotonic()
    wait_for(lambda: time.monotonic() > left_at + 0.3)
    Path(f"{log}.go").touch()
    answer(service, "small")
    assert "left" not in asked(log)


def test_a_process_that_has_grown_is_replaced_at_once(make: Make, log: Path) -> None:
    service = make()
    assert isinstance(answer(service, "grows"), Measurement)
    wait_for(lambda: asked(log) == ["start", "grows", "start"])
    wait_for(lambda: len(alive(log)) == 1)


def test_many_threads_share_one_process(make: Make, log: Path) -> None:
    service = make()
    found: list[object] = []
    names = ["one", "two", "three", "four"] * 3
    threads = [threading.Thread(target=lambda name=name: found.append(answer(service, name))) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(found) == len(names) and all(isinstance(each, Measurement) for each in found)
    assert sorted(asked(log)) == sorted(["start", "one", "two", "three", "four"])


def test_a_command_that_does_not_exist_is_an_answer_too() -> None:
    with ProbeService(("/nonexistent/python",)) as service:
        assert isinstance(service.wait(question("small"), timeout=60), ConfigError)


def test_closing_in_the_middle_ends_the_process(make: Make, log: Path) -> None:
    service = make()
    service.look(question("hangs"))
    wait_for(lambda: "hangs" in asked(log))
    service.close()
    assert not alive(log)
    assert service.look(question("small")) is None


def test_the_shared_service_is_one() -> None:
    assert probe_service.shared_service() is probe_service.shared_service()

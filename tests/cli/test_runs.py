"""Commands on runs and searches: list and mark, export and import; waiting for a job; and serving a class."""

import json
import os
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from aquadash import settings
from aquadash.classroom import codes, limits
from aquadash.classroom.invitation import addresses, join_address, qr_svg, qr_text
from aquadash.classroom.limits import ClassLimits
from aquadash.cli import waiting
from aquadash.errors import ConfigError, RunError
from aquadash.lab import memory
from aquadash.search.store import open_search_store
from aquadash.store import Job, JobProgress, RunStatus, RunStore, open_jobs, open_store
from aquadash.store.runs import CURVE_POINTS
from aquadash.training.forecast import PAUSED
from aquadash.work.slots import held
from tests.cli.test_cli import COMMAND, answer, call, refusal
from tests.support import job_rows
from tests.support.runs import make_run, three_runs
from tests.support.search_fakes import FakeEngine, plan, searching, take_up
from tests.support.serving import free_port
from tests.support.waiting import between_looks, interrupt, wait_for


def listed(*arguments: str) -> list[str]:
    return [run["name"] for run in answer("runs", "list", *arguments)["runs"]]


def test_conditions_order_and_groups(store: RunStore) -> None:
    first, second, _ = three_runs(store)
    assert listed("--where", "test_accuracy > 0.6 and training.optimizer <> 'adam'") == ["two"]
    assert listed("--sort", "-test_accuracy") == ["three", "two", "one"] and len(listed("--sort", "optimizer")) == 3
    said = refusal("runs", "list", "--where", "seed > 0 and test_acuracy > 0.6")
    assert "Did you mean 'test_accuracy'" in said

    groups = answer("runs", "list", "--group-by", "all-but-seed")["groups"]
    assert [group["value"]["training.optimizer"] for group in groups] == ["adam", "sgd"]
    sgd = groups[1]
    assert set(sgd["runs"]) == {first.run_id, second.run_id} and sgd["seeds"] == 2
    said = call("runs", "list", "--group-by", "all-but-seed").stdout
    assert "training.optimizer=adam" in said and "test_accuracy.mean" in said
    assert {"accuracy", "test_accuracy", "tags", "model.name", "learning_rate"} <= {
        each["name"] for each in answer("runs", "fields")["fields"]
    }


def test_runs_are_tagged_pinned_and_archived(store: RunStore) -> None:
    three_runs(store)
    tagged = answer("runs", "tag", "one", "two", "--tag", "Week 2", "--tag", "flip")["runs"]
    assert tagged[0]["tags"] == ["flip", "week-2"]
    assert sorted(listed("--tag", "flip")) == ["one", "two"] == sorted(listed("--where", "tags like '%week-2%'"))
    assert answer("runs", "untag", "one", "--tag", "flip")["runs"][0]["tags"] == ["week-2"]
    assert "cannot be a tag" in refusal("runs", "tag", "one", "--tag", "a/b")
    assert "There is no run" in refusal("runs", "pin", "nobody")

    assert answer("runs", "pin", "one")["runs"][0]["pinned"]
    assert listed()[0] == "one" and listed("--pinned") == ["one"]
    head, first, *_ = call("runs", "list").stdout.splitlines()
    assert first.split()[1] == "one" and head.split()[-1] == "pinned" and first.split()[-1] == "yes"
    assert answer("runs", "archive", "two")["runs"][0]["archived"]
    assert sorted(listed("--no-archived")) == ["one", "three"] and len(listed()) == 3
    assert not answer("runs", "archive", "two", "--off")["runs"][0]["archived"]
    answer("runs", "pin", "one", "--off")
    assert listed("--pinned") == []


def test_a_run_goes_out_and_comes_in(home: Path, tmp_path: Path) -> None:
    run = make_run(open_store())
    path = tmp_path / "mine.zip"
    out = answer("runs", "export", "mine", path)
    assert out["run_id"] == run.run_id and out["size"] == path.stat().st_size and "train.py" in out["files"]
    back = answer("runs", "import", path)
    assert (back["original_id"], back["kept_id"], back["name"]) == (run.run_id, False, "mine")
    assert back["metrics"] == run.metrics
    assert back["copies"] == [run.run_id] and back["run_id"] != run.run_id
    path.write_bytes(b"no zip")
    assert "not a sound ZIP archive" in refusal("runs", "import", path)
    pipe, inside = tmp_path / "pipe", tmp_path / "new" / "folder" / "mine.zip"
    os.mkfifo(pipe)
    assert "is a device or a pipe" in refusal("runs", "export", run.run_id, pipe) and pipe.is_fifo()
    assert "add --parents" in refusal("runs", "export", run.run_id, inside) and not (tmp_path / "new").exists()
    assert answer("runs", "export", run.run_id, inside, "--parents")["size"] == inside.stat().st_size


def test_whoever_waits_for_a_job_is_told_what_is_done_and_a_second_ctrl_c_leaves_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs, progress = open_jobs(), JobProgress("fog, severity 1", 3, 9, 4.0)

    def begin() -> Job:
        jobs.submit("robustness", "r1", {})
        return job_rows.claim("robustness")

    def wait(*looks: Callable[[], object]) -> Job:
        """Wait for the job while one thing after another happens between two looks."""
        between_looks(monkeypatch, looks)
        return waiting.wait_for_job(job.id, name="mine", title="robustness")

    job = begin()
    ended = wait(lambda: jobs.heartbeat(job, progress), lambda: jobs.end(job, RunStatus.FINISHED))
    assert ended.status is RunStatus.FINISHED
    assert capsys.readouterr().err == "mine: robustness\n", "a pipe gets no line for each look"
    job = begin()
    with pytest.raises(RunError, match="stops by itself"):
        wait(interrupt, interrupt)
    assert jobs.heartbeat(job, None), "the first asks it to stop"
    ended = wait(interrupt, lambda: jobs.end(job, RunStatus.STOPPED))
    assert ended.status is RunStatus.STOPPED


def test_a_run_that_is_stopped_before_it_goes_on_has_all_its_epochs_and_one_that_is_cut_off_fails(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(store, status=RunStatus.INTERRUPTED, history=CURVE_POINTS + 10)
    limits.save(ClassLimits(paused=True))
    between_looks(monkeypatch, [interrupt])
    with limits.served():
        done = call("runs", "resume", "mine", "--json")
    assert done.stderr.startswith(f"mine: queued. {PAUSED}\n"), "and whoever waits is told why"
    values = json.loads(done.stdout)
    assert (values["status"], values["epochs"]) == ("stopped", CURVE_POINTS + 10)

    def cut_off() -> None:
        open_jobs().end(job_rows.claim("train"), RunStatus.INTERRUPTED)
        memory.refresh()

    between_looks(monkeypatch, [cut_off])
    with limits.served():
        assert "interrupted: it was cut off; resume it" in refusal("runs", "resume", "mine")


@pytest.mark.slow
def test_a_taken_port_is_named(warm_home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = call("classroom", "serve", "--address", "127.0.0.1", "--port", port, process=True)
    assert done.returncode == 1 and f"is port {port} free?" in done.stderr


@pytest.mark.slow
def test_serve_says_how_to_join_and_ends_with_what_it_started(warm_home: Path) -> None:
    port = free_port()
    command = [*COMMAND, *"classroom serve --address 127.0.0.1 --json --port".split(), str(port)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    serving = subprocess.Popen(command, **pipes, text=True, cwd=settings.PROJECT_ROOT)
    try:
        assert serving.stdout is not None
        said = json.loads(serving.stdout.readline())
        made = answer("classroom", "codes")
        assert made == {"student_code": codes.codes().student, "teacher_code": codes.codes().teacher}
        assert said == {"addresses": [f"http://127.0.0.1:{port}"], **made}

        def page() -> str:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/evaluate", timeout=5) as answer:
                    return str(answer.read().decode())
            except OSError:
                return ""

        assert "/class/join?next=%2Fevaluate" in wait_for(page)
        limits.save(ClassLimits(paused=True))
        assert held(), "what a command beside it has queued waits, too"
        (app,) = psutil.Process(serving.pid).children()
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(30) == 0
        assert not app.is_running() and not held()
        assert serving.stdout.read() == "", "stdout holds one JSON object and nothing else"
    finally:
        serving.kill()
        serving.wait()


def test_the_invitation_has_addresses_that_others_may_use_and_a_picture_with_the_code() -> None:
    assert all(not address.startswith(("127.", "169.254.")) for address in addresses())
    address = join_address("http://192.0.2.5:8501", "CDFGHJ")
    assert address == "http://192.0.2.5:8501/class/join?code=CDFGHJ"
    svg = qr_svg(address)
    assert svg.startswith("<svg") and "viewBox" in svg and svg != qr_svg(address + "K")
    assert len(qr_text(address).splitlines()) > 10


def test_a_public_address_is_a_host_and_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.public_address() is None
    monkeypatch.setenv("AQUADASH_PUBLIC_ADDRESS", "https://lab.school.example/")
    assert settings.public_address() == "https://lab.school.example"
    for wrong in ("lab", "javascript:alert(1)", "https://a/b", "https://a b"):
        monkeypatch.setenv("AQUADASH_PUBLIC_ADDRESS", wrong)
        with pytest.raises(ConfigError, match="AQUADASH_PUBLIC_ADDRESS"):
            settings.public_address()


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    """Searches of this process train nothing."""
    runs = FakeEngine()
    runs.gate.set()
    with searching(runs, monkeypatch):
        yield runs


def test_the_plain_form_of_the_command(runs: FakeEngine) -> None:
    values = answer("search", "--trials", 6, "--seed", 3, "--name", "mine", "--set", "training.epochs=7")
    assert values["name"] == "mine" and values["status"] == "finished" and values["seed"] == 3
    assert [trial["number"] for trial in values["trials"]] == list(range(6))
    assert values["trials"][0]["value"] == values["default_value"]
    assert values["best"]["value"] == max(trial["value"] for trial in values["trials"])
    assert set(values["importance"]) == set(values["trials"][0]["params"])
    assert "training.learning_rate=0.0001..0.1:log" in values["space"]  # A sensible subset by itself.
    assert all(run.config.training.epochs == 7 for run in runs.runs.values())


def test_list_show_and_resume_with_more(runs: FakeEngine) -> None:
    assert answer("search", "list") == {"searches": []}
    over = ("--over", "training.learning_rate=1..10", "--over", "training.batch_size=16,32")
    options = ("--sampler", "random", "--pruner", "median", "--trials", 2, "--name", "mine")
    made = answer("search", "run", *over, *options)
    search_id = made["search_id"]
    assert (made["sampler"], made["pruner"], made["budget"]) == ("random", "median", {"trials": 2})
    assert made["space"] == ["training.learning_rate=1..10", "training.batch_size=16,32"]
    assert answer("search", "list")["searches"][0]["search_id"] == search_id
    assert answer("search", "show", "mine")["search_id"] == search_id
    assert "all of its 2 trials" in refusal("search", "resume", "mine")
    assert len(answer("search", "resume", search_id[:8], "--trials", 3)["trials"]) == 3
    assert "mine" in call("search", "list").stdout
    shown = call("search", "show", "mine").stdout
    assert "3 complete" in shown and "No trial beats the settings to start from" in shown
    assert "no search called 'nothing'" in refusal("search", "show", "nothing")
    assert "unexpected extra argument" in refusal("search", "dance")


def test_stop_asks_whoever_carries_it_out(home: Path) -> None:
    store = open_search_store()
    search_id = store.submit(plan(name="mine"))
    take_up(search_id)
    assert answer("search", "stop", "mine")["search_id"] == search_id
    assert store.get(search_id).stop_requested


def test_a_search_that_fails_is_one_line(runs: FakeEngine) -> None:
    runs.gate.clear()
    runs.error = ConfigError("not like this")
    assert "5 trials failed in a row. not like this" in refusal("search", "--trials", 9)

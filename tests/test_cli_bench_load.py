"""The command of the load test: what it prints."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from aquadash.bench import load
from aquadash.bench.load_result import LoadBench, judged
from aquadash.cli import cli

FOUND = LoadBench(
    sessions=30, seconds=600.0, page_changes=700, page_p50_seconds=0.1, page_p95_seconds=1.6,
    pages={"train": {"p50": 0.1, "p95": 1.6, "count": 700}}, updates=5000, update_p50_seconds=1.0,
    update_p95_seconds=1.5, training_alone=0.5, training_loaded=0.46, training_ratio=0.92, training_ratios=(0.92,),
    memory_before_megabytes=500.0, memory_megabytes=560.0, session_megabytes=2.0, memory_after_megabytes=None,
    memory_after_ratio=None, server_cores=0.2, training_cores=1.2, visitor_cores=0.04, redraws=10.0, kilobytes=180.0,
    errors=("Server: Traceback",), error_count=1,
)  # fmt: skip
FOUND.goals.update(judged(FOUND))


@pytest.fixture(autouse=True)
def found(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    asked: list[dict[str, object]] = []
    monkeypatch.setattr(load, "bench_load", lambda **options: asked.append(options) or FOUND)
    return asked


def test_each_goal_stands_beside_its_figure(found: list[dict[str, object]]) -> None:
    done = CliRunner().invoke(cli, ["bench", "load", "--sessions", "30", "--seconds", "600"])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    page = next(line for line in lines if line.startswith("page change"))
    assert page.split()[-2:] == ["1.6", "NO"]
    assert next(line for line in lines if line.startswith("live update")).split()[-2:] == ["1.5", "yes"]
    assert "Server: Traceback" in lines and "memory after" not in done.stdout
    assert found[0]["sessions"] == 30 and found[0]["seconds"] == 600.0


def test_json_is_one_object() -> None:
    done = CliRunner().invoke(cli, ["bench", "load", "--json"])
    values = json.loads(done.stdout)
    assert values["page_changes"] == 700
    assert [name for name, goal in values["goals"].items() if not goal["met"]] == ["page_p95_seconds", "error_count"]


def test_too_short_a_time_is_refused() -> None:
    done = CliRunner().invoke(cli, ["bench", "load", "--seconds", "3"])
    assert done.exit_code == 2 and "--seconds" in done.stderr

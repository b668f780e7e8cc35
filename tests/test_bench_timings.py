"""The timings of ``scripts/bench``: both ways are timed in turn, and what is missing is said in words."""

from __future__ import annotations

import subprocess
import sys

import pytest

from aquadash.errors import AquaDashError
from scripts.bench.__main__ import bench
from scripts.bench.epochs import compared, in_turn, report_model
from scripts.bench.limit import products
from tests.serving import ROOT


def test_the_first_turn_warms_up_and_the_others_count() -> None:
    asked: list[str] = []

    def way(name: str, *seconds: float) -> float:
        asked.append(name)
        return seconds[asked.count(name) - 1]

    ways = {"slow": lambda: way("slow", 99, 2, 8, 3), "fast": lambda: way("fast", 99, 1, 2, 1)}
    reported: list[float | None] = []
    seconds = in_turn(ways, pairs=3, on_progress=lambda _, fraction: reported.append(fraction))
    assert seconds == {"slow": [2, 8, 3], "fast": [1, 2, 1]}
    assert asked[2:4] == asked[4:6][::-1], "the way that goes first changes"
    assert reported == [None, 0, 1 / 3, 2 / 3]
    assert compared(seconds, "slow", "fast") == {
        "ratio": 3, "slow_seconds": 3, "fast_seconds": 1, "pairs": 3, "pair_ratios": [2, 4, 3],
    }  # fmt: skip


def test_the_limit_counts_each_product_of_the_reports_network() -> None:
    found = list(products(report_model(), 32))
    # Forward, weights and inputs of every layer; the first needs no gradient of its inputs.
    assert len(found) == 3 * 5 - 1
    assert found[:5] == [(8192, 12, 32), (12, 8192, 32), (2048, 128, 64), (128, 2048, 64), (2048, 64, 128)]
    assert found[-1] == (32, 5, 128)
    multiplications = sum(rows * inner * columns for rows, inner, columns in found)
    assert multiplications == 32 * (2 * 256 * 12 * 32 + 3 * (64 * 128 * 64 + 4096 * 256 + 256 * 128 + 128 * 5))


def test_a_command_that_cannot_be_understood_prints_one_line_of_error() -> None:
    command = [sys.executable, "scripts/bench", "train", "--pairs", "0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "python scripts/bench train --help" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        (["painted"], "of which playwright is missing"),
        (["start"], "of which playwright is missing"),
    ],
)
def test_what_needs_the_requirements_of_the_tests_says_so(
    arguments: list[str], missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.bench.__main__.find_spec", lambda module: "here" if module == "pytest" else None)
    with pytest.raises(AquaDashError, match=f"{missing}: .venv/bin/pip install -r requirements-dev.txt"):
        bench(arguments, standalone_mode=False)

"""The load test: it measures what happened, tabs report errors of pages, and a class of thirty is served."""

from __future__ import annotations

import json
import math
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.server import ServerConnection, serve

from aquadash.pages import PAGES
from aquadash.ui.evaluate.evaluate_sections import SECTIONS
from aquadash.ui.sections import queries
from aquadash.walkthrough import LESSONS
from scripts.bench import load, visitors
from scripts.bench.load import GOALS, bench_load
from scripts.bench.tab import Tab
from scripts.bench.visitors import Place, Sights, Watch

VISITED = [name for name, page in PAGES.items() if page.visits]
SIGHTS = Sights("a" * 32, "b" * 32, ("c" * 32, "d" * 32, "e" * 32, "f" * 32), {page: queries(page) for page in VISITED})


def test_an_update_counts_from_the_writing_until_it_or_a_later_one_is_seen_by_whoever_watches() -> None:
    written = {(1, 10): 100.0, (1, 20): 101.0, (1, 30): 102.0, (2, 5): 103.0}
    watch = Watch(begin=99.0, end=110.0, seen=[(100.4, (1, 10)), (102.5, (1, 30)), (104.0, (2, 5))])
    assert list(watch.lags(written)) == pytest.approx([0.4, 1.5, 0.5, 1.0])
    watch = Watch(begin=99.0, end=110.0, seen=[(100.3, (1, 9)), (100.4, (1, 10))])
    missed = {(1, 10): 100.0, (1, 20): 104.0, (1, 30): 109.5}
    assert list(watch.lags(missed)) == pytest.approx([0.4, 6.0]), "it counts for as long as it was missed"
    watch = Watch(begin=101.0, end=103.0, seen=[(101.1, (1, 10)), (102.2, (1, 20))])
    assert list(watch.lags({(1, 10): 100.0, (1, 20): 102.0, (1, 30): 103.5})) == pytest.approx([0.2])


def test_the_tour_shows_every_page_section_and_lesson() -> None:
    places = visitors.every_place(SIGHTS)
    assert {place.page for place in places} == set(VISITED) and len(places) == len(set(places))
    for run in (SIGHTS.trained, *SIGHTS.others):
        assert {Place("evaluate", f"run={run}&section={word}") for word in SECTIONS.table} <= set(places)
    assert {Place("walkthrough", f"run={SIGHTS.trained}&lesson={word}") for word in LESSONS} <= set(places)
    assert Place("home") in places and Place("augment", "view=code") in places


def test_only_the_banner_is_no_complaint(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        "\n  You can now view your Streamlit app in your browser.\n\n  URL: http://127.0.0.1:1\n\nTraceback\n"
    )
    assert load._complaints(log) == ["Server: Traceback"]


@pytest.mark.anyio
async def test_what_fails_in_a_page_is_told() -> None:
    async def talk(connection: ServerConnection) -> None:
        async for _ in connection:
            begin, failed, end = ForwardMsg(), ForwardMsg(), ForwardMsg()
            begin.new_session.page_script_hash = "hash-home"
            failed.delta.new_element.exception.message = "It broke."
            end.script_finished = ForwardMsg.FINISHED_SUCCESSFULLY
            for message in (begin, failed, end):
                await connection.send(message.SerializeToString())

    def page(connection: ServerConnection, request: Any) -> Any:
        return None if request.path == "/_stcore/stream" else connection.respond(HTTPStatus.OK, "")

    async with serve(talk, "127.0.0.1", 0, process_request=page) as serving:
        tab = Tab(f"127.0.0.1:{next(iter(serving.sockets)).getsockname()[1]}")
        await tab.open()
        await tab.go("home")
        await tab.close()
    assert tab.counts.errors == ["It broke."]


@pytest.mark.soak
def test_a_class_of_thirty_is_served_while_a_network_trains() -> None:
    said: list[str] = []
    found = bench_load(
        sessions=30, seconds=240.0, leave_seconds=0.0, on_progress=lambda text, fraction: said.append(text)
    )
    assert json.loads(json.dumps(found)) == found
    assert found["errors"] == []
    assert found["page_changes"] >= 30 and found["updates"] >= 30 and found["redraws"] > 1
    assert set(found["pages"]) <= set(VISITED)
    for name in ("page_p95_seconds", "update_p95_seconds", "session_megabytes", "error_count"):
        assert found["goals"][name]["met"], found["goals"]
    # The median of three; ten minutes are what the goal is for, and on a busy machine one phase can be a third slower.
    assert len(found["training_ratios"]) == 3 and found["training_ratio"] > GOALS["training_ratio"][2] - 0.2
    assert found["visitor_cores"] < 0.25, "the visitors themselves take what is measured"
    assert found["memory_after_ratio"] is None and math.isfinite(found["memory_megabytes"])
    assert {"A first tour of all pages", "Training alone", "30 visitors", "Everybody sleeps"} <= set(said)

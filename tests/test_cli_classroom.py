"""``classroom serve``: the app as a class finds it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest

from aquadash import settings
from aquadash.classroom import codes, limits
from aquadash.classroom.invitation import addresses, join_address, qr_svg, qr_text
from aquadash.classroom.limits import ClassLimits
from aquadash.cli import classroom
from aquadash.errors import ConfigError
from aquadash.work.slots import held
from tests.serving import free_port
from tests.test_cli import answer, refusal
from tests.waiting import wait_for


def test_an_unusable_address_is_refused_before_the_start(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classroom.subprocess, "Popen", lambda *_, **__: pytest.fail("The app was started."))
    assert "cannot listen on 999.1.1.1, port 8501" in refusal("classroom", "serve", "--address", "999.1.1.1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = refusal("classroom", "serve", "--address", "127.0.0.1", "--port", port)
    assert f"port {port} (Address already in use)" in refused


@pytest.mark.slow
def test_serve_says_how_to_join_and_ends_with_what_it_started(warm_home: Path) -> None:
    port = free_port()
    serving = subprocess.Popen(
        [
            sys.executable, "-m", "aquadash", "classroom", "serve", "--address", "127.0.0.1", "--port", str(port),
            "--json",
        ],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=dict(os.environ), cwd=settings.PROJECT_ROOT,
    )  # fmt: skip
    try:
        assert serving.stdout is not None
        said = json.loads(serving.stdout.readline())
        made = codes.codes()
        assert said == {
            "addresses": [f"http://127.0.0.1:{port}"],
            "student_code": made.student,
            "teacher_code": made.teacher,
        }

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


def test_the_codes_have_a_command(home: Path) -> None:
    made = codes.codes()
    assert answer("classroom", "codes") == {"student_code": made.student, "teacher_code": made.teacher}


def test_addresses_are_those_that_others_may_use() -> None:
    assert all(not address.startswith(("127.", "169.254.")) for address in addresses())


def test_the_picture_holds_the_address_and_the_code() -> None:
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

"""The files of a page are served at once."""

from __future__ import annotations

import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.support.serving import serving

pytestmark = pytest.mark.soak


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop does not run on Windows")
def test_no_file_of_a_page_waits_for_an_acknowledgement(home: Path) -> None:
    with serving(home) as server:
        connection = HTTPConnection(server.address)
        seconds = []
        for _ in range(10):
            began = time.monotonic()
            connection.request("GET", "/")
            connection.getresponse().read()
            seconds.append(time.monotonic() - began)
        connection.close()
    # The first answer of a connection is acknowledged at once, each later one after 40 ms.
    assert min(seconds[1:]) < 0.03, seconds

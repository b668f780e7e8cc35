"""The process that measures networks for the app: ``python -m aquadash.training.probe_server``.

It says that it is ready with a line, then reads a question a line and answers each with a line of JSON, until its input
ends. :mod:`aquadash.training.probe_process` is the other side.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import sys
import threading
from pathlib import Path
from typing import Any

from aquadash.errors import AquaDashError

_log = logging.getLogger(__name__)

#: Linux ends the process with the highest score first when memory runs out: better this one than the app.
_OOM_SCORE = Path("/proc/self/oom_score_adj")


def main() -> None:
    """Serve until the input ends."""
    # TensorFlow must not print between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    with contextlib.suppress(OSError):
        _OOM_SCORE.write_text("1000", encoding="ascii")
    questions: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(questions,), name="questions", daemon=True).start()
    server = _Server()
    print(json.dumps({"ready": True}), file=answers, flush=True)
    while True:
        print(json.dumps(server.reply(questions.get())), file=answers, flush=True)


def _read(questions: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        questions.put(line)
    # Whoever asked is gone: end in the middle of a measurement, too.
    os._exit(0)


class _Server:
    """Knows what the process takes before it has a network of its own."""

    def __init__(self) -> None:
        """Loads everything and trains a tiny network, so that the first question finds all of it warm."""
        import psutil

        from aquadash.config import RunConfig, with_values
        from aquadash.training.measure import measure

        self._process = psutil.Process()
        tiny = {"model.name": "cnn", "model.filters": (4,), "model.dense_units": ()}
        measure(with_values(RunConfig(), tiny), image_shape=(32, 32, 3), num_classes=2)
        self._base_bytes = self._process.memory_info().rss

    def reply(self, line: str) -> dict[str, Any]:
        """The answer to a question: ``measurement`` or ``error``, and by how much the process has grown."""
        from aquadash.config import from_mapping
        from aquadash.training.measure import measure

        try:
            question = json.loads(line)
            measurement = measure(
                from_mapping(question["config"]),
                image_shape=tuple(question["image_shape"]),
                num_classes=question["num_classes"],
                base_bytes=self._base_bytes,
            )
            answer: dict[str, Any] = {"measurement": measurement.to_dict()}
        except AquaDashError as error:
            answer = {"error": str(error)}
        except Exception as error:
            _log.exception("a network could not be measured")
            reason = " ".join(str(error).split())[:200]
            answer = {"error": f"This network cannot be built or trained: {type(error).__name__}: {reason}"}
        return {**answer, "grown_bytes": self._process.memory_info().rss - self._base_bytes}


if __name__ == "__main__":
    main()

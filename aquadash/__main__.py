"""Entry point of ``python -m aquadash``."""

from __future__ import annotations

import gc

from aquadash.cli import main

if __name__ == "__main__":
    # TensorFlow, Keras and MLflow make a million objects that stay: looking for garbage among them again and again
    # would take a fifth of the time in which they are imported.
    gc.set_threshold(20_000, 10, 10)
    main()

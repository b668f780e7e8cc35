"""Entry point of ``python -m aquadash``."""

from __future__ import annotations

from aquadash.cli import main

if __name__ == "__main__":
    main()

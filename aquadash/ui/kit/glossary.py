"""The help of the terms of art, from ``glossary.toml``."""

import tomllib
from pathlib import Path

GLOSSARY: dict[str, str] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def term(name: str) -> str:
    """Return the help of a term of art."""
    return GLOSSARY[name]

"""What people may call themselves in a class."""

from __future__ import annotations

import unicodedata
from collections.abc import Container

from aquadash.errors import ConfigError

LONGEST = 40


def clean_name(typed: str) -> str:
    """A name as it is kept: normalised, blanks in one, no characters that cannot be seen.

    Raises:
        ConfigError: Nothing is left of it, it is too long or holds what cannot be shown.
    """
    name = " ".join(unicodedata.normalize("NFKC", typed).split())
    if not name or not any(letter.isalnum() for letter in name):
        raise ConfigError(
            "Type the name that the others shall see, such as a first name: at least one letter or digit."
        )
    if len(name) > LONGEST:
        raise ConfigError(f"The name has {len(name)} characters; expected at most {LONGEST}. Shorten it.")
    # Control and format characters could hide or turn round what stands beside the name.
    if any(unicodedata.category(letter)[0] == "C" for letter in name):
        raise ConfigError("The name holds characters that cannot be seen. Use letters, digits and blanks.")
    return name


def key_of(name: str) -> str:
    """What two names that count as the same have in common: case and accents' encoding do not matter."""
    return unicodedata.normalize("NFKC", name.casefold())


def free_name(name: str, taken: Container[str]) -> str:
    """The name with the first number behind it that makes it free.

    Args:
        name: A clean one.
        taken: Keys of the names that are not free.
    """
    number = 2
    while key_of(found := f"{name[: LONGEST - 5].rstrip()} {number}") in taken:
        number += 1
    return found

"""What people may call themselves in a class."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set

import icu

from aquadash.errors import ConfigError

MAX_LENGTH = 40
#: Letters and marks that show nothing, so that a name could look like another or like none. Control and format
#: characters, which could hide or turn round what stands beside the name, are found by their category.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\U000e0100-\U000e01ef]")
#: They choose between a letter's pictures, and come with emoji.
_VARIANTS = re.compile("[\ufe00-\ufe0f]")
_CONFUSABLES = icu.SpoofChecker()
#: Where the app says these it means somebody else than a student.
_RESERVED = ("teacher", "the teacher", "owner", "everybody", "admin", "administrator", "aquadash")


def clean_name(typed: str) -> str:
    """A name as it is kept: normalised, blanks in one, no characters that cannot be seen.

    Raises:
        ConfigError: Nothing is left of it, it is too long or holds what cannot be shown.
    """
    name = " ".join(_VARIANTS.sub("", unicodedata.normalize("NFKC", typed)).split())
    if not name or not any(letter.isalnum() for letter in name):
        raise ConfigError(
            "Type the name that the others shall see, such as a first name: at least one letter or digit."
        )
    if len(name) > MAX_LENGTH:
        raise ConfigError(f"The name has {len(name)} characters; expected at most {MAX_LENGTH}. Shorten it.")
    if _UNSEEN.search(name) or any(unicodedata.category(letter)[0] == "C" for letter in name):
        raise ConfigError("The name holds characters that cannot be seen. Use letters, digits and blanks.")
    return name


def key_of(name: str) -> str:
    """What two names that count as the same have in common: case and accents' encoding do not matter."""
    return unicodedata.normalize("NFKC", name.casefold())


def looks_of(name: str) -> frozenset[str]:
    """How a name looks; two that have one of these in common cannot be told apart.

    They are skeletons of Unicode Technical Standard 39, section 4, of the name as it is and in small letters: a capital
    may look like another where the small letters differ (Latin B and Cyrillic \u0412), and the other way round.
    """
    return frozenset(_skeleton(_skeleton(form).casefold()) for form in (name, key_of(name)))


def is_reserved(name: str) -> bool:
    """Whether a name reads like the teacher or like AquaDash itself, whatever digits and signs are put into it."""
    forms = (name, "".join(letter for letter in name if letter.isalpha()))
    return any(looks_of("".join(form.split())) & _RESERVED_LOOKS for form in forms)


def free_name(name: str, taken: Set[str]) -> str:
    """The name with the first number behind it that makes it free."""
    number = 2
    while looks_of(found := f"{name[: MAX_LENGTH - 5].rstrip()} {number}") & taken:
        number += 1
    return found


def _skeleton(text: str) -> str:
    # The number chose a table once; there is one table now.
    return str(_CONFUSABLES.getSkeleton(0, text))


_RESERVED_LOOKS = frozenset(look for word in _RESERVED for look in looks_of(word.replace(" ", "")))

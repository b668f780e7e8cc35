"""Names of people in a class: which are allowed, and which look alike."""

import re
import unicodedata
from collections.abc import Set

import icu

from aquadash.errors import ConfigError

MAX_LENGTH = 40
#: Letters and marks that show nothing. Control and format characters are refused by their category.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\U000e0100-\U000e01ef]")
#: Variation selectors, which come with emoji.
_VARIANTS = re.compile("[\ufe00-\ufe0f]")
_CONFUSABLES = icu.SpoofChecker()
#: Words by which the app means the teacher, the owner or itself.
_RESERVED = ("teacher", "the teacher", "owner", "everybody", "admin", "administrator", "aquadash")


def clean_name(typed: str) -> str:
    """Return a name normalised (NFKC) and with single blanks; refuse an empty, too long or invisible one."""
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
    """Return the key of a name: equal for names that differ in case or in the encoding of accents only."""
    return unicodedata.normalize("NFKC", name.casefold())


def looks_of(name: str) -> frozenset[str]:
    """Return the skeletons (Unicode TS 39, section 4) of a name as it is and in small letters; names look alike that
    share one of them."""
    return frozenset(_skeleton(_skeleton(form).casefold()) for form in (name, key_of(name)))


def is_reserved(name: str) -> bool:
    """Return whether a name, with or without its digits and signs, reads like the teacher or like AquaDash itself."""
    forms = (name, "".join(letter for letter in name if letter.isalpha()))
    return any(looks_of("".join(form.split())) & _RESERVED_LOOKS for form in forms)


def free_name(name: str, taken: Set[str]) -> str:
    """Return the name with the smallest number behind it that makes it free."""
    number = 2
    while looks_of(candidate := f"{name[: MAX_LENGTH - 5].rstrip()} {number}") & taken:
        number += 1
    return candidate


def _skeleton(text: str) -> str:
    # ICU ignores the first argument, which chose a table in old versions.
    return str(_CONFUSABLES.getSkeleton(0, text))


_RESERVED_LOOKS = frozenset(look for word in _RESERVED for look in looks_of(word.replace(" ", "")))

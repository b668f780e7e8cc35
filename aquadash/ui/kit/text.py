"""Text for people: escapes, durations and numbers."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime

from aquadash.evaluation.metrics import percent as percent

#: Markdown within a line, and at its start.
_MARKUP = re.compile(r"([\\`*_\[\]<#~|$&]|:(?=//))|^([-+>])|^(\d+)(?=[.)])")
#: Streamlit's directives, such as ``:red[...]`` and ``:smile:``, which no escape protects (STREAMLIT.md, "Markdown").
_DIRECTIVE = re.compile(r":(?=[A-Za-z]|[\w+/-]+:)")
_WORD_JOINER = "\u2060"
#: Addresses become links in spite of escapes. A joiner at these places is dropped when an address is pasted.
_LINK = re.compile(r"(?<=http\\://)|(?<=https\\://)|(?<=www)(?=\.)|(?<=@)(?=[\w\\-])", re.IGNORECASE)


def plain(text: str) -> str:
    """Escape a text so that markdown shows it as it is."""
    line = " ".join(text.split())
    # A number at the start would begin a list: an invisible joiner follows it.
    escaped = _MARKUP.sub(lambda match: f"{match[3]}{_WORD_JOINER}" if match[3] else f"\\{match[0]}", line)
    return _DIRECTIVE.sub(f":{_WORD_JOINER}", _LINK.sub(_WORD_JOINER, escaped))


def unique_titles(
    titles: Mapping[str, str], longer: Callable[[str, str], str] = lambda key, title: f"{title} · {key[:8]}"
) -> dict[str, str]:
    """Make titles unique, which a menu needs: ``longer`` extends equal ones, by default with their key's start."""
    times = Counter(titles.values())
    return {key: title if times[title] == 1 else longer(key, title) for key, title in titles.items()}


def named(label: str, of: str) -> str:
    """Return a label whose italics, the thing it is about, ``style.css`` leaves to screen readers."""
    return f"{label} *{plain(of)}*"


def duration(seconds: float | None) -> str:
    """Return seconds as ``"45 s"``, ``"3 min 20 s"`` or ``"2 h 5 min"``; a dash while unknown."""
    if seconds is None or seconds < 0:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def roughly(seconds: float) -> str:
    """Return seconds as ``"1 min"``, ``"8 min"`` or ``"2 h"``."""
    minutes = max(1, round(seconds / 60))
    return f"{minutes} min" if minutes < 90 else f"{round(minutes / 60)} h"


def time_left(seconds: float | None) -> str:
    """Return ``"about 45 s left"``; empty for None and for 0."""
    return f"about {duration(seconds)} left" if seconds else ""


def joined(*texts: str) -> str:
    """Join the texts that are not empty: ``"5 of 8 done · about 45 s left"``."""
    return " · ".join(text for text in texts if text)


def sentence(text: str) -> str:
    """Return a text with a capital first letter."""
    return text[:1].upper() + text[1:]


def mid_sentence(label: str) -> str:
    """Return a label with a small first letter, except ``"L2 penalty"`` or ``"TPE"``."""
    return label if label[1:2].isupper() or label[1:2].isdigit() else label[:1].lower() + label[1:]


def moment(timestamp: float | None) -> str:
    """Return a Unix time as local date and time; a dash while unknown."""
    return "–" if timestamp is None else datetime.fromtimestamp(timestamp).strftime("%Y-%m-%d %H:%M")


def short_moment(timestamp: float) -> str:
    """Return :func:`moment` in short: ``"12:54"`` today, else ``"26 Nov 12:54"``."""
    then = datetime.fromtimestamp(timestamp)
    return then.strftime("%H:%M" if then.date() == datetime.now().date() else "%d %b %H:%M")


def count(number: int, noun: str, plural: str | None = None) -> str:
    """``"1 image"``, ``"2,500 images"``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


#: The beginning of a picture, and of a footnote, which would bring a heading.
_PICTURE = re.compile(r"!(?=\[)|\[(?=\^)")
#: Streamlit's icons, colours and badges, with which a note could look like a part of the page.
_NOTE_DIRECTIVE = re.compile(r":(?=[\w+/-]+[\[:])")
_HEADING = re.compile(r"^( {0,3})#{1,6}(?=\s)", re.MULTILINE)
#: Headings in lists and quotes, indented headings, and underlines of headings.
_OTHER_HEADING = re.compile(
    r"^([^\S\n]*(?:(?:>|(?:[*+-]|\d{1,9}[.)])(?=\s))[^\S\n]*)*)(?=#{1,5}\s)|"
    r"((?<=\S)[^\S\n]*\n(?:>|[^\S\n])*)(?=(?:=+|-+)[^\S\n]*$)",
    re.MULTILINE,
)


def safe_markdown(text: str) -> str:
    """Return a note for ``st.markdown`` without pictures and large headings, with which it could look like the page.

    A browser would fetch a picture from the site that the note names, which would learn who reads it.
    """
    linked = _PICTURE.sub(rf"\g<0>{_WORD_JOINER}", re.sub(r"\r\n?", "\n", text))
    lowered = _HEADING.sub(r"\1######", _NOTE_DIRECTIVE.sub(f":{_WORD_JOINER}", linked))
    return _OTHER_HEADING.sub(rf"\g<0>{_WORD_JOINER}", lowered)

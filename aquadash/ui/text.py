"""Text for people: escaping, durations, numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime

#: What means something to markdown within a line, and what does so at its start only.
_MARKUP = re.compile(r"([\\`*_\[\]<#~|$&]|:(?=//))|^([-+>])|^(\d+)(?=[.)])")
#: ``:red[...]``, ``:material/...:`` and ``:smile:`` are recognised after unescaping, and ``:red`` alone is swallowed:
#: the colon is cut off instead.
_DIRECTIVE = re.compile(r":(?=[A-Za-z]|[\w+/-]+:)")
_WORD_JOINER = "\u2060"
#: Addresses become links after unescaping, too. They are cut where a browser into which one is pasted drops the joiner.
_LINK = re.compile(r"(?<=http\\://)|(?<=https\\://)|(?<=www)(?=\.)|(?<=@)(?=[\w\\-])", re.IGNORECASE)


def plain(text: str) -> str:
    """Text that a person typed or that a file held, so that markdown shows it as it is."""
    line = " ".join(text.split())
    # A number at the start would begin a list; the joiner after it is invisible.
    escaped = _MARKUP.sub(lambda found: f"{found[3]}{_WORD_JOINER}" if found[3] else f"\\{found[0]}", line)
    return _DIRECTIVE.sub(f":{_WORD_JOINER}", _LINK.sub(_WORD_JOINER, escaped))


def unique_titles(
    titles: Mapping[str, str], longer: Callable[[str, str], str] = lambda key, title: f"{title} · {key[:8]}"
) -> dict[str, str]:
    """Replace each title that stands twice by ``longer(key, title)``; by default it ends with the start of the key.

    The browser knows the options of a menu by their text alone.
    """
    times = Counter(titles.values())
    return {key: title if times[title] == 1 else longer(key, title) for key, title in titles.items()}


def named(label: str, of: str) -> str:
    """The label of a button or page link, and what that is about, for screen readers alone.

    ``style.css`` hides italics there.
    """
    return f"{label} *{plain(of)}*"


def duration(seconds: float | None) -> str:
    """Seconds as ``"45 s"``, ``"3 min 20 s"`` or ``"2 h 5 min"``; a dash while unknown."""
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
    """``"1 min"``, ``"8 min"``, ``"2 h"``: what something costs, for a choice."""
    minutes = max(1, round(seconds / 60))
    return f"{minutes} min" if minutes < 90 else f"{round(minutes / 60)} h"


def time_left(seconds: float | None, *, at_most: bool = False) -> str:
    """``"about 45 s left"``, or ``"at most 45 s left"`` where it may end sooner; empty while unknown, and at 0,
    for what is still at work has something left to do.
    """
    return "" if not seconds else f"{'at most' if at_most else 'about'} {duration(seconds)} left"


def expected_time(seconds: float) -> str:
    """How long something takes by earlier runs, in markdown."""
    return f"about **{duration(seconds)}**"


def joined(*told: str) -> str:
    """What is known in a row, without what is empty: ``"5 of 8 done · about 45 s left"``."""
    return " · ".join(fact for fact in told if fact)


def sentence(text: str) -> str:
    """Words with a capital letter in front."""
    return text[:1].upper() + text[1:]


def mid_sentence(label: str) -> str:
    """A label with a small letter in front, but for one such as ``"L2 penalty"`` or ``"TPE"``."""
    return label if label[1:2].isupper() or label[1:2].isdigit() else label[:1].lower() + label[1:]


def percent(fraction: float | None, interval: tuple[float, float] | None = None) -> str:
    """A fraction from 0 to 1 as ``"61.4 %"``, with its interval as ``"61 % (57 % to 66 %)"``; a dash while unknown.

    With an interval it is rounded to whole per cent as soon as the interval is wider than two: the digit after the
    point would pretend to know more than the data does.
    """
    if fraction is None:
        return "–"
    if interval is None:
        return f"{100 * fraction:.1f} %"
    low, high = (100 * bound for bound in interval)
    digits = 0 if high - low > 2 else 1
    return f"{100 * fraction:.{digits}f} % ({low:.{digits}f} % to {high:.{digits}f} %)"


def moment(timestamp: float | None) -> str:
    """Seconds since 1970 as the local date and time, to the minute; a dash while unknown."""
    return "–" if timestamp is None else datetime.fromtimestamp(timestamp).strftime("%Y-%m-%d %H:%M")


def short_moment(timestamp: float) -> str:
    """:func:`moment` in few letters: ``"12:54"`` of today, else ``"26 Nov 12:54"``."""
    then = datetime.fromtimestamp(timestamp)
    return then.strftime("%H:%M" if then.date() == datetime.now().date() else "%d %b %H:%M")


def count(number: int, noun: str, plural: str | None = None) -> str:
    """``"1 image"``, ``"2,500 images"``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


#: Every form of picture in Markdown begins so, and nothing else does; or footnotes, which bring a heading.
_PICTURE = re.compile(r"!(?=\[)|\[(?=\^)")
#: Streamlit's own: icons, colours and badges would let a note look like a part of the page.
_NOTE_DIRECTIVE = re.compile(r":(?=[\w+/-]+[\[:])")
_HEADING = re.compile(r"^( {0,3})#{1,6}(?=\s)", re.MULTILINE)
#: Headings in lists and quotes, or indented, which Streamlit undoes; and lines that make the one above them a heading.
_OTHER_HEADING = re.compile(
    r"^([^\S\n]*(?:(?:>|(?:[*+-]|\d{1,9}[.)])(?=\s))[^\S\n]*)*)(?=#{1,5}\s)|"
    r"((?<=\S)[^\S\n]*\n(?:>|[^\S\n])*)(?=(?:=+|-+)[^\S\n]*$)",
    re.MULTILINE,
)


def safe_markdown(text: str) -> str:
    """A note for ``st.markdown``, which shows HTML as text.

    A picture would be fetched from wherever the note says as soon as somebody looks at it, and so tell that place who
    does: it becomes a link. Headings are as small as the page's smallest, or text, so that a note does not look like
    the page. Formulas, which need the dollar sign, stay.
    """
    linked = _PICTURE.sub(rf"\g<0>{_WORD_JOINER}", re.sub(r"\r\n?", "\n", text))
    lowered = _HEADING.sub(r"\1######", _NOTE_DIRECTIVE.sub(f":{_WORD_JOINER}", linked))
    return _OTHER_HEADING.sub(rf"\g<0>{_WORD_JOINER}", lowered)

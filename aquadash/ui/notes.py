"""Notes that people write in Markdown, made safe to show to others."""

from __future__ import annotations

import re

_WORD_JOINER = "\u2060"

#: Every form of picture in Markdown begins so; nothing else does.
_PICTURE = re.compile(r"!(?=\[)")
#: Streamlit's own: icons, colours and badges would let a note look like a part of the page.
_DIRECTIVE = re.compile(r":(?=[\w+/-]+[\[:])")
_HEADING = re.compile(r"^( {0,3})#{1,6}(?=\s)", re.MULTILINE)


def safe_markdown(text: str) -> str:
    """A note for ``st.markdown``, which shows HTML as text.

    A picture would be fetched from wherever the note says as soon as somebody looks at it, and so tell that place who
    does: it becomes a link. Headings are as small as the page's smallest, so that a note does not look like the page.
    Formulas, which need the dollar sign, stay.
    """
    linked = _PICTURE.sub(f"!{_WORD_JOINER}", text)
    return _HEADING.sub(r"\1######", _DIRECTIVE.sub(f":{_WORD_JOINER}", linked))

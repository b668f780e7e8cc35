"""The pages of the app, one record each: what the navigation, the pages' heads, a class and the load test go by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """A page, which ``pages/NAME.py`` draws."""

    #: In the navigation.
    title: str
    #: An emoji before the title.
    icon: str
    #: The one question that the page answers; its first line.
    question: str
    #: Above the page, where that is not the title.
    heading: str = ""
    #: Where it is found, if not under its name: the first is the navigation's, the others lead there, too.
    addresses: tuple[str, ...] = ()
    #: Whether there is no such page without a class.
    class_only: bool = False
    #: Whether a teacher can lock it.
    lockable: bool = True
    #: How often visitors of the load test come here beside the other pages; 0 for never.
    visits: int = 4
    #: The module below :mod:`aquadash.ui` that holds the page's ``SECTIONS``; empty for a page in one piece.
    sections: str = ""
    #: What the browser is to load at once, not when it is told to draw it: Streamlit's names of large elements that the
    #: page begins with.
    code: tuple[str, ...] = ()


#: The pages by name, in the order of the navigation. A new one is a record here and its file.
PAGES = {
    "home": Page(
        "Home",
        "🌊",
        "How does a computer learn to tell a beaver from a dolphin, an otter, a seal or a whale?",
        heading="AquaDash",
        # The first page's address is the bare host, whatever its own; its twin answers to /home, too.
        addresses=("start", "home"),
        lockable=False,
    ),
    "data": Page(
        "Data",
        "🐟",
        "What does the network learn from, and what is it tested on?",
        visits=8,
        sections="data.dataset_views",
    ),
    "augment": Page(
        "Augment",
        "🎲",
        "What does the network see when its training images are changed at random?",
        visits=10,
        sections="augment.studio_frame",
    ),
    "train": Page(
        "Train",
        "🏊",
        "What does the network learn, epoch by epoch?",
        # A class watches its training, and looks about meanwhile.
        visits=36,
        sections="search.train_sections",
        code=("PlotlyChart",),
    ),
    "evaluate": Page(
        "Evaluate",
        "🔎",
        "Where is the network right, and where does it fail?",
        visits=16,
        sections="evaluate.evaluate_sections",
        code=("PlotlyChart",),
    ),
    "predict": Page("Predict", "📷", "What does the network say about my picture?", visits=6),
    "compare": Page(
        "Compare",
        "⚖️",
        "What made one run better than another?",
        visits=10,
        sections="compare.comparison",
        code=("DataFrame",),
    ),
    "walkthrough": Page(
        "Walkthrough",
        "🎓",
        "Lastre and Toral's report trains a CNN to tell five aquatic mammals apart. What does it get wrong?",
        visits=10,
        sections="walkthrough.frame",
    ),
    "classroom": Page(
        "Class", "🏫", "Class overview", class_only=True, lockable=False, visits=0, sections="classroom.class_page"
    ),
}

#: In an address: whose lesson it is. A link that is passed on leaves it out.
ME = "me"

#: The page of the bare host.
FIRST = next(iter(PAGES))


def addresses(name: str) -> tuple[str, ...]:
    """Where a page is found: the navigation's address, then others."""
    return PAGES[name].addresses or (name,)


def name_at(address: str) -> str:
    """The name of the page at an address: the first one at the bare host, and where there is none."""
    return _NAMES.get(address, FIRST)


_NAMES = {address: name for name in PAGES for address in addresses(name)}

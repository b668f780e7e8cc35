"""The pages of the app, one record each, for the navigation, the pages' heads, the classroom and the load test."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """A page, which ``pages/NAME.py`` draws."""

    #: In the navigation.
    title: str
    #: An emoji before the title.
    icon: str
    #: The question that the page answers, its first line.
    question: str
    #: Heading of the page, where it differs from the title.
    heading: str = ""
    #: Addresses of the page, if not its name alone; the navigation uses the first.
    addresses: tuple[str, ...] = ()
    #: Whether only a class has the page.
    class_only: bool = False
    #: Whether a teacher can lock it.
    lockable: bool = True
    #: Relative frequency of visits in the load test.
    visits: int = 4
    #: Streamlit's names of the large elements that the page begins with; the browser loads their code at once.
    code: tuple[str, ...] = ()


#: The pages by name, in the order of the navigation.
PAGES = {
    "home": Page(
        "Home",
        "🌊",
        "How does a computer learn to tell a beaver from a dolphin, an otter, a seal or a whale?",
        heading="AquaDash",
        # Streamlit serves the first page at the bare host only; a second page with the same content answers to /home.
        addresses=("start", "home"),
        lockable=False,
    ),
    "data": Page("Data", "🐟", "What does the network learn from, and what is it tested on?", visits=8),
    "augment": Page(
        "Augment", "🎲", "What does the network see when its training images are changed at random?", visits=10
    ),
    "train": Page("Train", "🏊", "What does the network learn, epoch by epoch?", visits=36, code=("PlotlyChart",)),
    "evaluate": Page(
        "Evaluate", "🔎", "Where is the network right, and where does it fail?", visits=16, code=("PlotlyChart",)
    ),
    "predict": Page("Predict", "📷", "What does the network say about my picture?", visits=6),
    "quiz": Page("Quiz", "❓", "Can you do better than the network?"),
    "compare": Page("Compare", "⚖️", "What made one run better than another?", visits=10, code=("DataFrame",)),
    "walkthrough": Page(
        "Walkthrough",
        "🎓",
        "Lastre and Toral's report trains a CNN to tell five aquatic mammals apart. What does it get wrong?",
        visits=10,
    ),
    "classroom": Page("Class", "🏫", "Class overview", class_only=True, lockable=False, visits=0),
}

#: Name in the address of the visitor's lesson; links to pass on leave it out.
ME = "me"

#: The page of the bare host.
FIRST = next(iter(PAGES))


def addresses(name: str) -> tuple[str, ...]:
    """Return the addresses of a page, the navigation's first."""
    return PAGES[name].addresses or (name,)


def name_at(address: str) -> str:
    """Return the name of the page at an address; the first page for the bare host and unknown addresses."""
    return _NAMES.get(address, FIRST)


_NAMES = {address: name for name in PAGES for address in addresses(name)}

"""The catalogue: every operator with its picture, description and button."""

import contextlib
import html
import re

import streamlit as st

from aquadash.augment import FAMILIES, OPERATORS, OperatorInfo, editing, operator_info
from aquadash.augment.editing import Group, Place
from aquadash.augment.preview import thumbnail
from aquadash.errors import ConfigError
from aquadash.predict import remote
from aquadash.ui.augment import builder_state
from aquadash.ui.augment.studio import Studio
from aquadash.ui.kit import address, bound, gallery, inputs
from aquadash.ui.kit.text import named, plain

#: Session key of the list that gets the next step.
_PLACE = "studio:adding"
_SEARCH = "studio:search"

#: Maximum number of entries drawn, the size of the largest family.
MAX_SHOWN = 14
_ALL = "all"


def render_add_button(group: Group) -> None:
    """Draw the button that opens the catalogue to add a step at the end of a list of steps."""
    place = group.place if isinstance(group.place, int) else "-".join(map(str, group.place))
    st.button(
        # Screen readers need a name for each button.
        named("Add a step", group_title(group)) if group.around else "Add a step",
        icon="➕",
        key=f"add-{place}",
        width="stretch",
        on_click=_open,
        args=(group.place,),
        disabled=not group.has_room_for(editing.new_step("Fliplr")),
    )


def group_title(group: Group) -> str:
    """Return a list's title, ``"step 2, Sometimes"``; empty for the version's own list."""
    if not group.around:
        return ""
    parts = (f"step {group.number}", operator_info(group.around[-1].name).title, group.slot_title)
    return ", ".join(filter(None, parts))


def render(studio: Studio) -> None:
    """Draw the operators that match the search and the family, which is in the address."""
    place = _place(studio.branch)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        inputs.text_input(
            "Search",
            key=_SEARCH,
            placeholder="blur, colour, rain ...",
            icon=":material/search:",
            max_chars=40,
            label_visibility="collapsed",
            width="stretch",
        )
        st.button("Close", key="close-catalogue", icon=":material/close:", on_click=_close)
    family = bound.choice(
        "family", {_ALL: "All"} | FAMILIES, label="Family", label_visibility="collapsed", widget=inputs.pills
    )
    operators = matches(str(st.session_state.get(_SEARCH) or ""), None if family == _ALL else family)
    pictures = _pictures()
    with st.container(key="catalogue"):
        st.html(_entry("Unchanged", "", pictures[""]))
        for info in operators[:MAX_SHOWN]:
            with st.container(horizontal=True, wrap=False, vertical_alignment="center", key=f"pick-{info.name}"):
                text = f"<code>{html.escape(info.name)}</code><br>{html.escape(info.help)}"
                st.html(_entry(info.title, text, pictures[info.name]), width="stretch")
                reason = editing.why_not(studio.spec, place, info.name)
                st.button(
                    named("Add", info.title),
                    key=f"pick-{info.name}-add",
                    help=plain(reason or " ⚠️ ".join(filter(None, (info.effect, info.harm)))),
                    disabled=bool(reason),
                    on_click=_add,
                    args=(studio.branch, info.name),
                )
    if not operators:
        st.caption("No step matches. Try another word or family.")
    elif len(operators) > MAX_SHOWN:
        st.caption(f"{len(operators) - MAX_SHOWN} more: choose a family or search.")


def _entry(title: str, text: str, picture: str) -> str:
    """Return an entry as HTML; ``text`` is HTML, too."""
    title = html.escape(title)
    return (
        f'<div class="aqua-operator"><img class="aqua-pixels" alt="A drawn animal: {title}" src="{picture}">'
        f"<div><b>{title}</b> {text}</div></div>"
    )


def matches(text: str, family: str | None) -> list[OperatorInfo]:
    """Return operators whose name, title or description has all words of a text, titles first."""
    words = [re.compile(rf"\b{re.escape(word)}") for word in text.casefold().split()]
    matching = []
    for info in OPERATORS.values():
        if family is not None and info.family != family:
            continue
        title = f"{info.name} {info.title}".casefold()
        everything = f"{title} {info.help} {info.effect} {FAMILIES.get(info.family, '')}".casefold()
        if all(word.search(everything) for word in words):
            matching.append((not all(word.search(title) for word in words), info))
    return [info for _, info in sorted(matching, key=lambda entry: entry[0])]


def _place(branch: int) -> Place:
    """Return the place of the pressed button if it still exists, else the end of the version."""
    with contextlib.suppress(ConfigError):
        group = editing.group_at(builder_state.history().present.spec, st.session_state.get(_PLACE, branch))
        if group.branch == branch:
            return group.place
    return branch


def _open(place: Place) -> None:
    st.session_state[_PLACE] = place
    address.assign("view", "catalogue")
    address.assign("family", _ALL)


def _close() -> None:
    address.assign("view", "preview")


def _add(branch: int, name: str) -> None:
    # Groups may have moved since the button was drawn.
    place = _place(branch)
    if builder_state.edit(lambda spec: editing.append(spec, place, editing.new_step(name))):
        group = editing.group_at(builder_state.history().present.spec, place)
        builder_state.fold(group.steps[-1].id, group)
        _close()


@st.cache_resource(show_spinner="Drawing the small pictures ...")
def _pictures() -> dict[str, str]:
    """Return a picture of each operator as a data URL, and the original under an empty name."""
    return {name: gallery.data_url(remote.call(thumbnail, name)) for name in ("", *OPERATORS)}

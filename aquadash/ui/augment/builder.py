"""The builder: the versions of the images, and their steps as cards to add, change, move and put into each other."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from aquadash.augment import Branch, Operator, PipelineSpec, describe, editing, operator_info
from aquadash.augment.catalogue import settings_of
from aquadash.augment.editing import MAX_TITLE_CHARACTERS, Group, Place, StepId
from aquadash.ui.augment import builder_state, operator_catalogue, setting_widgets
from aquadash.ui.kit import address, bound, inputs
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.text import named, plain

#: The menu on a step's card: titles, and functions from pipeline and step id to the new pipeline. A new action is a
#: line here.
ACTIONS: dict[str, tuple[str, Callable[[PipelineSpec, StepId], PipelineSpec]]] = {
    "up": (":material/arrow_upward: Move up", partial(editing.shift, by=-1)),
    "down": (":material/arrow_downward: Move down", partial(editing.shift, by=1)),
    "duplicate": (":material/content_copy: Duplicate", editing.duplicate),
    "sometimes": (":material/shuffle: Put into “Sometimes”", partial(editing.wrap, name="Sometimes")),
    "dissolve": (":material/unarchive: Take its steps out", editing.dissolve),
    "remove": (":material/delete: Remove", editing.remove),
}


def choose_version(spec: PipelineSpec) -> int:
    """Draw the choice of a version of the images; it is in the address under ``branch``, counted from 1."""
    total = len(spec.branches)
    default = next((number for number, branch in enumerate(spec.branches, 1) if not branch.is_original), 1)
    address.sync("branch", bound.number_in(1, total, clamp=True), default=default)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = inputs.selectbox(
            f"Version (of {total})",
            range(1, total + 1),
            key="branch",
            format_func=lambda number: f"{number}. {spec.branches[number - 1].title}",
            help=term("branch"),
            width="stretch",
        )
        with st.popover("Edit", key="branch-menu", on_change="rerun") as menu:
            if menu.open:
                with st.container(width=300):
                    _versions(spec, shown - 1)
    return shown - 1


def _versions(spec: PipelineSpec, branch: int) -> None:
    st.caption("Every version adds one image for each original; a version without steps keeps the originals.")
    title = spec.branches[branch].title
    inputs.render_controlled(
        inputs.text_input,
        "Title of this version",
        stem=f"studio:branch-title{branch}",
        value=title,
        take=lambda typed: builder_state.edit(lambda each: editing.rename_branch(each, branch, typed)),
        max_chars=MAX_TITLE_CHARACTERS,
    )
    with st.container(horizontal=True):
        # Callbacks copy the present version: the click may arrive together with a newly typed title.
        for label, key, icon, added in (
            ("Add an empty version", "branch-add", "➕", lambda _: Branch("New version", ())),
            ("Copy this version", "branch-copy", ":material/content_copy:", lambda now: now.branches[branch]),
        ):
            st.button(label, key=key, icon=icon, on_click=_add_version, args=(added,))
        st.button(
            "Remove this version",
            key="branch-remove",
            icon="🗑️",
            disabled=len(spec.branches) == 1,
            help=f"Removes “{plain(title)}”. Undo restores it.",
            on_click=_remove_version,
            args=(branch,),
        )


def _add_version(added: Callable[[PipelineSpec], Branch]) -> None:
    if builder_state.edit(lambda spec: editing.add_branch(spec, added(spec))):
        address.assign("branch", len(builder_state.history().present.spec.branches))


def _remove_version(number: int) -> None:
    builder_state.edit(lambda spec: editing.remove_branch(spec, number))


def _summary(step: Operator, space: str) -> str:
    """Return a step with its inner steps as one line of plain text; ``space`` is its colour space."""
    filled = replace(step, settings=tuple(settings_of(step).items()), probability=1.0, enabled=True)
    lines = describe(Branch("", (filled,)), space=space)
    inner = [operator_info(child.name).title for _, children in step.children for child in children]
    text = lines[0].removesuffix(":") + (f": {', '.join(inner)}" if inner else "")
    if step.probability < 1.0:
        text += f" · {step.probability * 100:g} % of the images"
    return text if step.enabled else f"{text} · off"


def _space(group: Group) -> str:
    """Return the colour space of a list of steps, which the steps around it set."""
    spaces = (str(step.setting("to_colorspace", "")) for step in reversed(group.around))
    return next(filter(None, spaces), "RGB")


def render_steps(spec: PipelineSpec, place: Place) -> None:
    """Draw a list of steps; the place 0 is the list of the first branch."""
    group = editing.group_at(spec, place)
    if not group.steps:
        st.caption("No step yet: the images stay unchanged.")
    for index in range(len(group.steps)):
        _card(spec, group, index)
    operator_catalogue.render_add_button(group)


def _card(spec: PipelineSpec, group: Group, index: int) -> None:
    step = group.steps[index]
    unfolded = builder_state.is_open(step.id)
    info = operator_info(step.name)
    with st.container(border=True, key=f"step{step.id}", gap="small"):
        with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="small"):
            setting_widgets.render_control(
                step,
                "/on",
                inputs.toggle,
                f"{info.title} is on",
                value=step.enabled,
                change=editing.set_enabled,
                label_visibility="collapsed",
                help="A step that is off stays in the list and is skipped.",
            )
            title = plain(_summary(step, _space(group)))
            st.button(
                f"**{index + 1}.** {title}" if step.enabled else f"**{index + 1}.** :gray[{title}]",
                key=f"step{step.id}/fold",
                icon=":material/expand_more:" if unfolded else ":material/chevron_right:",
                type="tertiary",
                width="stretch",
                wrap=True,
                on_click=builder_state.fold,
                args=(step.id, group),
            )
            _menu(group, index)
        if not unfolded:
            return
        st.caption(plain(" ".join(filter(None, (info.help, info.effect)))))
        if info.harm:
            st.caption(f"⚠️ {plain(info.harm)}")
        setting_widgets.render_settings(step)
        setting_widgets.probability(step)
        _place(spec, group, index)
        for slot, slot_title in info.slots:
            with st.container(border=False, key=f"step{step.id}/slot-{slot}", gap="small"):
                st.markdown(f"**{plain(slot_title[:1].upper() + slot_title[1:])}**")
                render_steps(spec, (step.id, slot))


def _menu(group: Group, index: int) -> None:
    step = group.steps[index]
    key = f"step{step.id}/menu"

    def act() -> None:
        word = st.session_state[key]
        if word in ACTIONS:
            _, change = ACTIONS[word]
            builder_state.edit(lambda spec: change(spec, step.id))

    impossible = {"up": index == 0, "down": index == len(group.steps) - 1, "dissolve": not step.children}
    st.menu_button(
        named("⋮", f"step {group.number_of(index)}"),
        [word for word in ACTIONS if not impossible.get(word)],
        key=key,
        format_func=lambda word: ACTIONS[word][0],
        help=f"Move, copy or remove “{operator_info(step.name).title}”",
        type="tertiary",
        on_click=act,
    )


def _place(spec: PipelineSpec, group: Group, index: int) -> None:
    step = group.steps[index]
    places = _places(spec, group, step)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        setting_widgets.render_control(
            step,
            "/position",
            inputs.number_input,
            f"Position (of {len(group.steps)})",
            1,
            len(group.steps),
            value=index + 1,
            change=lambda spec, step_id, position: editing.move(spec, step_id, position - 1),
            step=1,
            width=130,
            help=term("step"),
        )
        if len(places) > 1:
            setting_widgets.render_control(
                step,
                "/place",
                inputs.selectbox,
                "Version",
                list(places),
                value=next(title for title, place in places.items() if place == group.place),
                change=lambda spec, step_id, title: editing.relocate(spec, step_id, places[title]),
                help="Moves the step into another version, or into another step.",
            )


def _places(spec: PipelineSpec, own: Group, step: Operator) -> dict[str, Place]:
    places: dict[str, Place] = {}
    for group in editing.groups(spec):
        inside_it = any(each.id == step.id for each in group.around)
        if group.place != own.place and (inside_it or not group.has_room_for(step)):
            continue
        parts = (f"{group.branch + 1}. {spec.branches[group.branch].title}", operator_catalogue.group_title(group))
        title = " › ".join(filter(None, parts))
        while title in places:
            title += " "
        places[title] = group.place
    return places

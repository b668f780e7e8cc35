"""The bar above the builder: choose, undo, save, import and export a pipeline."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import streamlit as st

from aquadash.augment import Library, PipelineSpec, from_json, operator_info, saved_pipelines, to_code
from aquadash.augment.saved_pipelines import MAX_TITLE_CHARACTERS
from aquadash.errors import AquaDashError, ConfigError
from aquadash.lab.rights import Action
from aquadash.ui.augment import builder_state
from aquadash.ui.augment.studio import Studio
from aquadash.ui.kit import address, components, form_state, inputs, shell
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import count, plain
from aquadash.ui.kit.uploads import switched_off


def render(library: Library) -> None:
    """Draw the bar; call after :func:`aquadash.ui.augment.builder_state.restore`."""
    _damaged(library)
    if (to_delete := st.session_state.pop(_ASKED, None)) in library.saved:
        components.ask_to_delete(
            library.pipelines[to_delete].title,
            "Runs that were trained with this pipeline keep it.",
            key="delete-pipeline",
            delete=partial(_delete, to_delete),
        )
    state = builder_state.history().present

    def title_of(name: str) -> str:
        return f"{library.pipelines[name].title}{' · saved' if name in library.saved else ''}"

    changed, saved = builder_state.changed(), state.base in library.saved
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="pipeline-bar"):
        inputs.selectbox(
            "Pipeline",
            list(library.pipelines),
            key="pipeline",
            format_func=title_of,
            label_visibility="collapsed",
            # Show the first version with changes.
            on_change=partial(address.forget, "branch"),
            width="stretch",
        )
        if changed:
            kept = "AquaDash keeps them until you save or discard them."
            st.badge("unsaved changes", icon="✏️", color="orange", help=kept)
        held = builder_state.history()
        st.button("Undo", icon=":material/undo:", key="undo", disabled=not held.past, on_click=builder_state.undo)
        st.button("Redo", icon=":material/redo:", key="redo", disabled=not held.future, on_click=builder_state.redo)
        if saved:
            help = "Replaces the saved pipeline."
            st.button("Save", icon="💾", key="save-changes", disabled=not changed, on_click=_save_changes, help=help)
        # A new key folds the menus (STREAMLIT.md, "Closed popovers").
        number = st.session_state.get(_MENUS, 0)
        with st.popover("Save as", key=f"save-menu-{number}", on_change="rerun") as menu:
            if menu.open:
                _save_as(state.spec)
        with st.popover("More", key=f"files-menu-{number}", on_change="rerun") as menu:
            if menu.open:
                _more(state.spec, library.pipelines[state.base], saved=saved)
        label = "Save and train" if changed else "Train with it"
        st.button(label, type="primary", key="train-with-it", on_click=_train)
    if st.session_state.pop(_LEAVE, False):
        st.switch_page("pages/train.py")


def _damaged(library: Library) -> None:
    if not library.damaged:
        return
    lines = "\n".join(f"- {plain(name)}: {plain(reason)}" for name, reason in library.damaged.items())
    with st.expander(f"{count(len(library.damaged), 'saved pipeline')} cannot be read", icon="🚧"):
        st.markdown(f"{lines}\n\nAquaDash leaves the files unchanged, in `pipelines` in its folder.")


_TITLE, _SUMMARY, _NEW_TITLE = "studio:title", "studio:summary", "studio:new-title"
#: Session key of the pipeline to delete; a dialog asks first.
_ASKED = "studio:delete"
_UPLOADS = "studio:uploads"
#: Session key: the script opens Train at its end.
_LEAVE = "studio:leave"
_MENUS = "studio:menus"


def _file_stem(spec: PipelineSpec) -> str:
    try:
        return saved_pipelines.name_for(spec.title)
    except ConfigError:
        return "pipeline"


def _save_as(spec: PipelineSpec) -> None:
    with st.form("save-as", border=False):
        inputs.text_input("Name", key=_TITLE, max_chars=MAX_TITLE_CHARACTERS, placeholder="Gentle colours")
        inputs.text_area(
            "Description (optional)",
            key=_SUMMARY,
            max_chars=builder_state.MAX_SUMMARY_CHARACTERS,
            height=90,
            placeholder=builder_state.summary_now(spec),
        )
        st.form_submit_button("Save", type="primary", key="save-as-button", on_click=_save_new)


def _more(spec: PipelineSpec, base: PipelineSpec, *, saved: bool) -> None:
    st.button(
        "Discard changes",
        icon=":material/restart_alt:",
        key="discard",
        disabled=not builder_state.changed(),
        on_click=_working()(builder_state.discard),
    )
    text = replace(spec, summary=builder_state.summary_now(spec)).to_json()
    components.render_download("Export as JSON", text, file_name=f"{_file_stem(spec)}.json", key="export")
    # A new key empties the field after an import.
    key = f"import-{st.session_state.get(_UPLOADS, 0)}"
    help = "A file that “Export as JSON” wrote."
    st.file_uploader(
        "Import JSON", key=key, max_upload_size=1, disabled=switched_off(), on_change=_import, args=(key,), help=help
    )
    if not saved:
        return
    with st.form("rename", border=False):
        inputs.text_input("New name", key=_NEW_TITLE, max_chars=MAX_TITLE_CHARACTERS, placeholder=base.title)
        st.form_submit_button("Rename", icon="✏️", key="rename-button", on_click=_rename)
    st.button("Delete", icon="🗑️", key="delete-pipeline", on_click=_ask, args=(base.name,))


@contextmanager
def _working() -> Iterator[None]:
    """Around a callback: fold the menus, or draw the error."""
    with shell.guard():
        yield
        st.session_state[_MENUS] = st.session_state.get(_MENUS, 0) + 1


@_working()
def _save_new() -> None:
    spec, title = builder_state.history().present.spec, st.session_state.get(_TITLE) or ""
    summary = " ".join((st.session_state.get(_SUMMARY) or "").split()) or builder_state.summary_now(spec)
    saved = replace(spec, name=saved_pipelines.name_for(title), title=" ".join(title.split()), summary=summary)
    library = lab().pipelines.all()
    same = saved.name in library.saved and library.pipelines[saved.name] == saved
    # The first click of a double click has saved it already.
    if not same or saved_pipelines.resource_of(saved.name).owner != lab().person.person_id:
        saved = lab().pipelines.save(saved, title=title)
    _saved(saved)
    st.session_state[_TITLE] = st.session_state[_SUMMARY] = ""


@_working()
def _save_changes() -> None:
    if builder_state.changed():  # Otherwise the first click of a double click has saved it already.
        _saved(_save_over())


def _save_over() -> PipelineSpec:
    state = builder_state.history().present
    spec = replace(state.spec, summary=builder_state.summary_now(state.spec))
    return lab().pipelines.save(spec, title=builder_state.saved_base().title, replace_name=state.base)


@_working()
def _train() -> None:
    """Save changes, as a new pipeline unless the person may change this one, and fill Train's form."""
    state, library = builder_state.history().present, lab().pipelines.all()
    name = state.base
    if builder_state.changed():
        own = name in library.saved and lab().rights.allow(Action.CHANGE_PIPELINE, saved_pipelines.resource_of(name))
        spec = replace(state.spec, summary=builder_state.summary_now(state.spec))
        saved = _save_over() if own else lab().pipelines.save(spec, title=_unused_title(spec, name, library))
        _saved(saved)
        name = saved.name
    # Empty definitions: a cloned run's own version must not be used.
    form_state.apply({"augmentation.pipeline": name, "augmentation.definitions": ""})
    st.session_state[_LEAVE] = True


def _unused_title(spec: PipelineSpec, base: str, library: Library) -> str:
    """Return an unused title, made from the base's title or, without a base, from the steps."""
    started = library.pipelines.get(base)
    if started is None or base == builder_state.EMPTY:
        steps = dict.fromkeys(operator_info(step.name).title for branch in spec.branches for step in branch.operators)
        title = ", ".join(steps)[:60] or "Originals"
    else:
        title = f"{started.title[:50]}, changed"
    titles = (title, *(f"{title} {number}" for number in range(2, len(library.pipelines) + 3)))
    return next(each for each in titles if saved_pipelines.name_for(each) not in library.pipelines)


@_working()
def _rename() -> None:
    state = builder_state.history().present
    title = st.session_state.get(_NEW_TITLE) or ""
    saved = lab().pipelines.save(builder_state.saved_base(), title=title, replace_name=state.base)
    builder_state.renamed(saved)
    st.session_state[_NEW_TITLE] = ""
    _say(f"Renamed to “{saved.title}”.")


@_working()
def _ask(name: str) -> None:
    st.session_state[_ASKED] = name


@_working()
def _delete(name: str) -> None:
    if name in lab().pipelines.all().saved:  # Otherwise the first click of a double click has deleted it.
        lab().pipelines.delete(name)
    builder_state.load(lab().pipelines.all().pipelines[builder_state.DEFAULT], base=builder_state.DEFAULT)


@_working()
def _import(key: str) -> None:
    upload = st.session_state.get(key)
    if upload is None:
        return
    try:
        spec = from_json(upload.getvalue().decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ConfigError(f"{upload.name} is not text (UTF-8). Export a pipeline as JSON and import that.") from None
    except AquaDashError as error:
        raise ConfigError(f"{upload.name} cannot be used. {error}") from error
    st.session_state[_UPLOADS] = st.session_state.get(_UPLOADS, 0) + 1
    builder_state.load(spec, base=builder_state.EMPTY)


def _saved(spec: PipelineSpec) -> None:
    builder_state.load(spec, base=spec.name)
    _say(f"Saved “{spec.title}”.")


def _say(text: str) -> None:
    st.toast(plain(text), icon="✅")


_code = st.cache_data(max_entries=64, show_spinner=False)(to_code)


def code(studio: Studio) -> None:
    """Draw the pipeline as Python code, with a button that downloads it."""
    text = _code(studio.spec)
    components.render_download("Download", text, file_name=f"{_file_stem(studio.spec)}.py", key="download-code")
    st.code(text, language="python")

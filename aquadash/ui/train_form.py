"""The form that launches a run."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import streamlit as st

from aquadash.augment import PIPELINES
from aquadash.config import RunConfig, config_diff, flatten, setting, with_values
from aquadash.data import SOURCES
from aquadash.errors import AquaDashError
from aquadash.presets import PRESETS
from aquadash.training.prepare import visited_images
from aquadash.ui import address, cache, shell
from aquadash.ui import setting_fields as fields
from aquadash.ui.glossary import term
from aquadash.ui.text import count, plain

DEFAULT_PRESET = "notebook-fixed"

#: The report's own knobs, row by row, shown at once; all other settings are folded away.
FIRST = (
    ("training.epochs", "training.batch_size"),
    ("training.learning_rate", "training.patience"),
    ("training.optimizer",),
    ("augmentation.pipeline",),
)

#: Settings that have a control of their own above the others.
_ELSEWHERE = ("data.source",)

#: What the form holds, kept under a name of our own: Streamlit forgets a widget's value when another page is opened.
_VALUES = "train:values"
_FILLED_FROM = "train:filled-from"
_LAUNCHES = "train:launches"
_LAUNCHED_AT = "train:launched-at"

#: A second click on the launch button within so many seconds is a double click, not a wish for two runs.
_DOUBLE_CLICK_SECONDS = 2.0


@dataclass(frozen=True)
class Sizes:
    """How many images a run uses.

    Attributes:
        training: Original training images.
        validation: Validation images.
        test: Test images that training never looks at.
    """

    training: int
    validation: int
    test: int


@st.fragment
def show() -> None:
    """Draw the form; a launch puts the new run into the address and draws the page again."""
    with shell.guard():
        st.subheader("New run", anchor=False)
        preset = _preset()
        source = _source()
        launches = st.session_state.setdefault(_LAUNCHES, 0)
        run_name = st.text_input(
            "Name (optional)",
            key=f"train:name:{launches}",
            max_chars=120,
            placeholder="One is made up if this stays empty",
        )
        values = {}
        for row in FIRST:
            for column, name in zip(st.columns(len(row), vertical_alignment="bottom"), row, strict=True):
                with column:
                    values[name] = _control(name)
        rest = [name for name in flatten(RunConfig()) if name not in values and name not in _ELSEWHERE]
        with st.expander("More settings"):
            values |= {name: _control(name) for name in rest}
        st.session_state[_VALUES] = values
        try:
            config = with_values(RunConfig(), {**values, "data.source": source})
            sizes = None if SOURCES[source].key() is None else _sizes(config)
        except AquaDashError as error:
            shell.show_error(error)
            config, sizes = None, None
        if config is not None:
            _changes(preset, config)
        if config is not None and sizes is not None:
            st.markdown(sizes_sentence(config, sizes))
        pressed = st.button(
            "Train", key="launch", type="primary", icon="🏊", width="stretch", disabled=config is None or sizes is None
        )
        if pressed and config is not None:
            _launch(config, run_name)


def sizes_sentence(config: RunConfig, sizes: Sizes) -> str:
    """How many images the run learns from, validates with and is tested on, in markdown."""
    versions = len(PIPELINES[config.augmentation.pipeline].branches)
    images = sizes.training * versions
    visited = visited_images(config.training, images)
    batches = math.ceil(visited / config.training.batch_size)
    origin = f" ({sizes.training:,} originals, {versions} versions of each)" if versions > 1 else ""
    learned = f"There are **{count(images, 'training image')}**{origin}. An epoch shows "
    learned += "each of them once" if visited == images else f"{visited:,} of them, each once"
    learned += f", in {count(batches, 'batch', 'batches')}."
    if config.training.validation == "test":
        return (
            f"{learned} **{sizes.validation:,}** of the test images say when to stop, so only the last "
            f"**{sizes.test:,}** are unseen when the result is measured."
        )
    return (
        f"{learned} **{sizes.validation:,}** images are held out to validate with, **{sizes.test:,}** kept for the "
        "test at the end."
    )


def _preset() -> str:
    """The preset's menu; a newly chosen one fills the form."""
    address.choice("preset", list(PRESETS), default=DEFAULT_PRESET)
    chosen = st.selectbox(
        "Preset", list(PRESETS), key="preset", format_func=lambda name: PRESETS[name].title, help=term("preset")
    )
    address.record("preset", chosen, default=DEFAULT_PRESET)
    preset = PRESETS[chosen]
    if st.session_state.get(_FILLED_FROM) != chosen:
        _fill(chosen)
    for name, value in st.session_state[_VALUES].items():
        st.session_state.setdefault(_key(name), value)
    st.caption(plain(preset.summary))
    if preset.oddities:
        with st.expander("What is odd about it, and why that matters", icon="🤔"):
            st.markdown("\n".join(f"- {oddity}" for oddity in preset.oddities))
    return chosen


def _source() -> str:
    """The data set's menu, with the way to data that is not here yet."""
    address.choice("source", list(SOURCES), default="synthetic")
    source = st.selectbox(
        fields.label("data.source"),
        list(SOURCES),
        key="source",
        format_func=lambda name: SOURCES[name].title,
        help=fields.help_text("data.source"),
    )
    address.record("source", source, default="synthetic")
    if SOURCES[source].key() is None:
        st.info(f"{plain(SOURCES[source].title)} is not on this computer yet. The Data page can fetch it.", icon="📦")
        st.page_link(
            "pages/data.py", label="Go to Data", query_params={"source": source}, icon=":material/arrow_forward:"
        )
    return source


def _control(name: str) -> Any:
    """The widget of a setting; returns its value."""
    label, help_text, key = fields.label(name), fields.help_text(name), _key(name)
    options = fields.choices(name)
    if options:
        value: Any = st.selectbox(
            label, options, key=key, help=help_text, format_func=lambda option: fields.value_text(name, option)
        )
    elif setting(name).kind is bool:
        value = st.checkbox(label, key=key, help=help_text)
    else:
        limits = fields.number(name)
        value = st.number_input(
            label,
            min_value=limits.low,
            max_value=limits.high,
            step=limits.step,
            format="%d" if isinstance(limits.step, int) else "%g",
            key=key,
            help=help_text,
        )
    if name == "training.validation" and value == "test":
        st.caption("⚠️ Then test images decide when training stops, and the result looks better than it is.")
    if name == "training.from_logits" and value:
        st.caption("⚠️ The network's last step already makes probabilities. Keras notices and corrects it.")
    return value


def _changes(preset: str, config: RunConfig) -> None:
    """What is no longer as in the preset, with the way back."""
    original = with_values(PRESETS[preset].config, {"data.source": config.data.source})
    changed = config_diff([original, config])
    if not changed:
        return
    listed = "; ".join(
        f"{fields.label(name)} {fields.value_text(name, new)} (was {fields.value_text(name, old)})"
        for name, (old, new) in changed.items()
    )
    st.caption(f"✏️ Changed: {plain(listed)}")
    st.button("Back to the preset", key="reset", type="tertiary", icon="↩️", on_click=_fill, args=(preset,))


def _fill(preset: str) -> None:
    """Set every control to the preset's value."""
    values = {name: value for name, value in flatten(PRESETS[preset].config).items() if name not in _ELSEWHERE}
    st.session_state[_VALUES] = values
    st.session_state[_FILLED_FROM] = preset
    for name, value in values.items():
        st.session_state[_key(name)] = value


def _launch(config: RunConfig, name: str) -> None:
    now = time.monotonic()
    if now - st.session_state.get(_LAUNCHED_AT, -math.inf) < _DOUBLE_CLICK_SECONDS:
        return
    st.session_state[_LAUNCHED_AT] = now
    try:
        with st.spinner("Launching ..."):
            run = cache.engine().submit(config, name=name or None)
    except Exception:
        # A second try at once is no double click.
        del st.session_state[_LAUNCHED_AT]
        raise
    cache.refresh()
    st.session_state[_LAUNCHES] += 1
    st.query_params["run"] = run.run_id
    st.rerun()


def _sizes(config: RunConfig) -> Sizes:
    dataset = cache.dataset(config.data.source)
    training = config.training
    return _split_sizes(
        dataset.fingerprint, config.data.source, training.validation, training.validation_fraction, config.seed
    )


@st.cache_data(max_entries=200, show_spinner=False)
def _split_sizes(fingerprint: str, source: str, validation: str, fraction: float, seed: int) -> Sizes:
    from aquadash.training.prepare import split

    dataset = cache.dataset(source)
    values = {"training.validation": validation, "training.validation_fraction": fraction, "seed": seed}
    parts = split(with_values(RunConfig(), values), dataset)
    spent = len(parts.validation_labels) if validation == "test" else 0
    return Sizes(len(parts.labels), len(parts.validation_labels), len(dataset.test) - spent)


def _key(name: str) -> str:
    return f"set:{name}"

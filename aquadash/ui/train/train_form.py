"""The form that launches a run."""

from __future__ import annotations

import math
import time

import streamlit as st

from aquadash.augment import embedded
from aquadash.config import RunConfig, config_diff, with_values
from aquadash.data import is_here, title_of
from aquadash.errors import AquaDashError
from aquadash.presets import PRESETS
from aquadash.runs.cost import STARTING_SECONDS
from aquadash.runs.types import Guess
from aquadash.ui import address, cache, inputs, run_sizes, shell, source_menu, warmup
from aquadash.ui import hyperparameters as fields
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.text import count, duration, plain
from aquadash.ui.train import clone, config_notes, form_state, guess_box, network_panel, train_settings, yaml_box
from aquadash.ui.train.form_state import DEFAULT_PRESET

#: The menu's entry for the settings of a run. No address can name it, as a run's settings come with ``?clone=``.
COPY = "the copied run"

#: How many changed settings are listed one by one.
_MOST_CHANGES = 12

_LAUNCHES = "train:launches"
_LAUNCHED_AT = "train:launched-at"
_AFTERWARDS = "train:after-launch"

#: A second click on the launch button within so many seconds is a double click, not a wish for two runs.
_DOUBLE_CLICK_SECONDS = 2.0


@shell.live(None)
def show() -> None:
    """Draw the form; a launch puts the new run into the address and draws the page again."""
    warmup.prepare_training()
    with shell.guard():
        st.subheader("New run", anchor=clone.FORM_ANCHOR)
        if afterwards := st.session_state.pop(_AFTERWARDS, None):
            st.warning(plain(afterwards), icon="🚧")
        _origin()
        present = _source()
        launches = st.session_state.setdefault(_LAUNCHES, 0)
        run_name = inputs.text_input(
            "Name (optional)",
            key=f"train:name:{launches}",
            max_chars=120,
            placeholder="One is made up if this stays empty",
        )
        values, problems = form_state.values()
        config = None if problems else form_state.config()
        with form_state.controls():
            train_settings.show(values, problems, config)
        yaml_box.show(config)
        _ready(config, run_name, present=present)


def _ready(config: RunConfig | None, run_name: str, *, present: bool) -> None:
    """What the settings amount to, and the button."""
    guess, sizes = None, None
    if config is not None:
        _changes(config)
        if present:
            with shell.guard():
                sizes = run_sizes.sizes(config)
                st.markdown(run_sizes.sentence(config, sizes))
                st.markdown(_cost(config))
                _network(config)
        config_notes.show(config)
        if _beyond_the_class(config):
            sizes = None
    if config is not None and sizes is not None:
        launches = st.session_state[_LAUNCHES]
        guess = guess_box.ask(cache.dataset(config.data.source).class_names, key=f"guess:{launches}")
    pressed = st.button(
        "Train", key="launch", type="primary", icon="🏊", width="stretch", disabled=config is None or sizes is None
    )
    if pressed and config is not None:
        _launch(config, run_name, guess)


def _beyond_the_class(config: RunConfig) -> bool:
    """Whether the visitor may not train for so long, which is said with the change that mends it."""
    within = form_state.allowed(config)
    if within == config:
        return False
    most = within.training.epochs
    st.warning(
        f"This training has {config.training.epochs} epochs; in this class a run may have {most} at most.", icon="🏫"
    )
    st.button(
        f"{fields.label('training.epochs')}: {most}",
        key="fix-class-epochs",
        icon="🔧",
        on_click=form_state.apply,
        args=({"training.epochs": most},),
    )
    return True


def _cost(config: RunConfig) -> str:
    """What the training will take, by earlier ones, in markdown."""
    known = lab().runs.paces().known(embedded(config))
    if known is None:
        return "⏱️ Nothing like it has been trained here yet: the first epoch will show how long one takes."
    seconds, basis = known
    epochs = config.training.epochs
    total = duration(STARTING_SECONDS + epochs * seconds)
    return (
        f"⏱️ About **{duration(seconds)}** an epoch, so at most about **{total}** for {count(epochs, 'epoch')}, by "
        f"{basis}."
    )


def _network(config: RunConfig) -> None:
    with st.expander("The network, layer by layer", icon="🔬", key="train:network", on_change="rerun") as box:
        # Building it needs TensorFlow, which is loaded when somebody wants to know.
        if box.open:
            network_panel.show(config)


def _origin() -> None:
    """The menu of what the form starts from: a preset or, after a visit by a clone's link, that run."""
    if clone.take():
        st.session_state["preset"] = COPY
        address.record("preset", DEFAULT_PRESET, default=DEFAULT_PRESET)
    clone.show_troubles()
    origin, copy = form_state.origin(), form_state.copied_run()
    titles = {COPY: f"The settings of “{copy.title}”"} if copy else {}
    titles |= {name: preset.title for name, preset in PRESETS.items()}
    # An address that names no preset leaves the form as it is.
    address.choice("preset", list(titles), default=COPY if origin.run else origin.name)
    chosen = inputs.selectbox(
        "Start from", list(titles), key="preset", format_func=lambda name: titles[name], help=term("preset")
    )
    address.record("preset", DEFAULT_PRESET if chosen == COPY else chosen, default=DEFAULT_PRESET)
    wanted = copy if chosen == COPY and copy else form_state.preset(chosen)
    if (wanted.run, wanted.name) != (origin.run, origin.name):
        form_state.fill(wanted)
        clone.record(wanted.name if wanted.run else None)
    if wanted.run:
        st.caption(f"🧬 Cloned from **{plain(wanted.title)}**.")
        return
    preset = PRESETS[wanted.name]
    st.caption(plain(preset.summary))
    usual, most = preset.config.training.epochs, wanted.config.training.epochs
    if most < usual:
        st.caption(f"🏫 In this class a run trains for at most {most} epochs; the preset has {usual}.")
    if preset.oddities:
        with st.expander("What is odd about it, and why that matters", icon="🤔"):
            st.markdown("\n".join(f"- {oddity}" for oddity in preset.oddities))


def _source() -> bool:
    """The data set's menu; False, with the way to the data, while it is not here yet."""
    values, _ = form_state.values()
    source = source_menu.choose(
        fields.label("data.source"), default=values["data.source"], help=fields.help_text("data.source")
    )
    if is_here(source):
        return True
    st.info(f"{plain(title_of(source))} is not on this computer yet. The Data page can fetch it.", icon="📦")
    st.page_link("pages/data.py", label="Go to Data", query_params={"source": source}, icon=":material/arrow_forward:")
    return False


def _changes(config: RunConfig) -> None:
    """What is no longer as in the preset or the cloned run, with the way back."""
    origin = form_state.origin()
    # A preset is for any data.
    original = origin.config if origin.run else with_values(origin.config, {"data.source": config.data.source})
    changed = config_diff([original, config])
    if not changed:
        return
    told = [
        f"{fields.label(name)} {fields.value_text(name, new)} (was {fields.value_text(name, old)})"
        for name, (old, new) in changed.items()
    ]
    more = f"; and {len(told) - _MOST_CHANGES} more" if len(told) > _MOST_CHANGES else ""
    st.caption(f"✏️ Changed: {plain('; '.join(told[:_MOST_CHANGES]) + more)}")
    label = "Back to the cloned run's settings" if origin.run else "Back to the preset"
    st.button(label, key="reset", type="tertiary", icon="↩️", on_click=form_state.fill, args=(origin,))


def _launch(config: RunConfig, name: str, guess: Guess | None) -> None:
    now = time.monotonic()
    if now - st.session_state.get(_LAUNCHED_AT, -math.inf) < _DOUBLE_CLICK_SECONDS:
        return
    st.session_state[_LAUNCHED_AT] = now
    try:
        with st.spinner("Launching ..."):
            run = lab().runs.train(config, name=name or None)
    except Exception:
        # A second try at once is no double click.
        del st.session_state[_LAUNCHED_AT]
        raise
    if guess is not None:
        try:
            lab().runs.guess(run.run_id, guess)
        except AquaDashError as error:
            # The run has been launched all the same, so the page goes on to it.
            st.session_state[_AFTERWARDS] = f"Your guess could not be kept. {error}"
    st.session_state[_LAUNCHES] += 1
    clone.record(None)
    st.query_params["run"] = run.run_id
    st.rerun()

"""The form that starts a run: where its settings come from, its network, its YAML, what it costs, the launch."""

import math
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import streamlit as st

from aquadash import models
from aquadash.augment import embedded, plan
from aquadash.config import ModelConfig, RunConfig, config_diff, flatten, from_yaml, to_yaml, with_values
from aquadash.config.reading import MAX_CHARACTERS
from aquadash.data import title_of
from aquadash.data.sources import BUILT_IN
from aquadash.errors import AquaDashError
from aquadash.figures.architecture import architecture, kind_words, shape_text
from aquadash.models import MODELS, LayerRow, ModelSummary
from aquadash.predict.remote import shared_process
from aquadash.presets import PRESETS, usual_epochs
from aquadash.training.forecast import STARTING_SECONDS
from aquadash.training.prepare import split_positions, visited_images
from aquadash.ui.kit import (
    address,
    bound,
    coach_notes,
    components,
    datasets,
    form_state,
    guess_box,
    inputs,
    launch,
    shell,
    warmup,
)
from aquadash.ui.kit import hyperparameters as fields
from aquadash.ui.kit.form_state import COPY, DEFAULT_PRESET
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.predictions import WAKING
from aquadash.ui.kit.tables import bar_column, number_column, render_columns, text_column
from aquadash.ui.kit.text import count, duration, joined, plain, roughly
from aquadash.ui.train import train_settings

#: Key of the menu of a card with several presets.
_OF_CARD = "preset-of-card"


@shell.live(None)
def train_form() -> None:
    """Draw the form; a launch puts the new run into the address and draws the page again."""
    warmup.prepare_training()
    with shell.guard():
        _origin()
        if not datasets.is_shown():
            st.rerun()
        present = datasets.here(datasets.current())
        values, problems = form_state.values()
        config = None if problems else form_state.config()
        # None where the data set is missing: the parts below that read its images are not drawn.
        usable = config if present else None
        with form_state.controls():
            more_help = {"training.epochs": _longest(config)}
            train_settings.render_controls(fields.group("first"), problems, values, more_help)
            if config is not None:
                coach_notes.render_config_notes(config)
                _changes(config)
            may_train = config is not None and not _exceeds_class_limit(config)
            with shell.guard():
                if usable is not None:
                    _estimate(usable)
            bar = st.container(key="launch-bar")
            guess = None
            if usable is not None and may_train:
                names = datasets.dataset(usable.data.source).class_names
                guess = guess_box.guess_form(names, key=f"guess:{launch.number()}")
            with st.expander("Advanced", icon="⚙️", key="train:advanced", on_change="rerun") as advanced:
                # Drawing forty controls takes time.
                if advanced.open:
                    train_settings.grouped_controls(values, problems, config)
                    if usable is not None:
                        _render_sizes_and_network(usable)
                    render_yaml(config)
        # The button comes first, so that fewer stops of the Tab key lead to it.
        button = bar.container()
        with bar:
            name = inputs.text_input(
                "Name of the run",
                key=f"train:name:{launch.number()}",
                max_chars=120,
                placeholder="Name of the run (optional)",
                label_visibility="collapsed",
                persist_state="session",
            )
        with button, shell.guard():
            order = launch.Order(usable, name, guess, from_form=True) if usable and may_train else None
            if not launch.render_question(order):
                pressed = st.button("Train", "launch", type="primary", icon="🏊", width="stretch", disabled=not order)
                if pressed and order is not None:
                    launch.press(order)


def _exceeds_class_limit(config: RunConfig) -> bool:
    """Draw a warning and its fix if the epochs exceed the class's limit; return whether they do."""
    within = form_state.allowed(config)
    if within == config:
        return False
    most = within.training.epochs
    st.warning(f"In this class a run may have {count(most, 'epoch')} at most.", icon="🏫")
    st.button(
        f"{fields.label('training.epochs')}: {most}",
        key="fix-class-epochs",
        icon="🔧",
        on_click=form_state.apply,
        args=({"training.epochs": most},),
    )
    return True


def _seconds_per_epoch(config: RunConfig) -> float | None:
    """Return the seconds per epoch of earlier runs like this one; None without any."""
    return lab().runs.paces().seconds_per_epoch(embedded(config))


def _longest(config: RunConfig | None) -> str:
    """Return the time that all epochs would take, as a help text; empty if it is not known."""
    if config is None or (seconds := _seconds_per_epoch(config)) is None:
        return ""
    epochs = config.training.epochs
    return f"\n\n{count(epochs, 'epoch')} would take {duration(STARTING_SECONDS + epochs * seconds)}."


def _estimate(config: RunConfig) -> None:
    seconds = _seconds_per_epoch(config)
    total = None if seconds is None else STARTING_SECONDS + usual_epochs(config) * seconds
    time = "not timed here yet" if total is None else f"about **{duration(total)}**"
    # Raises an error if the data set is too small for the split.
    _sizes(config)
    st.caption(f"⏱️ {plain(title_of(config.data.source))} · {time}")


def _render_sizes_and_network(config: RunConfig) -> None:
    with shell.guard():
        seconds = _seconds_per_epoch(config)
        basis = f" In earlier runs, an epoch took {duration(seconds)} on average." if seconds else ""
        st.caption(_sizes_text(config) + basis)
    # Building the network loads TensorFlow in another process.
    with st.expander("The network, layer by layer", icon="🔬", key="train:network", on_change="rerun") as box:
        if box.open:
            network_panel(config)


def _sizes(config: RunConfig) -> tuple[int, int, int]:
    """Return the numbers of original training images, of validation images, and of test images unseen in training."""
    dataset = datasets.dataset(config.data.source)
    learnt, held_out = split_positions(config, dataset)
    spent = len(held_out) if config.training.validation == "test" else 0
    return len(learnt), len(held_out), len(dataset.test) - spent


def _sizes_text(config: RunConfig) -> str:
    originals, validation, test = _sizes(config)
    augmentation = plan(config.augmentation)
    versions = augmentation.factor
    images = originals * versions
    visited = visited_images(config.training, images)
    origin = f" ({originals:,} originals, {versions} versions of each)" if versions > 1 else ""
    fresh = ", new every epoch" if config.augmentation.mode == "fresh" and augmentation.changes else ""
    learned = f"There are **{count(images, 'training image')}**{origin}{fresh}. An epoch shows "
    learned += "each of them once" if visited == images else f"{visited:,} of them, each once"
    learned += f", in {count(math.ceil(visited / config.training.batch_size), 'batch', 'batches')}."
    if config.training.validation == "test":
        decided = config.training.decided_by_validation
        return (
            f"{learned} **{validation:,}** of the test images {f'decide {decided}' if decided else 'validate'}, "
            f"so only the last **{test:,}** are unseen when the result is measured."
        )
    return (
        f"{learned} **{validation:,}** images are held out for validation, **{test:,}** kept for the test at the end."
    )


def _origin() -> None:
    """Draw the cards of the presets and the cloned run, and fill the form from the chosen one."""
    origin, copy = form_state.origin(), form_state.copied_run()
    for text in origin.lost:
        st.warning(plain(text), icon="🧭")
    titles = {COPY: f"Cloned from **{plain(copy.title)}**"} if copy else {}
    titles |= {name: preset.card for name, preset in PRESETS.items()}
    # Without a preset in the address the form stays.
    codec = replace(bound.one_of(titles), encode=lambda name: DEFAULT_PRESET if name == COPY else name)
    default = COPY if origin.run else origin.name
    held = address.sync("preset", codec, default=default, omitted=DEFAULT_PRESET)
    together: dict[str, list[str]] = {}
    for name, title in titles.items():
        together.setdefault(title, []).append(name)
    cards = [held if held in names else names[0] for names in together.values()]
    chosen = inputs.radio(
        "Start from",
        cards,
        key="preset",
        format_func=titles.__getitem__,
        captions=["" if name == COPY else joined(_cost(name), PRESETS[name].line) for name in cards],
        help=term("preset"),
        width="stretch",
    )
    if len(names := together[titles[chosen]]) > 1:
        st.session_state[_OF_CARD] = chosen
        inputs.selectbox(
            "Network",
            names,
            key=_OF_CARD,
            format_func=lambda name: MODELS[PRESETS[name].config.model.name].title,
            on_change=lambda: address.assign("preset", st.session_state[_OF_CARD]),
            label_visibility="collapsed",
        )
    wanted = copy if chosen == COPY and copy else form_state.preset(chosen)
    if (wanted.run, wanted.name) != (origin.run, origin.name):
        form_state.fill(wanted)
    elif wanted.config != origin.config:
        # The class's limit has changed: the form stays, and Reset uses the new limit.
        form_state.compare_with(wanted)
    if wanted.run:
        return
    preset = PRESETS[wanted.name]
    seed = form_state.values()[0]["seed"]
    if preset.config.seed != seed == wanted.config.seed:
        st.caption(f"🎲 Your seed is {seed}, so your result differs a little from your classmates'.")
    if preset.oddities:
        with st.expander("Its oddities", icon="🤔"):
            st.markdown("\n".join(f"- {oddity}" for oddity in preset.oddities))


def _cost(name: str) -> str:
    """Return a card's time, ``"3 min"``, by earlier runs or as measured, or ``"download"``."""
    preset = PRESETS[name]
    config = with_values(form_state.preset(name).config, {"data.source": datasets.current()})
    # In a class the limit may be lower than the preset's epochs.
    usual, epochs = usual_epochs(preset.config), usual_epochs(config)
    seconds = _seconds_per_epoch(config)
    if seconds is not None:
        return roughly(STARTING_SECONDS + epochs * seconds)
    if preset.seconds is None:
        return "download"
    return roughly(preset.seconds * epochs / usual) if config.data.source in BUILT_IN else ""


def _changes(config: RunConfig) -> None:
    origin = form_state.origin()
    # A preset has no data set of its own.
    original = origin.config if origin.run else with_values(origin.config, {"data.source": config.data.source})
    changed = config_diff([original, config])
    if not changed:
        return
    texts = [
        f"{fields.label(name)} {fields.value_text(name, new)} (was {fields.value_text(name, old)})"
        for name, (old, new) in changed.items()
    ]
    back = f"Back to the {'cloned run' if origin.run else 'preset'}'s settings."
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"✏️ Changed: {plain('; '.join(texts))}", width="stretch")
        st.button("Reset", key="reset", type="tertiary", icon="↩️", help=back, on_click=form_state.fill, args=(origin,))


#: Seconds between two checks for an answer.
_TICK_SECONDS = 0.5

_builder = ThreadPoolExecutor(1, "aquadash-networks")


def network_panel(config: RunConfig) -> None:
    """Draw a network's layers; another process builds it, and a fragment redraws the form when it is done."""
    dataset = datasets.dataset(config.data.source)
    shape, classes = dataset.image_shape, len(dataset.class_names)
    answer = _described(config.model, shape, classes)
    if not answer.done():
        shell.live(_TICK_SECONDS)(_wait)(answer)
        return
    try:
        network = answer.result()
    except AquaDashError:
        # The next drawing tries again.
        _described.clear(config.model, shape, classes)
        raise
    answers = ", twice as many for an answer (test-time flip)" if config.model.test_time_flip else ""
    st.markdown(
        f"**{network.params:,} parameters**, of which training changes {network.trainable_params:,}; "
        f"{network.multiply_adds:,} multiplications for an image{answers}.",
        help=term("weights"),
    )
    components.render_plot(architecture(network.layers, image_shape=shape), key="network-architecture")
    _layers_table(network.layers)


@st.cache_resource(max_entries=100, show_spinner=False, hash_funcs={ModelConfig: ModelConfig.model_dump_json})
def _described(model: ModelConfig, image_shape: tuple[int, int, int], num_classes: int) -> Future[ModelSummary]:
    work = partial(models.describe, model, image_shape=image_shape, num_classes=num_classes)
    return _builder.submit(shared_process().ask, work)


def _wait(answer: Future[ModelSummary]) -> None:
    if answer.done():
        address.draw_again()
    st.caption(f"⏱️ {WAKING}")


def _layers_table(layers: Sequence[LayerRow]) -> None:
    """Draw the table of the layers, the accessible form of the diagram."""
    params = sum(layer.params for layer in layers) or 1
    work = sum(layer.multiply_adds for layer in layers) or 1
    kinds, shapes = [kind_words(layer.kind) for layer in layers], [shape_text(layer.output_shape) for layer in layers]
    work_help = "Of all multiplications for an image. Convolutions have few parameters and use them often."
    columns = [
        text_column("Layer", kinds, help="In order, from the image to the answer."),
        text_column("Output", shapes, help="Height × width × channels of its output, or its length."),
        number_column("Parameters", [layer.params for layer in layers], "localized", help=term("weights")),
        bar_column("Fraction of parameters", [layer.params / params for layer in layers], help="Of all parameters."),
        bar_column("Fraction of work", [layer.multiply_adds / work for layer in layers], help=work_help),
        text_column("Name", [layer.name for layer in layers], help="Its name in Keras."),
    ]
    if any(layer.part for layer in layers):
        columns.insert(-1, text_column("Part", [layer.part for layer in layers], help="Body: pretrained. Head: new."))
    render_columns(*columns, alt="The layers of the network, a row a layer", key="network-layers")


_PASTED = "train:yaml-pasted"
_ANSWER = "train:yaml-answer"


def render_yaml(config: RunConfig | None) -> None:
    """Draw the box with the settings as YAML; ``config`` is None while they cannot be used."""
    with st.expander("Settings as text (YAML)", icon="📝", key="train:yaml", on_change="rerun") as box:
        if not box.open:
            return
        if config is not None:
            text = to_yaml(config)
            st.code(text, language="yaml", height=260)
            components.render_download("Download", text, file_name="aquadash-settings.yaml", key="train:yaml-file")
        inputs.text_area(
            "Paste settings",
            key=_PASTED,
            height=140,
            max_chars=MAX_CHARACTERS,
            placeholder="training:\n  epochs: 20\n  learning_rate: 0.001",
            help=f"{term('YAML')} Settings that the text leaves out stay as they are. JSON works, too.",
        )
        st.button("Use these settings", key="use-yaml", icon="📥", on_click=_use)
        # The message is drawn once.
        if answer := st.session_state.pop(_ANSWER, None):
            worked, text = answer
            (st.success if worked else st.error)(plain(text), icon="✅" if worked else "🚧")


def _use() -> None:
    try:
        before = form_state.config()
        config = from_yaml(st.session_state.get(_PASTED) or "", base=before)
        form_state.check(config)
    except AquaDashError as error:
        st.session_state[_ANSWER] = (False, f"{error} The form is as it was.")
        return
    form_state.put(flatten(config))
    st.session_state[_PASTED] = ""
    changed = len(config_diff([before, config]))
    st.session_state[_ANSWER] = (True, f"Done: {count(changed, 'setting')} changed.")

"""The settings of a run as controls, group by group; the learning rate's curve, and the choice of pipelines."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

import streamlit as st

from aquadash import augment
from aquadash.augment import Library
from aquadash.config import (
    DEFINITIONS,
    MAX_PIPELINES,
    AugmentationConfig,
    RunConfig,
    TrainingConfig,
    definitions_text,
    digests,
    read_definitions,
    read_weights,
    setting,
    weights_text,
)
from aquadash.data import is_here
from aquadash.figures.schedule import describe_rates, learning_rate_curve
from aquadash.models import MODELS
from aquadash.predict import remote
from aquadash.presets import PRESETS
from aquadash.training.schedules import preview
from aquadash.ui.kit import components, datasets, form_state, gallery, inputs, shell
from aquadash.ui.kit import hyperparameters as fields
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import plain

#: Title and icon of the groups under Advanced; the group "first" stands above them.
GROUPS = {
    "network": ("Network", "🕸️"),
    "transfer": ("Transfer learning", "🎓"),
    "schedule": ("Learning rate schedule", "📉"),
    "optimizer": ("Optimizer & regularization", "⛰️"),
    "augmentation": ("Augmentation", "🎨"),
    "data": ("Data split & seed", "🎲"),
    "stopping": ("Early stopping", "🛑"),
    "device": ("Precision & device", "💻"),
}


def grouped_controls(values: Mapping[str, Any], problems: Mapping[str, str], config: RunConfig | None) -> None:
    """Draw the effective settings in groups; ``problems`` are errors by setting, ``config`` is None with any."""
    effective = fields.effective(values)
    for group, (title, icon) in GROUPS.items():
        names = [name for name in fields.group(group) if name in effective]
        if not names:
            continue
        on_change: Literal["rerun", "ignore"] = "rerun" if group == "schedule" else "ignore"
        # The key keeps a group open or closed when another one comes or goes.
        with st.expander(title, icon=icon, key=f"group-{group}", on_change=on_change) as box:
            if group == "network":
                render_controls(("model.name",), problems, values)
                st.caption(network_text(values["model.name"], origin=form_state.origin().config))
                names.remove("model.name")
            elif group == "transfer":
                st.caption(term("transfer learning"))
            render_controls(names, problems, values)
            # The chart takes longer to draw than all controls.
            if group == "schedule" and box.open and config is not None:
                _schedule(config.training)
            elif group == "augmentation":
                pipeline_links(values)
                if config is not None and values[PIPELINE] != "none":
                    with shell.guard():
                        st.caption(f"🎨 {plain(augment.plan(config.augmentation).describe())}")
                        if is_here(config.data.source):
                            sample_versions(config)


def _schedule(training: TrainingConfig) -> None:
    epochs, rates = preview(training)
    cuts = training.schedule == "plateau"
    components.render_plot(learning_rate_curve(epochs, rates, cuts=cuts), key="schedule")
    st.caption(plain(f"{describe_rates(epochs, rates, cuts=cuts)} {unknown_before(training)}"))


def network_text(name: str, *, origin: RunConfig) -> str:
    """Return a network's description in markdown, with its preset unless that filled the form."""
    entry = MODELS[name]
    sentences = [plain(entry.summary)]
    if name == "notebook":
        sentences.append(
            f"Its architecture is fixed; **{plain(MODELS['cnn'].title)}** starts as the same network, and you can "
            "change every number."
        )
    made_for_it = [preset.title for preset in PRESETS.values() if preset.config.model.name == name]
    if entry.pretrained and made_for_it and origin.model.name != name:
        listed = " or ".join(f"**{plain(title)}**" for title in made_for_it)
        sentences.append(f"The preset {listed} has settings that suit it.")
    return " ".join(sentences)


def render_controls(
    names: Sequence[str], problems: Mapping[str, str], values: Mapping[str, Any], more_help: Mapping[str, str] = {}
) -> None:
    """Draw controls, two numbers in a row, with their errors; ``more_help`` follows the help of a setting."""
    for row in rows(names):
        columns = st.columns(len(row), vertical_alignment="bottom") if len(row) > 1 else [st.container()]
        for column, name in zip(columns, row, strict=True):
            with column:
                if name == PIPELINE:
                    pipeline_fields(values)
                else:
                    _control(name, more_help.get(name, ""))
                if name in problems:
                    st.error(plain(problems[name]), icon="🚧")


def rows(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Return the settings by row: two consecutive numbers share one."""
    for narrow, together in groupby(names, lambda name: setting(name).kind in (int, float)):
        line = list(together)
        for start in range(0, len(line), 2 if narrow else 1):
            yield tuple(line[start : start + (2 if narrow else 1)])


def _control(name: str, more_help: str) -> None:
    form_state.prepare(name)
    help = fields.help_text(name) + more_help
    common: dict[str, Any] = {"label": fields.label(name), "help": help, "key": form_state.key(name)}
    kind, options = setting(name).kind, fields.choices(name)
    if options:
        inputs.selectbox(options=options, format_func=lambda option: fields.value_text(name, option), **common)
    elif kind is bool:
        inputs.checkbox(**common)
    elif kind is tuple:
        inputs.text_input(max_chars=100, placeholder="none", **common)
    else:
        limits = fields.number(name, st.session_state[form_state.key(name)])
        inputs.number_input(
            min_value=limits.low,
            max_value=limits.high,
            step=limits.step,
            format="%d" if kind is int else "%g",
            **common,
        )


def unknown_before(training: TrainingConfig) -> str:
    """Return what is unknown before the training, as plain text."""
    sentences = []
    if training.schedule == "plateau":
        epochs = training.schedule_epochs
        monitored = fields.value_text("training.monitor", training.monitor)
        wait = "epoch" if epochs == 1 else f"{epochs:g} epochs"
        sentences.append(
            f"The number of cuts is not known in advance: after every {wait} without a better "
            f"{monitored} the rate is multiplied by {training.schedule_factor:g}."
        )
    if training.patience and training.schedule not in ("constant", "plateau"):
        sentences.append("Early stopping may end the training earlier.")
    return " ".join(sentences)


PIPELINE = "augmentation.pipeline"

#: The default mixture.
_MIXTURE = "notebook-1, mirror-shift"

_NAMES = "mix:names"
_WEIGHT = "mix:weight:"

#: Number of images in the preview, each of another class.
_SAMPLES = 4


def pipeline_fields(values: Mapping[str, Any]) -> None:
    """Draw the menu of pipelines, and the fields of a mixture."""
    form_state.prepare(PIPELINE)
    library = lab().pipelines.all()
    text = st.session_state[form_state.key(PIPELINE)]
    mixed = "," in text
    titles = {
        name: f"💾 {spec.title} (saved)" if name in library.saved else spec.title
        for name, spec in library.pipelines.items()
    }
    for name in digests(values[DEFINITIONS]):
        titles.setdefault(name, f"🧬 {name} (the run's own)")
    for name, _ in [] if mixed else read_weights(text):
        titles.setdefault(name, name)
    mixture = text if mixed else _MIXTURE
    # Set in every run: a menu with other options is a new widget, which would lose the value.
    st.session_state[form_state.key(PIPELINE)] = text
    inputs.selectbox(
        fields.label(PIPELINE),
        [*titles, mixture],
        key=form_state.key(PIPELINE),
        format_func=lambda option: titles.get(option, "Several, mixed by weights"),
        help=fields.help_text(PIPELINE),
    )
    if mixed:
        _mixture(text, titles)
    _versions(text, values[DEFINITIONS], library)
    for file, reason in library.damaged.items():
        st.caption(f"⚠️ The saved pipeline {plain(file)} cannot be read: {plain(reason)}")


def pipeline_links(values: Mapping[str, Any]) -> None:
    """Draw links to the Augment page for each chosen pipeline."""
    pipelines = lab().pipelines.all().pipelines
    names = [name for name, _ in read_weights(values[PIPELINE]) if name in pipelines]
    with st.container(horizontal=True):
        for name in names:
            st.page_link(
                "pages/augment.py",
                label=f"See {plain(pipelines[name].title if len(names) == 1 else name)} at work",
                icon=":material/arrow_forward:",
                query_params={"pipeline": name, "source": values["data.source"]},
            )


def sample_versions(config: RunConfig) -> None:
    """Draw a few training images with changed versions, if that is switched on."""
    if not inputs.toggle("Show some of its images", key="train:samples"):
        return
    dataset = datasets.dataset(config.data.source)
    labels = dataset.train.labels
    positions = [int((labels == label).argmax()) for label in range(min(_SAMPLES, len(dataset.class_names)))]
    # The cache key needs the pipeline's steps: a pipeline can be saved again under its name.
    config = augment.embedded(config)
    drawn = _drawn(dataset.fingerprint, config.data.source, config.augmentation, config.seed, tuple(positions))
    cards = []
    for number, position in enumerate(positions):
        title = gallery.class_text(dataset.class_names[labels[position]])
        alt = f"{dataset.class_names[labels[position]]}, training image {position}"
        cards.append(gallery.Card(dataset.train.images[position], title, f"{alt}, original"))
        cards.append(gallery.Card(drawn[number], "becomes", f"{alt}, a training version"))
    gallery.render_cards(cards, size_rem=7, columns=2, label="Originals, each followed by a version of it")


@st.cache_data(max_entries=100, show_spinner="Drawing ...")
def _drawn(fingerprint: str, source: str, config: AugmentationConfig, seed: int, positions: tuple[int, ...]) -> Any:
    images = datasets.dataset(source).train.images[list(positions)]
    # `augment.draw` returns the originals first, and the versions last.
    return remote.call(augment.draw, images, augment.plan(config), seed=seed)[-len(positions) :]


def _mixture(text: str, titles: Mapping[str, str]) -> None:
    weights = dict(read_weights(text))
    st.session_state[_NAMES] = list(weights)
    inputs.multiselect(
        "Pipelines to mix",
        list(dict.fromkeys([*titles, *weights])),
        key=_NAMES,
        format_func=lambda name: titles.get(name, name),
        max_selections=MAX_PIPELINES,
        on_change=_take_mixture,
        help="Each version of an image goes through one of them, drawn by weight.",
    )
    total = sum(weights.values())
    for name, weight in weights.items():
        st.session_state[_WEIGHT + name] = weight
        inputs.number_input(
            f"Weight of {name}",
            min_value=0.001,
            max_value=1000.0,
            step=1.0,
            format="%g",
            key=_WEIGHT + name,
            on_change=_take_mixture,
            help=f"{100 * weight / total:.3g} % of the changed images. Only the proportion of the weights counts.",
        )
    shares = ", ".join(f"{100 * weight / total:.3g} % {name}" for name, weight in weights.items())
    st.caption(f"⚖️ {plain(shares)}")


def _take_mixture() -> None:
    """Set the setting from the fields of the mixture; an empty mixture is ignored."""
    names = st.session_state.get(_NAMES) or []
    if not names:
        return
    weights = tuple((name, float(st.session_state.get(_WEIGHT + name) or 1.0)) for name in names)
    form_state.put({PIPELINE: names[0] if len(names) == 1 else weights_text(weights)})


def _versions(text: str, definitions: str, library: Library) -> None:
    """Draw a note where the run's own pipeline differs from the saved one, with a button."""
    own = digests(definitions)
    for name in (name for name, _ in read_weights(text) if name in own):
        saved = None
        if name in library.saved:
            # The digest that a run with the saved pipeline would have.
            config = augment.embedded(RunConfig(augmentation=AugmentationConfig(pipeline=name)))
            saved = digests(config.augmentation.definitions)[name]
        if saved is None:
            note = "comes from the cloned run: no saved pipeline has this name any more."
            key, label, icon, work = "keep-own", f"Save {plain(name)} again", "💾", _keep
        elif saved != own[name]:
            versions = f"(version {own[name]}; the saved one is version {saved})"
            note = f"has been edited since the cloned run was trained. The run's own version is used {versions}."
            key, label, icon, work = "take-saved", f"Use the saved {plain(name)}", "🔄", _drop
        else:
            continue
        st.caption(f"🧬 **{plain(name)}** {note}", help=term("pipeline"))
        if shell.render_attempt_button(label, work, name, definitions, key=f"{key}:{name}", icon=icon):
            shell.render_failure()


def _drop(name: str, definitions: str) -> None:
    others = {each: text for each, text in read_definitions(definitions).items() if each != name}
    form_state.put({DEFINITIONS: definitions_text(others)})


def _keep(name: str, definitions: str) -> None:
    own = augment.plan(AugmentationConfig(pipeline=name, definitions=definitions)).pipelines[0]
    saved = lab().pipelines.save(own, title=own.title)
    if saved.name != name:
        form_state.put({PIPELINE: saved.name})

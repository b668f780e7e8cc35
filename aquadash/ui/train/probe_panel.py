"""What a run will cost and what its network looks like, before anything is trained.

A process of its own measures it (:mod:`aquadash.training.probe_service`). The page goes on meanwhile: a small fragment
looks for the answer, and the page is drawn again when it has come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from aquadash.config import RunConfig
from aquadash.errors import AquaDashError
from aquadash.figures.architecture import architecture, kind_words, shape_text
from aquadash.models import LayerRow
from aquadash.runs.types import RunStatus
from aquadash.training.probe import ProbeResult, Workload, estimate
from aquadash.training.probe_service import Question, shared_service
from aquadash.ui import cache, components, run_sizes, shell
from aquadash.ui.glossary import term
from aquadash.ui.text import count, plain

#: Seconds between two looks for an answer.
TICK_SECONDS = 0.5

#: The layers that were drawn last in this session, with their image's shape: they stay while new ones are measured.
_DRAWN = "probe:drawn"


def show(config: RunConfig) -> None:
    """Draw time, memory, layers and diagram of a run with this config, or that they are being measured."""
    with shell.guard():
        dataset = cache.dataset(config.data.source)
        sizes = run_sizes.sizes(config)
        held = len(dataset.train) + len(dataset.test)
        work = Workload(dataset.image_shape, len(dataset.class_names), sizes.training, sizes.validation, held)
        question = Question.of(config, image_shape=work.image_shape, num_classes=work.num_classes, busy=_busy())
        service = shared_service()
        # What was measured while nothing else was calculating is the better answer.
        undisturbed = service.known(replace(question, busy=False))
        answer = undisturbed or service.look(question)
        if isinstance(answer, AquaDashError):
            shell.show_error(answer)
        elif answer is None:
            _meanwhile(question)
        else:
            result = estimate(config, work, answer)
            _figures(config, result)
            st.caption(plain(basis(config, result, disturbed=question.busy and undisturbed is None)))
            st.session_state[_DRAWN] = answer.layers, work.image_shape
            _network(answer.layers, work.image_shape)


def basis(config: RunConfig, result: ProbeResult, *, disturbed: bool) -> str:
    """Where the figures come from and what they leave out, in a few sentences of plain text.

    Args:
        config: What was asked for.
        result: What came out.
        disturbed: Whether another training was using the computer meanwhile.
    """
    told = [_measured(config, result)]
    if disturbed:
        told.append("A training is running: once the computer is free, it will be faster.")
    if len(result.phases) > 1:
        first = result.phases[0]
        told.append(
            f"In the first {count(first.epochs, 'epoch')} only the new head learns; each takes "
            f"{rough(first.seconds_per_epoch)}."
        )
    if result.seconds_preparing >= 1:
        what = "features for the head to learn from" if result.phases[0].on_features else "variants of the images"
        told.append(f"Before the first epoch, {rough(result.seconds_preparing)} go into the {what}.")
    if config.training.patience:
        told.append("Early stopping may end it sooner.")
    return " ".join(told)


def rough(seconds: float) -> str:
    """Seconds as ``"0.8 s"``, ``"45 s"``, ``"7 min"`` or ``"2.5 h"``: an estimate has no more digits."""
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3570 else f"{seconds / 3600:,.1f} h"


def memory_text(size: int) -> str:
    """Bytes as ``"340 MB"`` or ``"1.2 GB"``: an estimate has no more digits."""
    return f"{size / 1e6:,.0f} MB" if size < 950_000_000 else f"{size / 1e9:,.1f} GB"


def layer_table(layers: Sequence[LayerRow]) -> pd.DataFrame:
    """A row a layer; its shares of the whole network are in per cent."""
    params = sum(layer.params for layer in layers) or 1
    work = sum(layer.multiply_adds for layer in layers) or 1
    table = pd.DataFrame(
        {
            "kind": [kind_words(layer.kind) for layer in layers],
            "output": [shape_text(layer.output_shape) for layer in layers],
            "parameters": [layer.params for layer in layers],
            "share": [100 * layer.params / params for layer in layers],
            "work": [100 * layer.multiply_adds / work for layer in layers],
            "part": [layer.part for layer in layers],
            "name": [layer.name for layer in layers],
        }
    )
    return table if any(table["part"]) else table.drop(columns="part")


def _measured(config: RunConfig, result: ProbeResult) -> str:
    if not result.measured_steps:
        return (
            "A step of this network would take too long to try: the figure is what its multiplications take at least."
        )
    told = f"Measured just now on this computer: {count(result.measured_steps, 'training step')} of "
    told += f"{count(result.step_images, 'image')}, {_rate(result.images_per_second)} images a second."
    if result.step_images < config.training.batch_size:
        told += f" A whole batch of {config.training.batch_size:,} is extrapolated."
    return told


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _meanwhile(question: Question) -> None:
    """Say that it is being measured; the layers that were drawn last stay."""
    shell.live(TICK_SECONDS)(_wait)(question)
    drawn = st.session_state.get(_DRAWN)
    if drawn is not None:
        st.caption("Until then, the network as it was before the change:")
        _network(*drawn)


def _wait(question: Question) -> None:
    service = shared_service()
    if service.look(question) is not None:
        st.rerun()
    if service.warm:
        st.markdown("⏱️ Measuring a few training steps on this computer ...")
    else:
        st.markdown(
            "⏱️ Getting ready to measure. The first time takes some seconds, because TensorFlow has to be loaded ..."
        )


def _figures(config: RunConfig, result: ProbeResult) -> None:
    least = "" if result.measured_steps else "at least "
    with st.container(horizontal=True):
        st.metric(
            "One epoch",
            f"{least}{rough(result.seconds_per_epoch)}",
            help=f"{term('epoch')} Validation is included.",
            width="content",
            border=True,
        )
        st.metric(
            f"{count(config.training.epochs, 'epoch')}, {'at least' if least else 'at most'}",
            rough(result.seconds_total_at_most),
            help="If early stopping does not end it sooner. The start of the process, some seconds, is left out.",
            width="content",
            border=True,
        )
        st.metric(
            "Memory",
            memory_text(result.memory_bytes),
            help="What the training process will take of this computer's memory: TensorFlow, the network, a batch on "
            "its way through it, and all images. An estimate.",
            width="content",
            border=True,
        )
        st.metric(
            "Parameters",
            f"{result.parameters:,}",
            help=f"{term('weights')} Training changes {result.trainable_parameters:,} of them.",
            width="content",
            border=True,
        )
    if result.memory_is_short:
        st.warning(
            "That is more memory than this computer has free now. Use a smaller batch, or fewer or smaller layers.",
            icon="🧠",
        )


def _network(layers: Sequence[LayerRow], image_shape: tuple[int, int, int]) -> None:
    """Draw the diagram and the table of the layers, which says the same to those who do not see it."""
    components.plot(architecture(layers, image_shape=image_shape), key="probe-architecture")
    st.dataframe(
        layer_table(layers),
        key="probe-layers",
        hide_index=True,
        column_config={
            "kind": st.column_config.TextColumn("Layer", help="From the image to the answer."),
            "output": st.column_config.TextColumn(
                "Output", help="Height x width x channels of what it gives, or how many numbers."
            ),
            "parameters": st.column_config.NumberColumn("Parameters", format="localized", help=term("weights")),
            "share": st.column_config.ProgressColumn(
                "Share of parameters", format="%.0f %%", min_value=0, max_value=100, help="Of all parameters."
            ),
            "work": st.column_config.ProgressColumn(
                "Share of work",
                format="%.0f %%",
                min_value=0,
                max_value=100,
                help="Of all multiplications for an image. Convolutions have few parameters and use them often.",
            ),
            "part": st.column_config.TextColumn("Part", help="Body: pretrained. Head: new."),
            "name": st.column_config.TextColumn("Name", help="Its name in Keras."),
        },
    )


def _busy() -> bool:
    """Whether a training is using the computer."""
    try:
        return any(run.status is RunStatus.RUNNING for run in cache.runs())
    except AquaDashError:
        return False  # The page says elsewhere that the store cannot be read.

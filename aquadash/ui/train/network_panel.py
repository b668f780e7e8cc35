"""What the network of a run looks like, before anything is trained.

The process that asks trained networks builds it, for the app never loads TensorFlow. The form goes on meanwhile: a
small fragment looks for the answer, and the form is drawn again when it has come.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import pandas as pd
import streamlit as st

from aquadash import models
from aquadash.config import ModelConfig, RunConfig
from aquadash.errors import AquaDashError
from aquadash.figures.architecture import architecture, kind_words, shape_text
from aquadash.models import LayerRow, ModelSummary
from aquadash.predict.remote import shared_process
from aquadash.ui import cache, components, shell
from aquadash.ui.glossary import term
from aquadash.ui.predictor import WAKING

#: Seconds between two looks for an answer.
TICK_SECONDS = 0.5

_builder = ThreadPoolExecutor(1, "aquadash-networks")


def show(config: RunConfig) -> None:
    """Draw the layers of a run's network, or that it is being built."""
    dataset = cache.dataset(config.data.source)
    shape, classes = dataset.image_shape, len(dataset.class_names)
    answer = _described(config.model, shape, classes)
    if not answer.done():
        shell.live(TICK_SECONDS)(_wait)(answer)
        return
    try:
        network = answer.result()
    except AquaDashError:
        # Another try may have more memory or time.
        _described.clear(config.model, shape, classes)
        raise
    st.markdown(
        f"**{network.params:,} parameters**, of which training changes {network.trainable_params:,}; "
        f"{network.multiply_adds:,} multiplications for an image.",
        help=term("weights"),
    )
    components.plot(architecture(network.layers, image_shape=shape), key="network-architecture")
    _table(network.layers)


@st.cache_resource(max_entries=100, show_spinner=False, hash_funcs={ModelConfig: ModelConfig.model_dump_json})
def _described(model: ModelConfig, image_shape: tuple[int, int, int], num_classes: int) -> Future[ModelSummary]:
    work = partial(models.describe, model, image_shape=image_shape, num_classes=num_classes)
    return _builder.submit(shared_process().ask, work)


def _wait(answer: Future[ModelSummary]) -> None:
    if answer.done():
        st.rerun()
    st.caption(f"⏱️ {WAKING}")


def layer_table(layers: Sequence[LayerRow]) -> pd.DataFrame:
    """A row a layer; its fractions of the whole network are in per cent."""
    params = sum(layer.params for layer in layers) or 1
    work = sum(layer.multiply_adds for layer in layers) or 1
    table = pd.DataFrame(
        {
            "kind": [kind_words(layer.kind) for layer in layers],
            "output": [shape_text(layer.output_shape) for layer in layers],
            "parameters": [layer.params for layer in layers],
            "fraction": [100 * layer.params / params for layer in layers],
            "work": [100 * layer.multiply_adds / work for layer in layers],
            "part": [layer.part for layer in layers],
            "name": [layer.name for layer in layers],
        }
    )
    return table if any(table["part"]) else table.drop(columns="part")


def _table(layers: Sequence[LayerRow]) -> None:
    """Draw the table of the layers, which says the same as the diagram to those who do not see it."""
    st.dataframe(
        layer_table(layers),
        key="network-layers",
        hide_index=True,
        column_config={
            "kind": st.column_config.TextColumn("Layer", help="From the image to the answer."),
            "output": st.column_config.TextColumn(
                "Output", help="Height x width x channels of what it gives, or how many numbers."
            ),
            "parameters": st.column_config.NumberColumn("Parameters", format="localized", help=term("weights")),
            "fraction": st.column_config.ProgressColumn(
                "Fraction of parameters", format="%.0f %%", min_value=0, max_value=100, help="Of all parameters."
            ),
            "work": st.column_config.ProgressColumn(
                "Fraction of work",
                format="%.0f %%",
                min_value=0,
                max_value=100,
                help="Of all multiplications for an image. Convolutions have few parameters and use them often.",
            ),
            "part": st.column_config.TextColumn("Part", help="Body: pretrained. Head: new."),
            "name": st.column_config.TextColumn("Name", help="Its name in Keras."),
        },
    )

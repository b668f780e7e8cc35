"""The table of layers: the report's network row by row, parts of a network, and what a look at an image costs."""

from __future__ import annotations

import pytest

from aquadash import models
from aquadash.config import ModelConfig
from aquadash.models import LayerRow
from aquadash.models import transfer as transfer_module

pytestmark = pytest.mark.slow

#: Kind, output, parameters and multiplications of the report's layers; the last column follows from the others.
REPORT = [
    ("Conv2D", (16, 16, 32), 416, 16 * 16 * (2 * 2 * 3) * 32),
    ("MaxPooling2D", (16, 16, 32), 0, 0),
    ("Conv2D", (8, 8, 64), 8256, 8 * 8 * (2 * 2 * 32) * 64),
    ("MaxPooling2D", (8, 8, 64), 0, 0),
    ("Flatten", (4096,), 0, 0),
    ("Dense", (256,), 1048832, 4096 * 256),
    ("Dropout", (256,), 0, 0),
    ("Dense", (128,), 32896, 256 * 128),
    ("Dropout", (128,), 0, 0),
    ("Dense", (5,), 645, 128 * 5),
]


def summary_of(config: ModelConfig) -> models.ModelSummary:
    return models.summarize(models.build(config, image_shape=(32, 32, 3), num_classes=5))


def test_the_report_s_table_of_layers() -> None:
    summary = summary_of(ModelConfig())
    assert [(row.kind, row.output_shape, row.params, row.multiply_adds) for row in summary.layers] == REPORT
    assert summary.params == summary.trainable_params == 1_091_045
    assert summary.multiply_adds == sum(row[-1] for row in REPORT)
    assert {row.part for row in summary.layers} == {""}


def test_plain_values_make_the_same_row_again() -> None:
    summary = summary_of(ModelConfig())
    rows = summary.to_dict()["layers"]
    assert (
        tuple(LayerRow.from_dict({**row, "output_shape": list(row["output_shape"])}) for row in rows) == summary.layers
    )


def test_what_batch_normalization_keeps_is_not_trained() -> None:
    summary = summary_of(ModelConfig(name="cnn", batch_normalization=True, filters=(8,), dense_units=()))
    (row,) = [row for row in summary.layers if row.kind == "BatchNormalization"]
    # Scale and offset are learnt, mean and deviation are kept: one of each for every filter.
    assert (row.params, row.trainable_params) == (4 * 8, 2 * 8)
    assert summary.params - summary.trainable_params == 2 * 8


def test_kernels_of_every_kind_are_counted() -> None:
    import keras

    layers = [
        keras.Input((8, 8, 3)),
        keras.layers.DepthwiseConv2D(3, padding="same"),
        keras.layers.SeparableConv2D(16, 3, padding="same"),
        keras.layers.Conv2D(8, 1, strides=2, groups=2),
        keras.layers.GlobalAveragePooling2D(),
    ]
    rows = models.summarize(keras.Sequential(layers)).layers
    assert [row.multiply_adds for row in rows] == [
        8 * 8 * 9 * 3,
        8 * 8 * (9 * 3 + 3 * 16),
        4 * 4 * (16 // 2) * 8,
        0,
    ]


def test_the_layers_of_both_parts_are_listed() -> None:
    import keras

    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, name="top_convolution")(inputs)
    body = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x), name=transfer_module.BODY)
    model = transfer_module.compose(body, ModelConfig(dense_units=(6,)), 2)
    transfer_module.thaw_body(body, "head", top=())
    summary = models.summarize(model)
    assert [(row.kind, row.part) for row in summary.layers] == [
        ("Conv2D", "body"),
        ("GlobalAveragePooling2D", "body"),
        ("Dropout", "head"),
        ("Dense", "head"),
        ("Dropout", "head"),
        ("Dense", "head"),
    ]
    assert sum(row.params for row in summary.layers) == summary.params == model.count_params()
    assert summary.trainable_params == 4 * 6 + 6 + 6 * 2 + 2
    transfer_module.thaw_body(body, "all", top=())
    assert models.summarize(model).trainable_params == summary.params

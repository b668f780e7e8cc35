"""The diagram of a network: what becomes a block, and how it is drawn."""

from __future__ import annotations

from aquadash.figures.architecture import MAX_BLOCKS, architecture, blocks
from aquadash.models import LayerRow
from tests.test_figures_charts import EVIL

IMAGE = (32, 32, 3)

REPORT = [
    LayerRow("conv2d", "Conv2D", (16, 16, 32), 416),
    LayerRow("max_pooling2d", "MaxPooling2D", (16, 16, 32), 0),
    LayerRow("conv2d_1", "Conv2D", (8, 8, 64), 8256),
    LayerRow("max_pooling2d_1", "MaxPooling2D", (8, 8, 64), 0),
    LayerRow("flatten", "Flatten", (4096,), 0),
    LayerRow("dense", "Dense", (256,), 1048832),
    LayerRow("dropout", "Dropout", (256,), 0),
    LayerRow("dense_1", "Dense", (5,), 1285),
]


def deep(stages: int, convolutions: int) -> list[LayerRow]:
    """Stages of convolutions, each half as large as the one before and followed by its normalization."""
    rows = []
    for stage in range(stages):
        shape = (32 >> stage, 32 >> stage, 8 << stage)
        for index in range(convolutions):
            rows.append(LayerRow(f"c{stage}_{index}", "Conv2D", shape, 10, part="body"))
            rows.append(LayerRow(f"n{stage}_{index}", "BatchNormalization", shape, 2, part="body"))
    return [*rows, LayerRow("mean", "GlobalAveragePooling2D", (rows[-1].output_shape[-1],), 0, part="body"),
            LayerRow("dropout", "Dropout", (rows[-1].output_shape[-1],), 0, part="head"),
            LayerRow("dense", "Dense", (5,), 50, part="head")]  # fmt: skip


FIGURES = {
    "report": lambda: architecture(REPORT, image_shape=IMAGE),
    "an unknown layer": lambda: architecture([LayerRow("x", EVIL, (4, 4, 2), 1)], image_shape=IMAGE),
}


def test_what_changes_neither_shape_nor_learns_joins_the_block_before() -> None:
    drawn = blocks(REPORT, image_shape=IMAGE)
    assert [block.title for block in drawn] == [
        "Image", "Convolution, 32 filters", "Max pooling", "Convolution, 64 filters", "Max pooling", "Flatten",
        "Dense, 256 units", "Dense, 5 units",
    ]  # fmt: skip
    assert drawn[6].layers == ("Dense", "Dropout")
    assert sum(block.params for block in drawn) == sum(row.params for row in REPORT)


def test_a_long_network_is_drawn_by_stage_and_a_shorter_one_layer_by_layer() -> None:
    assert len(blocks(deep(stages=4, convolutions=5), image_shape=IMAGE)) == 1 + 4 * 5 + 1 + 1 + 1
    rows = deep(stages=4, convolutions=12)
    found = blocks(rows, image_shape=IMAGE)
    assert len(found) <= MAX_BLOCKS
    assert [block.shape for block in found[1:5]] == [(32, 32, 8), (16, 16, 16), (8, 8, 32), (4, 4, 64)]
    assert {block.title for block in found[1:5]} == {"12 convolutions"}
    assert sum(block.params for block in found) == sum(row.params for row in rows)
    assert (found[-1].title, found[-1].part) == ("Dense, 5 units", "head")

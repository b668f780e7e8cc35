"""A network as a column of blocks: each as wide as its image is large, and as thick as it has channels."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import plotly.graph_objects as go

from aquadash.figures.theme import RUN_COLOURS, escape, finish, hover_name, listed, rows_axis, shorten
from aquadash.models.summary import LayerRow

#: Networks of more blocks are drawn by stage: neighbouring blocks whose images have the same size become one.
MAX_BLOCKS = 25

#: Pixels from one block to the next.
_PITCH = 36

#: Kinds of layers whose names in Keras say little.
_KIND_WORDS = {"ReLU": "Activation", "Add": "Addition", "Multiply": "Multiplication", "Normalization": "Rescaling"}

_CONVOLUTION, _POOLING, _DENSE, _OTHER = "Convolutions", "Pooling", "Dense layers", "Input and others"
_COLOURS = {_CONVOLUTION: RUN_COLOURS[0], _POOLING: RUN_COLOURS[1], _DENSE: RUN_COLOURS[3], _OTHER: RUN_COLOURS[4]}


@dataclass(frozen=True)
class Block:
    """One or more layers that are drawn as one."""

    title: str
    #: ``"Convolutions"``, ``"Pooling"``, ``"Dense layers"`` or ``"Input and others"``; decides the colour.
    family: str
    #: Shape of its output, without the batch.
    shape: tuple[int, ...]
    #: Parameters of all its layers.
    params: int
    #: The kinds of its layers, in words.
    layers: tuple[str, ...]
    #: The part of the network, such as "body"; empty in a network without parts.
    part: str = ""


def kind_words(kind: str) -> str:
    """Return a layer's kind in words: ``"DepthwiseConv2D"`` is a depthwise convolution."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.removesuffix("2D"))
    return _KIND_WORDS.get(kind) or re.sub(r"\bConv\b", "Convolution", words).capitalize()


def shape_text(shape: Sequence[int]) -> str:
    """Format a shape as ``"16 × 16 × 32"``."""
    return " × ".join(f"{size:,}" for size in shape)


def blocks(layers: Sequence[LayerRow], *, image_shape: Sequence[int]) -> list[Block]:
    """List the blocks to draw: the image, then each layer that changes the shape or learns.

    An activation, normalization or dropout joins the block before it. Where more than :data:`MAX_BLOCKS` remain,
    neighbours with the same image size become one stage.
    """
    drawn = [Block("Image", _OTHER, tuple(image_shape), 0, ())]
    for layer in layers:
        family = _family(layer.kind)
        last = drawn[-1]
        if family == _OTHER and layer.output_shape == last.shape and layer.part in ("", last.part):
            layers_of_block = (*last.layers, kind_words(layer.kind))
            drawn[-1] = replace(last, params=last.params + layer.params, layers=layers_of_block)
            continue
        title = kind_words(layer.kind)
        if family == _CONVOLUTION:
            title += f", {layer.output_shape[-1]:,} filters"
        elif family == _DENSE:
            title += f", {layer.output_shape[-1]:,} units"
        drawn.append(Block(title, family, layer.output_shape, layer.params, (kind_words(layer.kind),), layer.part))
    return drawn if len(drawn) <= MAX_BLOCKS else [_stage(list(group)) for _, group in groupby(drawn, key=_stage_key)]


def architecture(layers: Sequence[LayerRow], *, image_shape: Sequence[int]) -> go.Figure:
    """Draw a network from its image (height, width, channels) at the top to its answer at the bottom."""
    drawn = blocks(layers, image_shape=image_shape)
    largest = max(_side(block) for block in drawn if len(block.shape) > 1)
    figure = go.Figure()
    for row, block in enumerate(drawn):
        half_width = 0.5 * math.sqrt(min(1.0, _side(block) / largest))
        half_height = 0.5 * _thickness(block)
        figure.add_scatter(
            x=[-half_width, half_width, half_width, -half_width, -half_width],
            y=[row - half_height, row - half_height, row + half_height, row + half_height, row - half_height],
            mode="lines",
            fill="toself",
            fillcolor=_COLOURS[block.family],
            line={"color": _COLOURS[block.family], "width": 1},
            hoveron="fills",
            hoverinfo="text",
            text=_hover(block),
            name=block.family,
            # No legend: each row has its name, and the column is narrow.
            showlegend=False,
        )
    figure.add_scatter(
        x=[0.54] * len(drawn),
        y=list(range(len(drawn))),
        mode="text",
        text=[escape(shape_text(block.shape)) for block in drawn],
        textposition="middle right",
        hoverinfo="skip",
        showlegend=False,
    )
    figure.update_xaxes(visible=False, range=[-0.52, 1.15])
    figure.update_yaxes(rows_axis([escape(shorten(block.title, length=32)) for block in drawn]), ticks="")
    figure.update_layout(hovermode="closest", margin={"t": 4, "b": 4})
    each = [f"{block.title} ({shape_text(block.shape)})" for block in drawn]
    alt = f"The network's layers in order, with their output shapes: {listed(each, most=MAX_BLOCKS)}."
    return finish(figure, alt=alt, height=20 + _PITCH * len(drawn), zoom=False)


def _family(kind: str) -> str:
    if "Conv" in kind:
        return _CONVOLUTION
    if "Pooling" in kind:
        return _POOLING
    return _DENSE if kind == "Dense" else _OTHER


def _stage_key(block: Block) -> tuple[str, tuple[int, ...]]:
    """Return the part and the image size, which all blocks of a stage have; a vector is a stage of its own."""
    return block.part, block.shape[:-1] or block.shape


def _stage(members: list[Block]) -> Block:
    if len(members) == 1:
        return members[0]
    layers = tuple(name for block in members for name in block.layers)
    convolutions = sum(block.family == _CONVOLUTION for block in members)
    title = f"{convolutions} convolutions" if convolutions > 1 else f"{len(layers)} layers"
    family = _CONVOLUTION if convolutions else members[0].family
    return Block(title, family, members[-1].shape, sum(b.params for b in members), layers, members[-1].part)


def _side(block: Block) -> float:
    """Return the side of a block's image in pixels; of a vector, the side of a square of as many numbers."""
    *area, channels = block.shape
    return math.sqrt(math.prod(area)) if area else math.sqrt(channels)


def _thickness(block: Block) -> float:
    """Return a block's height: 0.12 for one channel and for vectors, the same step more for each doubling up to 0.9."""
    *area, channels = block.shape
    return 0.12 + 0.78 * min(1.0, math.log2(channels) / 10) if area else 0.12


def _hover(block: Block) -> str:
    """Return title, shape, parameters and layers, with equal neighbours counted."""
    counted = [(name, len(list(group))) for name, group in groupby(block.layers)]
    names = [name if times == 1 else f"{times} × {name}" for name, times in counted]
    lines = [f"<b>{hover_name(block.title)}</b>", escape(shape_text(block.shape)), f"{block.params:,} parameters"]
    if block.part:
        lines.insert(1, f"in the {escape(block.part)}")
    return "<br>".join(lines + ([hover_name(", ".join(names))] if names else []))

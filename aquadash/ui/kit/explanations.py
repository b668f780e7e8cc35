"""Explanation maps of one image by a choice of methods, and strips of many images."""

import hashlib
import html
import threading
import time
from collections.abc import Sequence

import numpy as np
import streamlit as st
from cachetools import LRUCache
from numpy.typing import NDArray

from aquadash.explain import pictures
from aquadash.explain.explainer import RemoteExplainer
from aquadash.explain.methods import METHODS
from aquadash.explain.results import Explanation, describe_map
from aquadash.figures.theme import class_colour
from aquadash.lab.rights import Action
from aquadash.store.types import Run
from aquadash.ui.kit import bound, gallery
from aquadash.ui.kit.gallery import class_text
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.predictions import predictor
from aquadash.ui.kit.run_lists import Version, version
from aquadash.ui.kit.text import count, joined, plain, time_left

#: The quickest method: the default, and that of strips.
DEFAULT_METHOD = "grad-cam"

#: Maximum number of images in a strip.
MAX_IN_STRIP = 48

#: The gap between an image and its map is the image's width divided by this.
_GAP = 16

#: Limit of the cache: an explanation of 32 pixels takes 7 kB, one of 224 pixels 350 kB.
_MAX_BYTES = 100_000_000

#: Explanations by model, image, method and class; None for the likeliest class.
_kept: LRUCache[tuple[Version, str, str, int | None], Explanation] = LRUCache(
    _MAX_BYTES, getsizeof=lambda one: one.image.nbytes + one.map.nbytes
)
_lock = threading.Lock()


def explained(
    run: Run, images: NDArray[np.uint8], classes: Sequence[int] | None, *, method: str
) -> tuple[Explanation, ...]:
    """Return :meth:`aquadash.explain.explainer.Explainer.explain_many`, cached; draw a progress bar for new ones."""
    lab().rights.require(Action.OPEN_MODEL, run.resource)
    wanted: Sequence[int | None] = classes or [None] * len(images)
    checksums = (hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest() for image in images)
    keys = [(version(run), checksum, method, label) for checksum, label in zip(checksums, wanted, strict=True)]
    with _lock:
        explanations = {key: _kept[key] for key in keys if key in _kept}
    missing = [position for position, key in enumerate(keys) if key not in explanations]
    if missing:
        network, bar, started = predictor(run), st.empty(), time.monotonic()

        def show(fraction: float) -> None:
            # Streamlit ends the work in this call if the visitor has left the page.
            passed = time.monotonic() - started
            left = time_left(passed / fraction * (1 - fraction) if fraction > 0 and passed > 1 else None)
            bar.progress(min(fraction, 1.0), text=joined("Asking the network", left) + " ...")

        missing_classes = [classes[position] for position in missing] if classes else None
        made = network.explain_many(images[missing], missing_classes, method=method, progress=show)
        bar.empty()
        explanations |= zip((keys[position] for position in missing), made, strict=True)
        with _lock:
            _kept.update(explanations)
    return tuple(explanations[key] for key in keys)


def render_maps(run: Run, image: NDArray[np.uint8], *, label: int | None, y_prob: NDArray[np.floating]) -> None:
    """Draw a menu of methods, and maps for the answer and the true class or, for a right answer, the second choice.

    The image has the network's size; ``label`` is None for an unknown true class.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        titles = {name: method.title for name, method in METHODS.items()}
        method = bound.menu(
            "why-method", titles, label="Why?", default=DEFAULT_METHOD, help=term("explanation"), width=200
        )
        view = _view_picker("why-view")
    network = predictor(run)
    answer, following = (int(each) for each in np.argsort(-y_prob, kind="stable")[:2])
    missed = None if label == answer else label
    classes = [answer, following if missed is None else missed]
    maps = explained(run, image[None].repeat(2, axis=0), classes, method=method)
    roles = ["The answer", "The second choice" if missed is None else "The true class"]
    gallery.render_cards(
        [_card(each, f"{role}. {each.where.capitalize()}.", view) for each, role in zip(maps, roles, strict=True)],
        size_rem=9,
        columns=2,
        label=f"Maps by {titles[method]}",
    )
    st.html(_legends(maps))
    st.caption(f"{METHODS[method].help} ({METHODS[method].source}) {_remark(network, maps[0])}")
    if bound.toggle("why-layers", label="Show what the layers see", help=term("feature map")):
        _show_layers(run, image)


def render_strip(
    run: Run,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64] | Sequence[int],
    *,
    class_names: Sequence[str],
    opens: Sequence[str],
) -> None:
    """Draw Grad-CAM maps of at most :data:`MAX_IN_STRIP` images, each beside its image."""
    if not len(images):
        st.info("There are no such images.", icon="🔎")
        return
    view = _view_picker("strip-view")
    maps = explained(run, images, None, method=DEFAULT_METHOD)
    cards = []
    for image, label, explanation, opened in zip(images, labels, maps, opens, strict=True):
        true, right = class_names[int(label)], int(label) == explanation.class_index
        sure = f"{100 * explanation.probability:.0f} %"
        said = f"✔ recognised, {sure}" if right else f"✘ taken for {class_text(explanation.class_name)}, {sure}"
        gap = np.full((image.shape[0], max(1, image.shape[1] // _GAP), 3), 128, np.uint8)
        pair = np.hstack([image, gap, _picture(explanation, view)])
        alt = f"An image of {true} and its map: {pictures.alt_text(explanation)}"
        cards.append(gallery.class_card(pair, true, int(label), alt, said, opens=opened))
    gallery.render_cards(cards, size_rem=9, label=f"Images with their maps by {METHODS[DEFAULT_METHOD].title}")
    st.html(_legends(maps[:1]))


def _view_picker(key: str) -> str:
    return bound.choice(key, {"over": "Over the image", "alone": "Map alone"}, label="View")


def _picture(explanation: Explanation, view: str) -> NDArray[np.uint8]:
    return pictures.overlay(explanation) if view == "over" else pictures.colour_picture(explanation)


def _card(explanation: Explanation, subtitle: str, view: str) -> gallery.Card:
    return gallery.Card(
        image=_picture(explanation, view),
        title=f"Why {class_text(explanation.class_name)}?",
        subtitle=subtitle,
        alt=pictures.alt_text(explanation),
        accent=class_colour(explanation.class_name, explanation.class_index),
    )


def _legends(explanations: Sequence[Explanation]) -> str:
    """Return the legends of the maps as HTML; maps with the same scale share one."""
    classes = {(each.signed, *pictures.legend_texts(each)): each.class_name for each in explanations}
    legends = []
    for (signed, low, high), of in classes.items():
        colours = ", ".join(pictures.scale_colours(signed=signed))
        name = f"{html.escape(class_text(of))}: " if len(classes) > 1 else ""
        legends.append(
            '<div style="display: flex; flex-wrap: wrap; align-items: center; gap: 0.2rem 0.5rem; '
            f'font-size: 0.8125rem"><span>{name}{html.escape(low)}</span>'
            '<span aria-hidden="true" style="flex: 0 1 10rem; min-width: 6rem; height: 0.8rem; border-radius: 0.2rem; '
            f'background: linear-gradient(to right, {colours})"></span><span>{html.escape(high)}</span></div>'
        )
    return "".join(legends)


def _remark(network: RemoteExplainer, first: Explanation) -> str:
    name = plain(first.class_name)
    if first.method == "integrated-gradients":
        total, change = first.facts["sum"], first.facts["change"]
        return (
            f"For {name} the contributions add up to {100 * total:+.1f} points of probability. From plain black and "
            f"white images to this image, the probability changes by {100 * change:+.1f} points."
        )
    if first.method == "occlusion":
        side, lost = f"{first.facts['patch']:.0f}", 100 * first.facts["most_lost"]
        most = f"The most important one costs {name} {lost:.0f} points of probability."
        none = f"No square lowers the probability of {name}."
        return f"Each square covers {side} × {side} pixels. {most if lost > 0 else none}"
    height, width, _ = network.map_shape
    return f"The map has {height} × {width} values, enlarged to the image. Each map has its own scale."


#: Maximum number of drawn filters.
_MAX_FILTERS = 32


def _show_layers(run: Run, image: NDArray[np.uint8]) -> None:
    """Draw the first convolution's filters, and the layers' channels for the image, uint8 (height, width, 3)."""
    network = predictor(run)
    with st.spinner("Looking into the layers ..."):
        filters, layers = network.filters(most=_MAX_FILTERS), network.activations(image)
    shown = len(filters.patterns)
    title = count(shown, "filter") if shown == filters.total else f"first {shown} of {filters.total} filters"
    st.markdown(f"**The {title} of {plain(filters.layer)}**")
    st.caption(
        "The network looks for these small patterns everywhere in the image. Grey has no influence. Below each: its "
        "strength in per cent of the strongest."
    )
    gallery.render_cards(
        [
            gallery.Card(image=pattern, title=f"{100 * float(strength):.0f} %", alt=f"Filter {number}")
            for number, (pattern, strength) in enumerate(zip(filters.patterns, filters.strengths, strict=True))
        ],
        size_rem=3.2,
        label="Filters of the first convolution, with their strength in per cent of the strongest",
    )
    st.markdown("**Outputs of the layers**")
    st.caption("The channels that vary most, by number. Dark is the layer's lowest value, bright its highest.")
    for layer in layers:
        height, width, channels = layer.shape
        silent = f"; {100 * layer.silent:.0f} % of them are the same everywhere" if layer.silent else ""
        st.markdown(
            f"{plain(layer.layer)} ({plain(layer.kind)}): {height} × {width} values, "
            f"{count(channels, 'channel')}{silent}"
        )
        gallery.render_cards(
            [
                gallery.Card(
                    image=pictures.colours(values, signed=False),
                    title=str(channel),
                    alt=f"Channel {channel} of layer {layer.layer}: {describe_map(values)}",
                )
                for channel, values in zip(layer.channels, layer.maps, strict=True)
            ],
            size_rem=3.6,
            label=f"Channels of layer {layer.layer}",
        )

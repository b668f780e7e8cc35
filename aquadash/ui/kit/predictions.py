"""Networks of runs, loaded once for all sessions, and their answers about dropped pictures, kept for the session."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from cachetools import LRUCache

from aquadash.data.framing import MIDDLE
from aquadash.explain.explainer import RemoteExplainer
from aquadash.lab.rights import Action
from aquadash.predict import FilePrediction, Look, Predictor, RemotePredictor, answered, look_at
from aquadash.store.types import Run
from aquadash.ui.kit import gallery
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.run_lists import BY_RUN, Version, version
from aquadash.ui.kit.uploads import Upload

#: Number of cached handles; the networks themselves are in another process.
_KEEP = 100

WAKING = "Loading the network ..."


def predictor(run: Run) -> RemoteExplainer:
    """Return the run's network for predictions and explanations, if the visitor may open it."""
    lab().rights.require(Action.OPEN_MODEL, run.resource)
    return _predictor(run)


@st.cache_resource(max_entries=_KEEP, show_spinner=WAKING, hash_funcs=BY_RUN)
def _predictor(run: Run) -> RemoteExplainer:
    network, detector = lab().runs.network(run)
    return RemoteExplainer(network, run.config.model, class_names=run.class_names, detector=detector)


#: Edge of an opened picture in pixels.
_LARGE_EDGE = 576

#: Number of files that are predicted together before the page shows them.
FILES_AT_ONCE = 4

#: Limits of a session's memory. A look holds small pictures of at most 200 kB, and is read again when needed.
_MAX_ANSWERS = 20_000
_MAX_LOOKS = 300
_MAX_CARDS = 100


class Item(NamedTuple):
    """A dropped file and the position of the part that the networks see."""

    upload: Upload
    position: float = MIDDLE

    @property
    def id(self) -> tuple[str, float]:
        """The key of the file's content and part."""
        return self.upload.file_id, self.position


@dataclass(frozen=True, eq=False)
class Network:
    """The loaded network of a run."""

    #: Unique title of the run, unescaped.
    name: str
    run: Run
    predictor: Predictor | RemotePredictor
    #: Divisor of its scores.
    temperature: float = 1.0

    @property
    def key(self) -> Version:
        """The version of the run, for which answers are cached."""
        return version(self.run)


def remembered() -> Memory:
    """Return this session's memory."""
    memory: Memory = st.session_state.setdefault("predictions", Memory())
    return memory


class Memory:
    """Cache of answers by model, file and part of it, and of the small pictures of cards."""

    def __init__(self) -> None:
        # The keys of all three begin with the file's id.
        self._answers: dict[tuple[str, float, Version], FilePrediction] = {}
        self._looks: LRUCache[tuple[str, float], Look] = LRUCache(_MAX_LOOKS)
        #: HTML by the values that it depends on.
        self.cards: LRUCache[tuple[object, ...], str] = LRUCache(_MAX_CARDS)

    def answers(self, item: Item, networks: Sequence[Network]) -> list[FilePrediction] | None:
        """Return each network's answer about a file, without pictures; None until all have answered."""
        answers = [self._answers.get((*item.id, network.key)) for network in networks]
        return None if None in answers else answers  # type: ignore[return-value]

    def missing(self, items: Sequence[Item], networks: Sequence[Network]) -> list[Item]:
        """Return the files without an answer of every network."""
        return [item for item in items if self.answers(item, networks) is None]

    def known(self, items: Sequence[Item], networks: Sequence[Network]) -> list[Item]:
        """Return the files of which every network has seen some part."""
        seen = {(file_id, version) for file_id, _, version in self._answers}
        return [item for item in items if all((item.upload.file_id, network.key) in seen for network in networks)]

    def predict(self, items: Sequence[Item], networks: Sequence[Network]) -> Iterator[Item]:
        """Predict the files without an answer, reading each once; yield each file when it has its answers."""
        remaining, predictors = iter(self.missing(items, networks)), [network.predictor for network in networks]
        while batch := list(islice(remaining, FILES_AT_ONCE)):
            looks = [_look(item, predictors) for item in batch]
            for network in networks:
                answers = answered(looks, network.predictor, temperature=network.temperature)
                for item, answer in zip(batch, answers, strict=True):
                    self._answers[*item.id, network.key] = replace(answer, seen=None)
            for item, look in zip(batch, looks, strict=True):
                self._keep_look(item, look)
            yield from batch

    def look(self, item: Item, networks: Sequence[Network]) -> Look:
        """Return the small pictures of a file as these networks see it; read the file again if they are not cached."""
        sizes = dict.fromkeys(network.predictor.image_shape[:2] for network in networks)
        look = self._looks.get(item.id)
        if look is None or (look.error is None and not sizes.keys() <= look.seen.keys()):
            look = self._keep_look(item, _look(item, [network.predictor for network in networks]))
        return replace(look, seen={size: look.seen[size] for size in sizes if size in look.seen})

    def forget(self, uploads: Sequence[Upload]) -> None:
        """Delete the cached values of files that are gone, and the oldest answers beyond the limit."""
        present = {upload.file_id for upload in uploads}
        caches: tuple[MutableMapping[Any, Any], ...] = (self._answers, self._looks, self.cards)
        for cache in caches:
            for gone in [key for key in cache if key[0] not in present]:
                del cache[gone]
        for oldest in list(self._answers)[: -max(_MAX_ANSWERS, 4 * len(uploads))]:
            del self._answers[oldest]

    def _keep_look(self, item: Item, look: Look) -> Look:
        seen = {size: np.array(gallery.shrunk(image)) for size, image in look.seen.items()}
        self._looks[item.id] = shown = replace(look, seen=seen)
        return shown


def closer(item: Item, network: Predictor | RemotePredictor) -> Look:
    """Return a file as one network sees it, with a picture of the size of a dialog."""
    return _look(item, [network], edge=_LARGE_EDGE)


def _look(item: Item, networks: Sequence[Predictor | RemotePredictor], *, edge: int = gallery.SHOWN_EDGE) -> Look:
    sizes, read = [network.image_shape[:2] for network in networks], item.upload.getvalue
    return look_at(item.upload.name, read, sizes=sizes, position=item.position, thumbnail_edge=edge)

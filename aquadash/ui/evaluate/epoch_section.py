"""The replay of a run's epochs: confusion matrix and answers about 20 images after each of them."""

from dataclasses import replace

import numpy as np
import streamlit as st

from aquadash.data import Dataset, Split
from aquadash.figures.confusion_matrix import confusion_matrix
from aquadash.figures.probe_timeline import probe_timeline
from aquadash.store.types import EpochReplay, Run
from aquadash.ui.kit import address, bound, components, gallery, image_browser, inputs, run_lists, shell
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab

#: The slider's key and the name of the epoch in the address.
KEY = "epoch"
_PLAYING = "epochs:playing"

#: Seconds between two epochs of the replay.
PLAY_SECONDS = 0.8

#: Seconds between two drawings of a run at work.
LIVE_SECONDS = 3.0


def render_epochs(run: Run) -> None:
    """Draw the replay, or the reason why there is none."""
    playing = bool(st.session_state.get(_PLAYING))
    tick = PLAY_SECONDS if playing else None if run.status.ended else LIVE_SECONDS
    shell.live(tick)(_replay)(run, image_browser.matching_dataset(run))


def _replay(run: Run, dataset: Dataset | None) -> None:
    """Draw the controls and their epoch; read the replay again, since a run at work gets new epochs."""
    replay = lab().runs.epoch_replay(run.run_id)
    if replay is None:
        st.info("No replay: the first epoch is not complete yet, or an older version trained this run.", icon="🎞️")
        return
    _controls(replay.epochs)
    epoch = int(st.session_state[KEY]) if replay.epochs > 1 else 1
    matrix = replay.confusion_matrices[epoch - 1]
    right, images = int(np.trace(matrix)), int(matrix.sum())
    st.markdown(
        f"**After epoch {epoch}: {right:,} of {images:,} validation images right, {100 * right / images:.0f} %**"
    )
    left, right_side = st.columns(2, gap="medium")
    with left:
        figure = confusion_matrix(matrix, class_names=run.class_names)
        components.render_plot(figure, key="epoch-matrix")
        split = None if dataset is None else _probe_split(run, dataset)[1]
        pictures = [] if split is None else [gallery.data_url(split.images[index]) for index in replay.probe_indices]
        timeline = probe_timeline(
            replay.probe_probabilities, replay.probe_labels, class_names=run.class_names, epoch=epoch, pictures=pictures
        )
        components.render_plot(timeline, key="epoch-timeline")
    with right_side:
        _probes(run, replay, epoch, dataset)


def _controls(epochs: int) -> None:
    """Draw slider, steps and play; the address holds the epoch of a paused replay, by default the last."""
    if epochs == 1:
        st.session_state[_PLAYING] = False
        return
    playing = bool(st.session_state.get(_PLAYING))
    if playing:
        _advance(epochs)
    codec = bound.number_in(1, epochs, clamp=True)
    if playing:
        # The address keeps its epoch: each epoch would be a step of the browser's history.
        codec = replace(codec, encode=lambda epoch: st.query_params.get(KEY, str(epochs)))
    # The last epoch stays selected when the run completes another one.
    address.sync(KEY, codec, default=epochs, omitted=str(epochs), follows=True)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Previous epoch", icon=":material/skip_previous:", key="epoch-back", on_click=_step, args=(-1, epochs)
        )
        if st.button(
            "Pause" if playing else "Play",
            icon=":material/pause:" if playing else ":material/play_arrow:",
            key="epoch-play",
            on_click=_toggle,
            args=(epochs,),
        ):
            # Streamlit changes the interval of a fragment only when the whole page runs.
            st.rerun()
        st.button("Next epoch", icon=":material/skip_next:", key="epoch-next", on_click=_step, args=(1, epochs))
        inputs.slider("Epoch", 1, epochs, key=KEY, help=term("epoch"))


def _advance(epochs: int) -> None:
    if st.session_state.get(KEY, epochs) < epochs:
        st.session_state[KEY] += 1
    else:
        st.session_state[_PLAYING] = False
        st.rerun()


def _toggle(epochs: int) -> None:
    playing = not st.session_state.get(_PLAYING)
    st.session_state[_PLAYING] = playing
    address.assign(KEY, 1 if playing and st.session_state[KEY] >= epochs else st.session_state[KEY])


def _step(by: int, epochs: int) -> None:
    st.session_state[_PLAYING] = False
    address.assign(KEY, min(max(int(st.session_state[KEY]) + by, 1), epochs))


def _probe_split(run: Run, dataset: Dataset) -> tuple[str, Split]:
    """Return the split of the followed images, and its name in addresses."""
    return ("test", dataset.test) if run.config.training.validation == "test" else ("train", dataset.train)


def _probes(run: Run, replay: EpochReplay, epoch: int, dataset: Dataset | None) -> None:
    """Draw the followed images with the answers of an epoch; without the data set, the answers as a table."""
    said = replay.probe_probabilities[epoch - 1]
    names = run.class_names
    if dataset is None:
        image_browser.render_answers_table(replay.probe_indices, replay.probe_labels, said, class_names=names)
        return
    part, split = _probe_split(run, dataset)
    # The dialog that opens an image is drawn only for a run with results.
    open_here = run.status.ended and run_lists.has_results(run)
    cards = [
        gallery.answer_card(
            split.images[index],
            y_prob,
            int(label),
            class_names=names,
            what=f"Validation image {split.file_names[index]} after epoch {epoch}",
            opens=f"{part}-{index}" if open_here else "",
        )
        for index, label, y_prob in zip(replay.probe_indices, replay.probe_labels, said, strict=True)
    ]
    gallery.render_cards(cards, size_rem=6.0, label=f"Validation images with the answers after epoch {epoch}")

"""Predict: show trained networks pictures of one's own, in pages of cards with the score and a table to download."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal

import numpy as np
import streamlit as st

from aquadash.data.framing import is_cut
from aquadash.evaluation import evaluate
from aquadash.figures.confusion_matrix import confusion_matrix, largest_confusions
from aquadash.predict import AnswerRow, FilePrediction, answers_csv
from aquadash.store.types import Run
from aquadash.ui.kit import (
    components,
    datasets,
    gallery,
    image_dialog,
    picture_cards,
    predict_runs,
    predictions,
    run_lists,
    shell,
    uploads,
    warmup,
)
from aquadash.ui.kit.gallery import class_text
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.picture_cards import NONE_OF_THESE
from aquadash.ui.kit.predictions import Item, Memory, Network
from aquadash.ui.kit.text import count, joined, percent, plain, time_left
from aquadash.ui.kit.uploads import Upload

_PER_PAGE = 20


def _render_choices(run: Run) -> None:
    """Draw the network's limits: its classes, and how many other pictures it recognises."""
    listed = ", ".join(plain(class_text(name)) for name in run.class_names[:12])
    more = ", ..." if len(run.class_names) > 12 else ""
    text = f"It can only choose among its {len(run.class_names)} classes, whatever it sees: {listed}{more}."
    metrics = run.metrics
    if {"strangers", "strangers_noticed"} <= set(metrics):
        text += (
            f" It recognised {100 * metrics['strangers_noticed']:.0f} % of {metrics['strangers']:,.0f} other photos as "
            "none of these."
        )
    st.caption(text, help=term("stranger"))


def _render_dropped(networks: Sequence[Network], files: Sequence[Upload]) -> None:
    """Draw the answers to at least one dropped file, those of the present page first, as they come."""
    memory = predictions.remembered()
    memory.forget(files)
    items = [Item(upload, picture_cards.position_of(upload)) for upload in files]
    picture_cards.render_folder_labels(files, networks[0].run.class_names)
    # After a stop, a picture that was answered is answered again for another crop.
    wanted = memory.known(items, networks) if _is_stopped(files) else items
    ids = {item.id for item in wanted}
    progress = _DropProgress(len(wanted) - len(memory.missing(wanted, networks)), len(wanted))
    with gallery.paged(len(items), per_page=_PER_PAGE) as shown:
        _cards(networks, memory, [item for item in items[shown] if item.id in ids], progress)
    for _ in memory.predict(wanted, networks):
        progress.step()
    progress.end()
    done = [item for item in items if memory.answers(item, networks) is not None]
    if len(done) < len(items):
        st.info(f"Stopped: {len(done):,} of {count(len(items), 'picture')} were classified.", icon="✋")
        st.button("Go on", icon=":material/play_arrow:", key="go-on-predicting", on_click=set_stopped, args=(False,))
    answers = [memory.answers(item, networks) or [] for item in done]
    if done:
        _all_together(networks, done, answers)


def _cards(networks: Sequence[Network], memory: Memory, shown: Sequence[Item], progress: _DropProgress) -> None:
    """Draw a card for each picture as soon as its answers are ready; a single one is as wide as the page."""
    fresh = memory.predict(shown, networks)
    width: int | Literal["stretch"] = picture_cards.CARD_WIDTHS[len(networks)] if len(shown) > 1 else "stretch"
    with st.container(horizontal=True, gap="small"):
        for item in shown:
            while (answers := memory.answers(item, networks)) is None:
                next(fresh)
                progress.step()
            with st.container(border=True, width=width):
                _card(networks, memory, item, answers)


def _card(networks: Sequence[Network], memory: Memory, item: Item, answers: Sequence[FilePrediction]) -> None:
    class_names = networks[0].run.class_names
    label = picture_cards.label_of(item.upload, class_names)
    names = [network.name for network in networks]
    key = (*item.id, label, *names, *(network.key for network in networks))
    drawn = memory.cards.get(key)
    look = memory.look(item, networks)
    if drawn is None:
        opens = picture_cards.own(item.upload).opens
        drawn = picture_cards.card_markup(look, answers, run_names=names, true_class=label, opens=opens)
        memory.cards[key] = drawn
    st.html(drawn)
    if look.picture_size is None:
        return
    picture_cards.render_label_choice(item.upload, class_names)
    columns, rows = look.picture_size
    # Sizes (height, width) of the networks that see a crop of the picture.
    cut = [size for size in look.seen if is_cut((rows, columns), size=size)]
    if cut:
        picture_cards.render_crop(item.upload, tall=rows / columns > cut[0][0] / cut[0][1])


def _all_together(
    networks: Sequence[Network], done: Sequence[Item], answers: Sequence[Sequence[FilePrediction]]
) -> None:
    """Draw the answers in numbers, the accuracy of the labelled pictures, and the download."""
    # Folder names also label files that are no pictures.
    labels = [
        None if said[0].probabilities is None else picture_cards.label_of(item.upload, networks[0].run.class_names)
        for item, said in zip(done, answers, strict=True)
    ]
    several = len(networks) > 1
    of_network = list(zip(networks, zip(*answers, strict=True), strict=True))
    if len(done) > 1:
        st.subheader("All pictures together", anchor=False)
        for network, own in of_network:
            st.markdown((f"**{plain(network.name)}**: " if several else "") + picture_cards.answers_summary(own))
    labelled = sum(label is not None for label in labels)
    if labelled:
        columns = st.columns(2) if several else [st.container(width=560)]
        for position, (network, own) in enumerate(of_network):
            with columns[position % len(columns)]:
                if several:
                    st.markdown(f"**{plain(network.name)}**")
                _render_score(network.run, own, labels)
        pictures = sum(said[0].probabilities is not None for said in answers)
        others = "; the others are not counted" if labelled < pictures else ""
        st.caption(f"With a true label: {labelled:,} of {count(pictures, 'picture')}{others}.")
    elif len(done) > 1:
        st.caption("Label pictures to see the accuracy on them.", help=term("confusion matrix"))
    class_names = list(dict.fromkeys(name for network in networks for name in network.run.class_names))
    rows = [
        AnswerRow(network.name, answer, "none of these" if label == NONE_OF_THESE else label or "")
        for each, label in zip(answers, labels, strict=True)
        for network, answer in zip(networks, each, strict=True)
    ]
    table = answers_csv(rows, class_names=class_names)
    components.render_download("Download the results (CSV)", table, file_name="predictions.csv", key="predictions-csv")


#: Minimum number of pictures for a stop button.
_WORTH_STOPPING = 5

#: Minimum number of answered pictures for an estimate of the remaining time.
_MIN_FRESH = 8

_STOPPED = "predict:stopped"
_DROP = "predict:drop"


def _is_stopped(files: Sequence[Upload]) -> bool:
    """Return whether the work on these files was stopped; a new file is another drop."""
    drop = {upload.file_id for upload in files}
    if not drop <= st.session_state.get(_DROP, set()):
        st.session_state[_STOPPED] = False
    st.session_state[_DROP] = drop
    return bool(st.session_state[_STOPPED])


def set_stopped(stopped: bool) -> None:
    """Stop the work on the drop or continue it, in a callback."""
    st.session_state[_STOPPED] = stopped


class _DropProgress:
    """A progress bar with a stop button, drawn when it is created."""

    def __init__(self, done: int, total: int) -> None:
        self._first, self._done, self._total = done, done, total
        self._began = time.monotonic()
        self._bar, self._button = st.empty(), st.empty()
        if total - done >= _WORTH_STOPPING:
            self._update()
            self._button.button(
                "Stop", icon=":material/stop_circle:", key="stop-predicting", on_click=set_stopped, args=(True,)
            )

    def step(self) -> None:
        """Count a picture."""
        self._done += 1
        self._update()

    def end(self) -> None:
        """Remove bar and button."""
        self._bar.empty()
        self._button.empty()

    def _update(self) -> None:
        fresh, missing, left = self._done - self._first, self._total - self._done, None
        if missing > 0 and fresh >= _MIN_FRESH:
            left = (time.monotonic() - self._began) / fresh * missing
        text = joined(f"{self._done:,} of {count(self._total, 'picture')} classified", time_left(left))
        self._bar.progress(min(self._done / self._total, 1.0), text=text)


def _render_score(run: Run, answers: Sequence[FilePrediction], labels: Sequence[str | None]) -> None:
    """Draw a network's accuracy and confusion matrix on labelled pictures, and its confidence on other pictures.

    Pictures without a label or an answer, or of a class that the network does not have, are left out.
    """
    y_true, y_prob, confidences = [], [], []
    for answer, label in zip(answers, labels, strict=True):
        if answer.probabilities is None or label is None:
            continue
        if label == NONE_OF_THESE:
            confidences.append(float(answer.probabilities.max()))
        elif label in run.class_names:
            y_true.append(run.class_names.index(label))
            y_prob.append(answer.probabilities)
    if y_true:
        measured = evaluate(y_true, np.stack(y_prob), class_names=run.class_names)
        right, names = int(measured.confusion_matrix.trace()), measured.classes
        accuracy, ends = percent(measured.accuracy, measured.accuracy_ci95)
        components.render_metric(
            "Accuracy on these pictures",
            accuracy,
            note=f"{right:,} of {measured.n:,} right · {ends}",
            help=f"{term('accuracy')} Below: the 95 % interval. {term('confidence interval')}",
            width="stretch",
        )
        figure = confusion_matrix(measured.confusion_matrix, class_names=names)
        components.render_plot(figure, key=f"drop-matrix-{run.run_id}")
        mistakes = [
            f"{plain(class_text(names[row]))} taken for {plain(class_text(names[column]))}: {number}"
            for row, column, number in largest_confusions(measured.confusion_matrix)
        ]
        if mistakes:
            st.caption(f"Most frequent mistakes: {' · '.join(mistakes)}")
    if confidences:
        them, mean = ("it", "") if len(confidences) == 1 else ("them", "mean ")
        st.caption(
            f"{count(len(confidences), 'picture')} of none of these classes: not counted above. The network put {them} "
            f"into a class all the same, with a {mean}confidence of {100 * np.mean(confidences):.0f} %."
        )


def _no_results(run: Run) -> None:
    components.render_status(run.status)
    if run.status.ended:
        text = "This run ended before a network was stored. Choose another one."
    else:
        text = "This run has no trained network yet. It is stored when the run ends or is stopped."
        run_lists.watch([run])
    st.info(text, icon="📷")
    st.page_link(
        "pages/train.py", label="Go to Train", icon=":material/arrow_forward:", query_params={"run": run.run_id}
    )


def _ask(runs: Sequence[Run]) -> None:
    controls, answers = st.columns([1, 2], gap="medium")
    with controls, st.container(key="predict-controls"):
        field = st.container()
        run = components.run_picker(runs)
        with field:
            # Always draw the field: the browser forgets the pictures of a hidden field, but the server keeps them.
            pictures = uploads.chosen()
        if run is None:
            return
        if not run_lists.has_results(run):
            _no_results(run)
            return
        compared = [run, *predict_runs.choose_more_runs(run, runs)]
    with field:
        sample = 0 if pictures else predict_runs.sample_number()
    source = run.config.data.source
    with answers:
        with shell.guard():
            if pictures:
                _render_dropped(predict_runs.networks(compared), pictures)
            elif sample:
                source = predict_runs.render_samples(predict_runs.networks(compared), sample)
        _render_choices(run)
        datasets.render_other_source(run)
        run_lists.render_model_card(run)
    own = [picture_cards.own(picture, run.class_names) for picture in pictures]
    image_dialog.clickable(*compared, source=source, own=own, as_now=bool(sample))


def render() -> None:
    """Draw the page."""
    with shell.page("predict"):
        warmup.prepare_answers()
        if runs := predict_runs.for_pictures():
            _ask(runs)
        else:
            components.render_empty_state("📷", "There is no trained network yet.", label="Train one: a minute or two")
            run_lists.render_restore_button()

"""What networks say of dropped pictures: cards in pages, a picture seen closer, the score, the table to take home."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from aquadash.data.framing import is_cut
from aquadash.data.images import display_name
from aquadash.figures.probability_bars import probability_bars
from aquadash.predict import AnswerRow, FilePrediction, Look, answers_csv
from aquadash.runs.types import Run
from aquadash.ui import bound, components, gallery, inputs, predictions
from aquadash.ui.explain import explanations
from aquadash.ui.glossary import term
from aquadash.ui.predict import drop_progress, drop_score, picture_choices, prediction_card
from aquadash.ui.predict.picture_choices import NONE_OF_THESE
from aquadash.ui.predictions import Item, Memory, Network
from aquadash.ui.probabilities import class_text
from aquadash.ui.text import count, plain
from aquadash.ui.uploads import Upload

PER_PAGE = 20


def choices_note(run: Run) -> None:
    """What the network cannot do, and how well it notices."""
    listed = ", ".join(plain(class_text(name)) for name in run.class_names[:12])
    more = ", ..." if len(run.class_names) > 12 else ""
    st.caption(
        f"The network can only choose among its {len(run.class_names)} classes: {listed}{more}. Show it anything else, "
        "a bicycle or yourself, and it still answers with one of these, sometimes with high confidence."
        + _strangers_text(run),
        help=term("stranger"),
    )


def _strangers_text(run: Run) -> str:
    """What was measured of noticing strangers."""
    metrics = run.metrics
    if not {"stranger_auroc", "strangers", "strangers_noticed"} <= set(metrics):
        return ""
    return (
        f" Where a picture is unlike all it has learnt from, the answer says so: of {metrics['strangers']:,.0f} "
        f"photographs of other things it noticed {100 * metrics['strangers_noticed']:.0f} % "
        f"(AUROC {metrics['stranger_auroc']:.2f}; 0.5 is chance, 1 perfect)."
    )


def dropped(runs: Sequence[Run], networks: Sequence[Network], uploads: Sequence[Upload]) -> None:
    """The results of dropped files: those of the present page first, one after the other as they come.

    Args:
        runs: The first is the one whose classes the true labels are chosen from.
        networks: One a run.
        uploads: The files, at least one.
    """
    memory = predictions.remembered()
    memory.forget(uploads)
    picture_choices.forget(uploads)
    items = [Item(upload, picture_choices.framing_of(upload)) for upload in uploads]
    stopped = drop_progress.stopped(uploads)
    picture_choices.offer_folder_labels(uploads, runs[0].class_names)
    progress = drop_progress.Progress(
        0 if stopped else len(items) - len(memory.missing(items, networks)), 0 if stopped else len(items)
    )
    shown = items[gallery.pager(len(items), per_page=PER_PAGE, noun="picture")]
    _cards(runs, networks, memory, shown, progress, stopped=stopped)
    if not stopped:
        for _ in memory.predict(items, networks):
            progress.step()
    progress.end()
    done = [item for item in items if memory.answers(item, networks) is not None]
    if len(done) < len(items):
        st.info(f"Stopped: {len(done):,} of {count(len(items), 'picture')} were looked at.", icon="✋")
        st.button("Go on", icon=":material/play_arrow:", key="go-on-predicting", on_click=drop_progress.go_on)
    answers = [memory.answers(item, networks) or [] for item in done]
    _closer(runs, networks, [item for item in shown if item in done], memory)
    _all_together(runs, done, answers)


def _cards(
    runs: Sequence[Run],
    networks: Sequence[Network],
    memory: Memory,
    shown: Sequence[Item],
    progress: drop_progress.Progress,
    *,
    stopped: bool,
) -> None:
    """A card for each picture of the page, drawn as soon as its answers are there."""
    fresh = memory.predict(shown, networks)
    width = prediction_card.WIDTHS[len(networks)]
    with st.container(horizontal=True, gap="medium"):
        for item in shown:
            while (answers := memory.answers(item, networks)) is None and not stopped:
                next(fresh)
                progress.step()
            if answers is None:
                continue
            with st.container(border=True, width=width + 34):
                _card(runs, networks, memory, item, answers, width=width)


def _card(
    runs: Sequence[Run],
    networks: Sequence[Network],
    memory: Memory,
    item: Item,
    answers: Sequence[FilePrediction],
    *,
    width: int,
) -> None:
    """A picture with its answers, and what a person can say of it."""
    label = picture_choices.label_of(item.upload)
    names = [network.name for network in networks]
    key = (*item.id, label, *names, *(network.key for network in networks))
    drawn = memory.card(key)
    look = memory.look(item, networks)
    if drawn is None:
        drawn = memory.keep_card(key, prediction_card.markup(look, answers, run_names=names, true_class=label))
    st.html(drawn, width=width)
    if look.picture_size is None:
        return
    picture_choices.choose_label(item.upload, runs[0].class_names)
    cut = _cut_sizes(look)
    if cut:
        columns, rows = look.picture_size
        picture_choices.choose_framing(item.upload, tall=rows / columns > cut[0][0] / cut[0][1])


def _cut_sizes(look: Look) -> list[tuple[int, int]]:
    """The networks' sizes (height, width) to whose proportions the picture has to be cut."""
    columns, rows = look.picture_size or (1, 1)
    return [size for size in look.seen if is_cut((rows, columns), size=size)]


def _closer(runs: Sequence[Run], networks: Sequence[Network], items: Sequence[Item], memory: Memory) -> None:
    """One picture of the page, large, with the exact probabilities of every class."""
    readable = {item.upload.file_id: item for item in items if memory.look(item, networks).error is None}
    if not readable:
        return
    if st.session_state.get("closer") not in (None, *readable):
        del st.session_state["closer"]
    file_id = inputs.selectbox(
        "Look closer at one picture of this page",
        list(readable),
        index=None,
        key="closer",
        format_func=lambda each: display_name(readable[each].upload.name),
        placeholder="Choose a picture",
    )
    if file_id is None:
        return
    item = readable[file_id]
    label = picture_choices.label_of(item.upload)
    true_label = None if label == NONE_OF_THESE else label
    images = predictions.seen_by(item, networks)
    for run, network, answer in zip(runs, networks, memory.answers(item, networks) or (), strict=True):
        seen = images.get(network.predictor.image_shape[:2])
        if seen is None or answer.probabilities is None:
            continue
        with st.container(border=True):
            st.markdown(f"**{plain(network.name)}**")
            left, right = st.columns([1, 2], gap="medium")
            with left:
                height, width = seen.shape[:2]
                title = f"The network sees {width} × {height}"
                gallery.show([gallery.Card(seen, title, title)], size_rem=18, label="What the network sees")
            with right:
                true_class = run.class_names.index(true_label) if true_label in run.class_names else None
                components.plot(
                    probability_bars(answer.probabilities, class_names=answer.class_names, true_class=true_class),
                    key=f"closer-bars-{run.run_id}",
                )
            if bound.toggle(f"why-{run.run_id}", label="Why did it answer so?", help=term("explanation")):
                explanations.show(
                    run, seen, class_names=answer.class_names, true_label=true_class, key=f"why-{run.run_id}"
                )


def _all_together(runs: Sequence[Run], done: Sequence[Item], answers: Sequence[Sequence[FilePrediction]]) -> None:
    """How many got which name, how many of the labelled ones are right, and all of it as a table."""
    labels = [picture_choices.label_of(item.upload) for item in done]
    if not done:
        return
    st.subheader("All pictures together", anchor=False)
    for position, run in enumerate(runs):
        name = f"**{plain(run.name)}**: " if len(runs) > 1 else ""
        st.markdown(name + prediction_card.summary([each[position] for each in answers]))
    told = sum(label is not None for label in labels)
    if told:
        columns = st.columns(min(len(runs), 2)) if len(runs) > 1 else [st.container(width=560)]
        for position, run in enumerate(runs):
            found = drop_score.score([each[position] for each in answers], labels, class_names=run.class_names)
            with columns[position % len(columns)]:
                drop_score.show(run.name if len(runs) > 1 else None, found, key=run.run_id)
        st.caption(f"Of {count(len(done), 'picture')}, {told:,} have a true label; the others are not counted.")
    else:
        st.caption(
            "Say under some pictures what they really show: accuracy and confusion matrix of your own pictures appear "
            "here.",
            help=term("confusion matrix"),
        )
    class_names = list(dict.fromkeys(name for run in runs for name in run.class_names))
    rows = [
        AnswerRow(run.name, answer, "none of these" if label == NONE_OF_THESE else label or "")
        for each, label in zip(answers, labels, strict=True)
        for run, answer in zip(runs, each, strict=True)
    ]
    st.download_button(
        "Download the results (CSV)",
        answers_csv(rows, class_names=class_names),
        file_name="predictions.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="predictions-csv",
    )

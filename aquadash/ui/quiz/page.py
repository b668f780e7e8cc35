"""Quiz: a student guesses the class of a test image, then sees the network's answer."""

from functools import partial

import numpy as np
import streamlit as st

from aquadash.data import Dataset
from aquadash.evaluation import wilson_interval
from aquadash.evaluation.guess import QuizAnswer, quiz_answer
from aquadash.store.types import Predictions, Run
from aquadash.ui.kit import address, bound, components, gallery, image_browser, image_dialog, run_lists, shell
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import percent, plain

#: Name of the image's index in the address.
_IMAGE = "image"

#: The answers of a session by run and image.
_ANSWERS = "quiz:answers"


def render() -> None:
    """Draw the page."""
    with shell.page("quiz"), st.container(key="in-order-narrow"):
        runs = list(filter(run_lists.has_results, run_lists.or_included_model(lab().runs.all())))
        if not runs:
            components.render_empty_state("❓", "There is no trained network to play against yet.", label="Train one")
            run_lists.render_restore_button()
            return
        run = components.run_picker(run_lists.pictured_first(runs), help="The network that you play against.")
        dataset = None if run is None else image_browser.matching_dataset(run)
        if run is not None and dataset is not None:
            _question(run, dataset, lab().runs.predictions(run.run_id))
            image_dialog.clickable(run)


def _question(run: Run, dataset: Dataset, predictions: Predictions) -> None:
    """Draw an image with a button for each class; after the guess, both answers and the score."""
    answers: dict[int, QuizAnswer] = st.session_state.setdefault(_ANSWERS, {}).setdefault(run.run_id, {})
    # The same order for everybody, so that a class can compare its scores.
    order = np.random.default_rng(0).permutation(predictions.indices).tolist()
    codec = bound.id_of([str(index) for index in order], expected="the number of a test image of this run")
    image = int(address.sync(_IMAGE, codec, default=str(order[0]), omitted=""))
    answer = answers.get(image)
    picture, beside = st.columns([1, 2], gap="medium")
    with picture:
        # The dialog shows the true class, so the image opens after the guess only.
        opens = "" if answer is None else f"test-{image}"
        card = gallery.Card(dataset.test.images[image], "", f"Test image {image}", opens=opens)
        gallery.render_cards([card], size_rem=14, columns=1, label="The image to guess")
    with beside:
        st.markdown("**What does it show?**")
        with st.container(horizontal=True):
            for name in run.class_names:
                st.button(
                    plain(gallery.class_text(name)),
                    key=f"guess-{name}",
                    disabled=answer is not None,
                    on_click=_guess,
                    args=(answers, predictions, image, name, run),
                )
        if answer is not None:
            _answer(answer, predictions, run)
            later = [str(index) for index in order if index not in answers]
            if later:
                go_on = partial(address.assign, _IMAGE, later[0])
                st.button("Next image", type="primary", key="quiz-next", on_click=go_on)
    _score(list(answers.values()))


def _guess(answers: dict[int, QuizAnswer], predictions: Predictions, image: int, guess: str, run: Run) -> None:
    answers[image] = quiz_answer(predictions, image, guess, class_names=run.class_names)


def _answer(answer: QuizAnswer, predictions: Predictions, run: Run) -> None:
    def judged(name: str) -> str:
        return f"{plain(gallery.class_text(name))} {'✔' if name == answer.true else '✘'}"

    st.markdown(
        f"It is **{plain(gallery.class_text(answer.true))}**. You: {judged(answer.guess)} · "
        f"Network: {judged(answer.network)}, {100 * answer.confidence:.0f} %",
        help=term("confidence"),
    )
    position = predictions.indices.tolist().index(answer.image)
    true_class = run.class_names.index(answer.true)
    bars = gallery.bars(predictions.probabilities[position], class_names=run.class_names, true_class=true_class)
    st.html(gallery.bars_markup(bars))


def _score(answers: list[QuizAnswer]) -> None:
    if not answers:
        st.caption("Your score and the network's appear here.")
        return
    n = len(answers)
    rights = {
        "You": sum(answer.guess == answer.true for answer in answers),
        "Network": sum(answer.network == answer.true for answer in answers),
    }
    with st.container(horizontal=True):
        for who, right in rights.items():
            value, interval = percent(right / n, wilson_interval(right, n))
            note = f"{right} of {n} right · {interval}"
            components.render_metric(who, value, note=note, help=term("confidence interval"), width="content")

"""The sections on training and its results, which are about a run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from aquadash.evaluation import best_epoch, overfit_verdict, wilson_interval
from aquadash.figures.confusion_matrix import confusion_matrix
from aquadash.figures.flattened_loss import flattened_loss, losses
from aquadash.figures.learning_curves import PlainMetric, learning_curves
from aquadash.models import head_epochs
from aquadash.presets import PRESETS
from aquadash.training.prepare import report_validation_images
from aquadash.ui.kit import address, bound, components, gallery, image_browser
from aquadash.ui.kit.evaluated import Evaluated
from aquadash.ui.kit.gallery import class_text, class_titles
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.tables import Column, number_column, table
from aquadash.ui.kit.text import count, percent, plain
from aquadash.ui.walkthrough import parts
from aquadash.walkthrough import checks_network, checks_results, network, report

_MAX_PICTURES = 8
_WHOSE = {"run": "This run", "report": "The report"}


def loss(results: Evaluated) -> None:
    """Loss: how wrong an answer is, and what a softmax too many does to it."""
    classes = len(results.found.classes)
    st.markdown(
        "Training needs one number for how wrong an answer is. The cross entropy looks at the probability that the "
        "right class got: near 0 when it was sure and right, large when it was sure and wrong. A softmax makes "
        "probabilities out of raw scores. If the loss is told that it gets raw scores, it does that by itself, and "
        "should not be given probabilities.",
        help=f"{term('loss')} {term('softmax')} {term('logits')}",
    )
    parts.real("This run's answers, measured both ways")
    flat = network.flattened_loss(results.predictions.labels, results.predictions.probabilities)
    parts.figures(
        {"Test loss": f"{results.found.loss:.3f}", "The same answers, taken for raw scores": f"{flat.mean():.3f}"},
        help=term("loss"),
    )
    controls, beside = parts.attempt("how sure of the right class?")
    with controls:
        sure = parts.slide("own", 1, 100, label="Probability of the right class", default=20, unit=" %")
        right, taken = (float(loss[0]) for loss in losses([sure / 100], classes))
        st.markdown(f"Right loss **{right:.3f}**; taken for raw scores **{taken:.3f}**.")
    components.plot(flattened_loss(sure / 100, classes=classes), key="walk-loss")
    parts.question(
        beside,
        "loss",
        "How small can the loss get at best when probabilities are taken for raw scores?",
        answer=classes,
        ask=lambda: parts.field("lowest", label="Your answer", placeholder="a number, to three digits"),
        check=lambda text: checks_network.floor_of_loss(text, classes=classes),
        solution="A perfect answer gives the right class 100 %. Move the slider there and read the second number.",
    )


def stopping(results: Evaluated) -> None:
    """Early stopping: the report's own log, with other patience."""
    st.markdown(
        "A network that trains on for too long learns its training images by heart. So it is asked about other images "
        "after each epoch, and training ends when their loss has not been lower for a while. How long that while is "
        "allowed to be is called patience.",
        help=f"{term('early stopping')} {term('patience')}",
    )
    controls, beside = parts.attempt("the rule on the report's own log")
    with controls:
        patience = parts.slide(
            "patience", 1, 10, label="Patience", default=report.PATIENCE_IN_TEXT, help=term("patience")
        )
        stops, best = checks_network.stopping_epoch(report.LOG, patience=patience)
        end = f"it would have **stopped after epoch {stops}**" if stops else "it would have **gone on after epoch 7**"
        st.markdown(f"With a patience of {patience}, {end}. The lowest validation loss until then is in epoch {best}.")
    shown = report.LOG[: stops or len(report.LOG)]
    components.plot(learning_curves(shown, metric="loss", height=280), key="walk-stopping")
    parts.question(
        beside,
        "stopping",
        f"The report's log ends with epoch {report.LOG[-1].epoch}. Find the patience that it was made with.",
        answer=patience,
        check=lambda _: checks_network.log_patience(patience),
        solution="Find the epoch with the lowest validation loss, and count the epochs after it until the log ends.",
    )
    parts.real("The same rule on this run")
    rule = results.run.config.training
    # Patience counts from the epoch in which more than the new head learns.
    head = head_epochs(results.run.config)
    own, best = checks_network.stopping_epoch(
        results.history, patience=patience, monitor=rule.monitor, head_epochs=head
    )
    if not results.history:
        st.caption("This run kept no epochs.")
        return
    said = f"have stopped after epoch {own}" if own else "not have stopped before its end"
    watched = " by validation accuracy, which it watches" if rule.monitor == "val_accuracy" else ""
    st.markdown(
        f"**{plain(results.run.name)}** trained for {count(len(results.history), 'epoch')} "
        + (f"with a patience of {rule.patience}" if rule.patience else "without early stopping")
        + f". With {patience} it would {said}; its best epoch until then is {best}{watched}."
    )


def training(results: Evaluated) -> None:
    """Training: what choosing by test images does to a score."""
    st.markdown(
        "Images have three uses: to learn from, to decide with (when to stop, which settings to keep), and to measure "
        "with. An image that was used to decide gives a flattering measurement, for what suited it was kept. So the "
        "three must be three different sets.",
        help=f"{term('validation')} {term('test set')}",
    )
    parts.real("This run's test images, split as the report splits them")
    right = results.predictions.probabilities.argmax(axis=1) == results.predictions.labels
    decided = report_validation_images(len(right))
    split = {
        f"First {decided:,}, with which the report decides": right[:decided],
        f"Last {len(right) - decided:,}, with which it measures": right[decided:],
    }
    parts.figures(
        {
            title: str(percent(float(part.mean()), wilson_interval(int(part.sum()), len(part))))
            for title, part in split.items()
        },
        help=term("confidence interval"),
    )
    config = results.run.config.training
    did = f"decided {config.decided_by_validation}" if config.decided_by_validation else "validated"
    st.markdown(
        f"**{plain(results.run.name)}** {did} with "
        + (
            "the first of them, which the report used, too."
            if config.validation == "test"
            else "images held out of the training set, so that all test images are clean."
        )
    )
    controls, beside = parts.attempt("choose the best of several networks by their test score")
    images = min(report.MEASURED_IMAGES, len(right) - decided)
    accuracy, own = checks_results.equal_chance(float(right.mean()))
    wanted = 100 * checks_results.wanted_flattery(accuracy, images)
    with controls:
        tried = parts.slide("tried", 1, checks_results.MAX_CANDIDATES, label="Networks tried", default=1)
        gained = 100 * checks_results.flattery(tried, accuracy=accuracy, images=images)
        st.markdown(
            f"Say that all of them are equally good, right in {100 * accuracy:.0f} % of cases"
            + (" like this run" if own else "")
            + f", and that each is measured on {count(images, 'image')}. The best score among {tried} is then "
            f"**{100 * accuracy + gained:.1f} %** on average: {gained:.1f} points too much."
        )
        st.progress(min(1.0, gained / max(wanted, 0.5)), text=f"{gained:.1f} of {wanted:.1f} points")
    parts.question(
        beside,
        "training",
        f"How many networks must be tried at least until the best one looks {wanted:.1f} points better than it is?",
        answer=(tried, accuracy, images),
        check=lambda _: checks_results.candidates(tried, accuracy=accuracy, images=images),
        solution=f"Start from 1 and move the slider up until the gain reaches {wanted:.1f} points for the first time.",
    )


def predictions(results: Evaluated) -> None:
    """Predictions: probabilities for single images."""
    st.markdown(
        "The network gives every class a probability, and the largest is its answer. It must share out 100 % among the "
        "classes it knows, whatever it is shown. How often it is right when it says 90 % is another question.",
        help=term("confidence"),
    )
    names, tested = results.found.classes, results.predictions
    sure, answers = tested.probabilities.max(axis=1), tested.probabilities.argmax(axis=1)
    parts.real("The report's five images, and this run's answers to its own with the same numbers")
    rows = report.ANSWERS
    here = [row.image if row.image < len(answers) else None for row in rows]
    is_here = ["no such image" if at is None else class_text(names[tested.labels[at]]) for at in here]
    table(
        Column("Test image", [row.image for row in rows]),
        Column("Report: is", [class_text(row.true) if row.true else "not said" for row in rows]),
        Column("Report: answer", [class_text(row.predicted) for row in rows]),
        number_column("Report: sure", [100 * row.probability for row in rows], "%.1f %%"),
        Column("Here: is", is_here),
        Column("Here: answer", ["–" if at is None else class_text(names[answers[at]]) for at in here]),
        number_column("Here: sure", [None if at is None else 100 * float(sure[at]) for at in here], "%.1f %%"),
        alt="Five test images with the answers of the report's network and of this run",
    )
    controls, beside = parts.attempt("how sure is it when it is wrong?")
    start = 50 if sure.max() >= 0.5 else 1
    with controls:
        least = parts.slide("sure", 1, 99, label="At least so sure", default=start, unit=" %", help=term("confidence"))
        only = bound.toggle("wrong", label="Only wrong answers")
        mask = (sure >= least / 100) & ((answers != tested.labels) | (not only))
        shown = np.flatnonzero(mask)
        first = f"; the first {_MAX_PICTURES}" if len(shown) > _MAX_PICTURES else ""
        st.caption(f"{len(shown):,} of {len(mask):,} test images{first}")
    _pictures(results, shown[:_MAX_PICTURES])
    task = checks_results.sure_mistake_task(tested.labels, tested.probabilities)
    parts.question(
        beside,
        "predictions",
        "This run made no mistake. Find the image that it is least sure of."
        if task.threshold is None
        else f"Find a test image that the run is at least {100 * task.threshold:.0f} % sure of, and wrong.",
        answer=results.run.run_id,
        ask=lambda: parts.field("mistake", label="Your answer: the image's number", placeholder="such as 12"),
        check=lambda text: checks_results.sure_mistake(text, tested.labels, tested.probabilities),
        solution="On Evaluate, choose the order “least certain” in “Filters” and click the first image: its number "
        "stands above it."
        if task.threshold is None
        else "Switch on “Only wrong answers” and move the slider up to the percentage that is asked for. Any image "
        "that is left will do; its number stands below it.",
    )


def _pictures(results: Evaluated, shown: np.ndarray) -> None:
    names, tested = results.found.classes, results.predictions
    dataset = image_browser.matching_dataset(results.run)
    if dataset is None:
        image_browser.answers_table(shown, tested.labels[shown], tested.probabilities[shown], class_names=names)
        return
    cards = []
    for position in shown:
        card = image_browser.card(dataset, tested, int(position), class_names=names)
        cards.append(replace(card, title=f"No. {position}: {card.title}"))
    gallery.show(cards, size_rem=7, label="Test images with the run's answers")


def matrix(results: Evaluated) -> None:
    """Confusion matrix: precision, recall and accuracy are three questions."""
    evaluation = results.found
    st.markdown(
        "Each row is a true class, each column an answer. **Accuracy** is the diagonal out of everything. **Recall** "
        "goes along a row: of the seals, how many were found? **Precision** goes down a column: of what was *called* a "
        "seal, how much is one?",
        help=f"{term('confusion matrix')} {term('F1')}",
    )
    parts.real("This run's matrix", help=" ".join(map(term, ("accuracy", "precision", "recall"))))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        figure = confusion_matrix(evaluation.confusion_matrix, class_names=evaluation.classes)
        components.plot(figure, key="walk-matrix")
    hits = sum(report.right_ones(row) for row in report.SCORES)
    theirs, mine = report.WEIGHTED_AVERAGE, evaluation.weighted_average
    with right:
        table(
            Column("", ["Accuracy", "Precision", "Recall", "F1"]),
            number_column(
                f"The report, {report.MEASURED_IMAGES} images",
                [float(hits), 100 * theirs.precision, 100 * theirs.recall, 100 * theirs.f1],
                "%.2f %%",
            ),
            number_column(
                f"This run, {evaluation.n:,} images",
                [100 * value for value in (evaluation.accuracy, mine.precision, mine.recall, mine.f1)],
                "%.2f %%",
            ),
            alt="Accuracy and weighted means of precision, recall and F1, of the report and of this run",
        )
        st.caption("Precision, recall and F1 are means over the classes, weighted by their images.")
    controls, beside = parts.attempt("call it so only when sure enough")
    recognised = [row for row in evaluation.report if row.recall >= checks_results.MIN_RECALL]
    weakest = min(recognised or evaluation.report, key=lambda row: row.precision).label
    titles = class_titles(evaluation.classes)
    left, right_side = controls.columns(2)
    with left:
        chosen = bound.menu("called", titles, label="Class", default=weakest)
    with right_side:
        threshold = parts.slide(
            "from", 1, 99, label="Called so from a probability of", default=1, unit=" %", help=term("threshold")
        )
    cuts = checks_results.cuts(
        results.predictions.labels, results.predictions.probabilities, evaluation.classes.index(chosen)
    )
    called, precision, recall = (values[threshold - 1] for values in (cuts.called, cuts.precision, cuts.recall))
    shown = {"Precision": f"{100 * precision:.0f} %" if called else "–", "Recall": f"{100 * recall:.0f} %"}
    with controls:
        parts.figures({"Called so": f"{called:,}", **shown})
    wanted = checks_results.wanted_precision(cuts)
    parts.question(
        beside,
        "matrix",
        "The run hardly ever thinks of this class: choose another one."
        if wanted is None
        else f"Set the threshold so that the precision is at least {100 * wanted:.0f} %, with the most recall that "
        "allows.",
        answer=(results.run.run_id, chosen, threshold),
        check=lambda _: checks_results.precise_threshold(threshold, cuts),
        solution="Start from the left, and move the threshold up until the precision is high enough for the first "
        "time. If it falls below again, look whether a lower threshold was enough already.",
    )


def curves(results: Evaluated) -> None:
    """Curves: what training and validation say, and what they do not."""
    st.markdown(
        "The training curve shows how well the network does on what it learns from; given time, that always gets "
        "better. The validation curve shows how well it does on other images. It overfits from where the second one "
        "gets worse while the first still gets better.",
        help=f"{term('overfitting')} {term('epoch')}",
    )
    parts.real("The curves")
    whose = bound.menu("whose", _WHOSE, label="Whose curves", default="run")
    history = list(report.LOG) if whose == "report" else results.history
    if len(history) < 2:
        st.info("This run has no curve: it takes two epochs at least. Choose another one.", icon="📈")
        return
    config = results.run.config if whose == "run" else PRESETS["notebook"].config
    monitor = config.training.monitor
    metrics: tuple[PlainMetric, ...] = ("accuracy", "loss")
    for column, metric in zip(st.columns(2), metrics, strict=True):
        with column:
            components.plot(
                learning_curves(history, metric=metric, monitor=monitor, height=240), key=f"walk-{metric}-{whose}"
            )
    verdict = overfit_verdict(history, config)
    with st.expander("The coach's verdict on these curves", icon="🎓"):
        st.markdown(f"**{plain(verdict.title)}.** {plain(verdict.explanation)}")
    if len(results.history) < 2:
        return
    controls, beside = parts.attempt("go along the curves")
    # The slider must not begin at the answer.
    first = 1 if best_epoch(results.history) != 1 else len(results.history)
    with controls:
        epoch = parts.slide("at", 1, len(results.history), label="Epoch", default=first, help=term("epoch"))
        row = next((each for each in results.history if each.epoch == epoch), None)
        if row is not None:
            shown = {"Training loss": row.loss, "Validation loss": row.val_loss, "Gap": row.val_loss - row.loss}
            parts.figures({title: f"{value:.3f}" for title, value in shown.items()})
    parts.question(
        beside,
        "curves",
        "Move to the epoch of this run with the lowest **validation** loss.",
        answer=(results.run.run_id, epoch),
        check=lambda _: checks_results.lowest_epoch(epoch, results.history),
        solution="Choose “This run” above and point at the lowest place of the solid line: the hover label names the "
        "epoch.",
    )


def result(results: Evaluated) -> None:
    """Result: a score is worth as much as the number of images behind it."""
    evaluation = results.found
    st.markdown(
        "An accuracy is counted on a handful of images that happened to be in the test set; another handful would give "
        "another number. The 95 % interval says how far the true accuracy may reasonably be from what was counted. It "
        "gets narrower with more images, but slowly.",
        help=term("confidence interval"),
    )
    parts.real("Two scores with their intervals")
    theirs = wilson_interval(round(report.TEST_ACCURACY * report.MEASURED_IMAGES), report.MEASURED_IMAGES)
    parts.figures(
        {
            f"The report, {report.MEASURED_IMAGES} images": str(percent(report.TEST_ACCURACY, theirs)),
            f"This run, {evaluation.n:,} images": str(percent(evaluation.accuracy, evaluation.accuracy_ci95)),
        }
    )
    controls, beside = parts.attempt("measure on more images, or fewer")
    fraction = evaluation.accuracy
    # The slider must not begin at the answer, which may be the report's 100.
    few = checks_results.fewest_images(fraction) < checks_results.FEW_IMAGES
    start = 1_000 if few else report.MEASURED_IMAGES
    with controls:
        images = parts.slide("measured", 10, checks_results.MAX_IMAGES, label="Test images", default=start, step=10)
        # Buttons, because a finger cannot move the slider exactly.
        with st.container(horizontal=True):
            for title, by in (("10 fewer", -10), ("10 more", 10)):
                target = min(max(images + by, 10), checks_results.MAX_IMAGES)
                st.button(title, key=f"measured{by:+}", on_click=address.assign, args=("measured", target))
        low, high = wilson_interval(round(fraction * images), images)
        st.markdown(
            f"If {100 * fraction:.0f} % of {images:,} images are right, the interval goes from **{100 * low:.1f} %** "
            f"to **{100 * high:.1f} %**: {100 * (high - low):.1f} points wide."
        )
    parts.question(
        beside,
        "result",
        f"About how many test images make the interval {100 * checks_results.WANTED_WIDTH:.0f} points wide?",
        answer=(results.run.run_id, images),
        check=lambda _: checks_results.enough_images(images, fraction=fraction),
        solution="Move the slider until the width is about 6.0 points; the buttons below it move it by single steps.",
    )

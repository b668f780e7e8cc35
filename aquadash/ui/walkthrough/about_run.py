"""The sections on training and its results, which are about a run."""

from dataclasses import replace

import numpy as np
import streamlit as st

from aquadash import data
from aquadash.errors import AquaDashError
from aquadash.evaluation import best_epoch, overfit_verdict, wilson_interval
from aquadash.figures.confusion_matrix import confusion_matrix
from aquadash.figures.flattened_loss import flattened_loss, losses
from aquadash.figures.learning_curves import PlainMetric, learning_curves
from aquadash.models import head_epochs
from aquadash.presets import PRESETS
from aquadash.store.types import Run
from aquadash.training.prepare import report_validation_images
from aquadash.ui.kit import address, bound, components, datasets, gallery, image_browser
from aquadash.ui.kit.evaluated import Evaluated
from aquadash.ui.kit.gallery import class_text, class_titles
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.tables import Column, number_column, render_columns, text_column
from aquadash.ui.kit.text import count, percent, plain
from aquadash.ui.walkthrough import parts
from aquadash.walkthrough import checks_network, checks_results, network, report
from aquadash.walkthrough.beside import beside, learnt_from, shown

_MAX_PICTURES = 8
_WHOSE = {"run": "This run", "report": "The report"}


def loss(results: Evaluated) -> None:
    """Loss: how wrong an answer is, and what a softmax too many does to it."""
    classes = len(results.evaluation.classes)
    st.markdown(
        "Training needs one number that says how wrong an answer is. The cross-entropy uses the probability of the "
        "right class: it is near 0 when the network was sure and right, and large when it was sure and wrong. A "
        "softmax turns raw scores into probabilities. A loss that expects raw scores applies the softmax itself, so "
        "it must not be given probabilities.",
        help=f"{term('loss')} {term('softmax')} {term('logits')}",
    )
    parts.real("This run's answers, measured both ways")
    flat = network.flattened_loss(results.predictions.labels, results.predictions.probabilities)
    parts.figures(
        {
            "Test loss": f"{results.evaluation.loss:.3f}",
            "The same answers, treated as raw scores": f"{flat.mean():.3f}",
        },
        help=term("loss"),
    )
    controls, render_question = parts.attempt("loss", "make the answer more or less sure")
    with controls:
        sure = parts.slide("own", 1, 100, label="Probability of the right class", default=20, unit=" %")
        right, taken = (float(loss[0]) for loss in losses([sure / 100], classes))
        st.markdown(f"Correct loss **{right:.3f}**; treated as raw scores **{taken:.3f}**.")
    components.render_plot(flattened_loss(sure / 100, classes=classes), key="walk-loss")
    render_question(
        "What is the lowest possible loss when probabilities are treated as raw scores?",
        answer=classes,
        ask=lambda: parts.field("lowest", label="Your answer", placeholder="a number with three decimals"),
        check=lambda text: checks_network.floor_of_loss(text, classes=classes),
        solution="A perfect answer gives the right class 100 %. Move the slider there and read the second number.",
    )


def stopping(results: Evaluated) -> None:
    """Early stopping: the report's own log, with other patience."""
    st.markdown(
        "A network that trains for too long memorizes its training images. So it is tested on other images after each "
        "epoch, and training ends when their loss has not improved for a number of epochs. That number is called "
        "patience.",
        help=f"{term('early stopping')} {term('patience')}",
    )
    controls, render_question = parts.attempt("stopping", "early stopping on the report's log")
    with controls:
        usual = report.PATIENCE_IN_TEXT
        patience = parts.slide("patience", 1, 10, label="Patience", default=usual, help=term("patience"))
        stops, best = checks_network.stopping_epoch(report.LOG, patience=patience)
        end = f"would have **stopped after epoch {stops}**" if stops else "would have **continued after epoch 7**"
        st.markdown(
            f"With a patience of {patience}, the training {end}. The lowest validation loss until then is in "
            f"epoch {best}."
        )
    shown = report.LOG[: stops or len(report.LOG)]
    components.render_plot(learning_curves(shown, metric="loss", height=280), key="walk-stopping")
    render_question(
        f"The report's log ends with epoch {report.LOG[-1].epoch}. Find the patience that was used.",
        answer=patience,
        check=lambda _: checks_network.log_patience(patience),
        solution="Find the epoch with the lowest validation loss, and count the epochs after it until the log ends.",
    )
    parts.real("Early stopping on this run")
    rule = results.run.config.training
    # Patience begins after the epochs in which a new head learns alone.
    head = head_epochs(results.run.config)
    own, best = checks_network.stopping_epoch(
        results.history, patience=patience, monitor=rule.monitor, head_epochs=head
    )
    if not results.history:
        st.caption("This run kept no epochs.")
        return
    said = f"have stopped after epoch {own}" if own else "not have stopped before its end"
    watched = " by validation accuracy, its monitored metric" if rule.monitor == "val_accuracy" else ""
    st.markdown(
        f"**{plain(results.run.name)}** trained for {count(len(results.history), 'epoch')} "
        + (f"with a patience of {rule.patience}" if rule.patience else "without early stopping")
        + f". With {patience} it would {said}; its best epoch until then is {best}{watched}."
    )


def training(results: Evaluated) -> None:
    """Training: what choosing by test images does to a score."""
    st.markdown(
        "Images have three uses: to train, to decide (when to stop, which settings to keep), and to measure. Images "
        "that were used to decide make the network look better than it is, because it was chosen to do well on them. "
        "So the three sets must be different.",
        help=f"{term('validation')} {term('test set')}",
    )
    parts.real("This run's test images, split as in the report")
    right = results.predictions.probabilities.argmax(axis=1) == results.predictions.labels
    decided = report_validation_images(len(right))
    split = {
        f"First {decided:,}: the report decides with them": right[:decided],
        f"Last {len(right) - decided:,}: it measures with them": right[decided:],
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
            "the first of them, as the report did."
            if config.validation == "test"
            else "images held out of the training set, so no test image was used to decide."
        )
    )
    controls, render_question = parts.attempt("training", "choose the best of several networks by their test score")
    images = min(report.MEASURED_IMAGES, len(right) - decided)
    accuracy = checks_results.equal_chance(float(right.mean()))
    wanted = 100 * checks_results.wanted_flattery(accuracy, images)
    with controls:
        tried = parts.slide("tried", 1, checks_results.MAX_CANDIDATES, label="Networks tried", default=1)
        gained = 100 * checks_results.flattery(tried, accuracy=accuracy, images=images)
        st.markdown(
            f"Suppose all of them are equally good, with an accuracy of {100 * accuracy:.0f} %, and each is measured "
            f"on {count(images, 'image')}. The best score of {tried} is then **{100 * accuracy + gained:.1f} %** on "
            f"average: {gained:.1f} points too high."
        )
        st.progress(min(1.0, gained / max(wanted, 0.5)), text=f"{gained:.1f} of {wanted:.1f} points")
    render_question(
        f"What is the smallest number of networks with which the best one looks {wanted:.1f} points better than it is?",
        answer=(tried, accuracy, images),
        check=lambda _: checks_results.candidates(tried, accuracy=accuracy, images=images),
        solution=f"Start from 1 and move the slider up until the gain reaches {wanted:.1f} points for the first time.",
    )


def predictions(results: Evaluated) -> None:
    """Predictions: probabilities for single images."""
    st.markdown(
        "The network gives each class a probability, and its answer is the class with the highest. The probabilities "
        "always add up to 100 %, even for a picture of something else. How often it is right when it says 90 % is "
        "another question.",
        help=term("confidence"),
    )
    names, tested = results.evaluation.classes, results.predictions
    sure, answers = tested.probabilities.max(axis=1), tested.probabilities.argmax(axis=1)
    parts.real("Five images of the report, and this run's test images with the same numbers")
    rows = report.ANSWERS
    here = [row.image if row.image < len(answers) else None for row in rows]
    is_here = ["no such image" if at is None else class_text(names[tested.labels[at]]) for at in here]
    render_columns(
        Column("Test image", [row.image for row in rows]),
        Column("Report: true class", [class_text(row.true) if row.true else "not said" for row in rows]),
        Column("Report: answer", [class_text(row.predicted) for row in rows]),
        number_column("Report: confidence", [100 * row.probability for row in rows], "%.1f %%"),
        Column("Here: true class", is_here),
        Column("Here: answer", ["–" if at is None else class_text(names[answers[at]]) for at in here]),
        number_column("Here: confidence", [None if at is None else 100 * float(sure[at]) for at in here], "%.1f %%"),
        alt="Five test images with the answers of the report's network and of this run",
    )
    controls, render_question = parts.attempt("predictions", "how sure is the network when it is wrong?")
    start, help = 50 if sure.max() >= 0.5 else 1, term("confidence")
    with controls:
        least = parts.slide("sure", 1, 99, label="Minimum confidence", default=start, unit=" %", help=help)
        only = bound.toggle("wrong", label="Only wrong answers")
        mask = (sure >= least / 100) & ((answers != tested.labels) | (not only))
        shown = np.flatnonzero(mask)
        first = f"; the first {_MAX_PICTURES}" if len(shown) > _MAX_PICTURES else ""
        st.caption(f"{len(shown):,} of {len(mask):,} test images{first}")
    _pictures(results, shown[:_MAX_PICTURES])
    threshold = checks_results.sure_mistake_threshold(tested.labels, tested.probabilities)
    render_question(
        "This run made no mistake: choose another one."
        if threshold is None
        else f"Find a test image with a wrong answer of at least {100 * threshold:.0f} % confidence.",
        answer=results.run.run_id,
        ask=lambda: parts.field("mistake", label="Your answer: the image's number", placeholder="for example 12"),
        check=lambda text: checks_results.sure_mistake(text, tested.labels, tested.probabilities),
        solution="Switch on “Only wrong answers” and move the slider up to the confidence in the question. Any image "
        "that is left will do; its number is below it.",
    )


def _pictures(results: Evaluated, shown: np.ndarray) -> None:
    names, tested = results.evaluation.classes, results.predictions
    dataset = image_browser.matching_dataset(results.run)
    if dataset is None:
        image_browser.render_answers_table(shown, tested.labels[shown], tested.probabilities[shown], class_names=names)
        return
    cards = []
    for position in shown:
        card = image_browser.card(dataset, tested, int(position), class_names=names)
        cards.append(replace(card, title=f"No. {position}: {card.title}"))
    gallery.render_cards(cards, size_rem=7, label="Test images with the run's answers")


def matrix(results: Evaluated) -> None:
    """Confusion matrix: precision, recall and accuracy are three questions."""
    evaluation = results.evaluation
    st.markdown(
        "Each row is a true class, each column an answer. **Accuracy** is the diagonal divided by all images. "
        "**Recall** looks along a row: how many of the seals were found? **Precision** looks down a column: how many "
        "of the images *called* seal are seals?",
        help=f"{term('confusion matrix')} {term('F1')}",
    )
    parts.real("This run's matrix", help=" ".join(map(term, ("accuracy", "precision", "recall"))))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        figure = confusion_matrix(evaluation.confusion_matrix, class_names=evaluation.classes)
        components.render_plot(figure, key="walk-matrix")
    hits = sum(report.right_ones(row) for row in report.SCORES)
    theirs, mine = report.WEIGHTED_AVERAGE, evaluation.weighted_average
    with right:
        render_columns(
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
        st.caption("Precision, recall and F1 are means over the classes, weighted by their numbers of images.")
    controls, render_question = parts.attempt("matrix", "require a minimum probability")
    recognised = [row for row in evaluation.report if row.recall >= checks_results.MIN_RECALL]
    weakest = min(recognised or evaluation.report, key=lambda row: row.precision).label
    titles = class_titles(evaluation.classes)
    left, right = controls.columns(2)
    chosen = bound.menu("called", titles, label="Class", default=weakest, into=left)
    threshold = parts.slide(
        "from", 1, 99, label="Minimum probability", default=1, unit=" %", help=term("threshold"), into=right
    )
    tested = results.predictions
    cuts = checks_results.cuts(tested.labels, tested.probabilities, evaluation.classes.index(chosen))
    called, precision, recall = (values[threshold - 1] for values in (cuts.called, cuts.precision, cuts.recall))
    shown = {"Precision": f"{100 * precision:.0f} %" if called else "–", "Recall": f"{100 * recall:.0f} %"}
    with controls:
        parts.figures({"Called this class": f"{called:,}", **shown})
    wanted = checks_results.wanted_precision(cuts)
    render_question(
        "This run hardly ever answers with this class: choose another one."
        if wanted is None
        else f"Set the minimum probability so that precision is at least {100 * wanted:.0f} % and recall is as high "
        "as possible.",
        answer=(results.run.run_id, chosen, threshold),
        check=lambda _: checks_results.precise_threshold(threshold, cuts),
        solution="Start at the left and move the slider up until the precision is high enough for the first time.",
    )


def curves(results: Evaluated) -> None:
    """Curves: what training and validation say, and what they do not."""
    st.markdown(
        "The training curve shows how well the network does on the images it learns from; with time, that nearly "
        "always gets better. The validation curve shows how well it does on other images. The network overfits from "
        "the epoch where validation gets worse while training still improves.",
        help=f"{term('overfitting')} {term('epoch')}",
    )
    parts.real("The curves")
    whose = bound.menu("whose", _WHOSE, label="Whose curves")
    history = list(report.LOG) if whose == "report" else results.history
    if len(history) < 2:
        st.info("This run has no curve, which takes at least two epochs. Choose another run.", icon="📈")
        return
    config = results.run.config if whose == "run" else PRESETS["notebook"].config
    metrics: tuple[PlainMetric, ...] = ("accuracy", "loss")
    for column, metric in zip(st.columns(2), metrics, strict=True):
        figure = learning_curves(history, metric=metric, monitor=config.training.monitor, height=240)
        with column:
            components.render_plot(figure, key=f"walk-{metric}-{whose}")
    verdict = overfit_verdict(history, config)
    with st.expander("The coach's verdict on these curves", icon="🎓"):
        st.markdown(f"**{plain(verdict.title)}.** {plain(verdict.explanation)}")
    if len(results.history) < 2:
        return
    controls, render_question = parts.attempt("curves", "read the curves epoch by epoch")
    # The slider must not begin at the answer.
    first = 1 if best_epoch(results.history) != 1 else len(results.history)
    with controls:
        epoch = parts.slide("at", 1, len(results.history), label="Epoch", default=first, help=term("epoch"))
        row = results.history[epoch - 1]
        shown = {"Training loss": row.loss, "Validation loss": row.val_loss, "Gap": row.val_loss - row.loss}
        parts.figures({title: f"{value:.3f}" for title, value in shown.items()})
    render_question(
        "Move to the epoch of this run with the lowest **validation** loss.",
        answer=(results.run.run_id, epoch),
        check=lambda _: checks_results.lowest_epoch(epoch, results.history),
        solution="Choose “This run” above and point at the lowest point of the solid line: the hover label names the "
        "epoch.",
    )


def result(results: Evaluated) -> None:
    """Result: a score is worth as much as the number of images behind it."""
    evaluation = results.evaluation
    st.markdown(
        "An accuracy is measured on the images that happen to be in the test set; other images would give another "
        "number. The 95 % interval says where the true accuracy probably lies. It gets narrower with more images, but "
        "slowly.",
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
    controls, render_question = parts.attempt("result", "measure on more or fewer images")
    fraction = evaluation.accuracy
    with controls:
        # 10 images are never the answer, which may be the report's 100.
        images = parts.slide("measured", 10, checks_results.MAX_IMAGES, label="Test images", default=10, step=10)
        # Buttons, because a finger cannot move the slider exactly.
        with st.container(horizontal=True):
            for title, by in (("10 fewer", -10), ("10 more", 10)):
                target = min(max(images + by, 10), checks_results.MAX_IMAGES)
                st.button(title, key=f"measured{by:+}", on_click=address.assign, args=("measured", target))
        low, high = wilson_interval(round(fraction * images), images)
        st.markdown(
            f"At an accuracy of {100 * fraction:.0f} % on {images:,} images, the interval goes from "
            f"**{100 * low:.1f} %** to **{100 * high:.1f} %**: {100 * (high - low):.1f} points wide."
        )
    render_question(
        f"About how many test images make the interval {100 * checks_results.WANTED_WIDTH:.0f} points wide?",
        answer=(results.run.run_id, images),
        check=lambda _: checks_results.enough_images(images, fraction=fraction),
        solution="Move the slider until the width is about 6.0 points; the buttons below it move it by single steps.",
    )


_SEARCH = {"Search over settings": {"view": "search"}}

#: By the heading: each idea in markdown, the page for it, and query parameters by the label of the link that sets them.
_IDEAS: dict[str, tuple[tuple[str, str, dict[str, dict[str, str]]], ...]] = {
    "🧭 The report's recommendations": (
        (
            "**Other settings, tried systematically.** The report changed layers and optimizers by hand.",
            "train",
            _SEARCH,
        ),
        (
            "**Transfer learning.** Start from a network trained on a million photographs.",
            "train",
            {name: {"preset": name.lower()} for name in ("VGG16", "ResNet50", "InceptionV3")},
        ),
        (
            "**More data.** The section on overfitting asks for it: your own photographs, or other changed versions.",
            "augment",
            {"Build a pipeline": {}},
        ),
    ),
    "🌱 More ideas": (
        (
            "**Transfer without a download:** a small network trained on the other 95 classes of CIFAR-100.",
            "train",
            {"The included backbone": {"preset": "backbone"}},
        ),
        (
            "**Newer methods for small networks:** activations, batch normalization, a learning rate that rises and "
            "falls.",
            "train",
            {"The baseline": {"preset": "baseline"}},
        ),
        (
            "**Measure what a change is worth.** Train with it and without it, and compare.",
            "compare",
            {"Compare runs": {}},
        ),
    ),
}


def recommendation(results: Evaluated) -> None:
    """Recommendation: the report's figures beside this run's, and what to do next."""
    st.markdown(
        "The report ends with a score and ideas for a better one. Compare its figures with those of a run on this "
        "computer, and try its ideas."
    )
    parts.real("The report's figures beside this run's")
    figures, question = st.columns([3, 2], gap="medium")
    parameters = lab().runs.cost(results.run.run_id).parameters
    comparison = beside(
        results.run, results.evaluation, results.history, training_images=_images(results.run), parameters=parameters
    )
    source = data.SOURCES.get(results.run.config.data.source)
    difference = ""
    if source is not None and source.drawn:
        difference = "The report's images are photographs and this run's are drawings"
    elif set(results.evaluation.classes) != set(report.CLASSES):
        difference = "This run has other classes than the report"
    with figures:
        render_columns(
            Column("Figure", [row.figure for row in comparison.rows]),
            text_column("Report", [shown(row, row.report) for row in comparison.rows], width="small"),
            text_column("This run", [shown(row, row.run) for row in comparison.rows], width="small"),
            text_column("Note", [row.note for row in comparison.rows], width="medium"),
            alt="The report's figures beside this run's",
            height=460,
        )
        if difference:
            st.caption(f"{difference}, so the scores are of different tasks.")
        low, high = checks_results.in_points(comparison.difference_ci95)
        st.markdown(
            f"Accuracy of this run minus that of the report: **{100 * comparison.difference:+.1f} points**, "
            f"95 % interval {low:+.1f} to {high:+.1f}."
        )
    parts.render_question(
        question,
        "recommendation",
        "Whose accuracy is higher, as far as these figures can tell?",
        answer=results.run.run_id,
        ask=lambda: bound.menu("conclusion", {"": "Choose", **checks_results.CONCLUSIONS}, label="Your answer"),
        check=lambda answer: checks_results.conclusion(
            answer, comparison.run_right, comparison.report_right, same_task=not difference
        ),
        solution="If 0 lies in the interval, the difference may be chance. If the whole interval is above 0, the "
        "run's is higher; if it is below, the report's.",
    )
    for column, (title, ideas) in zip(st.columns(2, gap="medium"), _IDEAS.items(), strict=True):
        with column:
            st.markdown(f"**{title}**")
            for sentence, page, links in ideas:
                st.markdown(sentence)
                with st.container(horizontal=True):
                    for label, query in links.items():
                        if links is _SEARCH and not lab().limits.may_search:
                            continue
                        icon = ":material/arrow_forward:"
                        st.page_link(f"pages/{page}.py", label=label, icon=icon, query_params=query, width="content")


def _images(run: Run) -> int | None:
    """Return the images in an epoch; None for a data set that is missing or has changed."""
    try:
        return learnt_from(run.config, datasets.matching_dataset(run))
    except AquaDashError as error:
        st.caption(plain(f"The number of training images is not known: {error}"))
        return None

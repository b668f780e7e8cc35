"""Recommendation: the report's figures beside this run's, and what to do next."""

from dataclasses import dataclass

import streamlit as st

from aquadash import data
from aquadash.errors import AquaDashError
from aquadash.store.types import Run
from aquadash.ui.kit import bound, datasets
from aquadash.ui.kit.evaluated import Evaluated
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.tables import Column, render_columns, text_column
from aquadash.ui.kit.text import plain
from aquadash.ui.walkthrough import parts
from aquadash.walkthrough import checks_results, report
from aquadash.walkthrough.beside import beside, learnt_from, shown


@dataclass(frozen=True)
class Idea:
    """A next step: a sentence in markdown and the page for it."""

    sentence: str
    page: str
    #: Query parameters by the label of the link that sets them.
    links: dict[str, dict[str, str]]


_ITS_IDEAS = (
    Idea(
        "**Other settings, tried systematically.** The report changed layers and optimizers by hand.",
        "pages/train.py",
        {"Search over settings": {"view": "search"}},
    ),
    Idea(
        "**Transfer learning.** Start from a network trained on a million photographs.",
        "pages/train.py",
        {
            "VGG16": {"preset": "vgg16"},
            "ResNet50": {"preset": "resnet50"},
            "InceptionV3": {"preset": "inceptionv3"},
        },
    ),
    Idea(
        "**More data.** The section on overfitting asks for it: your own photographs, or other changed versions.",
        "pages/augment.py",
        {"Build a pipeline": {}},
    ),
)

_MORE_IDEAS = (
    Idea(
        "**Transfer without a download:** a small network trained on the other 95 classes of CIFAR-100.",
        "pages/train.py",
        {"The included backbone": {"preset": "backbone"}},
    ),
    Idea(
        "**Newer methods for small networks:** activations, batch normalization, a learning rate that rises and falls.",
        "pages/train.py",
        {"The baseline": {"preset": "baseline"}},
    ),
    Idea(
        "**Measure what a change is worth.** Train with it and without it, and compare.",
        "pages/compare.py",
        {"Compare runs": {}},
    ),
)


def render(results: Evaluated) -> None:
    """Draw the section."""
    st.markdown(
        "The report ends with a score and ideas for a better one. Compare its figures with those of a run on this "
        "computer, and try its ideas."
    )
    parts.real("The report's figures beside this run's")
    figures, question = st.columns([3, 2], gap="medium")
    comparison = beside(
        results.run,
        results.found,
        results.history,
        parameters=lab().runs.cost(results.run.run_id).parameters,
        training_images=_images(results.run),
    )
    source = data.SOURCES.get(results.run.config.data.source)
    difference = ""
    if source is not None and source.drawn:
        difference = "The report's images are photographs and this run's are drawings"
    elif set(results.found.classes) != set(report.CLASSES):
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
    lists = {"🧭 The report's recommendations": _ITS_IDEAS, "🌱 More ideas": _MORE_IDEAS}
    for column, (title, ideas) in zip(st.columns(2, gap="medium"), lists.items(), strict=True):
        with column:
            st.markdown(f"**{title}**")
            for idea in ideas:
                st.markdown(idea.sentence)
                with st.container(horizontal=True):
                    for label, query in idea.links.items():
                        if "view" in query and not lab().limits.may_search:
                            continue
                        icon = ":material/arrow_forward:"
                        st.page_link(idea.page, label=label, icon=icon, query_params=query, width="content")


def _images(run: Run) -> int | None:
    """Return the images in an epoch; None for a data set that is missing or has changed."""
    try:
        return learnt_from(run.config, datasets.matching_dataset(run))
    except AquaDashError as error:
        st.caption(plain(f"The number of training images is not known: {error}"))
        return None

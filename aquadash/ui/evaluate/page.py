"""Evaluate: the run and its scores in one row, and below it the chosen section."""

from collections.abc import Callable, Sequence

import streamlit as st

from aquadash.errors import AquaDashError
from aquadash.store.types import Run
from aquadash.ui.evaluate import (
    duplicate_pairs,
    epoch_section,
    explain_section,
    present,
    repeat_section,
    robustness,
    scores,
)
from aquadash.ui.kit import (
    bound,
    clone,
    components,
    datasets,
    export_import,
    guess_box,
    image_browser,
    image_dialog,
    run_lists,
    shell,
)
from aquadash.ui.kit.evaluated import Evaluated, Narrowed
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.sections import Section, Sections
from aquadash.ui.kit.text import plain


def _beside_images(
    draw: Callable[[Evaluated, Evaluated | None], Narrowed | None],
) -> Callable[[Evaluated, Evaluated | None], None]:
    """Return a section with the test images beside it, narrowed to the result of ``draw``."""

    def both(one: Evaluated, other: Evaluated | None) -> None:
        left, right = st.columns(2, gap="medium")
        narrowed = None
        with left, shell.guard():
            narrowed = draw(one, other)
        with right, shell.guard():
            image_browser.render_test_images(
                one.run, one.predictions, class_names=one.evaluation.classes, narrowed=narrowed
            )

    return both


def mistakes(one: Evaluated, other: Evaluated | None) -> None:
    """Draw the most frequent mistakes, and the confusion matrix, whose cells show their images."""
    scores.take_cell_click(one.evaluation.classes)
    scores.render_frequent_mistakes(one.evaluation)
    _beside_images(_matrix)(one, other)


def _matrix(one: Evaluated, other: Evaluated | None) -> None:
    scores.render_confusion_matrix(one.evaluation, other=None if other is None else other.evaluation)
    scores.render_confusions(one.evaluation)
    explain_section.render_link(one.evaluation.classes)
    guess_box.render_guess(one.run)


def history(one: Evaluated, other: Evaluated | None) -> None:
    """Draw the learning curves."""
    if other is not None:
        scores.render_both_curves(one.run, other.run)
    scores.render_curves(one.run, lab().runs.history(one.run.run_id))
    clone.render_clone_button(one.run.run_id)


_SCORES, _WHY, _RUN = "Scores", "Why", "Run"

SECTIONS: Sections[[Evaluated, Evaluated | None], None] = Sections(
    "section",
    "Results",
    {
        "mistakes": Section("🔀 Mistakes", mistakes, second_run=True, group="Errors"),
        "classes": Section("📊 Classes", _beside_images(scores.render_class_scores), second_run=True, group=_SCORES),
        "curves": Section("📈 ROC curves", scores.render_ranking_curves, second_run=True, group=_SCORES),
        "calibration": Section(
            "🎯 Calibration", _beside_images(scores.render_calibration), second_run=True, group=_SCORES
        ),
        "explain": Section(
            "🔦 Explain",
            _beside_images(
                lambda one, _: explain_section.render(one.run, one.predictions, class_names=one.evaluation.classes)
            ),
            group=_WHY,
        ),
        "robustness": Section(
            "🌫️ Robustness", lambda one, _: robustness.render_robustness(one.run, lab().runs.all()), group=_WHY
        ),
        "duplicates": Section("👯 Near-duplicates", duplicate_pairs.render_duplicates, second_run=True, group=_WHY),
        "training": Section("⏱️ Training", history, second_run=True, group=_RUN),
        "epochs": Section("🎞️ Epoch by epoch", lambda one, _: epoch_section.render_epochs(one.run), group=_RUN),
        "repeat": Section("🔁 Repeat", lambda one, _: repeat_section.render_repeats(one.run), group=_RUN),
        "home": Section("🎒 Export", lambda one, _: export_import.render_export(one.run), group=_RUN),
    },
)


def render() -> None:
    """Draw the page, or the presentation in its place."""
    if present.is_open():
        with shell.bare_page():
            present.render_presentation()
        return
    with shell.page("evaluate"), st.container(key="in-order-narrow"):
        runs = run_lists.pictured_first(lab().runs.all())
        if runs:
            _results(runs)
            return
        components.render_empty_state(
            "🔎",
            "There is no run to evaluate yet. Train a network first, which takes a minute, or open the included model.",
            label="Go to Train",
        )
        run_lists.render_included_model_button()


def _results(runs: list[Run]) -> None:
    """Draw the menu of these runs, the default first, and the chosen run with its sections."""
    head = st.container(horizontal=True, vertical_alignment="bottom", key="evaluate-head")
    with head:
        run = components.run_picker(runs)
    if run is None:
        return
    if not (run_lists.has_results(run) and run.status.ended):
        _without_results(run)
        return
    one = Evaluated.load(run)
    with head:
        scores.render_scores(one)
        shown = SECTIONS.table[SECTIONS.chosen_word()]
        second = pick_second_run(run, runs, used=shown.second_run)
        present.render_button()
        section = SECTIONS.choose()
    with st.container(key="in-order"):
        datasets.render_other_source(run)
        scores.render_caveats(one)
        section.render(one, None if second is None else _second_results(run, second))
    image_dialog.clickable(run)


def _without_results(run: Run) -> None:
    """Draw the reason why there are no results yet, and the curves so far."""
    with st.container(horizontal=True, vertical_alignment="center"):
        components.render_status(run.status)
        st.page_link(
            "pages/train.py", label="Open on Train", icon=":material/arrow_forward:", query_params={"run": run.run_id}
        )
        clone.render_clone_button(run.run_id)
    if not run.status.ended:
        text = "This run has not ended yet. Its results will appear here."
        run_lists.watch([run])
    else:
        text = "This run ended before it predicted the test images, so there is nothing to evaluate."
    st.info(f"{text} {plain(run.message)}", icon="🔎")
    epochs = lab().runs.history(run.run_id)
    if epochs:
        scores.render_curves(run, epochs)
        epoch_section.render_epochs(run)


def pick_second_run(run: Run, runs: Sequence[Run], *, used: bool) -> Run | None:
    """Draw the menu of other runs with the same classes; return None if the section compares no runs."""
    ended = [other for other in runs if other.status.ended and run_lists.has_results(other)]
    others = {other.run_id: other for other in ended if other.class_names == run.class_names}
    others.pop(run.run_id, None)
    titles = {"": "none" if others else "no run with these classes"} | components.run_labels(others.values())
    codec = bound.id_of(titles, expected="the id of another run with results on the same classes")
    chosen = bound.menu(
        "with", titles, label="Overlay another run", width=200, disabled=not (others and used), codec=codec
    )
    return others.get(chosen) if used else None


def _second_results(run: Run, other: Run) -> Evaluated | None:
    """Return the second run's results; None, after drawing the reason, if they cannot be read."""
    try:
        results = Evaluated.load(other)
    except AquaDashError as error:
        st.warning(f"**{plain(other.name)}**: {plain(str(error))}", icon="🚧")
        return None
    if other.dataset_fingerprint != run.dataset_fingerprint:
        st.info("The two runs were tested on different images, so their results are hard to compare.", icon="🍏")
    return results

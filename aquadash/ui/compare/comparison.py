"""Two to ten picked runs beside one another: one legend for all, and the section that is looked at."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from aquadash.runs.measured import Images, image_set
from aquadash.runs.types import Run
from aquadash.ui import bound, shell
from aquadash.ui import hyperparameters as fields
from aquadash.ui.compare import comparison_curves, comparison_images, comparison_results, comparison_settings
from aquadash.ui.compared import MAX_RUNS, Compared, damaged, labels
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.sections import Need, Section, Sections
from aquadash.ui.text import plain

SECTIONS = Sections(
    "section",
    "Compare",
    {
        "curves": Section("📈 Curves", comparison_curves.render_curves),
        "settings": Section("🎛️ Settings", comparison_settings.render_settings, needs=Need.MEASURED_ON),
        "results": Section("🏁 Results", comparison_results.render_results, needs=Need.MEASURED_ON),
        "confusion": Section("🔀 Confusion", comparison_results.render_confusion, needs=Need.MEASURED_ON),
        "images": Section("🖼️ Images", comparison_images.render_images, needs=Need.MEASURED_ON),
        "cost": Section("⏱️ Cost", comparison_settings.render_cost, needs=Need.MEASURED_ON),
    },
)

#: Seconds between two looks at whether a picked run has ended.
_TICK_SECONDS = 5.0

_IMAGES_TITLES = {"validation": "Validation images", "test": "Test images"}


def render_comparison(picked: Sequence[Run]) -> None:
    """Draw everything about two or more runs."""
    if len(picked) > MAX_RUNS:
        st.info(
            f"{len(picked)} runs are picked; the first {MAX_RUNS} are shown, as more could not be told apart.",
            icon="🎨",
        )
    runs = tuple(picked[:MAX_RUNS])
    _warn_of_different_data(runs)
    if any(not run.status.ended for run in runs):
        shell.live(_TICK_SECONDS)(_watch)({run.run_id: str(run.status) for run in runs})
    names = tuple(labels(runs))
    comparison_curves.render_legend([run.run_id for run in runs], names)
    section = SECTIONS.choose()
    images: Images = "test"
    if Need.MEASURED_ON in section.needs:
        images = _measured_on(runs)
        for name, reason in damaged(runs, images).items():
            st.warning(f"**{plain(name)}**: {plain(reason)}", icon="🚧")
    section.show(Compared(runs, names, images))


def _measured_on(runs: Sequence[Run]) -> Images:
    """Draw the choice between validation and test images."""
    chosen = bound.choice(
        "on",
        _IMAGES_TITLES,
        label="Measured on",
        default=_default_images(runs),
        help=f"{term('validation')} {term('test set')}",
    )
    images: Images = "validation" if chosen == "validation" else "test"
    if images == "validation":
        st.caption(
            "Choose between runs by these. The test images are for the last measurement, of the run that you have "
            "chosen: whoever picks the best of many by them gets a figure that flatters."
        )
    else:
        st.caption(
            "Test images are for the last measurement. A run that is picked because it is best here looks better than "
            "it is; choose by validation images."
        )
    return images


def _default_images(runs: Sequence[Run]) -> Images:
    """Validation images if all runs with results kept predictions of the same ones; otherwise test images."""
    with_results = tuple(run for run in runs if run.status.ended and "test_accuracy" in run.metrics)
    if not with_results or len({image_set(run, "validation") for run in with_results}) > 1:
        return "test"
    compared = Compared(with_results, tuple(labels(with_results)), "validation")
    if any(found is None for found in compared.predictions()):
        return "test"
    return "validation" if all(test.result is not None for test in compared.pairs()) else "test"


def _watch(known: dict[str, str]) -> None:
    """Draw the page again when a run that was at work has ended, or a waiting one begun."""
    if any(str(lab().runs.get(run_id).status) != status for run_id, status in known.items()):
        lab().refresh()
        st.rerun()


def _warn_of_different_data(runs: Sequence[Run]) -> None:
    known = [run for run in runs if run.dataset_fingerprint]
    sources = {run.config.data.source for run in runs}
    if len(sources) > 1 or len({run.dataset_fingerprint for run in known}) > 1:
        what = " and ".join(sorted(fields.value_text("data.source", source) for source in sources))
        reason = f"different data ({plain(what)})" if len(sources) > 1 else "different versions of the data set"
        st.warning(
            f"These runs learned from {reason}. One may be easier than the other, so their accuracies cannot be "
            "compared.",
            icon="🍏",
        )
    if len({run.config.training.validation for run in runs}) > 1:
        st.info(
            "Some of these runs used test images to decide when to stop, others did not. The former look better on the "
            "test images than they are.",
            icon="🤔",
        )

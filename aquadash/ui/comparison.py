"""Picked runs beside one another: curves, results, settings, and what changed between two of them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from aquadash.config import DEFINITIONS, flatten, pipeline_versions
from aquadash.errors import AquaDashError
from aquadash.evaluation import Evaluation, McNemar
from aquadash.evaluation.curves import Metric
from aquadash.figures.compare_curves import TITLES, compare_curves
from aquadash.figures.metric_bars import metric_bars
from aquadash.figures.theme import class_colour, class_label, shorten
from aquadash.runs.types import Predictions, Run
from aquadash.ui import address, cache, components, gallery, paired_results, shell
from aquadash.ui import setting_fields as fields
from aquadash.ui.glossary import term
from aquadash.ui.setting_groups import matters
from aquadash.ui.text import count, plain

#: Seconds between two looks at the curves while a picked run is at work.
_TICK_SECONDS = 5.0

#: How many changed images are shown of each kind.
_MOST_IMAGES = 40


def labels(runs: Sequence[Run]) -> list[str]:
    """The runs' names, told apart by the start of the id where two have the same."""
    names = [run.name for run in runs]
    return [
        name if names.count(name) == 1 else f"{name} ({run.run_id[:8]})" for name, run in zip(names, runs, strict=True)
    ]


def show(runs: Sequence[Run]) -> None:
    """Draw everything about two or more runs."""
    _warn_of_different_data(runs)
    live = any(not run.status.ended for run in runs)
    st.subheader("Learning curves", anchor=False)
    shell.live(_TICK_SECONDS if live else None)(_curves)([run.run_id for run in runs])
    st.subheader("Result on the test images", anchor=False, help=term("confidence interval"))
    components.plot(
        metric_bars([(name, _evaluation(run)) for name, run in zip(labels(runs), runs, strict=True)]),
        key="test-accuracy",
    )
    st.subheader("Settings", anchor=False)
    _settings(runs)
    pair = paired_results.of_two(list(runs))
    if pair is not None:
        st.subheader("What the pipeline changed", anchor=False, help=term("paired runs"))
        paired_results.show(pair)
    if len(runs) == 2:
        _changed_images(runs[0], runs[1])


def verdict(result: McNemar, *, before: str, after: str) -> str:
    """McNemar's test in plain words, in markdown.

    Args:
        result: Of ``after`` against ``before``.
        before: The name of the run to compare with, as typed.
        after: The name of the run in question, as typed.
    """
    a, b = plain(shorten(before)), plain(shorten(after))
    if not result.fixed + result.broken:
        return f"**{b}** and **{a}** have exactly the same {result.n:,} test images right."
    changed = (
        f"Of {count(result.n, 'test image')}, **{b}** has {result.fixed} right that **{a}** had wrong (fixed), and "
        f"{result.broken} wrong that **{a}** had right (newly broken)."
    )
    chance = (
        "less than 0.1 %"
        if result.p_value < 0.001
        else f"{100 * result.p_value:.{1 if result.p_value < 0.1 else 0}f} %"
    )
    if result.p_value < 0.05:
        better = b if result.fixed > result.broken else a
        judged = f"so **{better}** is probably the better one of the two"
    else:
        judged = "so this difference may well be luck"
    return (
        f"{changed} If both were equally good, chance alone would give a split at least this uneven in {chance} of "
        f"such comparisons, {judged}. (McNemar's exact test, p {_p_text(result.p_value)}.) It judges these two "
        "trained networks: another seed would give others."
    )


def settings_table(runs: Sequence[Run], *, everything: bool) -> list[dict[str, str]]:
    """A row a setting, a column a run, in plain words; only the settings that differ unless ``everything``.

    Where a setting makes no difference, a network's filters for a network without any, the run has a dash.
    """
    flat = [flatten(run.config) for run in runs]
    columns = labels(runs)
    rows = []
    for name in flat[0]:
        found = [values[name] if matters(name, values) else None for values in flat]
        if name == DEFINITIONS and not everything:
            # Only where the same name means another pipeline.
            found = list(pipeline_versions([run.config for run in runs]) or [""])
        if everything or any(value != found[0] for value in found):
            told = ("–" if value is None else fields.value_text(name, value) for value in found)
            rows.append({"Setting": fields.label(name)} | dict(zip(columns, told, strict=True)))
    return rows


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


def _curves(run_ids: Sequence[str]) -> None:
    """One metric of all runs; reads them itself, for it is drawn again while one of them is at work."""
    address.choice("metric", list(TITLES), default="val_accuracy")
    chosen = st.segmented_control(
        "Curve",
        list(TITLES),
        key="metric",
        required=True,
        format_func=lambda name: TITLES[name],
        label_visibility="collapsed",
    )
    metric: Metric = chosen or "val_accuracy"
    address.record("metric", metric, default="val_accuracy")
    runs = [cache.run(run_id) for run_id in run_ids]
    named = [(name, cache.history(run.run_id)) for name, run in zip(labels(runs), runs, strict=True)]
    components.plot(compare_curves(named, metric=metric), key="curves")


def _evaluation(run: Run) -> Evaluation | None:
    if "test_accuracy" not in run.metrics:
        return None
    try:
        return cache.evaluation(run.run_id)
    except AquaDashError as error:
        st.warning(f"**{plain(run.name)}**: {plain(str(error))}", icon="🚧")
        return None


def _settings(runs: Sequence[Run]) -> None:
    everything = st.toggle("Show all settings", key="all-settings")
    rows = settings_table(runs, everything=everything)
    if rows:
        st.dataframe(rows, hide_index=True, alt="The runs' settings, a column a run", key="settings", height="content")
    else:
        st.caption("All settings that matter are the same, the seed included.")


def _changed_images(before: Run, after: Run) -> None:
    """What the second run has right that the first had wrong, and the other way round."""
    from aquadash.evaluation import compare_predictions

    if not all("test_accuracy" in run.metrics for run in (before, after)):
        return
    st.subheader("What changed from the first to the second", anchor=False)
    if before.dataset_fingerprint != after.dataset_fingerprint:
        st.caption("The two were tested on different images, so they cannot be compared image by image.")
        return
    try:
        old, new = cache.predictions(before.run_id), cache.predictions(after.run_id)
        result = compare_predictions(old, new)
    except AquaDashError as error:
        st.info(plain(str(error)))
        return
    before_name, after_name = labels([before, after])
    st.markdown(verdict(result, before=before_name, after=after_name))
    fixed, broken = st.tabs([f"Fixed ({result.fixed})", f"Newly broken ({result.broken})"])
    with fixed:
        _images(after, result.fixed_indices.tolist(), old, new)
    with broken:
        _images(after, result.broken_indices.tolist(), old, new)


def _images(run: Run, positions: Sequence[int], old: Predictions, new: Predictions) -> None:
    if not positions:
        st.caption("None.")
        return
    with shell.guard():
        dataset = cache.dataset(run.config.data.source)
        if dataset.fingerprint != run.dataset_fingerprint:
            st.caption("The data set has changed since these runs, so its images are not shown.")
            return
        if len(positions) > _MOST_IMAGES:
            st.caption(f"The first {_MOST_IMAGES} of {len(positions)}:")
        cards = []
        for position in positions[:_MOST_IMAGES]:
            index, label = int(old.indices[position]), int(old.labels[position])
            was, now = (run.class_names[int(found.probabilities[position].argmax())] for found in (old, new))
            cards.append(
                gallery.Card(
                    image=dataset.test.images[index],
                    title=class_label(run.class_names[label]),
                    subtitle=f"{was} → {now}",
                    alt=f"Test image {index}, a {run.class_names[label]}: the first run says {was}, the second {now}",
                    accent=class_colour(run.class_names[label], label),
                )
            )
        gallery.show(cards, size_rem=5, label="Images whose prediction changed")


def _p_text(p_value: float) -> str:
    return f"= {p_value:.3f}" if p_value >= 0.001 else "< 0.001"

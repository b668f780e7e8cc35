"""One click on the Augment page: the same training with and without this pipeline, and what the pipeline changed."""

from __future__ import annotations

import time

import streamlit as st

from aquadash.config import RunConfig, with_values
from aquadash.engine.pairs import factor, pair_configs
from aquadash.errors import AquaDashError
from aquadash.presets import PRESETS
from aquadash.runs.pairs import Pair, pairs
from aquadash.runs.types import RunStatus
from aquadash.ui import address, cache, inputs, pipeline_library, shell
from aquadash.ui.augment.studio import Studio
from aquadash.ui.compare import paired_results
from aquadash.ui.glossary import term
from aquadash.ui.text import duration, moment, plain
from aquadash.ui.train import form_state

_PRESET = "notebook-fixed"
_SEEDS = 2**32
#: Runs that settings can be taken from.
_MOST_RUNS = 20
#: A second click within so many seconds is a double click, not a wish for two pairs.
_DOUBLE_CLICK_SECONDS = 2.0
_LAUNCHED_AT = "pair:launched-at"
_TROUBLE = "pair:trouble"


def launch(studio: Studio) -> None:
    """Draw the form that trains a pair, and the pair that is looked at."""
    st.subheader("Does it help?", anchor=False, help=term("paired runs"))
    st.markdown(
        "The same training twice, with the same settings and the same seed: once with this pipeline, once without. "
        "What is different in the end comes from the pipeline."
    )
    with shell.guard():
        _form(studio)
    with shell.guard():
        _past(studio.spec.name)


def result(pair: Pair) -> None:
    """Draw one pair, as Compare does, too."""
    paired_results.show(pair)


def _form(studio: Studio) -> None:
    spec = studio.spec
    if pipeline_library.current().pipelines.get(spec.name) != spec:
        st.info("Save the pipeline first: a run is trained with a saved pipeline or a built-in one.", icon="💾")
        return
    if all(branch.is_original for branch in spec.branches):
        st.info("This pipeline leaves all images as they are, so both runs would be the same.", icon="👯")
        return
    config = _settings(studio)
    times = factor(pair_configs(config, spec.name)[1])
    same_updates = times > 1 and _same_updates(times)
    problem = st.session_state.pop(_TROUBLE, None)
    if problem:
        st.error(plain(problem), icon="🚧")
    without, with_it = pair_configs(config, spec.name, same_updates=same_updates)
    st.button(
        "Train with and without",
        key="pair-launch",
        type="primary",
        icon="👯",
        on_click=_launch,
        args=(config, spec.name, same_updates),
    )
    st.caption(plain(_expected(without, with_it, times)))


def _settings(studio: Studio) -> RunConfig:
    """What both runs are made from."""
    runs = {run.run_id: run for run in cache.runs() if run.status is RunStatus.FINISHED and not run.origin}
    recent = dict(list(runs.items())[:_MOST_RUNS])
    options = [*PRESETS, *recent]
    address.choice("pair-base", options, default=_PRESET)
    base = inputs.selectbox(
        "Settings of both",
        options,
        key="pair-base",
        format_func=lambda name: PRESETS[name].title if name in PRESETS else f"As in {recent[name].name}",
        help="All but the augmentation.",
    )
    address.record("pair-base", base, default=_PRESET)
    config = PRESETS[base].config if base in PRESETS else recent[base].config
    address.number("pair-epochs", default=0, low=0, high=2000)
    address.number("pair-seed", default=config.seed, low=0, high=_SEEDS - 1)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        epochs = inputs.number_input(
            "Epochs at most (0: as set)",
            0,
            2000,
            step=5,
            key="pair-epochs",
            width=210,
            help=f"0 takes what the settings say: {form_state.allowed(config).training.epochs}. {term('epoch')}",
        )
        seed = inputs.number_input("Seed of both", 0, _SEEDS - 1, step=1, key="pair-seed", width=170, help=term("seed"))
    address.record("pair-epochs", str(epochs), default="0")
    address.record("pair-seed", str(seed), default=str(config.seed))
    changes: dict[str, object] = {"data.source": studio.dataset.name, "seed": int(seed)}
    if epochs:
        changes["training.epochs"] = int(epochs)
    return form_state.allowed(with_values(config, changes))


def _same_updates(times: int) -> bool:
    address.choice("pair-updates", ["no", "yes"], default="no")
    chosen = inputs.selectbox(
        "Number of weight updates",
        ["no", "yes"],
        key="pair-updates",
        format_func=lambda name: "The same in both" if name == "yes" else "As it comes: the same number of epochs",
        help=f"The pipeline makes {times} images of each, so an epoch with it has {times} times as many batches. With "
        f"the same number of updates the run without it may train for {times} times as many epochs.",
    )
    address.record("pair-updates", chosen, default="no")
    return chosen == "yes"


def _expected(without: RunConfig, with_it: RunConfig, times: int) -> str:
    """How long both take at most, by a finished run of the same network on the same data."""
    pace = _seconds_an_image_set(with_it)
    if pace is None:
        return "Both wait in the queue like any run. How long they take is shown once the first one trains."
    total = pace * (without.training.epochs + times * with_it.training.epochs)
    early = "" if not with_it.training.patience else " Early stopping usually ends them much sooner."
    return f"Expected: at most {duration(total)} for both, by an earlier run with this network.{early}"


def _seconds_an_image_set(config: RunConfig) -> float | None:
    """Seconds of an epoch over the original images alone."""
    for run in cache.runs():
        same = run.config.model.name == config.model.name and run.config.data.source == config.data.source
        epochs, seconds = run.metrics.get("epochs"), run.metrics.get("seconds")
        if same and run.status is RunStatus.FINISHED and not run.origin and epochs and seconds:
            try:
                return seconds / epochs / factor(run.config)
            except AquaDashError:
                continue
    return None


def _launch(config: RunConfig, pipeline: str, same_updates: bool) -> None:
    if time.monotonic() - st.session_state.get(_LAUNCHED_AT, -_DOUBLE_CLICK_SECONDS) < _DOUBLE_CLICK_SECONDS:
        return
    try:
        without, _ = cache.engine().submit_pair(config, pipeline, same_updates=same_updates)
    except AquaDashError as error:
        st.session_state[_TROUBLE] = str(error)
        return
    st.session_state[_LAUNCHED_AT] = time.monotonic()
    cache.refresh()
    address.assign("pair", without.pair_id)


def _past(pipeline: str) -> None:
    """The pairs there are, and the chosen one: at first the latest with this pipeline."""
    known = {pair.pair_id: pair for pair in pairs(cache.runs())}
    if not known:
        return
    st.subheader("Pairs", anchor=False, help=term("paired runs"))
    about = [pair_id for pair_id, pair in known.items() if pair.pipeline == pipeline]
    address.choice("pair", list(known), default=next(iter(about or known)))
    chosen = inputs.selectbox("Pair", list(known), key="pair", format_func=lambda pair_id: _label(known[pair_id]))
    address.record("pair", chosen, default="")
    result(known[chosen])


def _label(pair: Pair) -> str:
    state = "at work" if pair.at_work else "done"
    return f"{pair.title} · {moment(pair.created_at)} · {state} · {pair.pair_id[:6]}"

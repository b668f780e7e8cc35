"""One click on the Augment page: the same training with and without this pipeline, which Compare then shows."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from aquadash.augment import embedded, plan
from aquadash.config import RunConfig, with_values
from aquadash.presets import PRESETS
from aquadash.runs.pairs import Pair, pair_configs, pairs
from aquadash.runs.types import Run, RunStatus
from aquadash.ui import address, bound, components, run_lists, shell
from aquadash.ui.augment.studio import Studio
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.text import duration, moment, plain
from aquadash.ui.train import form_state

_COMPARE = "pages/compare.py"
_PRESET = "notebook-fixed"
_SEEDS = 2**32
#: Runs that settings can be taken from.
_MAX_RUNS = 20
#: Older ones are among the runs on Compare.
_MAX_PAIRS = 20


def launch(studio: Studio) -> None:
    """Draw the form that trains a pair, and links to the pairs there are."""
    st.subheader("Does it help?", anchor=False, help=term("paired runs"))
    st.markdown("The same training twice, with this pipeline and without.")
    with shell.guard():
        _form(studio)
    with shell.guard():
        _past(studio.spec.name)


def _form(studio: Studio) -> None:
    spec = studio.spec
    if lab().pipelines.all().pipelines.get(spec.name) != spec:
        st.info("Save the pipeline first.", icon="💾")
        return
    if all(branch.is_original for branch in spec.branches):
        st.info("This pipeline changes nothing: both runs would be the same.", icon="👯")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        config = _settings(studio)
        times = plan(pair_configs(config, spec.name)[1].augmentation).factor
        same_updates = times > 1 and _same_updates(times)
    pressed = st.button("Train with and without", key="pair-launch", type="primary", icon="👯")
    st.caption(plain(_expected(*pair_configs(config, spec.name, same_updates=same_updates))))
    if pressed:
        made = shell.launch_once(
            "pair:launched", lambda: lab().runs.train_pair(config, spec.name, same_updates=same_updates)
        )
        st.switch_page(_COMPARE, query_params=_address(made))


def _settings(studio: Studio) -> RunConfig:
    """What both runs are made from."""
    runs = {run.run_id: run for run in lab().runs.all() if run.status is RunStatus.FINISHED and not run.origin}
    recent = dict(list(runs.items())[:_MAX_RUNS])
    titles = {name: preset.title for name, preset in PRESETS.items()}
    titles |= {run_id: f"As in {label}" for run_id, label in components.run_labels(recent.values()).items()}
    base = bound.menu("pair-base", titles, label="Settings", default=_PRESET, help="All but the augmentation.")
    config = PRESETS[base].config if base in PRESETS else recent[base].config
    epochs = bound.number(
        "pair-epochs",
        0,
        2000,
        label="Maximum epochs",
        default=0,
        step=5,
        width=150,
        help=f"0 takes what the settings say: {form_state.allowed(config).training.epochs}. {term('epoch')}",
    )
    address.follow("pair-seed", config.seed)
    seed = bound.number("pair-seed", 0, _SEEDS - 1, label="Seed", default=config.seed, width=150, help=term("seed"))
    changes: dict[str, object] = {"data.source": studio.dataset.name, "seed": seed}
    if epochs:
        changes["training.epochs"] = epochs
    return form_state.allowed(with_values(config, changes))


def _same_updates(times: int) -> bool:
    chosen = bound.menu(
        "pair-updates",
        {"no": "Same number of epochs", "yes": "Same number of weight updates"},
        label="Length",
        help=f"The pipeline makes {times} images of each, so an epoch with it has {times} times as many batches. With "
        f"the same number of updates the run without it may train for {times} times as many epochs.",
    )
    return chosen == "yes"


def _expected(without: RunConfig, with_it: RunConfig) -> str:
    """How long both take, by finished runs that are like them: at most, or about by the pace of other settings."""
    paces = lab().runs.paces()
    first, second = paces.known(embedded(without)), paces.known(embedded(with_it))
    if first is None or second is None:
        return "How long they take is shown once the first one trains."
    total = duration(first.seconds * without.training.epochs + second.seconds * with_it.training.epochs)
    early = "" if not with_it.training.patience else " Early stopping usually ends them much sooner."
    limit = "about" if first.borrowed or second.borrowed else "at most"
    basis = first.basis if first.borrowed else second.basis
    return f"Expected: {limit} {total} for both, by {basis}.{early}"


def _past(pipeline: str) -> None:
    """Links to the latest pairs, those with this pipeline first."""
    known = {pair.pair_id: pair for pair in pairs(lab().runs.all())}
    asked = known.get(st.query_params.pop("pair", ""))
    if asked is not None:
        # An address of an older version, which showed pairs here.
        st.switch_page(_COMPARE, query_params=_address(asked.runs))
    if not known:
        return
    st.subheader("Pairs", anchor=False, help=term("paired runs"))
    for pair in sorted(known.values(), key=lambda pair: pair.pipeline != pipeline)[:_MAX_PAIRS]:
        st.page_link(_COMPARE, label=plain(_label(pair)), icon="👯", query_params=_address(pair.runs))


def _label(pair: Pair) -> str:
    if pair.at_work:
        state = "not done yet"
    elif len(pair.runs) < 2:
        state = "one of the two is not here"
    else:
        state = "done" if all(map(run_lists.has_results, pair.runs)) else "ended without results"
    seed = pair.runs[-1].config.seed
    # The id tells pairs apart that were launched within the same minute.
    return f"{pair.title} · seed {seed} · {moment(pair.created_at)} · {state} · {pair.pair_id[:6]}"


def _address(runs: Sequence[Run]) -> dict[str, str]:
    return {"runs": ",".join(run.run_id for run in runs)}

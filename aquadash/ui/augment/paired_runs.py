"""Does a pipeline help? One click trains the same settings and seed with and without it; Compare shows both."""

import streamlit as st

from aquadash.config import with_values
from aquadash.presets import PRESETS
from aquadash.ui.augment.studio import Studio
from aquadash.ui.kit import bound, form_state, shell
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab

_PRESET = "notebook-fixed"


def launch(studio: Studio) -> None:
    """Draw the form that starts the two runs."""
    st.subheader("Does it help?", anchor=False, help=term("paired runs"))
    st.markdown("Trains the same settings twice: with this pipeline and without it. Compare then shows both runs.")
    spec = studio.spec
    if lab().pipelines.all().pipelines.get(spec.name) != spec:
        st.info("Save the pipeline first.", icon="💾")
        return
    if all(branch.is_original for branch in spec.branches):
        st.info("This pipeline changes nothing: both runs would be the same.", icon="👯")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        titles = {name: preset.title for name, preset in PRESETS.items()}
        help = "A preset for everything except the augmentation."
        base = bound.menu("pair-base", titles, label="Settings", default=_PRESET, help=help)
        own = lab().limits.seed
        seed = bound.number("pair-seed", 0, 2**32 - 1, label="Seed", default=own, width=150, help=term("seed"))
    changes = {"data.source": studio.dataset.name, "seed": seed}
    config = form_state.allowed(with_values(PRESETS[base].config, changes))
    if st.button("Train with and without", key="pair-launch", type="primary", icon="👯"):
        runs = shell.launch_once("pair:launched", lambda: lab().runs.train_pair(config, spec.name))
        st.switch_page("pages/compare.py", query_params={"runs": ",".join(run.run_id for run in runs)})

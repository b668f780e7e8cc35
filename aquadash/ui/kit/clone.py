"""A button that fills the Train form with a run's settings and opens the page."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from aquadash import augment
from aquadash.config import RunConfig, flatten, with_values
from aquadash.errors import AquaDashError, StorageError
from aquadash.store.types import Run, RunStatus
from aquadash.ui.kit import address, form_state, shell
from aquadash.ui.kit import hyperparameters as fields
from aquadash.ui.kit.lab import lab

#: Settings that name a data set or network, which may be gone. A run contains its pipeline.
_NAMED = ("data.source", "model.name")


def render_clone_button(
    run_id: str,
    *,
    changes: Mapping[str, Any] | None = None,
    label: str = "Clone",
    icon: str | None = ":material/content_copy:",
    help: str | None = "Fills the Train form with this run's settings, to start another one like it.",
    key: str = "clone",
) -> None:
    """Draw a button that fills the Train form with a run's settings and opens it."""
    # A callback: the values of controls that are drawn already cannot be set.
    options: dict[str, Any] = {"key": f"{key}-{run_id}", "icon": icon, "help": help, "type": "tertiary"}
    if shell.render_attempt_button(label, _fill, run_id, changes or {}, **options):
        shell.render_failure()
        if form_state.origin().name == run_id:
            st.switch_page("pages/train.py", query_params={"run": run_id})


def _fill(run_id: str, changes: Mapping[str, Any]) -> None:
    run = lab().runs.get(run_id)
    if run.status is RunStatus.UNREADABLE:
        raise StorageError(run.message)
    config, lost = _usable(run)
    origin = form_state.Origin(run.run_id, run.name, config, run=True, lost=lost)
    form_state.fill(origin, with_values(config, changes))
    address.assign("preset", form_state.COPY)


def _usable(run: Run) -> tuple[RunConfig, tuple[str, ...]]:
    """Return the run's settings, the form's in place of those that cannot be used, and notes on these."""
    wanted = flatten(run.config)
    held, _ = form_state.values()
    lost = {name: held[name] for name in _NAMED if wanted[name] not in fields.choices(name)}
    try:
        augment.plan(run.config.augmentation)
    except AquaDashError:
        lost["augmentation.pipeline"] = held["augmentation.pipeline"]
    notes = (
        f"{fields.label(name)}: “{wanted[name]}”, which this run used, cannot be used here. The form keeps "
        f"“{fields.value_text(name, instead)}”."
        for name, instead in lost.items()
    )
    return with_values(run.config, lost), tuple(notes)

"""What the form holds: filled from an origin, changed by controls, hidden settings left as they were filled."""

from __future__ import annotations

from aquadash.config import flatten
from aquadash.presets import PRESETS
from tests.app_pages import run_script


def test_changes_are_converted_and_all_or_nothing() -> None:
    def script() -> None:
        import streamlit as st

        from aquadash.errors import AquaDashError
        from aquadash.ui.train import form_state

        st.session_state.source = "synthetic"
        form_state.apply({"training.epochs": "7", "training.learning_rate": 1})
        try:
            form_state.apply({"training.epochs": 8, "training.batch_size": "many"})
        except AquaDashError as error:
            st.session_state.refusal = str(error)
        st.session_state.result = form_state.values()[0]

    app = run_script(script)
    assert "training.batch_size" in app.session_state.refusal
    values = app.session_state.result
    assert (values["training.epochs"], values["training.learning_rate"]) == (7, 1.0)
    assert isinstance(values["training.learning_rate"], float)  # As the field for numbers wants it.


def test_a_preset_keeps_the_data_set_and_a_run_brings_its_own() -> None:
    def script() -> None:
        import streamlit as st

        from aquadash.config import RunConfig, with_values
        from aquadash.ui.train import form_state

        run = with_values(RunConfig(), {"data.source": "cifar100", "training.epochs": 3})
        form_state.fill(form_state.Origin("a" * 32, "mine", run, run=True))
        st.session_state.cloned = form_state.config()
        form_state.fill(form_state.preset("notebook"))
        st.session_state.result = form_state.config()
        st.session_state.copied = form_state.copied_run().title

    app = run_script(script)
    assert flatten(app.session_state.cloned)["training.epochs"] == 3
    result = flatten(app.session_state.result)
    assert result.pop("data.source") == "cifar100"
    assert result == {k: v for k, v in flatten(PRESETS["notebook"].config).items() if k != "data.source"}
    assert app.session_state.copied == "mine"

"""What the form holds, which programs change, too."""

from __future__ import annotations

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

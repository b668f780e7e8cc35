"""A run's ZIP and its network as TensorFlow Lite; importing a run from another computer."""

import functools

import streamlit as st

from aquadash import settings
from aquadash.data import SOURCES
from aquadash.store import Job, RunStatus
from aquadash.store.types import Run
from aquadash.ui.kit import components, inputs, job_panel, shell
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import plain
from aquadash.ui.kit.uploads import most_megabytes, switched_off


def render_export(run: Run) -> None:
    """Draw the exports of a run."""
    if not run.status.ended:
        st.info("This run can be exported once it has ended. To export it now, stop it on the Train page.", icon="⏳")
        return
    with shell.guard():
        st.markdown(
            "The **ZIP** contains settings, curves, network, predictions and report. Its script and its notebook train "
            "the run without AquaDash."
        )
        source = SOURCES.get(run.config.data.source)
        include = inputs.toggle(
            "Include the images",
            value=source is not None and source.drawn,
            key=f"take-home-data-{run.run_id}",
            disabled=source is not None and source.name not in lab().data.sources(),
            help="The script needs them. It can download CIFAR-100 itself. You may pass on drawings; photos may belong "
            "to somebody.",
        )
        job_panel.follow(lab().jobs.export_id(run.run_id, include_data=include), functools.partial(_zip, run, include))
    with shell.guard():
        _tflite(run)


def render_export_popover(run: Run) -> None:
    """Draw a button that opens :func:`render_export`."""
    with st.popover("Export", icon="🎒", key=f"take-home-{run.run_id}", on_change="rerun") as opened:
        if opened.open:
            render_export(run)


def render_import() -> None:
    """Draw the import of a run from another computer."""
    with st.expander("Import run", icon="📥", key="bring", on_change="rerun") as opened:
        if opened.open:
            with shell.guard():
                _upload()


def _zip(run: Run, include: bool, job: Job | None) -> None:
    from aquadash.export import jobs
    from aquadash.export.bundle import file_name

    key = f"{run.run_id}-{include:d}"
    if job is not None and not job.status.ended:
        job_panel.render_job(job, key=f"take-home-{key}")
        return
    if job is not None and (path := jobs.exported_file(job)) is not None:
        label, name = f"Download the ZIP ({job.result['size'] / 1e6:.1f} MB)", file_name(run)
        components.render_download(label, path.read_bytes, file_name=name, key=f"take-home-get-{key}", type="primary")
        for note in job.result["notes"]:
            st.caption(f"ℹ️ {plain(note)}")
        return
    if job is not None:
        job_panel.render_end(job)
    make = functools.partial(lab().jobs.export, run.run_id, include_data=include)
    shell.render_action_button("Make the ZIP", make, key=f"take-home-make-{key}", type="primary", icon="🎒")


def _tflite(run: Run) -> None:
    from aquadash.export.tflite import FILE_NAME

    st.markdown("**The network for phones and small devices**: TensorFlow Lite, also called LiteRT.")
    if "test_accuracy" not in run.metrics:
        st.caption("This run has no trained network.")
    elif st.button(f"Make {FILE_NAME}", key=f"tflite-{run.run_id}", icon="🔄"):
        with st.spinner("Converting the network"):
            content = lab().runs.tflite(run)
        label = f"Download {FILE_NAME} ({len(content) / 1e6:.1f} MB)"
        components.render_download(label, content, file_name=FILE_NAME, key=f"tflite-get-{run.run_id}")


def _upload() -> None:
    from aquadash.data.images import display_name
    from aquadash.export import jobs

    st.markdown("Choose a ZIP that *Export* made, on this computer or another.")
    if not settings.classroom():
        st.caption("For a larger ZIP, run `.venv/bin/python -m aquadash runs import FILE` in a terminal.")
    uploaded = st.file_uploader(
        "Run", type="zip", key="bring-run", max_upload_size=most_megabytes(), disabled=switched_off()
    )
    if uploaded is None:
        return
    job_id, name = jobs.import_id(uploaded.file_id), display_name(uploaded.name)
    if lab().jobs.get(job_id) is None:
        lab().jobs.import_run(uploaded.file_id, called=name, write=lambda path: path.write_bytes(uploaded.getvalue()))
    job_panel.follow(job_id, _incoming)


def _incoming(job: Job | None) -> None:
    if job is None:
        return
    if not job.status.ended:
        job_panel.render_job(job, key="bring")
        return
    if job.status is not RunStatus.FINISHED:
        job_panel.render_end(job)
        return
    run, seen = lab().runs.get(job.result["run_id"]), {run.run_id for run in lab().runs.all()}
    copies = [run_id for run_id in job.result["copies"] if run_id in seen]
    st.success(f"**{plain(run.name)}** is imported.", icon="📥")
    if copies:
        st.caption(f"You already had this run, as {', '.join(copy[:8] for copy in copies)}. Now it is here twice.")
    st.page_link(
        "pages/evaluate.py", label="Evaluate", query_params={"run": run.run_id}, icon=":material/arrow_forward:"
    )

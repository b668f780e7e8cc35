"""Home: what this is, what runs now, where to begin."""

from __future__ import annotations

import streamlit as st

from aquadash import data, settings
from aquadash.lab.rights import Action
from aquadash.pages import PAGES
from aquadash.ui import components, run_lists, shell, warmup
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.text import duration, moment, plain

_MAX_AT_WORK = 5

STEPS = (
    ("🐟 Look at the data", "Five animals: 2,500 training images and 500 test images.", "data"),
    ("🎲 Augment the images", "Random changes make five training pictures out of one.", "augment"),
    ("🏊 Train and watch", "Launch a network and see it learn, epoch by epoch.", "train"),
)


def steps() -> None:
    """The way to a first result."""
    for column, (title, sentence, name) in zip(st.columns(3), STEPS, strict=True):
        with column.container(border=True, height="stretch"):
            st.markdown(f"**{title}**  \n{sentence}")
            st.page_link(f"pages/{name}.py", label=f"Go to {PAGES[name].title}", icon=":material/arrow_forward:")


@shell.live(1.5)
def now_and_lately() -> None:
    """Runs at work and the latest results, drawn again all the time from one read of the store for everybody."""
    st.subheader("Running now", anchor=False)
    if not warmup.ready():
        st.caption("⏳ Opening the run store ...")
        return
    runs = lab().runs.all()
    at_work = [run for run in runs if not run.status.ended]
    if not at_work:
        st.caption("Nothing at the moment.")
    for run in run_lists.own_first(run_lists.active_first(at_work))[:_MAX_AT_WORK]:
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{plain(run.name)}**", width="content")
                components.status_badge(run.status)
                run_lists.owner_badge(run.resource)
                st.page_link("pages/train.py", label="Watch", query_params={"run": run.run_id})
            if run.progress is not None and run.progress.epochs:
                run_lists.progress_bar(run)
    if len(at_work) > _MAX_AT_WORK:
        st.caption(f"and {len(at_work) - _MAX_AT_WORK} more")

    st.subheader("Latest results", anchor=False)
    # A class compares by validation, as its board does.
    images = "validation" if settings.classroom() else "test"
    accuracy = "val_accuracy" if settings.classroom() else "test_accuracy"
    shown = [run for run in runs if run_lists.has_results(run) and accuracy in run.metrics and not run.archived]
    finished = run_lists.own_first(shown)[:5]
    if not finished:
        st.caption("None yet. The three steps above lead to the first one.")
        st.page_link(
            "pages/predict.py",
            label="Try the included model on your photo",
            icon=":material/photo_camera:",
        )
        return
    for run in finished:
        with st.container(horizontal=True, vertical_alignment="center", border=True):
            st.markdown(f"**{plain(run.name)}**", width="content")
            run_lists.owner_badge(run.resource)
            right = f"{100 * run.metrics[accuracy]:.0f} % of the {images} images right"
            st.markdown(right, width="content", help=term("accuracy"))
            facts = f"{run.config.data.source}, {duration(run.metrics.get('seconds'))}, {moment(run.ended_at)}"
            st.caption(plain(facts), width="content")
            st.page_link("pages/evaluate.py", label="Evaluate", query_params={"run": run.run_id})


def about_the_data() -> None:
    """Drawn or real, and how to come by the real photographs."""
    if data.SOURCES["cifar100"].key() is not None:
        st.info("CIFAR-100 photos are ready.", icon="📷")
        return
    by = "" if lab().rights.allow(Action.ADD_FOR_ALL) else " by the teacher"
    st.info(
        "AquaDash begins with animals that it has **drawn** itself, so that nothing needs to be downloaded. The "
        f"photographs of CIFAR-100 (169 MB) can be fetched once{by}, on the Data page.",
        icon="🖍️",
    )
    if not lab().rights.allow(Action.ADD_FOR_ALL):
        return
    st.page_link(
        "pages/data.py", label="Get the photographs", query_params={"source": "cifar100"}, icon=":material/download:"
    )


with shell.page("home"):
    st.markdown(
        "A lab for learning image classification by experiment. Change one thing, train, and see what it does. "
        "Nothing here needs programming, and nothing can be broken."
    )
    steps()
    st.page_link(
        "pages/walkthrough.py",
        label="Guided lesson (45 min)",
        icon="🎓",
    )
    about_the_data()
    now_and_lately()

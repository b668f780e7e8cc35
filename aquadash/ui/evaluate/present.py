"""A run as a talk: one idea a screen, in large type, without controls; the arrow keys change screens.

The address holds run and screen: ``/evaluate?run=...&present=3`` is the third screen of that run.
"""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from aquadash.config import flatten
from aquadash.data import title_of
from aquadash.errors import AquaDashError
from aquadash.evaluation.browse import select
from aquadash.figures.class_scores import class_scores
from aquadash.figures.confusion_matrix import confusion_matrix, largest_confusions
from aquadash.figures.learning_curves import learning_curves
from aquadash.store.types import Run
from aquadash.training.prepare import report_validation_images
from aquadash.ui.kit import address, bound, components, gallery, image_browser, run_lists, shell
from aquadash.ui.kit import hyperparameters as fields
from aquadash.ui.kit.evaluated import Evaluated
from aquadash.ui.kit.gallery import class_text
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.sections import Section
from aquadash.ui.kit.text import count, duration, percent, plain

#: Name in the address of the screen's number, from 1.
KEY = "present"

#: Seconds between two drawings of a run that trains.
_TICK_SECONDS = 1.5

#: The settings on the screen "How was it trained?".
_SETTINGS = (
    "data.source augmentation.pipeline model.name training.optimizer training.learning_rate training.batch_size"
).split()

#: Number and width of the cards that fill one row: a second row would scroll.
_ROW, _CARD_REM = 5, 9

#: Large type for the last row of a classroom: all sizes are in proportion to the text's.
CSS = """
<style>
html { font-size: clamp(16px, min(1.7vw, 2.8vh), 34px) !important; }
[data-testid="stSidebar"], [data-testid="stHeader"], [data-testid="stExpandSidebarButton"] { display: none !important; }
[data-testid="stMainBlockContainer"] { padding: 1.2rem 2.5rem 1rem !important; }
.st-key-present-screen [data-testid="stMarkdownContainer"] :is(p, li) { font-size: 1.35rem; line-height: 1.5; }
.st-key-present-head > :first-child { flex: 1 1 18rem; min-width: 0; }
.st-key-present-head h2 { font-size: 1.75rem; padding: 0; }
.st-key-present-screen .aqua-card { font-size: 0.95rem; }
.st-key-present-screen .aqua-card img { max-height: 30vh; }
.aqua-figure { font-size: clamp(4rem, 16vw, 9rem); line-height: 1.05; font-weight: 700; }
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] { padding: 0.8rem 1rem !important; } }
</style>
"""


def render_button() -> None:
    """Draw the button that opens the run as a talk."""
    # No link: Streamlit removes the query from a link that leads to the same page.
    st.button(
        "Present",
        key="present-open",
        icon=":material/slideshow:",
        type="tertiary",
        help="Shows this run as slides in large type. Arrow keys change slides.",
        on_click=lambda: st.query_params.update({KEY: "1"}),
    )


def is_open() -> bool:
    """Return whether the address asks for a talk."""
    return KEY in st.query_params


def render_presentation() -> None:
    """Draw the screen of the address, with buttons to the others."""
    run_id, runs = str(st.query_params.get("run", "")), lab().runs.all()
    # The address may hold the beginning of an id; an unknown id is an error below.
    with suppress(ValueError):
        run_id = bound.id_of([run.run_id for run in runs], expected="the id of a run").parse(run_id)
    at_work = any(run.run_id == run_id and not run.status.ended for run in runs)
    st.html(CSS)
    shell.live(_TICK_SECONDS if at_work else None)(_screen)(run_id, at_work)


def _screen(run_id: str, at_work: bool) -> None:
    try:
        run = lab().runs.get(run_id)
        if at_work and run.status.ended:
            lab().refresh()
            address.draw_again()
        screens = screens_of(run)
    except AquaDashError as error:
        shell.render_error(error)
        _exit(run_id)
        return
    number = address.sync(KEY, bound.number_in(1, len(screens), clamp=True), default=1, omitted="")
    screen = screens[number - 1]
    _head(screen.title, run, number, len(screens))
    with st.container(key="present-screen"):
        screen.render()


def screens_of(run: Run) -> list[Section[[], None]]:
    """Return the screens of a run, one idea each; a run without results has fewer."""
    screens = [
        Section(plain(run.name), lambda: _opening(run)),
        Section("How was it trained?", lambda: _settings(run)),
        Section("Learning curve", lambda: _curve(run)),
    ]
    if not (run.status.ended and run_lists.has_results(run)):
        return screens
    one = Evaluated.load(run)
    screens += [
        Section("How often is it right?", lambda: _accuracy(one)),
        Section("Confusion matrix", lambda: _matrix(one)),
    ]
    if mistakes := largest_confusions(one.evaluation.confusion_matrix, most=1):
        true, predicted, number = mistakes[0]
        names = [plain(class_text(one.evaluation.classes[index])) for index in (true, predicted)]
        title = f"Most frequent mistake: {names[0]} taken for {names[1]}, {count(number, 'time')}"
        screens.append(Section(title, lambda: _cards(one, true_class=true, predicted_class=predicted)))
    screens += [
        Section("Is it equally good at every class?", lambda: _classes(one)),
        Section("Right answers with the highest confidence", lambda: _cards(one, outcome="right")),
        Section("Mistakes with the highest confidence", lambda: _cards(one, outcome="wrong")),
    ]
    return screens


def _head(title: str, run: Run, number: int, last: int) -> None:
    """Draw the title and the buttons with their keys, in one row where the screen is wide enough."""
    with st.container(horizontal=True, vertical_alignment="center", key="present-head"):
        st.header(title, anchor=False)
        st.caption(f"{number} of {last}", width="content")
        for label, key, icon, shortcut, target in (
            ("Back", "present-back", ":material/arrow_back:", "Left", number - 1),
            ("Next", "present-on", ":material/arrow_forward:", "Right", number + 1),
        ):
            st.button(
                label,
                key=key,
                icon=icon,
                type="primary" if label == "Next" else "secondary",
                shortcut=shortcut,
                disabled=not 1 <= target <= last,
                on_click=address.assign,
                args=(KEY, target),
            )
        _exit(run.run_id)


def _exit(run_id: str) -> None:
    if st.button("Exit", key="present-leave", icon=":material/close:", shortcut="Esc", type="tertiary"):
        st.switch_page("pages/evaluate.py", query_params={"run": run_id} if run_id else {})


def _opening(run: Run) -> None:
    classes, title = count(len(run.class_names), "class", "classes"), plain(title_of(run.config.data.source))
    st.markdown(f"A network that learns to tell {classes} apart: {title}")
    if run.note:
        st.markdown(plain(run.note[:400]))
    dataset = image_browser.matching_dataset(run) if run.class_names else None
    if dataset is None:
        return
    cards = [
        gallery.Card(dataset.train.images[position], class_text(name), f"A training image: {name}")
        for label, name in enumerate(dataset.class_names[:10])
        for position in np.flatnonzero(dataset.train.labels == label)[:1]
    ]
    gallery.render_cards(cards, size_rem=_CARD_REM, label="A training image of each class")


def _settings(run: Run) -> None:
    values = flatten(run.config)
    lines = [f"- {plain(fields.label(name))}: **{plain(fields.value_text(name, values[name]))}**" for name in _SETTINGS]
    if "epochs" in run.metrics:
        epochs = run.metrics["epochs"]
        times = "once" if epochs == 1 else f"{epochs:.0f} times"
        lines.append(f"- It saw its training images **{times}**, in **{duration(run.metrics.get('seconds'))}**.")
    st.markdown("\n".join(lines))


def _curve(run: Run) -> None:
    history = lab().runs.history(run.run_id)
    figure = learning_curves(
        history,
        metric="accuracy",
        monitor=run.config.training.monitor,
        kept_epoch=run.metrics.get("kept_epoch"),
        revision=run.run_id,
    )
    _plot(figure, "present-curve", height=500)
    if run.status.ended and history:
        st.markdown("Only images it never learned from show how good it is.")


def _accuracy(one: Evaluated) -> None:
    evaluation = one.evaluation
    value, interval = percent(evaluation.accuracy, evaluation.accuracy_ci95)
    st.html(f"<div class='aqua-figure'>{value}</div>")
    seen = "which it had never seen"
    if one.validated_on_test:
        decided = one.run.config.training.decided_by_validation
        said = f"decided {decided}, so the accuracy is probably too high" if decided else "were its validation images"
        seen = f"of which {report_validation_images(evaluation.n)} {said}"
    st.markdown(
        f"of {evaluation.n:,} test images, {seen}. With other images it might be "
        f"{plain(interval)}: that is the 95 % interval. Guessing would give {100 / len(evaluation.classes):.0f} %."
    )


def _matrix(one: Evaluated) -> None:
    figure = confusion_matrix(one.evaluation.confusion_matrix, class_names=one.evaluation.classes, by_row=False)
    _plot(figure, "present-matrix", height=540)


def _classes(one: Evaluated) -> None:
    _plot(class_scores([(one.run.name, one.evaluation)]), "present-classes", height=540)
    st.markdown("The lines are 95 % intervals. Classes whose lines overlap widely may be equally hard.")


def _cards(one: Evaluated, **filters: Any) -> None:
    """Draw the images that pass the filters of :func:`select`, the most confident first."""
    dataset = image_browser.matching_dataset(one.run)
    if dataset is None:
        return
    tested = one.predictions
    positions = select(tested.labels, tested.probabilities, sort="most confident", **filters)
    cards = [
        replace(image_browser.card(dataset, tested, int(position), class_names=one.evaluation.classes), opens="")
        for position in positions[:_ROW]
    ]
    gallery.render_cards(cards, size_rem=_CARD_REM, label="Test images with the network's answers")


def _plot(figure: go.Figure, key: str, *, height: int) -> None:
    figure.update_layout(font_size=20, legend_font_size=20, height=height)
    figure.update_xaxes(tickfont_size=20, title_font_size=20).update_yaxes(tickfont_size=20, title_font_size=20)
    figure.update_traces(textfont_size=26, selector={"type": "heatmap"})
    components.render_plot(figure, key=key)

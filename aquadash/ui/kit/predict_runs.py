"""The runs whose networks answer, and test images as samples."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from aquadash import data
from aquadash.data.framing import fit
from aquadash.errors import AquaDashError
from aquadash.predict import Look, answered
from aquadash.store.types import Run, RunStatus
from aquadash.ui.kit import address, bound, components, datasets, picture_cards, predictions, run_lists
from aquadash.ui.kit.compared import labels
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.predictions import Item, Network, predictor
from aquadash.ui.kit.text import plain
from aquadash.ui.kit.uploads import Upload

#: Maximum number of runs side by side.
MAX_RUNS = 4

_KEY = "beside"


def for_pictures() -> list[Run]:
    """Return the runs with networks, best first; the first one suits the sidebar's data set or photographs."""
    # The included model is added to the store if no run suits.
    run_lists.or_included_model([run for run in lab().runs.all() if _suits(run)])
    runs = run_lists.own_first(run_lists.best_first(run_lists.with_networks(lab().runs.all())))
    able = sorted(filter(_suits, runs), key=lambda run: run.config.data.source != datasets.current())
    return sorted(runs, key=lambda run: run not in able[:1])


def _suits(run: Run) -> bool:
    source = data.SOURCES.get(run.config.data.source)
    usable = run.status is RunStatus.FINISHED and run_lists.has_results(run) and not (run.search_id or run.archived)
    if not usable or source is None or source.name not in ("cifar100", datasets.current()):
        return False
    # Own pictures are photographs: a network of drawings answers by default only if the sidebar was set to them.
    return not source.drawn or datasets.is_chosen()


def choose_more_runs(run: Run, runs: Sequence[Run]) -> list[Run]:
    """Draw the menu of other runs for the same pictures; the address has them as ``beside``."""
    by_id = {each.run_id: each for each in runs if run_lists.has_results(each) and each.run_id != run.run_id}
    if not by_id:
        st.session_state.pop(_KEY, None)
        return []
    picked = bound.choices(
        _KEY,
        components.run_labels(by_id.values()),
        label="Compare with",
        codec=replace(
            bound.several_of(by_id, most=MAX_RUNS - 1, ignored=(run.run_id,)),
            expected=f"the ids of at most {MAX_RUNS - 1} other runs with a network",
        ),
        max_selections=MAX_RUNS - 1,
        placeholder="Other runs",
        help=f"At most {MAX_RUNS} runs look at the same pictures, side by side.",
    )
    return [by_id[run_id] for run_id in picked]


def networks(runs: Sequence[Run]) -> list[Network]:
    """Return the networks that load, with a warning for each other one; raise if the first one does not load."""
    loaded: list[Network] = []
    for run, name in zip(runs, labels(runs), strict=True):
        try:
            loaded.append(Network(name, run, predictor(run), lab().runs.temperature(run)))
        except AquaDashError as error:
            if not loaded:
                raise
            st.warning(f"**{plain(name)}**: {plain(str(error))}", icon="🚧")
    return loaded


#: Maximum number of test images at once, one for each of the first classes.
MAX_SAMPLES = 10

#: Maximum number of a draw, which is in the address.
LAST_SAMPLE = 9999


def sample_number() -> int:
    """Draw the button for test images, and return the number of the draw, 0 before the first."""
    number = address.sync("sample", bound.number_in(0, LAST_SAMPLE), default=0)
    st.button(
        "Try another sample" if number else "Try a sample",
        icon="🎲",
        type="secondary" if number else "primary",
        key="draw-sample",
        on_click=address.assign,
        args=("sample", number % LAST_SAMPLE + 1),
    )
    return number


def render_samples(networks: Sequence[Network], number: int, *, one: bool = False) -> str:
    """Draw test images of the first run's data set, or drawings if it is missing, with answers; return the source."""
    run = networks[0].run
    source = run.config.data.source
    allowed = source in lab().data.sources()  # Another student's pictures may have the name now.
    dataset = datasets.dataset(source) if allowed and data.is_here(source) else None
    if dataset is None or run.dataset_fingerprint not in ("", dataset.fingerprint):
        missing = allowed and dataset is None
        fetched = "photographs, which the Data page can fetch" if missing else "pictures that cannot be shown"
        st.caption(f"🖍️ A drawing. This network learned from {fetched}.")
        source = datasets.DEFAULT_SOURCE
        dataset = datasets.dataset(source)
    elif one:
        datasets.render_other_source(run)
    split, generator = dataset.test, np.random.default_rng(number)
    of_class = (np.flatnonzero(split.labels == label) for label in range(len(dataset.class_names)))
    drawn = [int(generator.choice(positions)) for positions in of_class if len(positions)][:MAX_SAMPLES]
    if one:
        drawn = [drawn[number % len(drawn)]]
    height, width = dataset.image_shape[:2]
    sizes = [network.predictor.image_shape[:2] for network in networks]
    looks = [
        Look(
            f"Test image {position}",
            {size: fit(split.images[position], size=size) for size in sizes},
            thumbnail=split.images[position],
            picture_size=(width, height),
        )
        for position in drawn
    ]
    # Without a temperature, as everywhere for images of a data set: the opened image and Evaluate have the same figure.
    answers = zip(*(answered(looks, network.predictor) for network in networks), strict=True)
    with st.container(horizontal=True, gap="small", key=f"{'home' if one else 'predict'}-samples"):
        for look, position, said in zip(looks, drawn, answers, strict=True):
            card = picture_cards.card_markup(
                look,
                said,
                run_names=[network.name for network in networks],
                true_class=dataset.class_names[int(split.labels[position])],
                picture_rem=None if one else 6.5,
                opens="" if one and source != datasets.current() else f"test-{position}",
            )
            if one:
                st.html(card)
            else:
                with st.container(border=True, width=picture_cards.CARD_WIDTHS[len(networks)]):
                    st.html(card)
    return source


def render_answer(network: Network, upload: Upload) -> None:
    """Draw a picture with one network's answer."""
    memory, item = predictions.remembered(), Item(upload, picture_cards.position_of(upload))
    memory.forget([upload])
    for _ in memory.predict([item], [network]):
        pass
    answers = memory.answers(item, [network]) or []
    look, opens = memory.look(item, [network]), picture_cards.own(upload).opens
    st.html(picture_cards.card_markup(look, answers, run_names=[network.name], opens=opens))

"""The sections on images and layers, which are about a data set."""

from collections.abc import Iterable
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aquadash import augment
from aquadash.data import Dataset
from aquadash.data.dataset import let_go
from aquadash.figures.channels import channel_histogram
from aquadash.figures.theme import class_colour
from aquadash.predict import remote
from aquadash.ui.kit import bound, components, datasets, gallery, image_dialog
from aquadash.ui.kit.gallery import class_text, class_titles
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.tables import Column, bar_column, number_column, render_columns
from aquadash.ui.kit.text import count, plain
from aquadash.ui.walkthrough import parts
from aquadash.walkthrough import checks_data, checks_network, network

_EXAMPLES_A_CLASS = 2
#: Maximum number of classes in menus.
_MAX_CLASSES = 10
_DRAWS = 9
#: Number of images to measure: fractions are then exact to a few per cent.
_MEASURED = 200
#: Number of images that the pipelines change here.
_BLOCK_IMAGES = 20
_MAX_COPIES = 20
_NORMALIZATIONS = {
    "unit": "Divide by 255: from 0 to 1, as the report does",
    "symmetric": "From -1 to 1",
    "standardize": "Subtract the mean, divide by the standard deviation",
}
_ACTIVATIONS = {"none": "none, as in the report", "relu": "ReLU: negative sums become 0"}
_POOLINGS = {"max": "max pooling, as in the report", "none": "none"}
_REPORT_UNITS = (256, 128)
_DRAWN_UNITS = 64


def extraction(dataset: Dataset) -> None:
    """Extraction: which images there are, and what they look like on average."""
    st.markdown(
        "**The report:** *CIFAR100 Image Classification for Aquatic Mammals Using Convolutional Neural Networks from "
        "Tensorflow*, a notebook by J. K. Lastre and P. J. Toral. It takes five classes of "
        "[CIFAR-100](https://www.cs.toronto.edu/~kriz/cifar.html), trains a small network and classifies 67 % of its "
        "test images correctly. Each section here repeats one of its steps and asks what is wrong with it."
    )
    st.markdown(
        "A network learns from examples only: each is a picture and the number of its class. So the first step is to "
        "pick the right pictures from a large collection and to number the classes from 0, without gaps. The network "
        "never learns the names behind the numbers."
    )
    parts.real("The data set here", help=term("split"))
    names, train = dataset.class_names, dataset.train
    st.markdown(
        f"{count(len(train), 'training image')} and {count(len(dataset.test), 'test image')}, in "
        f"{len(names)} classes, {dataset.image_shape[1]} × {dataset.image_shape[0]} pixels of three colours."
    )
    shown = names[:_MAX_CLASSES]
    if len(names) > len(shown):
        st.caption(f"Only the first {len(shown)} classes are used here; Data shows all of them.")
    cards = [
        gallery.Card(
            image=train.images[position],
            title=f"{label}: {class_text(name)}",
            alt=f"Training image {position} of class {label}, {name}",
            accent=class_colour(name, label),
            opens=f"train-{position}",
        )
        for label, name in enumerate(shown)
        for position in np.flatnonzero(train.labels == label)[:_EXAMPLES_A_CLASS]
    ]
    gallery.render_cards(cards, label="Examples of each class")

    titles = class_titles(name for label, name in enumerate(shown) if (train.labels == label).any())
    controls, render_question = parts.attempt("extraction", "average many pictures")
    left, right = controls.columns([3, 2])
    chosen = bound.menu("average", titles, label="Class", into=left)
    own = np.flatnonzero(train.labels == names.index(chosen))
    number = parts.slide("laid", 1, len(own), label="Number of pictures", default=min(5, len(own)), into=left)
    total = np.zeros(dataset.image_shape, np.int64)
    # In parts: all pictures of a class may be gigabytes.
    for rows in np.array_split(own[:number], number // 64 + 1):
        total += train.images[rows].sum(axis=0, dtype=np.int64)
        let_go(train.images)
    mean = total / number
    with right:
        gallery.render_cards(
            [
                gallery.Card(
                    image=np.rint(mean).astype(np.uint8),
                    title=class_text(chosen),
                    subtitle=f"mean of {number:,}: brightness {mean.mean():.1f} of 255",
                    alt=f"Mean of {number} images of class {chosen}, of brightness {mean.mean():.1f}",
                )
            ],
            size_rem=11,
            label="The mean picture",
        )
    measured = datasets.statistics(dataset, "train").classes[:_MAX_CLASSES]
    question = "Which class" if len(shown) == len(names) else f"Which of these {len(shown)} classes"
    render_question(
        f"{question} has the brightest pictures on average?",
        answer=dataset.fingerprint,
        ask=lambda: bound.menu("brightest", {"": "Choose", **titles}, label="Your answer"),
        check=lambda brightest: checks_data.brightest_class(brightest, measured),
        solution="Move the slider to its right end, go through the classes, and compare the brightness.",
    )


def augmentation(dataset: Dataset) -> None:
    """Augmentation: what the report's four pipelines do to a picture."""
    st.markdown(
        "A mirrored dolphin is still a dolphin. Random changes give the network more to learn from and keep it from "
        "memorizing single pictures. They also teach it which differences do *not* matter, so a change that hides the "
        "animal teaches something false.",
        help=term("augmentation"),
    )
    controls, render_question = parts.attempt("augmentation", "the report's four pipelines")
    titles = {name: augment.PIPELINES[name].title for name in checks_data.FOUR}
    name = bound.menu("chain", titles, label="Pipeline", help=term("pipeline"), into=controls)
    left, right = controls.columns(2)
    position = parts.slide("picture", 0, len(dataset.train) - 1, label="Training image", default=0, into=left)
    seed = parts.slide("draw", 1, 100, label="Seed", default=1, help=term("seed"), into=right)
    lines = augment.describe(augment.PIPELINES[name])
    steps = "\n".join(f"{line[: len(line) - len(line.lstrip())]}- {plain(line)}" for line in lines)
    with st.expander("Its steps", icon="🪜"):
        st.markdown(steps)
    original = dataset.train.images[position]
    cards = [gallery.Card(original, "original", f"Training image {position} as it is", opens=f"train-{position}")]
    for number, image in enumerate(_draws(dataset, position, name, seed), start=1):
        change = float(np.abs(image.astype(np.int16) - original).mean())
        text = f"changed by {change:.1f}" if change else "not changed"
        cards.append(gallery.Card(image, f"version {number}", f"Version {number}: {text}", subtitle=text))
    gallery.render_cards(cards, label="The picture and its changed versions")
    st.caption("The number is the average change of a colour value, out of 255.")
    render_question(
        "Choose the pipeline that leaves some pictures exactly as they are.",
        answer=(dataset.fingerprint, name),
        check=lambda _: checks_data.untouched_pipeline(_untouched(dataset, name)),
        solution="Open “Its steps” for each of the four. In one of them, every step changes only some of the images, "
        "so now and then a picture is not changed at all.",
    )
    query = {"source": dataset.name, "pipeline": name}
    st.page_link("pages/augment.py", label="Change the pipelines yourself, on Augment", icon="🎲", query_params=query)


@st.cache_data(max_entries=32, show_spinner="Measuring 200 images ...", hash_funcs=datasets.BY_CONTENT)
def _untouched(dataset: Dataset, name: str) -> float:
    return remote.call(checks_data.untouched_fraction, dataset.train.images[:_MEASURED], name, seed=0)


@st.cache_data(max_entries=64, show_spinner="Drawing the variants ...", hash_funcs=datasets.BY_CONTENT)
def _draws(dataset: Dataset, position: int, name: str, seed: int) -> NDArray[np.uint8]:
    """Changed versions of one training image, uint8 (draws, height, width, 3)."""
    images = dataset.train.images[position : position + 1]
    return remote.call(augment.preview, images, pipeline=augment.PIPELINES[name], seed=seed, draws=_DRAWS)[:, 0]


def copies(dataset: Dataset) -> None:
    """Copies: how 2,500 images become 12,500, and how to check it."""
    originals = len(dataset.train)
    st.markdown(
        "The report makes the changed versions once, before training, and adds them to the originals. A set five "
        "times as large takes five times as long to go through, but it does not hold five times as much to learn.",
        help=term("augmentation"),
    )
    parts.real("One image of each block")
    st.markdown(
        "The report's code in words: *for each image, send it through the first pipeline and keep what "
        "comes out, then through the second, the third, the fourth. At the end, put the originals in front of the "
        "four lists.*"
    )
    number = parts.slide("nth", 0, min(_BLOCK_IMAGES, originals) - 1, label="Training image", default=0)
    blocks = _blocks(dataset)
    titles = [branch.title for branch in augment.PIPELINES["notebook"].branches]
    gallery.render_cards(
        [
            gallery.Card(
                image=images[number],
                title=title,
                subtitle=f"position {block * originals + number:,}",
                alt=f"Image {number} in the block {title}",
            )
            for block, (title, images) in enumerate(zip(titles, blocks, strict=True))
        ],
        size_rem=8,
        label="One image in all five blocks",
    )
    controls, render_question = parts.attempt("copies", "build the training set")
    wanted = checks_data.training_images(originals, pipelines=checks_data.FOUR, copies=1, keep_originals=True)
    names = {name: augment.PIPELINES[name].title for name in checks_data.FOUR}
    with controls:
        pipelines = bound.choices("chains", names, label="Pipelines")
        copies = parts.slide("times", 1, _MAX_COPIES, label="Versions per image and pipeline", default=10)
        keep = bound.toggle("keep", label="Keep the originals")
        made = checks_data.training_images(originals, pipelines=pipelines, copies=copies, keep_originals=keep)
        parts.figures({"Your training set": count(made, "image"), "The report's way": count(wanted, "image")})
    render_question(
        f"Set these to what the report's code does, so that {originals:,} images become {wanted:,}.",
        answer=(originals, tuple(sorted(pipelines)), copies, keep),
        check=lambda _: checks_data.report_composition(
            originals, pipelines=pipelines, copies=copies, keep_originals=keep
        ),
        solution="Each image goes **once** through each of the four pipelines, and the originals stay: all four "
        "pipelines, 1 version, originals kept.",
    )


@st.cache_data(max_entries=8, show_spinner="Drawing the variants ...", hash_funcs=datasets.BY_CONTENT)
def _blocks(dataset: Dataset) -> NDArray[np.uint8]:
    """The first images in each block, uint8 (blocks, n, height, width, 3)."""
    images = dataset.train.images[:_BLOCK_IMAGES]
    made = remote.call(augment.draw, images, augment.AugmentationPlan((augment.PIPELINES["notebook"],)), seed=0)
    return made.reshape(-1, *images.shape)


def normalization(dataset: Dataset) -> None:
    """Normalization: the same pictures in smaller numbers."""
    st.markdown(
        "Colour values are whole numbers from 0 to 255. A network multiplies them by its weights and adds up "
        "thousands of products; training works better with inputs around 1 than around 100. The picture itself stays "
        "the same.",
        help=f"{term('normalization')} {term('one-hot')}",
    )
    parts.real("The colour values of all training images")
    channels = datasets.statistics(dataset, "train").channels
    means = [channel.mean or 0.0 for channel in channels]
    deviations = [channel.std or 1.0 for channel in channels]
    counts = [channel.histogram for channel in channels]
    components.render_plot(channel_histogram(counts, bins=64, height=260), key="walk-histogram")
    controls, render_question = parts.attempt("normalization", "three ways to normalize")
    kind = bound.menu("scale", _NORMALIZATIONS, label="Normalization", into=controls)
    pixel = dataset.train.images[0, 0, 0].astype(np.float64)

    def after(values: Iterable[float]) -> list[float]:
        channels = zip(values, means, deviations, strict=True)
        return [checks_data.normalized(value, mean, deviation, kind) for value, mean, deviation in channels]

    render_columns(
        Column("Channel", [channel.name for channel in channels]),
        number_column("Mean before", means, "%.1f"),
        number_column("Mean after", [round(value, 4) + 0.0 for value in after(means)], "%.3f"),
        number_column("First pixel before", pixel, "%d"),
        number_column("First pixel after", after(pixel), "%.3f"),
        alt="Mean of each colour channel and one pixel, before and after normalization",
    )
    render_question(
        "Choose the normalization that centres every channel: its mean is 0 afterwards.",
        answer=(dataset.fingerprint, kind),
        check=lambda _: checks_data.centring(kind, means),
        solution="Go through the three and read the column “Mean after”.",
    )


def convolution(dataset: Dataset) -> None:
    """Convolution: what two layers see, and when they are one."""
    st.markdown(
        "A convolution slides a small filter over the picture and notes at each place how well the picture matches "
        "it. The report's filters cover 2 × 2 pixels and move two pixels at a time, so each layer halves the picture. "
        "Training decides which patterns the filters look for. The next layer combines these patterns into new ones, "
        "but only *if* something other than adding up happens in between.",
        help=term("convolution"),
    )
    controls, render_question = parts.attempt("convolution", "two convolutions on a picture that you choose")
    left, right = controls.columns(2)
    with left:
        position = parts.slide("seen", 0, len(dataset.train) - 1, label="Training image", default=0)
        activation = bound.menu("activation", _ACTIVATIONS, label="Activation after the first", help=term("activation"))
        pooling = bound.menu("pooling", _POOLINGS, label="Pooling after that", help=term("pooling"))
    names = list(network.FILTERS)
    with right:
        first = bound.menu("first", names, label="First filter looks for")
        second = bound.menu("second", names, label="Second filter looks for", default=names[1])
    image = dataset.train.images[position]
    outputs = network.two_layers(image, filters=(first, second), activation=activation, pooling=pooling)
    cards = [gallery.Card(image, "the picture", f"Training image {position}", opens=f"train-{position}")]
    for values, title, alt in (
        (outputs.first, "after the first", f"Output of the filter for {first}"),
        (outputs.second, "after both", f"Output of the filter for {second} after it"),
        (outputs.single, "one 4 × 4 filter instead", "Output of the single filter"),
    ):
        size = f"{values.shape[1]} × {values.shape[0]}"
        cards.append(gallery.Card(network.as_picture(values), title, alt, subtitle=size))
    gallery.render_cards(cards, size_rem=9, label="The picture and what the filters make of it")
    parts.figures(
        {"Largest difference between the last two": f"{outputs.difference:.4f}"},
        help="0: one convolution gives the same result as the two.",
    )
    st.caption("Middle grey is 0, brighter is more, darker is less. The filters are fixed here; networks learn theirs.")
    render_question(
        "Choose activation and pooling so that the two convolutions equal one larger one, on every picture.",
        answer=(activation, pooling, first, second, position, dataset.fingerprint),
        check=lambda _: checks_network.one_convolution(activation, pooling, outputs.difference),
        solution="Remove everything that is not multiplying and adding: no activation **and** no pooling.",
    )
    run = image_dialog.best_run(dataset.name, ended=True)
    if run is not None:
        query = {"run": run.run_id, "section": "explain", "open": "test-0", "why-layers": "1"}
        st.page_link("pages/evaluate.py", label="See a run's own filters, on Evaluate", icon="🔎", query_params=query)


def dense(dataset: Dataset) -> None:
    """Dense layers: where the parameters are."""
    st.markdown(
        "The output of the convolutions becomes one long row of numbers. In a dense layer, each unit has a weight for "
        "every number that comes in. The last layer has one unit for each class. Dropout switches units off at random "
        "during training, so that no unit can rely on a single other one.",
        help=f"{term('dense layer')} {term('dropout')}",
    )
    controls, render_question = parts.attempt("dense", "the sizes of the two dense layers, and dropout")
    left, right = controls.columns(2)
    with left:
        first = parts.slide("units", 16, 512, label="Units in the first layer", default=_REPORT_UNITS[0], step=16)
        second = parts.slide(
            "more-units", 16, 256, label="Units in the second layer", default=_REPORT_UNITS[1], step=16
        )
    with right:
        dropout = parts.slide("dropout", 0, 90, label="Dropout", default=50, step=10, unit=" %", help=term("dropout"))
        off = np.random.default_rng(dropout).random(_DRAWN_UNITS) < dropout / 100
        st.markdown("  \n".join(" ".join("○" if each else "●" for each in row) for row in off.reshape(4, 16)))
        st.caption(f"One training step with {_DRAWN_UNITS} units: {int(off.sum())} of them (○) are switched off.")
    layers_of = partial(network.parameters, dataset.image_shape, classes=len(dataset.class_names))
    layers = layers_of(units=(first, second))
    params, whole = sum(layers.values()), sum(layers_of(units=_REPORT_UNITS).values())
    parts.real("Parameters of each layer, for these images")
    render_columns(
        Column("Layer", layers),
        number_column("Parameters", layers.values(), "localized", help=term("weights")),
        bar_column("Fraction", [value / params for value in layers.values()], "%.1f %%"),
        alt="Parameters of each layer and their fraction",
    )
    parts.figures({"Your network": f"{params:,}", "With the report's units": f"{whole:,}"})
    render_question(
        "Move one slider so that the network has half of the report's parameters, give or take 2.5 points.",
        answer=(params, whole),
        check=lambda _: checks_network.half_the_network(params, whole),
        solution="Nearly all parameters belong to the first dense layer: half as many units, half as many parameters.",
    )

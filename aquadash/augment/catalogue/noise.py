"""Noise on single pixels and on patches."""

from __future__ import annotations

from aquadash.augment.catalogue.parts import GRID, PER_CHANNEL, OperatorInfo, Parameter, number, percentage, whole
from aquadash.augment.spec import Range, op


def _dots(name: str, default: Range) -> Parameter:
    return percentage("p", "share", f"Chance of each {name} to be replaced.", default)


_SPREAD = number("scale", "spread", "Spread of the noise; pixels go from 0 to 255.", Range(0, 15), 0.0, 100.0)

ENTRIES = (
    OperatorInfo(
        "AdditiveGaussianNoise",
        "Gaussian noise",
        "Adds normally distributed noise to each pixel, as a camera's sensor does.",
        (_SPREAD, PER_CHANNEL),
        effect="A fine grain over fur and water.",
        harm="Up to 15 is harmless. Above 50 a small grey animal on grey water is lost in the grain.",
        example=op("AdditiveGaussianNoise", scale=30.0),
    ),
    OperatorInfo(
        "AdditiveLaplaceNoise",
        "Laplace noise",
        "Adds noise that is mostly small, with some strong outliers.",
        (_SPREAD, PER_CHANNEL),
        effect="A grain with single glaring specks.",
        harm="Up to 10 is harmless. Above 40 specks look like eyes and hide the real ones.",
        example=op("AdditiveLaplaceNoise", scale=25.0),
    ),
    OperatorInfo(
        "AdditivePoissonNoise",
        "Poisson noise",
        "Adds noise as from counting photons, never below 0, so the picture also brightens.",
        (number("lam", "mean", "Mean of the numbers added to the pixels.", Range(0.0, 15.0), 0.0, 100.0), PER_CHANNEL),
        effect="A fine grain and a little more light.",
        harm="Above 50 pale coats turn white.",
        example=op("AdditivePoissonNoise", lam=60.0),
    ),
    OperatorInfo(
        "AddElementwise",
        "Add to each pixel",
        "Adds a different random number to each pixel, all equally likely.",
        (whole("value", "amount", "The number that is added.", Range(-20, 20), -255, 255), PER_CHANNEL),
        effect="An even grain over everything.",
        harm="With a range beyond 80 either way, only large dark or bright animals stand out of the grain.",
        example=op("AddElementwise", value=Range(-50, 50)),
    ),
    OperatorInfo(
        "MultiplyElementwise",
        "Multiply each pixel",
        "Multiplies each pixel by a different random number, all equally likely.",
        (number("mul", "factor", "The number that a pixel is multiplied by.", Range(0.8, 1.2), 0.0, 10.0), PER_CHANNEL),
        effect="A grain that is strong on foam and sky and weak on dark fur.",
        harm="With a range wider than 0.3 to 1.7, noise on bright sand hides a pale seal.",
        example=op("MultiplyElementwise", mul=Range(0.5, 1.5)),
    ),
    OperatorInfo(
        "ImpulseNoise",
        "Impulse noise",
        "Sets single values of single channels to black or full.",
        (_dots("value", Range(0.0, 0.03)),),
        effect="Coloured specks strewn over the picture.",
        harm="Up to 5 % you see a few coloured dots. Above 30 % they break up the animal's outline.",
        example=op("ImpulseNoise", p=0.1),
    ),
    OperatorInfo(
        "SaltAndPepper",
        "Salt and pepper",
        "Replaces single pixels by light or dark ones.",
        (_dots("pixel", Range(0.0, 0.03)), PER_CHANNEL),
        effect="White and black specks, as on an old photograph.",
        harm="Up to 5 % you see a few dots. Above 30 % eyes and nostrils cannot be told from them.",
        example=op("SaltAndPepper", p=0.1),
    ),
    OperatorInfo(
        "Salt",
        "Salt",
        "Replaces single pixels by light ones.",
        (_dots("pixel", Range(0.0, 0.03)), PER_CHANNEL),
        effect="White specks, like spray or snow.",
        harm="Above 30 % a pale seal cannot be told from the specks.",
        example=op("Salt", p=0.1),
    ),
    OperatorInfo(
        "Pepper",
        "Pepper",
        "Replaces single pixels by dark ones.",
        (_dots("pixel", Range(0.0, 0.05)), PER_CHANNEL),
        effect="Dark specks, like dirt on a lens.",
        harm="Above 30 % a dark back cannot be told from the specks.",
        example=op("Pepper", p=0.1),
    ),
    OperatorInfo(
        "CoarseSaltAndPepper",
        "Coarse salt and pepper",
        "Replaces whole rectangles by light and dark pixels.",
        (_dots("rectangle", Range(0.02, 0.1)), GRID, PER_CHANNEL),
        effect="Patches of white and black, each several pixels wide.",
        harm="A grid below 10 % makes patches as large as a head; above 20 % covered, a small otter may be gone.",
        example=op("CoarseSaltAndPepper", p=0.1, size_percent=0.25),
    ),
    OperatorInfo(
        "CoarseSalt",
        "Coarse salt",
        "Replaces whole rectangles by light pixels.",
        (_dots("rectangle", Range(0.02, 0.1)), GRID, PER_CHANNEL),
        effect="White patches, like floes of ice.",
        harm="A white patch on dark skin looks like the marking of a killer whale.",
        example=op("CoarseSalt", p=0.1, size_percent=0.25),
    ),
    OperatorInfo(
        "CoarsePepper",
        "Coarse pepper",
        "Replaces whole rectangles by dark pixels.",
        (_dots("rectangle", Range(0.02, 0.1)), GRID, PER_CHANNEL),
        effect="Dark patches, like rocks in front of the animal.",
        harm="Above 20 % covered with a coarse grid, a small animal may be hidden.",
        example=op("CoarsePepper", p=0.1, size_percent=0.25),
    ),
)

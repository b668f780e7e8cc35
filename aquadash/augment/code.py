"""Exports a pipeline or a run's plan as Python code that gives the same images for the same seed."""

from collections.abc import Iterable, Sequence
from importlib.metadata import version

from aquadash.augment.apply import IMAGES_A_BATCH, PIXELS_A_BATCH, SOMETIMES
from aquadash.augment.catalogue import arguments, operator_info
from aquadash.augment.plan import MIXTURE, PICKS, AugmentationPlan
from aquadash.augment.reading import check
from aquadash.augment.spec import Operator, PipelineSpec, walk
from aquadash.source import CarriedSource, sorted_imports

_COMMAND_IMPORTS = {"import argparse", "from pathlib import Path", "import numpy as np", "from PIL import Image"}

#: The packages that draw random numbers or pixels, named because imaug does not fix the versions of its dependencies.
DRAWING = ("imaug", "imagecorruptions-imaug", "scikit-image", "scipy", "pillow", "numba")
_NEEDS = (*DRAWING, "numpy", "opencv-contrib-python-headless")

_HEAD = '''"""Augmented versions of images, as designed in AquaDash; the same seed gives the same images.

Needs: pip install {needs}
       (imaug is the maintained imgaug and is imported by that name; the last replaces an OpenCV that needs a screen)
Use:   python pipeline.py --seed 0 --out augmented photo-1.jpg photo-2.jpg
       python pipeline.py --seed 0 --out augmented images.npy
"""

from __future__ import annotations
'''

_AT = """\
# {title}
#
# Each function below makes one version of every image. at(...) is the random seed of the step at that place, so that
# nothing depends on what else draws random numbers, and a change of one step leaves the draws of the others alone."""

_DRAWN = '''

def drawn(images, version, seed, path):
    """One version of each image; the path splits the seed, so that no two sets draw the same numbers."""
    size = max(1, min({images_a_batch}, {pixels_a_batch} // (images.shape[1] * images.shape[2])))
    result = np.empty_like(images)
    for batch, start in enumerate(range(0, len(images), size)):

        def at(*place, batch=batch):
            return np.random.SeedSequence(seed, spawn_key=(*path, batch, *place))

        part = images[start : start + size]
        result[start : start + len(part)] = version(at)(images=part)
    return result'''

_MIXED = '''

VERSIONS = [{versions}]
FRACTIONS = {fractions}


def mixed(images, seed, number):
    """One version of each image, each through a branch that is drawn for it."""
    generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=({picks}, number)))
    picks = generator.choice(len(VERSIONS), size=len(images), p=FRACTIONS)
    result = np.empty_like(images)
    for pick, version in enumerate(VERSIONS):
        chosen = np.flatnonzero(picks == pick)
        if len(chosen):
            result[chosen] = drawn(images[chosen], version, seed, ({mixture}, number, pick))
    return result'''

_AUGMENT = '''

def augment(images, seed):
    """All versions of the images, one whole set after the other.

    images: uint8, shape (number, height, width, 3), RGB; they stay as they are.
    seed: 0 or greater.
    """
    result = np.empty(({factor}, *images.shape), dtype=np.uint8)
{sets}
    return result.reshape(-1, *images.shape[1:])'''

_SEEDED = '''

def seeded(augmenter, seed):
    """Seeds the parts that imgaug makes inside this augmenter, too."""
    augmenter.seed_(seed)
    return augmenter'''

_MAIN = """

def main():
    parser = argparse.ArgumentParser(description="Writes augmented versions of images.")
    parser.add_argument("images", nargs="+", type=Path, help="image files, or one .npy: uint8 (n, height, width, 3)")
    parser.add_argument("--seed", type=int, default=0, help="0 or greater")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    given = parser.parse_args()
    if given.seed < 0:
        parser.error(f"the seed is {given.seed}; expected 0 or greater")
    given.out.mkdir(parents=True, exist_ok=True)
    if given.images[0].suffix == ".npy":
        images = np.load(given.images[0], allow_pickle=False)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
            parser.error(f"the array is {images.dtype} {images.shape}; expected uint8 (n, height, width, 3)")
        np.save(given.out / "augmented.npy", augment(images, given.seed))
        return
    photos = [np.asarray(Image.open(path).convert("RGB")) for path in given.images]
    for shape in dict.fromkeys(photo.shape for photo in photos):
        # Only images of one size can be worked on together.
        chosen = [number for number, photo in enumerate(photos) if photo.shape == shape]
        results = augment(np.stack([photos[number] for number in chosen]), given.seed)
        for position, result in enumerate(results):
            number = chosen[position % len(chosen)]
            name = f"{number + 1:04d}-{given.images[number].stem}-version-{position // len(chosen) + 1}.png"
            Image.fromarray(result).save(given.out / name)


if __name__ == "__main__":
    main()
"""

_INDENT = "    "

#: Calls longer than this go over several lines.
_MAX_LINE = 100

_Place = tuple[int, ...]


def to_code(spec: PipelineSpec) -> str:
    """Return a script that makes the images of :func:`aquadash.augment.draw`, byte for byte, without AquaDash."""
    imports, body = drawing_code(AugmentationPlan((spec,)))
    needs = " ".join(f"{name}=={version(name)}" for name in _NEEDS)
    return "\n".join([_HEAD.format(needs=needs), sorted_imports(imports | _COMMAND_IMPORTS), "", body, _MAIN])


def drawing_code(plan: AugmentationPlan) -> tuple[set[str], str]:
    """Return code with a function ``augment(images, seed)`` that gives the images of :func:`aquadash.augment.draw`."""
    for spec in plan.pipelines:
        check(spec)
    branches = [branch for spec in plan.pipelines for branch in spec.branches]
    names = [f"version_{number}" for number in range(1, 1 + len(branches))]
    functions: list[str] = []
    for name, branch in zip(names, branches, strict=True):
        functions += ["", "", f"def {name}(at):", f"{_INDENT}# {_safe(branch.title)}"]
        lines = _sequential(branch.operators, ())
        functions += _indented([f"return {lines[0]}", *lines[1:]])
    used = [
        operator_info(operator.name) for branch in branches for operator in walk(branch.operators) if operator.enabled
    ]
    source = CarriedSource()
    makers = source.take(*(f"aquadash.augment.{info.maker}" for info in used if info.maker))
    parts = [
        _AT.format(title=_safe(", ".join(spec.title for spec in plan.pipelines))),
        *functions,
        _DRAWN.format(images_a_batch=IMAGES_A_BATCH, pixels_a_batch=PIXELS_A_BATCH),
    ]
    if plan.mixed:
        fractions = [float(fraction) for fraction in plan.mixture()[1]]
        parts.append(_MIXED.format(versions=", ".join(names), fractions=fractions, picks=PICKS, mixture=MIXTURE))
    sets: list[str] = []
    for drawn, path in plan.parts():
        if drawn is None:
            sets.append(f"mixed(images, seed, {path[0]})")
        elif drawn in branches:
            sets.append(f"drawn(images, {names[branches.index(drawn)]}, seed, {path})")
        else:
            sets.append("images")
    lines = [f"result[{number}] = {each}" for number, each in enumerate(sets)]
    parts.append(_AUGMENT.format(factor=plan.factor, sets="\n".join(_indented(lines))))
    if any(info.hidden_parts for info in used):
        parts.append(_SEEDED)
    if makers:
        parts.append(f"\n\n# What imgaug lacks, from AquaDash.\n\n\n{makers}")
    return {"import imgaug.augmenters as iaa", "import numpy as np"} | source.imports, "\n".join(parts)


def _safe(text: str) -> str:
    """Return a text on one line that cannot end a comment, begin a notebook cell or break Python's parser."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split()) or "Untitled"
    return f"- {line}" if line.startswith("%%") else line


def _sequential(operators: Iterable[Operator], place: _Place) -> list[str]:
    """Return the lines of steps in order; ``place`` is the path of their seed, as in :mod:`aquadash.augment.build`."""
    return _call("iaa.Sequential", [("", _list(operators, place)), ("seed=", [_at(*place, 0)])])


def _list(operators: Iterable[Operator], place: _Place) -> list[str]:
    lines: list[str] = []
    for number, operator in enumerate(operators):
        if not operator.enabled:
            lines.append(f"# switched off: {operator.name}")
            continue
        step = _step(operator, (*place, 1 + number))
        lines += [*step[:-1], f"{step[-1]},"]
    return ["[", *_indented(lines), "]"] if lines else ["[]"]


def _slot(operators: Sequence[Operator], place: _Place, *, single: bool) -> list[str]:
    """Return the lines of the steps inside an operator: a list, or one step alone if ``single`` allows it."""
    if not single:
        return _list(operators, place)
    if not any(operator.enabled for operator in operators):
        return ["iaa.Identity()"]
    return _step(operators[0], (*place, 1)) if len(operators) == 1 else _list(operators, place)


def _step(operator: Operator, place: _Place) -> list[str]:
    """Return the lines of one operator, which may apply to some of the images only."""
    lines = _operator(operator, place)
    if operator.probability == 1.0:
        return lines
    seed = _at(*place, SOMETIMES)
    return _call("iaa.Sometimes", [("p=", [_literal(operator.probability)]), ("then_list=", lines), ("seed=", [seed])])


def _operator(operator: Operator, place: _Place) -> list[str]:
    info = operator_info(operator.name)
    if info.name == "Sequential":
        return _sequential(operator.slot("children"), place)
    own = _at(*place, 0)
    parts = [(f"{name}=", [_literal(value)]) for name, value in arguments(operator).items()]
    for number, (slot, _) in enumerate(info.slots):
        inner, inside = operator.slot(slot), (*place, 1 + number)
        if info.choices and not any(step.enabled for step in inner):
            return _call("iaa.Sequential", [("", ["[]"]), ("seed=", [own])])
        parts.append((f"{slot}=", _slot(inner, inside, single=not info.choices)))
    parts.append(("seed=", [own]))
    lines = _call(info.maker.partition(":")[2] if info.maker else f"iaa.{info.name}", parts)
    return _call("seeded", [("", lines), ("", [own])]) if info.hidden_parts else lines


def _at(*place: int) -> str:
    return f"at({', '.join(map(str, place))})"


def _call(name: str, parts: list[tuple[str, list[str]]]) -> list[str]:
    """Return the lines of a call: one line if it is short, else a line for each argument."""
    if all(len(lines) == 1 for _, lines in parts):
        line = f"{name}({', '.join(prefix + lines[0] for prefix, lines in parts)})"
        if len(line) <= _MAX_LINE:
            return [line]
    inner: list[str] = []
    for prefix, lines in parts:
        whole = [prefix + lines[0], *lines[1:]]
        inner += [*whole[:-1], f"{whole[-1]},"]
    return [f"{name}(", *_indented(inner), ")"]


def _indented(lines: list[str]) -> list[str]:
    return [_INDENT + line for line in lines]


def _literal(value: object) -> str:
    """Return a value as Python code; the check allows only numbers, booleans and words of the catalogue."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_literal, value))})"
    if isinstance(value, str):
        return f'"{value}"'
    return repr(value) if isinstance(value, (bool, int)) else repr(float(value))  # type: ignore[arg-type]

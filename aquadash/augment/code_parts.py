"""What is the same in every exported script, and the functions of this room that go into it as they are.

:mod:`aquadash.augment.code` writes the pipeline itself.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from aquadash.augment.apply import IMAGES_A_BATCH, PIXELS_A_BATCH, TRAINING

_HEAD = '''"""Augmented versions of images, as designed in AquaDash; the same seed gives the same images.

Needs: pip install imaug numpy Pillow   (imaug is the maintained imgaug and is imported by that name)
Use:   python pipeline.py --seed 0 --out augmented photo-1.jpg photo-2.jpg
       python pipeline.py --seed 0 --out augmented images.npy
"""
'''

_AT = """
# {title}
#
# Each function below makes one version of every image. at(...) is the random seed of the step at that place, so that
# nothing depends on what else draws random numbers, and a change of one step leaves the draws of the others alone.
"""

_AUGMENT = '''

VERSIONS = [{names}]


def augment(images, seed):
    """All versions of the images, one after the other.

    images: uint8, shape (number, height, width, 3), RGB; they stay as they are.
    seed: 0 or greater.
    """
    number, height, width = images.shape[:3]
    size = max(1, min({images_a_batch}, {pixels_a_batch} // (height * width)))
    result = np.empty((len(VERSIONS) * number, *images.shape[1:]), dtype=np.uint8)
    for version, build in enumerate(VERSIONS):
        for batch, start in enumerate(range(0, number, size)):

            def at(*place, version=version, batch=batch):
                return np.random.SeedSequence(seed, spawn_key=({training}, version, batch, *place))

            part = images[start : start + size]
            first = version * number + start
            result[first : first + len(part)] = build(at)(images=part)
    return result
'''

_SEEDED = '''

def seeded(augmenter, seed):
    """Seeds the parts that imgaug makes inside this augmenter, too."""
    augmenter.seed_(seed)
    return augmenter
'''

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

_IMPORTS = """
import argparse
from pathlib import Path

import imgaug.augmenters as iaa
import numpy as np
from PIL import Image
"""

#: Top-level packages that are not Python's own, as the order of imports sets them apart.
_INSTALLED = {"PIL", "cv2", "imgaug", "numpy"}


def script(*, title: str, functions: str, names: str, makers: Sequence[str], seeded: bool) -> str:
    """The whole script.

    Args:
        title: A heading in one line.
        functions: The source of the functions that build the versions.
        names: Their names, with commas between them.
        makers: Modules of this room whose source it needs.
        seeded: True if it needs the function ``seeded``.
    """
    sources = [(Path(__file__).parent / f"{maker}.py").read_text(encoding="utf-8") for maker in makers]
    parts = [
        _HEAD,
        _imports([_IMPORTS, *sources]),
        _AT.format(title=title),
        f"\n{functions.strip(chr(10))}",
        _AUGMENT.format(
            names=names, images_a_batch=IMAGES_A_BATCH, pixels_a_batch=PIXELS_A_BATCH, training=TRAINING
        ).rstrip("\n"),
        *([_SEEDED.rstrip("\n")] if seeded else []),
        *(f"\n\n# What imgaug lacks, from AquaDash.\n\n{_body(source)}" for source in sources),
        _MAIN,
    ]
    return "\n".join(parts)


def _imports(sources: Sequence[str]) -> str:
    """The imports of some sources, each once, Python's own first."""
    plain: set[str] = set()
    taken: defaultdict[str, set[str]] = defaultdict(set)
    for source in sources:
        for node in ast.parse(source).body:
            if isinstance(node, ast.Import):
                plain |= {ast.unparse(ast.Import([name])) for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
                taken[str(node.module)] |= {name.name for name in node.names}
    lines = sorted(plain) + [
        f"from {module} import {', '.join(sorted(names))}"
        for module, names in sorted(taken.items(), key=lambda item: item[0].lower())
    ]
    own = [line for line in lines if line.split()[1].split(".")[0] not in _INSTALLED]
    installed = [line for line in lines if line not in own]
    return "\n".join(["from __future__ import annotations", "", *own, "", *installed])


def _body(source: str) -> str:
    """What follows a module's imports."""
    last = max(
        node.end_lineno or 0 for node in ast.parse(source).body if isinstance(node, (ast.Import, ast.ImportFrom))
    )
    return "\n".join(source.split("\n")[last:]).strip("\n")

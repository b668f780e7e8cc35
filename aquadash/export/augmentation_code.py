"""A pipeline's own script, cut to what stands in the middle of another: imports apart, and no command line."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from aquadash.augment import AugmentationPlan, PipelineSpec, to_code
from aquadash.augment.plan import MIXTURE, PICKS
from aquadash.source import defined

#: What only the pipeline's command line needs.
_OF_COMMAND = frozenset({"argparse", "pathlib", "PIL", "__future__"})


@dataclass(frozen=True)
class AugmentationCode:
    """Code that defines ``augment(images, seed)``, which gives the images of :func:`aquadash.augment.draw`.

    Attributes:
        imports: Its import statements, a line each, without numpy as ``np``.
        body: All else.
        names: What it defines.
    """

    imports: tuple[str, ...]
    body: str
    names: frozenset[str]


def augmentation_code(plan: AugmentationPlan) -> AugmentationCode:
    """The code of a plan: that of its pipelines, and what makes several versions or a mixture out of them.

    Raises:
        ConfigError, UnknownNameError: A pipeline does not fit the catalogue; nothing unchecked gets into code.
    """
    whole = len(plan.pipelines) == 1 and plan.factor == plan.pipelines[0].factor
    if whole:
        return _cut(plan.pipelines[0])
    # All branches of all pipelines as one, and instead of its way to draw them the plan's.
    branches = tuple(branch for spec in plan.pipelines for branch in spec.branches)
    code = _cut(PipelineSpec("plan", "All branches", "", branches))
    functions = [
        ast.get_source_segment(code.body, node)
        for node in ast.parse(code.body).body
        if isinstance(node, ast.FunctionDef) and node.name == "augment"
    ]
    body = code.body.replace(functions[0] or "", _augment(plan))
    return AugmentationCode(code.imports, body, defined(body))


def _augment(plan: AugmentationPlan) -> str:
    """The functions that draw a plan, as :func:`aquadash.augment.draw` does."""
    branches = [branch for spec in plan.pipelines for branch in spec.branches]
    sets = []
    for branch, path in plan.parts():
        if branch is None:
            sets.append(f"mixed(images, seed, {path[0]})")
        elif branch.is_original:
            sets.append("images")
        else:
            sets.append(f"drawn(images, {branches.index(branch)}, seed, {path!r})")
    listed = "".join(f"\n            {each}," for each in sets)
    code = _DRAWN
    if plan.mixed:
        shares = [float(share) for share in plan.mixture()[1]]
        code += _MIXED.format(shares=shares, picks=PICKS, mixture=MIXTURE)
    return code + _SETS.format(listed=listed)


_DRAWN = '''def drawn(images, version, seed, path):
    """One version of each image; the path splits the seed, so that no two sets draw the same numbers."""
    size = max(1, min(500, 2000000 // (images.shape[1] * images.shape[2])))
    result = np.empty_like(images)
    for batch, start in enumerate(range(0, len(images), size)):

        def at(*place, batch=batch):
            return np.random.SeedSequence(seed, spawn_key=(*path, batch, *place))

        part = images[start : start + size]
        result[start : start + len(part)] = VERSIONS[version](at)(images=part)
    return result


'''

_MIXED = '''SHARES = {shares}


def mixed(images, seed, number):
    """One version of each image, each through a branch that is drawn for it."""
    generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=({picks}, number)))
    picks = generator.choice(len(VERSIONS), size=len(images), p=SHARES)
    result = np.empty_like(images)
    for version in range(len(VERSIONS)):
        chosen = np.flatnonzero(picks == version)
        if len(chosen):
            result[chosen] = drawn(images[chosen], version, seed, ({mixture}, number, version))
    return result


'''

_SETS = '''def augment(images, seed):
    """One set of all images after the other."""
    return np.concatenate(
        [{listed}
        ]
    )'''


def _cut(spec: PipelineSpec) -> AugmentationCode:
    """A pipeline's script without its command line."""
    text = to_code(spec)
    tree = ast.parse(text).body
    imports = [node for node in tree if isinstance(node, ast.Import | ast.ImportFrom)]
    command = next(node for node in tree if isinstance(node, ast.FunctionDef) and node.name == "main")
    first = max(node.end_lineno or 0 for node in imports)
    body = "\n".join(text.splitlines()[first : command.lineno - 1]).strip("\n")
    # A title that a person typed stands in a comment there, where it must not begin a cell.
    body = re.sub(r"^(\s*#)\s*%%", r"\1 - %%", body, flags=re.MULTILINE)
    kept = [node for node in imports if _package(node) not in _OF_COMMAND]
    lines = [ast.unparse(node) for node in kept]
    return AugmentationCode(tuple(line for line in lines if line != "import numpy as np"), body, defined(body))


def _package(node: ast.Import | ast.ImportFrom) -> str:
    name = node.names[0].name if isinstance(node, ast.Import) else node.module or ""
    return name.split(".")[0]

"""A script in the percent format (``# %%`` begins a cell) as a Jupyter notebook."""

from __future__ import annotations

from typing import Any

#: What a line of a cell begins with, and what makes it a text for people.
_CELL = "# %%"
_TEXT_CELL = "# %% [markdown]"


def train_notebook(script: str) -> str:
    """The JSON of ``notebook.ipynb`` with the cells of a script in the percent format."""
    import nbformat

    cells: list[Any] = []
    for number, (is_text, lines) in enumerate(_cells(script)):
        if is_text:
            source = "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines)
            cell = nbformat.v4.new_markdown_cell(source)
        else:
            cell = nbformat.v4.new_code_cell("\n".join(lines))
        # Its own ids are random; the same run gives the same file.
        cell["id"] = f"cell-{number}"
        cells.append(cell)
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook)) + "\n"


def _cells(script: str) -> list[tuple[bool, list[str]]]:
    """Whether each cell is text, and its lines without blank ones around."""
    cells: list[tuple[bool, list[str]]] = []
    for line in script.splitlines():
        if line in (_CELL, _TEXT_CELL):
            cells.append((line == _TEXT_CELL, []))
        elif cells:
            cells[-1][1].append(line)
    return [(is_text, _stripped(lines)) for is_text, lines in cells]


def _stripped(lines: list[str]) -> list[str]:
    while lines and not lines[0].strip():
        lines = lines[1:]
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines

"""The text that explains a ZIP file to the person who opens it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from aquadash.runs.types import Run

#: What each file is, in the order of the text.
_EXPLAINED = {
    "report.html": "the results on one page, to read in a browser without a network, or to print",
    "train.py": "trains the network again from nothing, without AquaDash, and says whether the results are the same",
    "notebook.ipynb": "the same as a notebook, with explanations between the steps",
    "requirements.txt": "the packages that both need",
    "data.npz": "the images: training and test images as bytes with their labels (NumPy)",
    "backbone.npz": "the weights that the pretrained part of the network starts from",
    "config.json": "every setting",
    "environment.json": "versions, processor, seed, and the fingerprint of the images",
    "history.csv": "losses and accuracies, a row an epoch",
    "model.keras": "the trained network: keras.models.load_model('model.keras'); it takes colours from 0 to 1",
    "predictions.npz": "what it says of each test image: indices, labels, probabilities",
    "validation_predictions.npz": "the same for the validation images",
    "epochs.npz": "how its answers changed from epoch to epoch",
    "strangers.npz": "how it notices pictures of none of the classes",
    "robustness.json": "how its accuracy falls when images get worse",
    "worker.log": "what the training printed",
    "run.json": "name, note and figures, for AquaDash to read",
    "manifest.json": "the SHA-256 of every file",
}


def text(run: Run, names: Sequence[str], *, notes: Sequence[str]) -> str:
    """The text of ``README.txt``.

    Args:
        run: What the ZIP holds.
        names: The files in it; those that are always there may be left out.
        notes: What is missing and why.
    """
    always = {"report.html", "requirements.txt", "run.json", "manifest.json"}
    accuracy = run.metrics.get("test_accuracy")
    lines = ["A training run of AquaDash", "", f"  name    {run.name}", f"  id      {run.run_id}"]
    lines.append(f"  status  {run.status}")
    if accuracy is not None:
        lines.append(f"  test accuracy  {100 * accuracy:.1f} %")
    lines.append("")
    if "train.py" in names:
        lines += [
            "To train it again, in a fresh environment of the Python version in environment.json:",
            "",
            "  python -m venv again && . again/bin/activate",
            "  pip install -r requirements.txt",
            "  python train.py",
            "",
        ]
    lines += [
        'To look at it in AquaDash on another computer: Compare, "Import run", or',
        "",
        "  python -m aquadash runs import THIS-FILE.zip",
        "",
        "Files",
        "",
    ]
    for name, explained in _EXPLAINED.items():
        if name in always or name in names:
            lines += textwrap.wrap(
                explained, 100, initial_indent=f"  {name:<28}", subsequent_indent=" " * 30
            )  # fmt: skip
    if notes:
        lines += ["", "What is missing", ""]
        for note in notes:
            lines += textwrap.wrap(note, 100, initial_indent="  - ", subsequent_indent="    ")
    return "\n".join(lines) + "\n"

"""Pack a finished run as the model that AquaDash ships, with its card.

    python -m aquadash train --preset backbone --source cifar100 --seed 0 --name first
    python scripts/pack_first_model.py first --strangers FOLDER

``FOLDER/<class>/*.png`` holds the test images of CIFAR-100's other 95 classes. The weights are rounded to half
precision for a small file, and every figure of the card is measured with the rounded weights.
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from aquadash import data
from aquadash.config import with_values
from aquadash.data.cifar100 import FINE_LABELS
from aquadash.data.dataset import Dataset
from aquadash.evaluation import Rescaling, evaluate, rescale, stored_scores, wilson_interval
from aquadash.lab import OWNER, Lab
from aquadash.models import load_model
from aquadash.presets import preset
from aquadash.store import Predictions, Run, open_store
from aquadash.store.artifacts import (
    CONFIG,
    ENVIRONMENT,
    EPOCHS,
    HISTORY,
    MODEL,
    OOD_DETECTOR,
    PREDICTIONS,
    VALIDATION_PREDICTIONS,
)
from aquadash.store.first_model import CARD, FOLDER, RUN
from aquadash.training.epoch_loop import predict
from aquadash.training.out_of_distribution import detector, ood_metrics
from aquadash.training.prepare import split

#: The preset of the run.
PRESET = "backbone"


def main() -> None:
    """Round, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--strangers", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    strangers = read_strangers(options.strangers)
    store = open_store()
    run = store.get(Lab(OWNER).runs.find_id(options.run))
    if run.config != with_values(preset(PRESET).config, {"data.source": "cifar100", "seed": run.config.seed}):
        raise SystemExit(f"{run.name} was trained with other settings than the preset {PRESET}, which the card names.")
    dataset = data.load(run.config.data.source)
    if dataset.fingerprint != run.dataset_fingerprint:
        raise SystemExit("The data set has changed since the run was trained.")
    model = load_model(store.model_path(run.run_id), run.config.model, num_classes=len(run.class_names))
    model.set_weights([weight.astype(np.float16).astype(weight.dtype) for weight in model.get_weights()])

    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    save(model, out / MODEL)
    environment = store.environment(run.run_id) | {"platform": f"{platform.system()} {platform.machine()}"}
    (out / ENVIRONMENT).write_text(json.dumps(environment, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for name in (CONFIG, HISTORY, EPOCHS):
        path = store.artifact(run.run_id, name)
        assert path is not None, name
        shutil.copyfile(path, out / name)
    metrics, rescaled = write_answers(out, run, dataset, model, strangers)
    names = list(dataset.class_names)
    described = {"class_names": names, "dataset_fingerprint": dataset.fingerprint, "metrics": metrics}
    (out / RUN).write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    (out / CARD).write_text(card(out, run, dataset, model, metrics, rescaled), encoding="utf-8")
    print((out / CARD).read_text(encoding="utf-8"))


def read_strangers(folder: Path) -> NDArray[np.uint8]:
    """Every picture of the other classes."""
    paths = sorted(path for path in folder.glob("*/*.png") if path.parent.name not in FINE_LABELS)
    if len(paths) != 9_500:
        raise SystemExit(f"{folder} has {len(paths)} pictures of other classes; CIFAR-100 has 9,500 in its test split.")
    return np.stack([np.asarray(Image.open(path).convert("RGB")) for path in paths])


def save(model: keras.Model, path: Path) -> None:
    """Save and compress: half of the rounded weights' bits are zeros."""
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED, 9)


def write_answers(
    out: Path, run: Run, dataset: Dataset, model: keras.Model, strangers: NDArray[np.uint8]
) -> tuple[dict[str, float], Rescaling]:
    """Write the rounded model's predictions and detector; return its figures and its calibration."""
    images = split(run.config, dataset)
    test = Predictions(np.arange(len(dataset.test)), dataset.test.labels, predict(model, dataset.test.images))
    validation = Predictions(
        images.validation_indices, images.validation_labels, predict(model, images.validation_images)
    )
    for name, answers in ((PREDICTIONS, test), (VALIDATION_PREDICTIONS, validation)):
        np.savez(out / name, indices=answers.indices, labels=answers.labels, probabilities=answers.probabilities)
    unknown_detector = detector(model, images)
    assert unknown_detector is not None
    np.savez_compressed(out / OOD_DETECTOR, **unknown_detector.to_arrays())  # type: ignore[arg-type]
    of_validation, of_test = (
        evaluate(answers.labels, answers.probabilities, class_names=dataset.class_names)
        for answers in (validation, test)
    )
    metrics = {
        **run.metrics,
        "val_loss": of_validation.loss,
        "val_accuracy": of_validation.accuracy,
        **stored_scores(of_test, test),
        **ood_metrics(model, unknown_detector, known=dataset.test.images, unknown=strangers),
    }
    return metrics, rescale(test, validation)


def card(
    out: Path, run: Run, dataset: Dataset, model: keras.Model, metrics: dict[str, Any], rescaled: Rescaling
) -> str:
    """Return the card of the model in Markdown."""
    content = (out / MODEL).read_bytes()
    count = len(dataset.test)
    low, high = wilson_interval(round(metrics["test_accuracy"] * count), count)
    return f"""# The included model

A network that names five animals, so that there is one to try before any training.

- **Data**: the five aquatic mammals of CIFAR-100 (Krizhevsky 2009), {", ".join(dataset.class_names)}: 2,500 training
  images, {run.config.training.validation_fraction:.0%} of them held out for validation; photographs of 32x32 pixels.
- **Recipe**: the preset `{PRESET}` with seed {run.config.seed}: a network of {model.count_params():,} numbers,
  pretrained on CIFAR-100's other 95 classes, then trained for {int(metrics["epochs"])} epochs on the five animals.
  Weights rounded to half precision afterwards.
- **Figure**: {100 * metrics["test_accuracy"]:.1f} % of the {count} test images right (95 % Wilson interval
  {100 * low:.0f} to {100 * high:.0f} %).
- **Calibration**: the expected calibration error on the test images is {rescaled.before.ece:.3f}, and
  {rescaled.after.ece:.3f} with the temperature {rescaled.temperature.value:.2f}, which was fitted on the validation
  images and with which it answers about own pictures.
- **Other pictures**: it recognised {100 * metrics["strangers_noticed"]:.0f} % of {int(metrics["strangers"]):,} photos
  of other things as none of these, and took {100 * metrics["known_accepted"]:.0f} % of the test images for animals that
  it knows. It was pretrained on other photos of the same things, so it may recognise fewer of other kinds.
- **Limits**: it has seen small photographs of five animals only. It answers with one of the five whatever it is
  shown, and about every fifth answer is wrong even for these animals. For lessons, not for decisions.
- **Detector**: AUROC {metrics["stranger_auroc"]:.3f} (0.5 is chance, 1 perfect), from what this network and the body
  that it was fine-tuned from see in a picture; the threshold takes 95 % of validation images for known.
- **File**: `{MODEL}`, {len(content):,} bytes, SHA-256 `{hashlib.sha256(content).hexdigest()}`.
- **Remade by**: `.venv/bin/python -m aquadash train --preset {PRESET} --source cifar100 --seed {run.config.seed}
  --name first` and then `.venv/bin/python scripts/pack_first_model.py first --strangers FOLDER`.
"""


if __name__ == "__main__":
    main()

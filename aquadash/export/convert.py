"""A trained network in other programs' formats, each held against the original before it is handed out.

TensorFlow is imported when something is converted, which is done in a process of its own.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter

from aquadash.config import ModelConfig
from aquadash.errors import AquaDashError, RunError
from aquadash.files import file_digest
from aquadash.runs.types import Count

if TYPE_CHECKING:
    import keras

#: Images that are predicted together when two networks are compared.
_BATCH = 64

#: ONNX's set of operators: of 2022, so that runtimes of the last years know it.
_OPSET = 18

#: The share of test images that must get the same answer. A network that calculates in bfloat16 is converted to
#: float32, so that a few images on the border between two classes may change sides; any other must agree fully.
_MIN_AGREEMENT = {"float32": 1.0, "other": 0.98}

#: Told what is being done, and how much of how much.
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Format:
    """A file format for networks.

    Attributes:
        name: In commands and addresses.
        title: For a button.
        file_name: What its file in the run is called.
        explained: What it is good for, in a sentence.
        write: Makes the file's bytes of a Keras model.
        read: Makes of them what gives the probabilities of images, float32 from 0 to 1.
        packages: The modules that it needs beyond TensorFlow.
        requirements: The file that lists them; empty where there are none.
    """

    name: str
    title: str
    file_name: str
    explained: str
    write: Callable[[Any], bytes]
    read: Callable[[bytes], Callable[[NDArray[np.float32]], NDArray[np.float32]]]
    packages: tuple[str, ...] = ()
    requirements: str = ""

    @property
    def check_name(self) -> str:
        """The file of the run that says how the conversion was checked."""
        return f"converted_{self.name}.json"

    def missing(self) -> tuple[str, ...]:
        """The packages that are not installed."""
        return tuple(name for name in self.packages if find_spec(name) is None)

    def check_installed(self) -> None:
        """Raise where something is missing.

        Raises:
            RunError: It is; the message says how to install it.
        """
        missing = self.missing()
        if missing:
            raise RunError(
                f"{self.title} needs {', '.join(missing)}, which AquaDash does without otherwise. Install with: "
                f".venv/bin/pip install -r {self.requirements}"
            )


@dataclass(frozen=True)
class ConversionCheck:
    """How a converted network was held against the original.

    Attributes:
        format: The name of the format.
        images: How many test images both looked at.
        agree: How many of them get the same most probable class.
        max_difference: The largest difference of a probability.
        precision: ``float32``, or what the original calculates in.
        size: Bytes of the converted file.
        model_sha256: Hash of the original's file.
        sha256: Hash of the converted file.
    """

    format: str
    images: Count
    agree: Count
    max_difference: float
    precision: str
    size: Annotated[int, Field(ge=0)]
    model_sha256: str
    sha256: str

    @property
    def passed(self) -> bool:
        """Whether it may be handed out."""
        least = _MIN_AGREEMENT.get(self.precision, _MIN_AGREEMENT["other"])
        return bool(np.isfinite(self.max_difference)) and self.images > 0 and self.agree >= least * self.images

    def describe(self) -> str:
        """The check in a sentence."""
        answers = "all" if self.agree == self.images else f"{self.agree:,} of"
        said = (
            f"Checked: {answers} {self.images:,} test images get the same answer as from the original; the largest "
            f"difference of a probability is {self.max_difference:.2g}."
        )
        if self.precision != "float32":
            said += f" The original calculates in {self.precision}, this one in float32, which is more exact."
        return said

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> ConversionCheck:
        """Back from :meth:`to_json`.

        Raises:
            ValueError: It is none.
        """
        check = TypeAdapter(cls).validate_json(text)
        if check.agree > check.images:
            raise ValueError("more images agree than there are")
        return check


def convert(
    model_path: Path,
    config: ModelConfig,
    form: Format,
    images: NDArray[np.uint8],
    target: Path,
    *,
    num_classes: int,
    progress: OnProgress,
) -> ConversionCheck:
    """Convert a network, hold it against the original, and write it if it passes.

    Args:
        model_path: The run's ``.keras`` file.
        images: Test images, uint8 (n, height, width, channels).
        progress: Told what is being done, and how much of how much.

    Raises:
        StorageError: The network cannot be loaded.
        RunError: Packages are missing, the converter fails, or the result answers differently.
    """
    form.check_installed()
    from aquadash.models import load_model
    from aquadash.models.summary import layers_within

    # First: a run that is resumed meanwhile gets another file.
    model_sha256 = file_digest(model_path)
    total = len(images) + 2
    progress("loading the model", 0, total)
    model = load_model(model_path, config, num_classes=num_classes)
    progress(f"converting to {form.title}", 1, total)
    precision, exact = "float32", model
    if any(layer.compute_dtype == "bfloat16" for layer in layers_within(model)):
        # Its weights were in float32 before.
        precision, exact = "bfloat16", load_model(model_path, config, num_classes=num_classes, precision="float32")
        exact.set_weights(model.get_weights())
    try:
        content = form.write(exact)
        answer = form.read(content)
    except AquaDashError:
        raise
    except Exception as error:  # converters raise nearly anything
        raise RunError(
            f"The converter to {form.title} cannot handle this network ({type(error).__name__}: {str(error)[:300]})."
        ) from error
    agree, largest = 0, 0.0
    for start in range(0, len(images), _BATCH):
        part = images[start : start + _BATCH].astype(np.float32) / np.float32(255.0)
        wanted, got = np.asarray(model(part, training=False)), answer(part)
        agree += int((wanted.argmax(axis=1) == got.argmax(axis=1)).sum())
        difference = float(np.abs(wanted - got).max())
        # Not ``max``, which would pass a "not a number" over.
        largest = difference if not difference <= largest else largest
        progress("comparing with the original", start + len(part), total)
    check = ConversionCheck(
        form.name,
        len(images),
        agree,
        largest,
        precision,
        len(content),
        model_sha256,
        hashlib.sha256(content).hexdigest(),
    )
    if not check.passed:
        raise RunError(f"The {form.title} file answers differently, so it is not handed out. {check.describe()}")
    target.write_bytes(content)
    return check


def _to_tflite(model: keras.Model) -> bytes:
    import tensorflow as tf

    return bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())


def _read_tflite(content: bytes) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    import tensorflow as tf

    with warnings.catch_warnings():
        # Its successor is a package of its own, which reads the same files.
        warnings.simplefilter("ignore")
        interpreter = tf.lite.Interpreter(model_content=content)
    into, out = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def answer(images: NDArray[np.float32]) -> NDArray[np.float32]:
        interpreter.resize_tensor_input(into["index"], images.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(into["index"], images)
        interpreter.invoke()
        return np.array(interpreter.get_tensor(out["index"]))

    return answer


def _to_onnx(model: keras.Model) -> bytes:
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name="images")]

    @tf.function(input_signature=signature)
    def forward(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"probabilities": model(images, training=False)}

    proto, _ = tf2onnx.convert.from_function(forward, input_signature=signature, opset=_OPSET)
    return bytes(proto.SerializeToString())


def _read_onnx(content: bytes) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda images: np.asarray(session.run(None, {name: images})[0])


FORMATS: dict[str, Format] = {
    form.name: form
    for form in (
        Format(
            "tflite",
            "TensorFlow Lite",
            "model.tflite",
            "For telephones and small devices (LiteRT, formerly TensorFlow Lite).",
            _to_tflite,
            _read_tflite,
        ),
        Format(
            "onnx",
            "ONNX",
            "model.onnx",
            "For other programs and languages: ONNX Runtime, browsers, Windows, C++.",
            _to_onnx,
            _read_onnx,
            ("tf2onnx", "onnx", "onnxruntime"),
            "scripts/requirements-onnx.txt",
        ),
    )
}

"""Keras, TensorFlow and h5py, imported at their first use: that takes seconds, and most pages need none of them."""

import importlib
from typing import TYPE_CHECKING, Any


class _Lazy:
    """Stands for a module and imports it when one of its attributes is read."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._module), name)


if TYPE_CHECKING:
    import h5py as h5py
    import keras as keras
    import tensorflow as tf
    from keras import layers as layers
else:
    h5py, keras, tf, layers = map(_Lazy, ("h5py", "keras", "tensorflow", "keras.layers"))

"""Image files to runs' probabilities. TensorFlow is imported when a model is loaded."""

from __future__ import annotations

from aquadash.predict.files import (
    AnswerRow,
    FilePrediction,
    Look,
    answered,
    answers_csv,
    look_at,
    predict_files,
)
from aquadash.predict.predictor import Predictor
from aquadash.predict.remote import RemotePredictor

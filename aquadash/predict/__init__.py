"""Predictions of runs for image files. Loading a model imports TensorFlow."""

from aquadash.predict.files import AnswerRow, FilePrediction, Look, answered, answers_csv, look_at, predict_files
from aquadash.predict.predictor import Predictor
from aquadash.predict.remote import RemotePredictor

"""Why a model answers as it does, and how robust it is. TensorFlow is imported when a model is loaded, not before."""

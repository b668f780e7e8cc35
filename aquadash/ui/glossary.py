"""One line for every term of art, shown as help where the term is used."""

from __future__ import annotations

GLOSSARY: dict[str, str] = {
    "accuracy": "The share of images whose most probable class is the right one.",
    "augmentation": "Changing training images at random (flip, rotate, blur ...) so that the network sees more "
    "variety. Validation and test images are never changed.",
    "batch": "Images that the network looks at together before it changes its weights once.",
    "baseline": "A simple model to beat. What does not beat it has not learnt much.",
    "best epoch": "The epoch with the lowest validation loss.",
    "branch": "One way through a pipeline. Each branch gives one image for every original.",
    "channel": "One of the three colours, red, green and blue, that make up a pixel; 0 is dark and 255 bright.",
    "confidence": "The probability that the network gives to the class it chose. It can be high and wrong.",
    "confidence interval": "Where the true accuracy probably lies: with so few test images it cannot be known exactly. "
    "95 of 100 such intervals contain it.",
    "confusion matrix": "A table with a row for each true class and a column for each predicted one. Right answers are "
    "on the diagonal.",
    "convolution": "A layer that slides small patterns over the image and notes where they fit.",
    "dropout": "Switching off a random share of units in each training step, so that the network relies on none of "
    "them.",
    "early stopping": "Ending the training when the validation loss has not become better for some epochs.",
    "epoch": "One pass over all training images.",
    "F1": "One number for precision and recall together (their harmonic mean); high only if both are.",
    "fingerprint": "A checksum (SHA-256) of all images and labels: the same fingerprint, the same data.",
    "learning rate": "The size of each change of the weights. Too small is slow, too large jumps past the goal.",
    "loss": "How wrong the probabilities are (cross entropy); 0 is perfect, and confident mistakes cost most.",
    "optimizer": "The rule that turns mistakes into changes of the weights.",
    "overfitting": "Learning the training images by heart: they go on getting better, the validation images do not.",
    "patience": "How many epochs without a better validation loss early stopping waits for.",
    "pipeline": "A named set of branches, each a chain of random changes to an image.",
    "precision": "Of the images that were called this class, the share that is.",
    "preset": "A complete set of settings to start from.",
    "recall": "Of the images that are this class, the share that was found.",
    "run": "One training: its settings, its seed, its data, and what came out.",
    "seed": "The number from which all random choices follow: the same seed, the same result.",
    "softmax": "The last step of the network: turns scores into probabilities that add up to 1.",
    "split": "Training images are learnt from; test images are kept back to measure with.",
    "support": "How many test images of this class there are.",
    "test set": "Images that are kept back until the end. They measure what the network can do with images it never "
    "saw.",
    "validation": "Images that are not learnt from but looked at after each epoch, to see when to stop.",
    "weights": "The numbers in the network that training changes.",
}


def term(name: str) -> str:
    """The help of a term of art; ``KeyError`` if there is none, which a test would notice."""
    return GLOSSARY[name]

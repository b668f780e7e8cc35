"""The report's mistakes and their corrections."""

from __future__ import annotations

from dataclasses import dataclass

from aquadash.evaluation import wilson_interval
from aquadash.walkthrough import report
from aquadash.walkthrough.network import lowest_flattened_loss


@dataclass(frozen=True)
class Correction:
    """A mistake of the report, in markdown."""

    key: str
    #: A key of :data:`aquadash.walkthrough.LESSONS`.
    lesson: str
    #: The place in the report, by its headings.
    where: str
    #: The mistaken statement.
    says: str
    #: The correction with its evidence.
    right: str


def findings(lesson: str) -> tuple[Correction, ...]:
    """Return the corrections of a section, in the report's order."""
    return tuple(finding for finding in all_findings() if finding.lesson == lesson)


def all_findings() -> tuple[Correction, ...]:
    """Return all corrections, in the report's order, with computed numbers."""
    low, high = (round(100 * end) for end in wilson_interval(67, report.MEASURED_IMAGES))
    ten = report.TRAIN_IMAGES * 11
    floor = lowest_flattened_loss(len(report.CLASSES))
    last = report.LOG[-1]
    shown, other = report.ANSWERS[0], report.ANSWERS[2]
    total = sum(report.right_ones(row) for row in report.SCORES)
    return (
        Correction(
            "flatten",
            "extraction",
            "Data Preprocessing (Extraction), text and code",
            "The labels are flattened and then renumbered from 0 to 4.",
            "`result = train_labels.flatten()` is never used: the loops below it renumber `train_labels` itself, which "
            "stays a column of shape (2500, 1). Keras takes both forms, so nothing breaks. Nothing is learnt from the "
            "coarse labels either; they only say which images to keep.",
        ),
        Correction(
            "ten-times",
            "copies",
            "Data Preprocessing (Applying the Augmentations), text and code",
            "The augmentation was applied “10 times”, and this gave 12,500 images.",
            f"The code sends each image through each of **four** pipelines **once** and keeps the original: five times "
            f"as many, 5 × 2,500 = 12,500. Ten changed versions and the original would have been {ten:,}.",
        ),
        Correction(
            "verification",
            "copies",
            "Data Preprocessing (Data Verification), code and output",
            "Plotting the first 20 images and printing a total of 500 verifies the augmentation.",
            "The originals come first in the set, so that its first 20 images have not been augmented at all. The 500 "
            "that is printed counts the *test* images, for the variable was used again. Only the 12,500 says something "
            "about the training set. To check, look at one image of each block, as above.",
        ),
        Correction(
            "one-hot",
            "normalization",
            "Data Preprocessing (Normalization), code; Training the Model, code",
            "The labels are one-hot encoded: a 1 for the class and 0 for the others, in `train_labels`.",
            "That variable is **never used again**. Training gets `train_labels_aug`, which are whole numbers from 0 "
            "to 4, and the *sparse* cross-entropy wants just those. The line does nothing; with one-hot labels this "
            "loss would fail.",
        ),
        Correction(
            "centred",
            "normalization",
            "Data Preprocessing (Normalization), text",
            "Bringing pixels between 0 and 1 also centres the data around zero.",
            "Numbers between 0 and 1 cannot have a mean of 0 unless all are 0. Centring needs the mean taken off, "
            "which is another step; try it above.",
        ),
        Correction(
            "linear-convolutions",
            "convolution",
            "Building our Convolutional Base, code",
            "Stacked convolutions learn more and more complex features. In the code neither of the two has an "
            "`activation`.",
            "A convolution without an activation only adds up multiples of its inputs, and two of them in a row could "
            "be **one**. Here the max pooling between them is all that keeps them apart. `activation='relu'` in both "
            "would make the network more able, at no cost in parameters.",
        ),
        Correction(
            "dense-shape",
            "dense",
            "Regularization (Dropout) and Adding Dense Layers, text",
            "Dense layers take vectors and give a 3D tensor.",
            "They give vectors as well: 256, then 128, then 5 numbers, as the report's own table of layers shows. It "
            "is the convolutions that work on 3D tensors, which `Flatten` turns into one vector.",
        ),
        Correction(
            "logits",
            "loss",
            "Regularization (Dropout) and Adding Dense Layers, code; Model Compilation, code",
            "The last layer is a `softmax`, and the loss is told `from_logits=True`, that it gets raw scores.",
            "A softmax gives probabilities, so it should be `from_logits=False` (or no softmax). Taken at its word, "
            "the loss would apply a second softmax and could never fall below "
            f"**{floor:.3f}** with five classes, however good the network. The log has a loss of {last.loss:.4f}: so "
            "Keras noticed the softmax, as it does with a warning, and took the right loss all the same. It was luck.",
        ),
        Correction(
            "patience",
            "stopping",
            "Regularization (Early Stopping Callback), text and code; Challenges Encountered, text",
            "Training stops when the *accuracy* has dropped 3 times, `patience=3`. The code has `patience=5` and "
            "watches `val_loss`.",
            "The code counts: the validation **loss**, and **5** epochs without a new best one. The log agrees: the "
            "best is epoch 2, and it ends with epoch 7. They need not be drops, either; an epoch that is not better is "
            "enough. And without `restore_best_weights=True` the network of epoch 7 is kept, not that of epoch 2.",
        ),
        Correction(
            "test-as-validation",
            "training",
            "Training the Model, text and code",
            "“Our testing data” serves for validation: `validation_data=(test_images[0:400], ...)`; the score then "
            "comes from the other 100.",
            "Validation decides when to stop, so those 400 images are no test any more. The 100 that are left are "
            "clean, but few. Better: hold **training** images out for validation, and keep all 500 test images for one "
            "measurement at the end, as the preset `notebook-fixed` does. The report also tried layers, optimizers and "
            "epochs; if it chose by these 100 images, even they are no longer clean.",
        ),
        Correction(
            "ninety-six",
            "predictions",
            "Model Verification, text beside the first output",
            "The network takes image 3, an otter, for a beaver with **96 %**.",
            f"The output right below says **{100 * shown.probability:.1f} %**. {100 * other.probability:.1f} % is the "
            f"output for image {other.image}, another otter. And a high probability is what the network says, not how "
            "often it is right: see calibration on the Evaluate page.",
        ),
        Correction(
            "precision",
            "matrix",
            "Confusion Matrix Heatmap and Classification Report, text",
            "An average of 67.12 % is the fraction of correctly predicted samples among *all* samples; and F1 gives an "
            "*accuracy* of 67 %.",
            "The text describes **accuracy**: "
            f"{total} of {report.MEASURED_IMAGES}, {total:.2f} %. The 67.12 % is the weighted mean of "
            "**precision**: of the images that were *called* a class, how many are. F1's weighted mean is 66.33 "
            "%, and it is no accuracy. Three different questions; that the answers are so near is chance.",
        ),
        Correction(
            "first-epoch",
            "curves",
            "Training the Model, output; Plot of Accuracy vs. Epochs, text",
            "Accuracy rises from 60 % in epoch 1; at first the network was not effective.",
            "Guessing gives 20 %, and a new network's loss begins at 1.61. A mean of 60 % and 0.98 over the *first* "
            "pass means that this network had been trained before: in a notebook, running `fit` again goes on where it "
            "was. So “7 epochs” does not tell how long it learned.",
        ),
        Correction(
            "still-improving",
            "curves",
            "Plot of Accuracy vs. Epochs; Plot of Loss vs. Epochs",
            "The training curves are not flat yet, so that more training may help.",
            "Training curves show how well the images that are learnt from are remembered. Whether *new* images "
            "profit, only validation tells, and its loss was lowest in epoch 2 of 7.",
        ),
        Correction(
            "fifty-thousand",
            "curves",
            "Is it Overfit?",
            "About 50,000 images are needed for an acceptable accuracy, and training loss below validation loss means "
            "overfitting.",
            "There is no such number; it depends on the task and on where the network starts. A pretrained one does "
            "better here with 2,500. A gap alone is not overfitting, either: the sign is a validation loss that "
            "*rises* while the training loss falls. Changed copies of the same images do not count like new ones.",
        ),
        Correction(
            "sixty-seven",
            "result",
            "Final Results",
            "Test accuracy: 67 %.",
            f"67 right of **100** images. With so few the 95 % interval is **{low} % to {high} %**: a network that is "
            "truly at 60 % or at 72 % could have got this score. A figure needs its interval.",
        ),
    )

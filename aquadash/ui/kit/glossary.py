"""One line for every term of art, shown as help where the term is used."""

from __future__ import annotations

GLOSSARY: dict[str, str] = {
    "accuracy": "The fraction of images whose most probable class is the right one.",
    "activation": "The function that a layer applies to each of its sums. Without one, two layers can do no more than "
    "one.",
    "augmentation": "Changing training images at random (flip, rotate, blur ...) so that the network sees more "
    "variety. Validation and test images are never changed.",
    "average precision": "The area under the precision-recall curve: 1 if all images of the class come before all "
    "others, and the class's fraction of all images if the order is chance.",
    "balanced accuracy": "The mean of all classes' recall: each class counts the same, however many images it has. A "
    "network that always names the most frequent class gains nothing.",
    "baseline": "A simple model to beat. A network that does not beat it has not learnt much.",
    "batch": "Images that the network looks at together before it changes its weights once.",
    "batch normalization": "Shifting and scaling a layer's outputs so that over a batch they have mean 0 and "
    "deviation 1.",
    "best epoch": "The epoch with the lowest validation loss, or with the highest validation accuracy if the settings "
    "say so.",
    "block": "A group of layers that a network repeats, each time with other weights.",
    "branch": "One chain of steps of a pipeline. It makes one image from every original.",
    "Brier score": "The mean squared distance between the probabilities and the truth; 0 is perfect.",
    "calibration": "Whether confidence matches accuracy: of the answers given with 80 % confidence, 80 % should "
    "be right.",
    "calibration error": "How far confidence and accuracy are apart on average over 15 steps of confidence, in points "
    "of per cent (expected calibration error); 0 is perfect.",
    "channel": "One of the three colours, red, green and blue, that make up a pixel; 0 is dark and 255 bright.",
    "clipping": "Values that would leave the range from 0 to 255 are cut off at its ends; their detail is lost. "
    "Counted in channel values, over all pixels.",
    "Cohen's kappa": "Accuracy beyond chance: 1 is perfect, and 0 is no better than guessing each class as often as "
    "the network names it.",
    "confidence": "The probability that the network gives to the class it chose. It can be high and wrong.",
    "confidence interval": "Where the true accuracy probably lies: with so few test images it cannot be known "
    "exactly. 95 of 100 such intervals contain it.",
    "confusion matrix": "A table with a row for each true class and a column for each predicted one. Right answers "
    "are on the diagonal.",
    "convolution": "A layer that slides small patterns over the image and notes where they fit.",
    "corruption": "Damage to a photograph: noise, blur, weather, compression.",
    "dense layer": "A layer in which every unit looks at all outputs of the layer before.",
    "doubtful label": "The network is as sure of another class as it usually is of that class's own images. The label "
    "may be wrong, or the network may be. Check the image.",
    "dropout": "Switching off a random fraction of units in each training step, so that the network does not rely on "
    "any of them.",
    "drawn value": "A fixed value is the same for all images. A range gives each image a value of its own from "
    "anywhere in it, so that the network never sees quite the same change twice.",
    "early stopping": "Ending the training when the validation metric has not improved for some epochs.",
    "epoch": "One pass over all training images.",
    "explanation": "A map of the image that shows which parts support a class. Methods differ in what they ask the "
    "network, so compare several before you trust one.",
    "F1": "One number for precision and recall together (their harmonic mean); high only if both are.",
    "feature map": "The output of one filter at every place of the image: bright where its pattern was found.",
    "fine-tuning": "Training a pretrained network a little further on images of your own.",
    "fingerprint": "A checksum (SHA-256) of all images and labels: the same fingerprint, the same data.",
    "global pooling": "Keeping one number for each filter, wherever in the image it fitted. The next layer then needs "
    "far fewer weights.",
    "head": "The last layers of a network, which turn what it sees into probabilities of the classes.",
    "Holm's correction": "Among many pairs, some differ by luck. The corrected p-value allows for the number of "
    "pairs, so that one below 0.05 counts among all of them.",
    "hyperparameter": "A setting that a person chooses and training does not change, such as the learning rate.",
    "import folder": "The folder AQUADASH_IMPORT of the computer that AquaDash runs on. AquaDash reads what is put "
    "there, and nothing else on that computer.",
    "importance": "How much of the differences between the trials one setting explains by itself. It is estimated "
    "from few trials, so take it as a hint.",
    "kernel": "The small pattern that a filter slides over the image, or its side in pixels.",
    "label noise": "Wrong labels among the training images. A network learns the right ones first, and the wrong ones "
    "by heart later.",
    "label safety": "Whether a changed image still shows what its label says. If a trained model no longer recognises "
    "the animal, the label may be wrong, or the model may be weak.",
    "learning rate": "The size of each change of the weights. Too small is slow, too large jumps past the goal.",
    "logits": "The raw scores before the softmax; any numbers, which do not add up to 1.",
    "loss": "How wrong the probabilities are (cross entropy); 0 is perfect, and confident mistakes cost most.",
    "McNemar": "A test on the images that one of two networks gets right and the other wrong: p is how often chance "
    "alone would split them so unevenly; below 0.05 is usually taken as a real difference.",
    "mixing": "Training on blends of two images, with both labels in the same proportions, so that it learns smoother "
    "borders between classes.",
    "mean corruption error": "The fraction of wrong answers, averaged over all corruptions and severities. It is not "
    "divided by another network's errors as in the paper of Hendrycks and Dietterich.",
    "momentum": "Going on a little in the direction of the last steps, like a ball that rolls downhill.",
    "near-duplicate": "A training image that shows the same picture as a test image. A network may know it by heart, "
    "so the accuracy looks better than it is.",
    "normalization": "Bringing the colour values into a range that suits the network.",
    "one-hot": "A class as a row of zeros with a single 1 in its place.",
    "optimizer": "The rule that turns mistakes into changes of the weights.",
    "overfitting": "Learning the training images by heart: they go on getting better, the validation images do not.",
    "paired runs": "Two trainings that differ in one thing only, judged on the same images. A difference in the "
    "result comes from that thing or from luck; the interval and the test allow for luck.",
    "parameters": "The numbers that a network is made of. More of them can learn more, and take more time and memory.",
    "Pareto front": "The runs that no other beats in both respects: every run that is more accurate costs more.",
    "parallel coordinates": "Every trial is a line that crosses one axis for each setting. Where the best lines "
    "come together, the value matters.",
    "patience": "How many epochs without a better validation metric early stopping waits for.",
    "pipeline": "A named set of versions, each a chain of random changes to an image.",
    "pooling": "Keeping one number for each small area of outputs, its largest or its mean, so that the image becomes "
    "smaller.",
    "precision": "Of the images that the network put into this class, the fraction that belongs there.",
    "precision-recall curve": "For every threshold, how many of the class's images are found, and how many of the "
    "images put into the class belong there.",
    "preset": "A complete set of settings to start from.",
    "pruning": "Stopping a trial early when it falls behind the others, to have time for more of them.",
    "recall": "Of the images of this class, the fraction that was found.",
    "regularization": "Anything that keeps a network from learning the training images by heart; here, keeping its "
    "weights small.",
    "relative mean corruption error": "The mean corruption error minus the error on the unchanged images: what the "
    "corruptions alone cost.",
    "residual connection": "A way around some layers, so that they only need to learn what to add.",
    "reproduction": "Doing an experiment again from its description and getting the same result.",
    "robustness": "How much of its accuracy a network keeps when the images are worse than those it learned from.",
    "ROC area": "The chance that an image of the class gets a higher probability for it than another image: 1 is "
    "perfect, 0.5 is guessing.",
    "ROC curve": "For every threshold, how many of the class's images are found, and how many others are wrongly put "
    "into the class.",
    "run": "One training: its settings, its seed, its data and its results.",
    "sampler": "The rule that chooses the values of the next trial.",
    "schedule": "How the learning rate changes during training. Large steps find the way, small ones settle at the "
    "end.",
    "search": "Trying many settings, a training each, and keeping those with the best validation accuracy. Test "
    "images decide nothing.",
    "seed": "The number from which all random choices follow: the same seed, the same result.",
    "severity": "How strong a corruption is, from 1 (mild) to 5 (strong).",
    "smoothing": "Each point becomes an average of itself and the points before it; nearer ones count more. 0 shows "
    "the curve as it is, as does the fainter line behind.",
    "softmax": "The last step of the network: turns scores into probabilities that add up to 1.",
    "split": "The network learns from the training images; test images are kept back to measure it.",
    "standard deviation": "How far values typically are from their mean. Over runs that differ in the seed only, it "
    "shows what chance does: a smaller difference between two settings may be luck.",
    "step": "One change to an image. The steps of a pipeline follow each other: each changes the result of the one "
    "before.",
    "step probability": "The fraction of the images that the step is applied to; the others pass it unchanged.",
    "stranger": "A picture of none of the classes. It is recognised by how far its features lie from those of the "
    "training images; the limit is set so that 95 % of validation images count as known.",
    "stride": "The number of pixels that a pattern moves before it is compared again.",
    "support": "How many test images of this class there are.",
    "temperature": "A number that the network's scores are divided by before the softmax. Above 1 makes it less sure, "
    "below 1 surer. It is fitted on validation images.",
    "test set": "Images that are kept back until the end. They measure what the network can do with images it never "
    "saw.",
    "threshold": "The lowest probability that counts. A higher one gives fewer but surer answers.",
    "tie": "Results whose difference may be luck. A place is one more than the number of students who are clearly "
    "better (the 95 % interval of the difference is above 0).",
    "top-2 accuracy": "The fraction of images whose right class is among the two most probable.",
    "TPE": "Tree-structured Parzen estimator: it compares the values of the good trials with those of the others "
    "and tries what is more common among the good.",
    "transfer learning": "Starting from a network that has learnt from other images, and training only what is new.",
    "trial": "One try of a search: a run with values of its own.",
    "validation": "Images that the network does not learn from. They are checked after each epoch, to see when to "
    "stop.",
    "warm-up": "Small steps first, while the weights are still random and point anywhere.",
    "weights": "The numbers in the network that training changes.",
    "YAML": "A way to write settings as text: one per line, indented under the name of their section.",
}


def term(name: str) -> str:
    """Return the help of a term of art."""
    return GLOSSARY[name]

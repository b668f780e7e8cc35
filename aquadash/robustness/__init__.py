"""The robustness of a model: its accuracy on changed images, and how far an augmentation may change them."""

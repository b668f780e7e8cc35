"""How robust a model is: its accuracy on changed images, and how far an augmentation may change them."""

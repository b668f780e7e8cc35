"""Entry point of ``python -m aquadash``."""

import gc
import sys

if __name__ == "__main__":
    # TensorFlow and Keras make a million objects that stay: looking for garbage among them again and again
    # would take a fifth of the time in which they are imported.
    gc.set_threshold(20_000, 10, 10)
    try:
        # It takes seconds, and Ctrl-C may come meanwhile.
        from aquadash.cli import main
    except KeyboardInterrupt:
        sys.stderr.write("Error: Interrupted.\n")
        sys.exit(130)
    main()

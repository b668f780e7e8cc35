"""Hypothesis's settings for tests of random input."""

import os

from hypothesis import HealthCheck, settings


def tries(count: int) -> settings:
    """Try this number of inputs, the same in each run; ``AQUADASH_FUZZ=2000`` tries 2,000."""
    return settings(
        max_examples=int(os.environ.get("AQUADASH_FUZZ", str(count))),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )

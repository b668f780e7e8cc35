from __future__ import annotations

import pytest

from aquadash.augment.pipelines import PIPELINES
from aquadash.augment.reading import check, check_operators
from aquadash.augment.spec import Operator, Range, op
from aquadash.errors import ConfigError, UnknownNameError


def test_the_built_in_pipelines_pass() -> None:
    for spec in PIPELINES.values():
        check(spec)


@pytest.mark.parametrize(
    ("operator", "message"),
    [
        (op("FlipLR"), "Did you mean 'Fliplr'"),
        (op("GaussianBlur", sgma=1.0), "Did you mean 'sigma'"),
        (op("Sometimes", then=op("Fliplr")), "Did you mean 'then_list'"),
        (op("Fliplr", children=op("Fliplr")), "slot of Fliplr"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(operator: Operator, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        check_operators([operator])


@pytest.mark.parametrize(
    ("operator", "message"),
    [
        (op("GaussianBlur", sigma=-1.0), "number from 0 to 10"),
        (op("GaussianBlur", sigma=Range(0.0, float("inf"))), "number from 0 to 10"),
        (op("GaussianBlur", sigma="much"), "is 'much'"),
        (op("GaussianBlur", sigma=True), "is 'True'"),
        (op("Add", value=Range(-5, 0.5)), "a whole number"),
        (op("MedianBlur", k=4), "an odd number from 1 to 15"),
        (op("MedianBlur", k=Range(1, 6)), "an odd number from 1 to 15"),
        (op("WithChannels", channels=0, children=op("Grayscale")), "needs a picture in colour"),
        (op("WithChannels", channels=0, children=op("Sometimes", then_list=op("Fog"))), "inside WithChannels"),
        (op("Fliplr", p=Range(0.0, 1.0)), "one fixed value"),
        (op("Fliplr", p=1.5), "number from 0 to 1"),
        (op("CoarseDropout", p=0.1), "needs its setting 'size_percent'"),
        (op("WithColorspace", to_colorspace="CMYK", children=op("Fliplr")), "expected one of RGB"),
        (op("Sometimes", p=0.5), "has none"),
        (op("Sometimes", p=0.5, then_list=op("Sometimes", then_list=op("Fliplr", p=2))), "Fliplr: p is"),
    ],
)
def test_values_out_of_bounds_are_refused(operator: Operator, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_operators([operator])

"""The built-in pipelines: the report's four, all of them together, and none.

Two operators of the report have new names in imgaug since version 0.4 and take the same arguments:
``ContrastNormalization`` is ``LinearContrast``, and ``FrequencyNoiseAlpha(first=, second=)`` is
``BlendAlphaFrequencyNoise(foreground=, background=)``.
"""

from aquadash.augment.spec import Branch, Operator, PipelineSpec, Range, op


def _shift_channel(channel: int) -> Operator:
    """Shift hue (0), saturation (1) or value (2) of a picture by up to 50."""
    return op(
        "WithColorspace",
        to_colorspace="HSV",
        from_colorspace="RGB",
        children=op("WithChannels", channels=channel, children=op("Add", value=Range(-50, 50))),
    )


def _half(step: Operator) -> Operator:
    """Apply a step to half of the images."""
    return op("Sometimes", p=0.5, then_list=step)


ORIGINAL = Branch("Original", ())

_FLIPPED = Branch("Flipped and blurred", (op("Fliplr", p=1.0), op("GaussianBlur", sigma=Range(0.0, 1.0))))

_RECOLOURED = Branch("Recoloured", (op("ChannelShuffle", p=0.5), *map(_shift_channel, range(3))))

_COVERED = Branch(
    "Covered and sharpened",
    (
        _half(op("CoarseDropout", p=Range(0.1, 0.3), size_percent=Range(0.02, 0.05))),
        _half(_half(op("ChannelShuffle", p=0.5))),
        _half(op("Sharpen", alpha=Range(0.0, 1.0), lightness=Range(0.75, 1.5))),
    ),
)

_CLOUDED = Branch(
    "Relit through clouds",
    (
        op("Multiply", mul=Range(0.5, 1.5), per_channel=0.5),
        op("LinearContrast", alpha=Range(0.5, 1.5)),
        op(
            "BlendAlphaFrequencyNoise",
            exponent=Range(-4.0, 0.0),
            foreground=op("Multiply", mul=Range(0.5, 1.5), per_channel=True),
            background=op("LinearContrast", alpha=Range(0.5, 2.0)),
        ),
    ),
)

_SHIFTED = (
    op("Fliplr", p=0.5),
    op("TranslateX", px=Range(-3, 3), mode="reflect"),
    op("TranslateY", px=Range(-3, 3), mode="reflect"),
)

_REPLACES = "Each image is replaced by one changed version of itself, so the number of images stays the same."

_ALL = (
    PipelineSpec("none", "No augmentation", "The original images and nothing else.", (ORIGINAL,)),
    PipelineSpec(
        "notebook-1",
        "The report's first: flip and blur",
        f"Mirrors every image and blurs it a little. {_REPLACES}",
        (_FLIPPED,),
    ),
    PipelineSpec(
        "notebook-2",
        "The report's second: colours",
        f"Swaps colour channels and shifts hue, saturation and brightness. {_REPLACES}",
        (_RECOLOURED,),
    ),
    PipelineSpec(
        "notebook-3",
        "The report's third: cover and sharpen",
        f"Blacks out rectangles, swaps colour channels and sharpens, each only in some of the images. {_REPLACES}",
        (_COVERED,),
    ),
    PipelineSpec(
        "notebook-4",
        "The report's fourth: light and clouds",
        f"Changes brightness and contrast, in two ways that are blended through a cloudy mask. {_REPLACES}",
        (_CLOUDED,),
    ),
    PipelineSpec(
        "notebook",
        "The report's augmentation: original and all four",
        "Keeps every original and adds one version of it from each of the report's four pipelines: five times as many "
        "images.",
        (ORIGINAL, _FLIPPED, _RECOLOURED, _COVERED, _CLOUDED),
    ),
    PipelineSpec(
        "mirror-shift",
        "Mirror and shift",
        "Mirrors half of the images and moves each by up to three pixels. It is gentle and fast, and works best with "
        f"new versions for every epoch. {_REPLACES}",
        (Branch("Mirrored and shifted", _SHIFTED),),
    ),
    PipelineSpec(
        "mirror-shift-cover",
        "Mirror, shift and cover",
        f"Like “Mirror and shift”, with a grey square a quarter as wide and high as the image. {_REPLACES}",
        (Branch("Mirrored, shifted and covered", (*_SHIFTED, op("Cutout", size=0.25))),),
    ),
)

#: The built-in pipelines by name, in the order of a menu.
PIPELINES: dict[str, PipelineSpec] = {spec.name: spec for spec in _ALL}

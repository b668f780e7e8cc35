"""Fewer, larger pixels and patches of one colour."""

from __future__ import annotations

from aquadash.augment.catalogue.parts import OperatorInfo, percentage, whole
from aquadash.augment.spec import Range, op

_BLOCK = whole("kernel_size", "block", "Side of a block in pixels; 1 changes nothing.", Range(1, 5), 1, 8)

_REPLACED = percentage("p_replace", "share", "Chance of each patch to get one colour.", Range(0.5, 1.0))

ENTRIES = (
    OperatorInfo(
        "AveragePooling",
        "Coarser pixels, mean",
        "Replaces blocks of pixels by their mean and enlarges the result to the old size.",
        (_BLOCK,),
        effect="The animal looks as in a smaller picture.",
        harm="A block of 4 leaves 8 x 8 pixels: a blot on water that could be any animal.",
        example=op("AveragePooling", kernel_size=3),
        fixed=(("keep_size", True),),
    ),
    OperatorInfo(
        "MaxPooling",
        "Coarser pixels, brightest",
        "Replaces blocks of pixels by their brightest value, channel by channel.",
        (_BLOCK,),
        effect="Foam and bright fur grow, dark eyes vanish.",
        harm="From a block of 3 on, a dark animal in bright water shrinks to a spot.",
        example=op("MaxPooling", kernel_size=3),
        fixed=(("keep_size", True),),
    ),
    OperatorInfo(
        "MinPooling",
        "Coarser pixels, darkest",
        "Replaces blocks of pixels by their darkest value, channel by channel.",
        (_BLOCK,),
        effect="Dark backs and shadows grow, foam vanishes.",
        harm="From a block of 3 on, a pale seal on dark rock shrinks to a spot.",
        example=op("MinPooling", kernel_size=3),
        fixed=(("keep_size", True),),
    ),
    OperatorInfo(
        "MedianPooling",
        "Coarser pixels, middle",
        "Replaces blocks of pixels by their middle value, channel by channel.",
        (_BLOCK,),
        effect="Coarse, with fewer mixed colours than the mean makes.",
        harm="A block of 4 leaves 8 x 8 pixels: thin tails and flippers are gone.",
        example=op("MedianPooling", kernel_size=3),
        fixed=(("keep_size", True),),
    ),
    OperatorInfo(
        "Superpixels",
        "Patches along edges",
        "Groups pixels of like colour into patches and gives some of them one colour each.",
        (
            _REPLACED,
            whole("n_segments", "patches", "About how many patches there are.", Range(50, 120), 2, 400),
        ),
        effect="Fur and water become a mosaic whose stones follow the animal's outline.",
        harm="Below 30 patches a head or a flipper shares its patch with the water. It is slow.",
        example=op("Superpixels", p_replace=1.0, n_segments=80),
    ),
    OperatorInfo(
        "UniformVoronoi",
        "Mosaic, random",
        "Scatters points and gives all pixels nearest to a point one colour.",
        (
            whole("n_points", "stones", "How many stones the mosaic has.", Range(50, 500), 1, 1000),
            _REPLACED,
        ),
        effect="A mosaic of stones of all sizes, which cut across the outline.",
        harm="Below 60 stones each is as large as a head, and the animal cannot be made out.",
        example=op("UniformVoronoi", n_points=150, p_replace=1.0),
    ),
    OperatorInfo(
        "RegularGridVoronoi",
        "Mosaic, from a grid",
        "A mosaic from points on a grid, some of which are left out.",
        (
            whole("n_rows", "rows", "Rows of the grid.", Range(10, 30), 1, 40),
            whole("n_cols", "columns", "Columns of the grid.", Range(10, 30), 1, 40),
            percentage("p_drop_points", "left out", "Chance of each point to be left out.", Range(0.0, 0.5)),
            _REPLACED,
        ),
        effect="A tidy mosaic, coarse where points are missing.",
        harm="Below 8 rows or with most points left out, the animal cannot be made out.",
        example=op("RegularGridVoronoi", n_rows=14, n_cols=14, p_drop_points=0.3, p_replace=1.0),
    ),
)

"""Augmentation: operators and pipelines as data, their application to images, previews and exported code."""

from aquadash.augment.catalogue import FAMILIES, OPERATORS, OperatorInfo, Parameter, operator_info
from aquadash.augment.code import to_code
from aquadash.augment.numbers import measure
from aquadash.augment.pipelines import PIPELINES
from aquadash.augment.plan import AugmentationPlan, draw, draw_by_batch, embedded, plan
from aquadash.augment.preview import difference, film_strip, preview, preview_branches
from aquadash.augment.reading import check, from_json
from aquadash.augment.saved_pipelines import Library, library, pipeline, save
from aquadash.augment.spec import Branch, Operator, PipelineSpec, Range, op
from aquadash.augment.words import describe, step_words

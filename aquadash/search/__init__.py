"""Searches over settings: each trial is a run. Optuna is imported when a search makes its second trial."""

from aquadash.search.job import resume_search, start_search, stop_search
from aquadash.search.plan import PRUNERS, SAMPLERS, SearchPlan
from aquadash.search.space import SearchParameter, default_space, parse, parse_all, suggested
from aquadash.search.types import Search, SearchHead, Trial, TrialState

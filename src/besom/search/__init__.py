"""How a sweep chooses the params of its next run.

In: a search space, a seed, options, and what earlier runs showed. Out: params for draw number k, or None at the end.
Pure: every draw is a function of seed, number and what was told.
"""

from besom.search.methods import METHODS, make_searcher
from besom.search.searcher import ModelSearcher, Observation, Params, Searcher, SearchInfo, Suggestion

__all__ = ["METHODS", "ModelSearcher", "Observation", "Params", "SearchInfo", "Searcher", "Suggestion", "make_searcher"]

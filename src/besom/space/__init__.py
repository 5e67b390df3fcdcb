"""The search space: which values a sweep may choose, and with which law.

In: kinds of distributions with their options, and parameter names. Out: a `SearchSpace` with points and samples.
Pure: the random source is an argument.
"""

from besom.space.distributions import KINDS, Distribution, Kind, check_options, make_distribution
from besom.space.identity import identity, params_hash
from besom.space.options import BadOption, Option
from besom.space.parameters import Parameter
from besom.space.search_space import SearchSpace

__all__ = [
    "KINDS",
    "BadOption",
    "Distribution",
    "Kind",
    "Option",
    "Parameter",
    "SearchSpace",
    "check_options",
    "identity",
    "make_distribution",
    "params_hash",
]

"""Scrambled Sobol points: evenly spread over the unit cube, each a function of a seed and its index."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from besom.search.orders import generator

_BITS = 52
# Names the random stream of the scrambling among those of a seed.
_STREAM = 0x50B01

# A primitive polynomial over GF(2), its bits as a number, and the first direction numbers, for each dimension after
# the first: S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better two-dimensional projections", SIAM Journal
# on Scientific Computing 30, 2008 (their set new-joe-kuo-6, which they give away under a BSD licence).
_TABLE = """
3:1 7:1,3 11:1,3,1 13:1,1,1 19:1,1,3,3 25:1,3,5,13 37:1,1,5,5,17 41:1,1,5,5,5 47:1,1,7,11,19 55:1,1,5,1,1
59:1,1,1,3,11 61:1,3,5,5,31 67:1,3,3,9,7,49 91:1,1,1,15,21,21 97:1,3,1,13,27,49 103:1,1,1,15,7,5 109:1,3,1,15,13,25
115:1,1,5,5,19,61 131:1,3,7,11,23,15,103 137:1,3,7,13,13,15,69 143:1,1,3,13,7,35,63 145:1,3,5,9,1,25,53
157:1,3,1,13,9,35,107 167:1,3,1,5,27,61,31 171:1,1,5,11,19,41,61 185:1,3,5,3,3,13,69 191:1,1,7,13,1,19,1
193:1,3,7,5,13,19,59 203:1,1,3,9,25,29,41 211:1,3,5,13,23,1,55 213:1,3,7,3,13,59,17 229:1,3,1,3,5,53,69
239:1,1,5,5,23,33,13 241:1,1,7,7,1,61,123 247:1,1,7,9,13,61,49 253:1,3,3,5,3,55,33 285:1,3,1,15,31,13,49,245
299:1,3,5,15,31,59,63,97 301:1,3,1,11,11,11,77,249 333:1,3,1,11,27,43,71,9 351:1,1,7,15,21,11,81,45
355:1,3,7,3,25,31,65,79 357:1,3,1,1,19,11,3,205 361:1,1,5,9,19,21,29,157 369:1,3,7,11,1,33,89,185
391:1,3,3,3,15,9,79,71 397:1,3,7,11,15,39,119,27 425:1,1,3,1,11,31,97,225 451:1,1,1,3,23,43,57,177
463:1,3,7,7,17,17,37,71 487:1,3,1,5,27,63,123,213 501:1,1,3,5,11,43,53,133 529:1,3,5,5,29,17,47,173,479
539:1,3,3,11,3,1,109,9,69 545:1,1,1,5,17,39,23,5,343 557:1,3,1,5,25,15,31,103,499 563:1,1,1,11,11,17,63,105,183
601:1,1,5,11,9,29,97,231,363 607:1,1,5,15,19,45,41,7,383 617:1,3,7,7,31,19,83,137,221 623:1,1,1,3,23,15,111,223,83
631:1,1,5,13,31,15,55,25,161 637:1,1,3,13,25,47,39,87,257 647:1,1,1,11,21,53,125,249,293 661:1,1,7,11,11,7,57,79,323
675:1,1,5,5,17,13,81,3,131 677:1,1,7,13,23,7,65,251,475 687:1,3,5,1,9,43,3,149,11 695:1,1,3,13,31,13,13,255,487
701:1,3,3,1,5,63,89,91,127 719:1,1,3,3,1,19,123,127,237 721:1,1,5,7,23,31,37,243,289 731:1,1,5,11,17,53,117,183,491
757:1,1,1,5,1,13,13,209,345 761:1,1,3,15,1,57,115,7,33 787:1,3,1,11,7,43,81,207,175 789:1,3,1,1,15,27,63,255,49
799:1,3,5,3,27,61,105,171,305 803:1,1,5,3,1,3,57,249,149 817:1,1,3,5,5,57,15,13,159 827:1,1,1,11,7,11,105,141,225
847:1,3,3,5,27,59,121,101,271 859:1,3,5,9,11,49,51,59,115 865:1,1,7,1,23,45,125,71,419 875:1,1,3,5,23,5,105,109,75
877:1,1,7,15,7,11,67,121,453 883:1,3,7,3,9,13,31,27,449 895:1,3,1,15,19,39,39,89,15 901:1,1,1,1,1,33,73,145,379
911:1,3,1,15,15,43,29,13,483 949:1,1,7,3,19,27,85,131,431 953:1,3,3,3,5,35,23,195,349 967:1,3,3,7,9,27,39,59,297
971:1,1,3,9,11,17,13,241,157 973:1,3,7,15,25,57,33,189,213 981:1,1,7,1,9,55,73,83,217 985:1,3,3,13,19,27,23,113,249
995:1,3,5,3,23,43,3,253,479 1001:1,1,5,5,11,5,45,117,217 1019:1,3,3,7,29,37,33,123,147
"""
_ROWS = [row.split(":") for row in _TABLE.split()]

Floats = NDArray[np.float64]
Bits = NDArray[np.uint64]


class SobolPoints:
    """A Sobol sequence in ``dimension`` dimensions, scrambled by the seed; a coordinate depends on no other dimension.

    Scrambling is a random lower triangular matrix over GF(2) and a random shift for each dimension (Matousek, "On the
    L2-discrepancy for anchored boxes", 1998): each point is uniform, and any 2^m of them lie as evenly as unscrambled
    ones. Dimensions beyond the 101 of the table are independent uniform numbers, hashed from seed and index.
    """

    DIMENSIONS = len(_ROWS) + 1

    def __init__(self, dimension: int, seed: int) -> None:
        spread = min(dimension, self.DIMENSIONS)
        scrambled = [_scrambled(seed, j) for j in range(spread)]
        self._shift = np.array([shift for shift, _ in scrambled], dtype=np.uint64)
        self._directions = np.array([each for _, each in scrambled], dtype=np.uint64).reshape(spread, _BITS)
        self._keys = np.array([_draw_bits(seed, j, 1, 64)[0] for j in range(spread, dimension)], dtype=np.uint64)

    def points(self, start: int, count: int) -> Floats:
        """Points ``start`` … ``start + count - 1``, (count, dimension), each number in (0, 1); indices below 2^52."""
        index = np.arange(start, start + count, dtype=np.uint64)[:, np.newaxis]
        bits = np.broadcast_to(self._shift, (count, len(self._shift))).copy()
        for place in range((start + count).bit_length()):
            bits ^= (index >> np.uint64(place) & np.uint64(1)) * self._directions[:, place]
        hashed = _mixed(self._keys + index * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - _BITS)
        # The middle of the cell, so that neither 0 nor 1 comes out.
        return (np.hstack([bits, hashed]).astype(np.float64) + 0.5) * 2.0**-_BITS


def _scrambled(seed: int, dimension: int) -> tuple[int, Bits]:
    """The shift and the scrambled direction numbers of a dimension."""
    shift, *columns = _draw_bits(seed, dimension, 1 + _BITS, _BITS).tolist()
    directions = np.array(_directions(dimension), dtype=np.uint64)
    scrambled = np.zeros_like(directions)
    for place, column in enumerate(columns):
        # A column of the matrix: 1 on the diagonal, random bits below it.
        diagonal = 1 << (_BITS - 1 - place)
        bit = directions >> np.uint64(_BITS - 1 - place) & np.uint64(1)
        scrambled ^= bit * np.uint64(diagonal | column & (diagonal - 1))
    return shift, scrambled


@lru_cache(maxsize=SobolPoints.DIMENSIONS)
def _directions(dimension: int) -> tuple[int, ...]:
    """What each bit of an index, the lowest first, adds to the point: Joe and Kuo 2008, equation 2."""
    if dimension == 0:
        return tuple(1 << (_BITS - 1 - place) for place in range(_BITS))
    polynomial = int(_ROWS[dimension - 1][0])
    numbers = [int(number) for number in _ROWS[dimension - 1][1].split(",")]
    degree = len(numbers)
    directions = [number << (_BITS - 1 - place) for place, number in enumerate(numbers)]
    for place in range(degree, _BITS):
        new = directions[place - degree] ^ directions[place - degree] >> degree
        for back in range(1, degree):
            if polynomial >> (degree - back) & 1:
                new ^= directions[place - back]
        directions.append(new)
    return tuple(directions)


def _draw_bits(seed: int, dimension: int, count: int, bits: int) -> Bits:
    """``count`` random numbers of so many bits, which belong to a dimension of a seed."""
    drawn: Bits = generator(seed, _STREAM, dimension).integers(0, 1 << bits, count, dtype=np.uint64)
    return drawn


def _mixed(numbers: Bits) -> Bits:
    """The bits of 64-bit numbers thoroughly mixed (SplitMix64: Steele, Lea and Flood, OOPSLA 2014)."""
    numbers = (numbers ^ numbers >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ numbers >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    mixed: Bits = numbers ^ numbers >> np.uint64(31)
    return mixed

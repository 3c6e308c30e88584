# SPDX-License-Identifier: Apache-2.0
"""Prints the cheapest costs that AssignmentReferenceTests.swift holds.

The costs are given by formulas that a test can compute too, exactly. SciPy finds what the cheapest
assignment of them costs. Needs numpy and scipy.
"""

import numpy
from scipy.optimize import linear_sum_assignment


def scattered(rows, columns):
    i, j = numpy.mgrid[0:rows, 0:columns]
    return (i * 7919 + j * 104729) % 10007


def mixed(rows, columns):
    i, j = numpy.mgrid[0:rows, 0:columns]
    return ((i * 7919 + j * 104729 + i * j * 31) ** 2 % 1000003) - 500000


def main():
    for costs in (scattered, mixed):
        for rows, columns in ((500, 500), (300, 700), (700, 300)):
            matrix = costs(rows, columns)
            assigned = linear_sum_assignment(matrix)
            print(f"{costs.__name__} {rows} {columns}: {matrix[assigned].sum()}")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""The coefficients of `lcw_tanh` in Sources/CKernels/elementwise.c, and the error they leave.

tanh(x) is taken as x · p(s) / q(s) with s = x² and both polynomials of degree 4 with the constant
1, so that the function is odd and tiny arguments come out exact. The quotient is a minimax
approximation of tanh(x) / x in relative error on [0, CUT]; beyond CUT its value there, which must
round to 1, stands for all. Every coefficient is positive, so that no digits cancel.

Each coefficient is then rounded to one of the two floats around it, all together such that the
exact quotient errs least. The result is evaluated in single precision as the C code does it, with
and without fused multiply-add, and compared with tanh in double precision.

    pip install mpmath numpy
    python3 Tests/Reference/tanh_coefficients.py
"""

import itertools

import mpmath
import numpy as np

mpmath.mp.dps = 50

DEGREE = 4
CUT = np.float32(8.9)
FUNCTION = mpmath.tanh
GRID = 600


# MARK: fit


def polynomial(coefficients, s):
    return mpmath.polyval([*reversed(coefficients), 1], s)


def samples():
    """s and tanh(x) / x at equally spaced x up to the cut."""
    points = [mpmath.mpf(float(CUT)) * i / GRID for i in range(1, GRID + 1)]
    return [x * x for x in points], [FUNCTION(x) / x for x in points]


def minimax():
    """The coefficients of p and of q without their constants, and the largest relative error.

    Remez's exchange: the error is to take equal and alternating values at one point more than there
    are coefficients. That is linear once the q that multiplies the error is the step's before.
    """
    squares, values = samples()
    count = 2 * DEGREE + 1
    chosen = [
        round(GRID * float(1 - mpmath.cos(mpmath.pi * (k + 1) / count)) / 2) - 1
        for k in range(count)
    ]
    denominators = [1 / f for f in values]
    for _ in range(50):
        for _ in range(12):
            system, right = mpmath.matrix(count, count), mpmath.matrix(count, 1)
            for row, i in enumerate(chosen):
                powers = [squares[i] ** (k + 1) for k in range(DEGREE)]
                deviation = (-1) ** row * values[i] * denominators[i]
                terms = powers + [-values[i] * power for power in powers] + [-deviation]
                for column, term in enumerate(terms):
                    system[row, column] = term
                right[row] = values[i] - 1
            solution = list(mpmath.lu_solve(system, right))
            p, q = solution[:DEGREE], solution[DEGREE : 2 * DEGREE]
            denominators = [polynomial(q, s) for s in squares]
        errors = [polynomial(p, s) / d / f - 1 for s, d, f in zip(squares, denominators, values)]
        extrema = alternating_extrema(errors)
        if len(extrema) < count:
            raise SystemExit("The exchange lost its alternation: choose another degree or cut.")
        if extrema == chosen:
            return p, q, max(map(abs, errors))
        chosen = extrema
    raise SystemExit("The exchange did not settle in 50 steps: choose another degree or cut.")


def alternating_extrema(errors):
    """The largest error of each run of one sign, the weaker ends dropped if they are too many."""
    extrema = []
    for i, error in enumerate(errors):
        if not extrema or (error > 0) != (errors[extrema[-1]] > 0):
            extrema.append(i)
        elif abs(error) > abs(errors[extrema[-1]]):
            extrema[-1] = i
    while len(extrema) > 2 * DEGREE + 1:
        extrema.pop(0 if abs(errors[extrema[0]]) < abs(errors[extrema[-1]]) else -1)
    return extrema


def rounded(p, q):
    """p and q in single precision, and the largest relative error of their exact quotient."""
    squares, values = (np.array(list(map(float, x))) for x in samples())

    def error(coefficients):
        p, q = coefficients[:DEGREE], coefficients[DEGREE:]
        quotient = np.polyval([*p[::-1], 1], squares) / np.polyval([*q[::-1], 1], squares)
        return float(np.abs(quotient / values - 1).max())

    best = min(itertools.product(*(neighbours(float(c)) for c in p + q)), key=error)
    single = [np.float32(c) for c in best]
    return single[:DEGREE], single[DEGREE:], error(best)


def neighbours(c):
    """The floats on either side."""
    nearest = np.float32(c)
    other = np.nextafter(nearest, np.float32(np.inf if c > nearest else -np.inf))
    return float(nearest), float(other)


# MARK: evaluation in single precision


def separate(a, b, c):
    return a * b + c


def fused(a, b, c):
    """a · b + c rounded once: the sum is rounded to odd in double, which leaves single exact."""
    product, c = a.astype(np.float64) * b.astype(np.float64), np.float64(c)
    total = product + c
    part = total - product
    rest = (product - (total - part)) + (c - part)
    bits = total.view(np.int64)
    inexact = (rest != 0) & (bits & 1 == 0)
    step = np.where((rest > 0) == (total > 0), 1, -1)
    return np.where(inexact, bits + step, bits).view(np.float64).astype(np.float32)


def tanh(x, p, q, multiply_add):
    x = np.clip(x, -CUT, CUT)
    s = x * x

    def horner(coefficients):
        value = np.full_like(s, coefficients[-1])
        for c in [*reversed(coefficients[:-1]), np.float32(1)]:
            value = multiply_add(value, s, c)
        return value

    return np.clip(x * (horner(p) / horner(q)), np.float32(-1), np.float32(1))


def ulps(result, x):
    """Errors in units in the last place of the true value rounded to single precision."""
    exact = np.tanh(x.astype(np.float64))
    return np.abs(result - exact) / np.spacing(exact.astype(np.float32))


def ranges():
    """Every 64th positive normal float; all where tanh(x) leaves x; all about the cut."""
    bits = lambda x: int(np.float32(x).view(np.uint32))
    yield bits(2.0**-126), bits(np.inf), 64
    yield bits(2.0**-13), bits(2.0**-11), 1
    yield bits(CUT - np.float32(0.5)), bits(CUT + np.float32(0.5)), 1


def measure(p, q, multiply_add):
    """The largest error in ulp, and where."""
    worst = (0.0, 0.0)
    chunk = 1 << 20
    for start, end, stride in ranges():
        for first in range(start, end, chunk * stride):
            last = min(end, first + chunk * stride)
            x = np.arange(first, last, stride, dtype=np.uint32).view(np.float32)
            errors = ulps(tanh(x, p, q, multiply_add), x)
            if not np.isfinite(errors).all():
                raise SystemExit(f"A result near {x[0]} is not a number.")
            worst = max(worst, (float(errors.max()), float(x[errors.argmax()])))
    return worst


def main():
    p, q, before = minimax()
    p, q, after = rounded(p, q)
    print(f"// relative error on [0, {CUT:.7g}]: {float(before):.3g}, rounded {after:.3g}")
    for name, coefficients in ("p", p), ("q", q):
        print(f"// {name}, highest degree first, then 1")
        for c in reversed(coefficients):
            print(f"{c:.9g}f")
    if min(p + q) <= 0:
        raise SystemExit("A coefficient is not positive: digits may cancel.")
    for name, multiply_add in ("separate", separate), ("fused", fused):
        largest, where = measure(p, q, multiply_add)
        end = tanh(np.array([CUT]), p, q, multiply_add)[0]
        print(f"// {name}: largest error {largest:.3f} ulp, at {where:.9g}")
        if end != 1:
            raise SystemExit(f"Beyond the cut stands {end:.9g} and not 1: choose another cut.")


if __name__ == "__main__":
    main()

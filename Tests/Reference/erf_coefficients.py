# SPDX-License-Identifier: Apache-2.0
"""The coefficients of `erf_of` in Sources/CKernels/exponential.h, and the error they leave.

erf(x) is taken as x · p(s) / q(s) with s = x² and both polynomials of degree 5, fitted as those of
tanh are (tanh_coefficients.py): a minimax approximation of erf(x) / x in relative error on [0, CUT].
The constants are 1 and √π / 2, the latter as the factor that the quotient is multiplied by.

    pip install mpmath numpy
    python3 Tests/Reference/erf_coefficients.py
"""

import mpmath
import numpy as np

import tanh_coefficients as fit

fit.CUT = np.float32(3.92)
fit.DEGREE = 5
fit.FUNCTION = lambda x: mpmath.erf(x) * mpmath.sqrt(mpmath.pi) / 2


def main():
    p, q, before = fit.minimax()
    p, q, after = fit.rounded(p, q)
    print(f"// relative error on [0, {fit.CUT:.7g}]: {float(before):.3g}, rounded {after:.3g}")
    for name, coefficients in ("p", p), ("q", q):
        print(f"// {name}, highest degree first, then 1")
        for c in reversed(coefficients):
            print(f"{c:.9g}f")


if __name__ == "__main__":
    main()

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cblas.h>

// OpenBLAS ships LAPACK's Fortran symbols without C declarations on every distribution;
// these are the routines used. The hidden string lengths gfortran adds are passed explicitly.

/// Cholesky factorisation of a symmetric positive definite matrix.
void dpotrf_(
  const char *uplo, const int *n, double *a, const int *lda, int *info, unsigned long uploLength);

/// Solution of A X = B from the Cholesky factor.
void dpotrs_(
  const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda, double *b,
  const int *ldb, int *info, unsigned long uploLength);

/// Eigenvalues and eigenvectors of a symmetric matrix by divide and conquer.
void dsyevd_(
  const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
  double *work, const int *lwork, int *iwork, const int *liwork, int *info,
  unsigned long jobzLength, unsigned long uploLength);

/// QR factorisation of a rectangular matrix by Householder reflections.
void dgeqrf_(
  const int *m, const int *n, double *a, const int *lda, double *tau, double *work,
  const int *lwork, int *info);

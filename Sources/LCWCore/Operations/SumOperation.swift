// SPDX-License-Identifier: Apache-2.0

/// An operation whose output is the sum of its inputs, as at the end of a skip connection.
///
/// What solves for a layer by least squares speaks to this: where the layer's output goes into a sum alone,
/// the layer can make up for what the other summands lack.
public protocol SumOperation: NetworkOperation {}

// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// What a name of a graph stands for while the graph becomes a network.
enum GraphValue {
  /// The same for all samples.
  case constant(Constant)
  /// Something for each sample.
  case activation(Activation)
  /// A step of a normalisation that the graph writes out.
  case moment(Moment)
  /// It is not known, since a node before has no counterpart.
  case unknown
}

/// A value for each sample: an expression of a value of the network, and how the graph sees its axes.
struct Activation {
  /// How the graph's axes, but for that of the samples, are those of the network's value.
  enum Form: Hashable {
    /// They are the same.
    case plain
    /// The graph's axis i is the value's axis `order[i]`.
    case turned([Int])
    /// The graph has the value's elements, row by row, in other sizes.
    case reshaped
  }

  /// The index of the expression.
  var expression: Int
  /// How the axes are.
  var form: Form
  /// The graph's sizes, but for that of the samples.
  var sizes: [Int]
  /// Whether only the node that reads it needs what it is made of.
  var isExclusive = true
}

/// A value of the network, or functions of one, as far as they are not yet operations of their own.
struct Expression {
  /// How it is made.
  enum Tree {
    /// It is the value.
    case base
    /// A function of another expression, and the words it has here, if any.
    case unary(Int, words: [String]?)
    /// Another expression times a number.
    case factor(Int, Double)
    /// Another expression and a number.
    case summand(Int, Double)
    /// The sum, difference, product or quotient of two.
    case combined(Int, Int, Operator)
  }

  /// How two expressions are combined.
  enum Operator {
    case sum, difference, product, quotient
  }

  /// The value that it is a function of.
  var base: Int
  /// The function.
  var function: ScalarFunction
  /// How it is made.
  var tree: Tree
  /// The steps from the value.
  var depth: Int
  /// The operator and the name of the node that made it.
  var node: (type: String, name: String)
  /// The value that it is, once it has become operations.
  var value: Int?
}

/// A mean over some axes, and what normalisations make of it step by step.
struct Moment {
  /// The step.
  enum Step {
    /// The mean.
    case mean
    /// The value less its mean.
    case centred
    /// The square of that.
    case square
    /// The mean of the square.
    case variance
    /// The variance and a small number.
    case raised(Double)
    /// The root of that.
    case deviation(Double)
    /// One over the root.
    case inverse(Double)
  }

  /// What is normalised.
  var source: Activation
  /// The graph's axes, but for that of the samples, over which means are.
  var axes: [Int]
  /// Whether these axes stay, with size 1.
  var keepsAxes: Bool
  /// The step.
  var step: Step
}

/// What a node needs that there is not.
struct Unsupported: Error {
  /// Why, and what to do.
  var reason: String
  /// The operator and name, if it is another node than the one that is read.
  var node: (type: String, name: String)?

  init(_ reason: String, node: (type: String, name: String)? = nil) {
    self.reason = reason
    self.node = node
  }
}

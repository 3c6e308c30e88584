// SPDX-License-Identifier: Apache-2.0
import CKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Elements below which a second thread costs more than it brings.
private let grain = 1 << 15

extension Tensor {
  /// One step of SGD with momentum: `velocity` holds momentum · velocity + gradient and becomes
  /// velocity + decay · self; then self ← self − rate · velocity.
  public mutating func sgdStep(
    velocity: inout Tensor, rate: Float, decay: Float, workers: Workers
  ) {
    precondition(shape == velocity.shape, "\(shape) and \(velocity.shape) differ")
    let count = self.count
    elements.withUnsafeMutableBufferPointer { w in
      velocity.elements.withUnsafeMutableBufferPointer { v in
        guard let w = w.baseAddress, let v = v.baseAddress else { return }
        workers.forEachRange(of: count, grain: grain) {
          lcw_sgd_step(w + $0.lowerBound, v + $0.lowerBound, rate, decay, $0.count)
        }
      }
    }
  }

  /// One step of SGD with momentum for one of several tensors that a gradient is shared by:
  /// velocity ← momentum · velocity + share · gradient + decay · self; then
  /// self ← self − rate · velocity.
  public mutating func sgdStep(
    velocity: inout Tensor, gradient: Tensor, share: Float, momentum: Float, rate: Float,
    decay: Float, workers: Workers
  ) {
    precondition(
      shape == velocity.shape && shape == gradient.shape,
      "\(shape), \(velocity.shape) and \(gradient.shape) differ")
    let count = self.count
    elements.withUnsafeMutableBufferPointer { w in
      velocity.elements.withUnsafeMutableBufferPointer { v in
        gradient.elements.withUnsafeBufferPointer { g in
          guard let w = w.baseAddress, let v = v.baseAddress, let g = g.baseAddress else { return }
          workers.forEachRange(of: count, grain: grain) {
            let first = $0.lowerBound
            lcw_shared_sgd_step(
              w + first, v + first, g + first, share, momentum, rate, decay, $0.count)
          }
        }
      }
    }
  }

  /// The constants of Adam at one step.
  public struct AdamConstants: Sendable, Hashable {
    /// The learning rate.
    public var rate: Float
    /// The L2 penalty's factor.
    public var decay: Float
    /// The decay rate of the first moment.
    public var beta1: Float
    /// The decay rate of the second moment.
    public var beta2: Float
    /// The term that keeps the quotient finite.
    public var epsilon: Float
    /// 1 − β₁ᵗ at step t.
    public var correction1: Float
    /// 1 − β₂ᵗ at step t.
    public var correction2: Float

    /// The constants, with the bias corrections of step `step`, counted from 1.
    public init(
      rate: Float, decay: Float, beta1: Float, beta2: Float, epsilon: Float, step: Int
    ) {
      self.rate = rate
      self.decay = decay
      self.beta1 = beta1
      self.beta2 = beta2
      self.epsilon = epsilon
      self.correction1 = Float(1 - pow(Double(beta1), Double(step)))
      self.correction2 = Float(1 - pow(Double(beta2), Double(step)))
    }
  }

  /// One step of Adam (Kingma and Ba 2015, algorithm 1), the decay added to the gradient.
  public mutating func adamStep(
    firstMoment: inout Tensor, secondMoment: inout Tensor, gradient: Tensor,
    constants: AdamConstants, workers: Workers
  ) {
    precondition(
      shape == firstMoment.shape && shape == secondMoment.shape && shape == gradient.shape,
      "weights, moments and gradient differ in shape")
    let count = self.count
    elements.withUnsafeMutableBufferPointer { w in
      firstMoment.elements.withUnsafeMutableBufferPointer { m in
        secondMoment.elements.withUnsafeMutableBufferPointer { v in
          gradient.elements.withUnsafeBufferPointer { g in
            guard let w = w.baseAddress, let m = m.baseAddress, let v = v.baseAddress,
              let g = g.baseAddress
            else { return }
            workers.forEachRange(of: count, grain: grain) {
              let i = $0.lowerBound
              lcw_adam_step(
                w + i, m + i, v + i, g + i, constants.rate, constants.decay, constants.beta1,
                constants.beta2, constants.correction1, constants.correction2,
                constants.epsilon, $0.count)
            }
          }
        }
      }
    }
  }
}

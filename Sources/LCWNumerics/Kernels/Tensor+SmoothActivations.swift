// SPDX-License-Identifier: Apache-2.0
import CKernels

// Each activation changes a tensor in place. The gradient is changed from the one behind to the one
// before, with the output where that says enough, so that the input need not be kept; else with the
// input.

extension Tensor {
  /// self ← self where that is not negative, else slope · self.
  public mutating func leakyReLU(slope: Float, workers: Workers = .serial) {
    update(workers) { lcw_leaky_relu($0, slope, $1.count) }
  }

  /// The gradient before a leaky ReLU: times `slope` where the input is not positive. With a slope above 0 the
  /// output may stand for the input, whose sign it has.
  public mutating func leakyReLUBackward(
    input: Tensor, slope: Float, workers: Workers = .serial
  ) {
    update(with: input, workers) { lcw_leaky_relu_backward($0, $1, slope, $2.count) }
  }

  /// self ← min(max(self, lower), upper); NaN stays NaN. With 0 and 6 it is ReLU6.
  public mutating func clip(lower: Float, upper: Float, workers: Workers = .serial) {
    precondition(lower <= upper, "\(lower) and \(upper) bound nothing")
    update(workers) { lcw_clip($0, lower, upper, $1.count) }
  }

  /// The gradient before a clip: kept where the output lies between the bounds, and zero at them.
  public mutating func clipBackward(
    output: Tensor, lower: Float, upper: Float, workers: Workers = .serial
  ) {
    update(with: output, workers) { lcw_clip_backward($0, $1, lower, upper, $2.count) }
  }

  /// self ← 1 / (1 + exp(−self)).
  public mutating func sigmoid(workers: Workers = .serial) {
    update(workers) { lcw_sigmoid($0, $1.count) }
  }

  /// The gradient before a sigmoid: times output · (1 − output).
  public mutating func sigmoidBackward(
    output: Tensor, workers: Workers = .serial
  ) {
    update(with: output, workers) { lcw_sigmoid_backward($0, $1, $2.count) }
  }

  /// self ← self · sigmoid(self), which is called SiLU and swish.
  public mutating func silu(workers: Workers = .serial) {
    update(workers) { lcw_silu($0, $1.count) }
  }

  /// The gradient before a SiLU.
  public mutating func siluBackward(
    input: Tensor, workers: Workers = .serial
  ) {
    update(with: input, workers) { lcw_silu_backward($0, $1, $2.count) }
  }

  /// self ← min(max(self / 6 + 1/2, 0), 1).
  public mutating func hardSigmoid(workers: Workers = .serial) {
    update(workers) { lcw_hard_sigmoid($0, $1.count) }
  }

  /// The gradient before a hard sigmoid: a sixth where the output lies between 0 and 1, else zero.
  public mutating func hardSigmoidBackward(
    output: Tensor, workers: Workers = .serial
  ) {
    update(with: output, workers) { lcw_hard_sigmoid_backward($0, $1, $2.count) }
  }

  /// self ← self · min(max(self / 6 + 1/2, 0), 1).
  public mutating func hardSwish(workers: Workers = .serial) {
    update(workers) { lcw_hard_swish($0, $1.count) }
  }

  /// The gradient before a hard swish.
  public mutating func hardSwishBackward(
    input: Tensor, workers: Workers = .serial
  ) {
    update(with: input, workers) { lcw_hard_swish_backward($0, $1, $2.count) }
  }

  /// self ← self · Φ(self) with the normal distribution function, by erf to 2e-7 of its value.
  public mutating func gelu(workers: Workers = .serial) {
    update(workers) { lcw_gelu($0, $1.count) }
  }

  /// The gradient before a GELU.
  public mutating func geluBackward(
    input: Tensor, workers: Workers = .serial
  ) {
    update(with: input, workers) { lcw_gelu_backward($0, $1, $2.count) }
  }

  /// self ← self · (1 + tanh(√(2/π) · (self + 0.044715 · self³))) / 2, the other form of GELU.
  public mutating func tanhGELU(workers: Workers = .serial) {
    update(workers) { lcw_gelu_tanh($0, $1.count) }
  }

  /// The gradient before a GELU of the form with tanh.
  public mutating func tanhGELUBackward(
    input: Tensor, workers: Workers = .serial
  ) {
    update(with: input, workers) { lcw_gelu_tanh_backward($0, $1, $2.count) }
  }

  /// self ← self where that is not negative, else alpha · (exp(self) − 1).
  public mutating func elu(alpha: Float, workers: Workers = .serial) {
    update(workers) { lcw_elu($0, alpha, $1.count) }
  }

  /// The gradient before an ELU of an alpha that is not negative: times output + alpha where the input was
  /// negative.
  public mutating func eluBackward(
    output: Tensor, alpha: Float, workers: Workers = .serial
  ) {
    precondition(alpha >= 0, "the output tells the slope for an alpha of 0 or more alone")
    update(with: output, workers) { lcw_elu_backward($0, $1, alpha, $2.count) }
  }
}

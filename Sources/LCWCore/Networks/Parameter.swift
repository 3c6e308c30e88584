// SPDX-License-Identifier: Apache-2.0
public import LCWNumerics

/// A tensor of a network that training changes or that it keeps.
public struct Parameter: Sendable, Hashable {
  /// What a parameter is to its operation. The raw value is its name's last part.
  public struct Role: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The last part of the parameter's name.
    public let rawValue: String

    /// A role; operations may have roles of their own.
    public init(rawValue: String) {
      self.rawValue = rawValue
    }

    /// The last part of the parameter's name.
    public var description: String { rawValue }

    /// The weights, `[outputs, inputs]` or `[filters, channels, height, width]`.
    public static let weight = Role(rawValue: "weight")
    /// The bias, `[outputs]`.
    public static let bias = Role(rawValue: "bias")
    /// A normalisation's scale.
    public static let scale = Role(rawValue: "scale")
    /// A normalisation's shift.
    public static let shift = Role(rawValue: "shift")
    /// A batch normalisation's running mean.
    public static let mean = Role(rawValue: "mean")
    /// A batch normalisation's running variance.
    public static let variance = Role(rawValue: "variance")

    /// What other programs call the last part of such a parameter's name.
    var usualNames: [String] { Role.usualNames[rawValue] ?? [rawValue] }

    private static let usualNames = [
      "scale": ["weight", "gamma", "scale"], "shift": ["bias", "beta", "shift"],
      "mean": ["running_mean", "mean"], "variance": ["running_var", "variance"],
    ]
  }

  /// The name, such as `dense1.weight`.
  public let name: String
  /// The shape.
  public let shape: Shape
  /// The index of the node it belongs to.
  public let layer: Int
  /// What it is to the operation.
  public let role: Role
  /// Its values before training.
  public let initial: InitialValues
  /// How training changes it.
  public let update: ParameterUpdate

  /// The node's name, such as `dense1`.
  public var layerName: String { String(name.dropLast(role.rawValue.count + 1)) }

  /// Whether training moves the parameter along a gradient.
  public var isTrained: Bool { update == .gradient }
}

/// What an operation says of one of its parameters.
public struct ParameterDescription: Sendable, Hashable {
  /// What it is to the operation.
  public var role: Parameter.Role
  /// The shape.
  public var shape: Shape
  /// Its values before training.
  public var initial: InitialValues
  /// How training changes it.
  public var update: ParameterUpdate

  /// A parameter.
  public init(
    _ role: Parameter.Role, _ shape: Shape, initial: InitialValues,
    update: ParameterUpdate = .gradient
  ) {
    self.role = role
    self.shape = shape
    self.initial = initial
    self.update = update
  }
}

/// The values of a parameter before training.
public enum InitialValues: Sendable, Hashable {
  /// One number everywhere.
  case constant(Float)
  /// Uniform from −bound to bound.
  case uniform(bound: Float)
  /// Normal around zero.
  case normal(deviation: Float)
}

/// How training changes a parameter.
public enum ParameterUpdate: Sendable, Hashable {
  /// Along the loss's gradient.
  case gradient
  /// It is a running average of what its operation measures: each step moves it that share of the way to
  /// the batch's value.
  case average(share: Float)
}

// SPDX-License-Identifier: Apache-2.0
import LCWNumerics

/// A name without dots that ends in a number, such as `W1` or `arr_0`.
private struct NumberedName {
  /// What stands before the number.
  let stem: [UInt8]
  /// The number.
  let number: Int
  /// The tensor.
  let entry: TensorEntry

  init?(_ entry: TensorEntry) {
    let name = entry.name.utf8
    func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    guard !name.contains(UInt8(ascii: ".")) else { return nil }
    let digits = Array(name.reversed().prefix(while: isDigit).reversed())
    guard let number = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
    stem = Array(name.dropLast(digits.count))
    self.number = number
    self.entry = entry
  }
}

extension CheckpointBinding {
  /// The tensors of a network's parameters where names without dots end in numbers.
  ///
  /// Either each number is that of a layer, as of `W1, b1, W2, b2`, or it is a place in the list of
  /// all parameters, as of `arr_0, arr_1, …`. Nothing if not every tensor fits, if the order of a
  /// file that is not sorted by name fits too and says otherwise, or if all matrices are square:
  /// these names do not say whether they are `[outputs, inputs]`.
  ///
  /// - Parameters:
  ///   - entries: The tensors that may be weights.
  ///   - network: The network; its layers have weights and biases only.
  ///   - areTransposed: Whether it was said that matrices are `[inputs, outputs]`.
  static func namesByNumbers(
    _ entries: [TensorEntry], to network: Network, areTransposed: Bool
  ) -> [String]? {
    let parameters = network.parameters
    let numbered = entries.compactMap(NumberedName.init)
    guard numbered.count == entries.count, entries.count == parameters.count,
      parameters.allSatisfy({ $0.role == .weight || $0.role == .bias })
    else { return nil }
    let weights = parameters.filter { $0.role == .weight }
    guard areTransposed || weights.contains(where: { !$0.shape.dimensions.isPalindrome }) else {
      return nil
    }
    let sorted = numbered.enumerated().sorted {
      ($0.element.number, $0.offset) < ($1.element.number, $1.offset)
    }.map(\.element)
    let isSortedByName = entries.areSortedByName
    for rule in [namesOfModules, namesOfPlaces] {
      guard let names = rule(sorted, network) else { continue }
      if !isSortedByName, let inFile = rule(numbered, network),
        !names.elementsEqual(inFile, by: { $0.utf8.elementsEqual($1.utf8) })
      {
        return nil
      }
      return names
    }
    return nil
  }

  /// The tensors where those of one number are a layer's, and weights and biases each have one stem.
  private static func namesOfModules(
    _ tensors: [NumberedName], _ network: Network
  ) -> [String]? {
    var modules: [[NumberedName]] = []
    var places: [Int: Int] = [:]
    for tensor in tensors {
      if let place = places[tensor.number] {
        modules[place].append(tensor)
      } else {
        places[tensor.number] = modules.count
        modules.append([tensor])
      }
    }
    let layers = network.layers.indices.map { network.parameterIndices(ofLayer: $0) }
      .filter { !$0.isEmpty }
    guard modules.count == layers.count else { return nil }
    var stems: [Parameter.Role: [UInt8]] = [:]
    var names: [String] = []
    for (module, layer) in zip(modules, layers) {
      guard module.count == layer.count else { return nil }
      for index in layer {
        let parameter = network.parameters[index]
        let fits = module.filter { $0.entry.shape == parameter.shape }
        guard fits.count == 1, stems[parameter.role, default: fits[0].stem] == fits[0].stem else {
          return nil
        }
        stems[parameter.role] = fits[0].stem
        names.append(fits[0].entry.name)
      }
    }
    return Set(stems.values).count == stems.count ? names : nil
  }

  /// The tensors where all have one stem, and their numbers, without a gap, are the places of the
  /// parameters.
  private static func namesOfPlaces(
    _ tensors: [NumberedName], _ network: Network
  ) -> [String]? {
    let numbers = tensors.map(\.number)
    guard Set(tensors.map(\.stem)).count == 1, Set(numbers).count == numbers.count,
      let first = numbers.min(), let last = numbers.max(), first <= 1,
      last - first == numbers.count - 1,
      zip(tensors, network.parameters).allSatisfy({ $0.entry.shape == $1.shape })
    else { return nil }
    return tensors.map(\.entry.name)
  }
}

extension [Int] {
  /// Whether the list is the same from its end.
  fileprivate var isPalindrome: Bool { elementsEqual(reversed()) }
}

extension ElementType {
  /// What to do with a tensor of a type that can't be weights.
  var adviceForWeights: String {
    if isComplex {
      return
        "take its real part, in PyTorch with tensor.real, or both parts with torch.view_as_real"
    }
    return hasSignBit ? "save it as f32, in PyTorch with tensor.float()" : "save it as f32"
  }
}

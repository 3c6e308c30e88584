// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

// Poolings, and what only looks like one.
extension GraphImport {
  mutating func pool(_ call: NodeCall, _ name: String) throws -> [GraphValue] {
    let image = try plain(try activation(try call.required(0)))
    let windows = try WindowAttributes(
      call, kernel: try call.integers("kernel_shape") ?? [], image: draft.shapes[image])
    guard try call.integer("storage_order", default: 0) == 0 else {
      throw Unsupported("it counts places by columns")
    }
    var words = [name, windows.kernel.operationWord, "stride", windows.strides.operationWord]
    words += windows.paddingWords
    if try call.integer("ceil_mode", default: 0) != 0 { words.append("ceil") }
    if name == "maxpool" {
      words += windows.dilationWords
    } else {
      guard windows.dilations == [1, 1] else {
        throw Unsupported("it takes means of spread windows")
      }
      let isPadded = windows.padding.contains { $0 > 0 }
      if isPadded, try call.integer("count_include_pad", default: 0) == 0 {
        words.append("exclude-pad")
      }
    }
    return [output(try draft.add(words, reading: [image]))]
  }

  mutating func globalAverage(_ call: NodeCall) throws -> [GraphValue] {
    let value = try plain(try activation(try call.required(0)))
    return [output(try draft.add(["adaptive-avgpool"], reading: [value]))]
  }

  mutating func globalMaximum(_ call: NodeCall) throws -> [GraphValue] {
    let value = try plain(try activation(try call.required(0)))
    let shape = draft.shapes[value]
    guard shape.rank == 3 else { throw Unsupported("its input is \(shape), and no image") }
    return [output(try draft.add(["maxpool", "\(shape[1])x\(shape[2])"], reading: [value]))]
  }

  /// `Pad` with zeros.
  mutating func pad(_ call: NodeCall) throws -> [GraphValue] {
    let source = try activation(try call.required(0))
    let rank = source.sizes.count + 1
    let isOld = call.version < 11
    guard let pads = try isOld ? call.integers("pads") : call.integers(1, "its sizes") else {
      throw Unsupported("it does not say how much it pads")
    }
    guard try call.text("mode") ?? "constant" == "constant" else {
      throw Unsupported("it pads with what is in the image; pad here does with zeros")
    }
    let number =
      isOld
      ? Double(try call.float("value", default: 0))
      : (try call.input(2) == nil ? 0 : scalar(try call.numbers(2, "its number")) ?? .nan)
    let axes =
      try call.version >= 18
      ? call.integers(3, "its axes")?.map { try call.axis($0, of: rank) } : nil
    let padded = axes ?? Array(0..<rank)
    guard pads.count == 2 * padded.count, pads.allSatisfy({ (0...Int(Int32.max)).contains($0) })
    else {
      throw Unsupported("its sizes \(pads.prefix(16)) do not fit, or cut")
    }
    var (before, behind) = ([Int](repeating: 0, count: rank), [Int](repeating: 0, count: rank))
    for (place, axis) in padded.enumerated() {
      (before[axis], behind[axis]) = (pads[place], pads[place + padded.count])
    }
    guard (before + behind).contains(where: { $0 > 0 }) else { return [.activation(source)] }
    guard number == 0 else { throw Unsupported("it pads with \(number); pad here does with 0") }
    let value = try plain(source)
    guard before[0] == 0, behind[0] == 0, rank == 4 else {
      throw Unsupported("it pads samples, or other things than images")
    }
    var result = value
    if before[1] + behind[1] > 0 {
      result = try draft.add(["pad", "channels", "\(before[1])x\(behind[1])"], reading: [result])
    }
    let around = [before[2], before[3], behind[2], behind[3]]
    if around.contains(where: { $0 > 0 }) {
      result = try draft.add(["pad", around.operationWord], reading: [result])
    }
    return [output(result)]
  }

  /// `Slice` that takes every n-th row and column, which is a pooling with windows of one.
  mutating func slice(_ call: NodeCall) throws -> [GraphValue] {
    let source = try activation(try call.required(0))
    var steps = [1, 1]
    for part in try GraphImport.slices(of: call, rank: source.sizes.count + 1) {
      let length = part.axis == 0 ? Int.max >> 1 : source.sizes[part.axis - 1]
      let isWhole = part.start == 0 && part.end >= length && part.step > 0
      guard isWhole, part.step == 1 || (part.axis >= 2 && source.sizes.count == 3) else {
        throw Unsupported("it takes a part of a value; only every n-th row and column can be taken")
      }
      if part.step != 1 { steps[part.axis - 2] = part.step }
    }
    guard steps != [1, 1] else { return [.activation(source)] }
    let value = try plain(source)
    return [
      output(try draft.add(["avgpool", "1", "stride", steps.operationWord], reading: [value]))
    ]
  }

  mutating func concatenate(_ call: NodeCall) throws -> [GraphValue] {
    let parts = try call.inputs.compactMap(\.self).map { try activation($0) }
    guard let first = parts.first, let axis = try call.integer("axis") else {
      throw Unsupported("it reads nothing, or has no axis")
    }
    let place = try call.axis(axis, of: first.sizes.count + 1) - 1
    guard place >= 0 else { throw Unsupported("it joins along the batch axis") }
    guard parts.count > 1 else { return [.activation(first)] }
    var form = Activation.Form.plain
    if case .turned = first.form, parts.allSatisfy({ $0.form == first.form }) { form = first.form }
    let values = try parts.map { try form == .plain ? plain($0) : value(of: $0.expression) }
    guard place == self.axis(0, in: form) else {
      throw Unsupported("it joins along another axis than the channels")
    }
    var sizes = first.sizes
    sizes[place] = parts.reduce(0) { $0 + $1.sizes[place] }
    return [
      output(
        try draft.add(["concat"], reading: values), form: form,
        sizes: form == .plain ? nil : sizes)
    ]
  }

  // MARK: Softmax

  mutating func softmax(_ call: NodeCall) throws -> [GraphValue] {
    let source = try activation(try call.required(0))
    guard try isOverClasses(call, source) else {
      throw Unsupported("it is over another axis than the channels")
    }
    let hasPositions = !source.sizes.dropFirst().allSatisfy { $0 == 1 }
    if hasPositions, call.node.type == "LogSoftmax" {
      throw Unsupported("it is supported for one vector for each sample only")
    }
    if isLast, !hasPositions {
      final = call.node.type
      notes.append(
        "its last operator, \(call.node.type), is left out: networks here put out logits, and losses and "
          + "probabilities are made of these")
      return [.activation(source)]
    }
    return [output(try draft.add(["softmax"], reading: [try plain(source)]))]
  }

  mutating func logSoftmax(_ call: NodeCall) throws -> [GraphValue] {
    guard isLast else { throw Unsupported("it is supported as the last operator only") }
    return try softmax(call)
  }

  /// Whether a softmax is over the channels at each position.
  private func isOverClasses(_ call: NodeCall, _ source: Activation) throws -> Bool {
    let rank = source.sizes.count + 1
    let isOld = call.version < 13
    let axis = try call.axis(try call.integer("axis", default: isOld ? 1 : -1), of: rank)
    // Up to version 12 it is over all axes from this one on.
    return axis == 1 && (!isOld || source.sizes.dropFirst().allSatisfy { $0 == 1 })
  }
}

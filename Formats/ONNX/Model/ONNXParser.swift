// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWFiles
import LCWNumerics

/// Reads the messages of a file of ONNX; the numbers of fields are those of `onnx.proto`.
struct ONNXParser {
  private let window: FileWindow
  private(set) var model = ONNXModel()
  private var nodeCount = 0
  private var edgeCount = 0

  private var path: String { window.file.path }

  /// Reads a file.
  /// - Throws: ``ONNXError`` and `FileError`.
  init(_ file: InputFile) throws {
    window = FileWindow(file)
    var reader = WireReader(window)
    var graph: WireReader?
    while let field = try reader.next() {
      switch field.number {
      case 1: model.irVersion = try reader.integer(field)
      case 2: model.producer = try reader.text(field)
      case 3: model.producerVersion = try reader.text(field)
      case 7:
        guard graph == nil else { throw problem("it has two graphs") }
        graph = try reader.message(field)
      case 8:
        let (domain, version) = try operatorSet(try reader.message(field))
        model.operatorSets[domain] = max(version, model.operatorSets[domain] ?? 0)
        guard model.operatorSets.count <= 256 else { throw problem("it has too many domains") }
      case 14: try readProperty(try reader.message(field))
      case 25: model.functionCount += 1
      default: break
      }
    }
    guard let graph else {
      throw problem("it has no graph; it is no model of ONNX, or a damaged one")
    }
    model.graph = try self.graph(graph)
  }

  private func problem(_ reason: String) -> ONNXError { .model(file: path, reason: reason) }

  private func operatorSet(_ message: WireReader) throws -> (domain: String, version: Int) {
    var (reader, domain, version) = (message, "", 0)
    while let field = try reader.next() {
      switch field.number {
      case 1: domain = try reader.text(field)
      case 2: version = try reader.integer(field)
      default: break
      }
    }
    return (domain, version)
  }

  /// Keeps the metadata of a file that was written here; other properties are left out.
  private mutating func readProperty(_ message: WireReader) throws {
    var (reader, isOwn, value) = (message, false, 0..<0)
    while let field = try reader.next() {
      switch field.number {
      case 1:
        let range = try reader.range(field)
        guard range.count == ONNXWriter.metadataKey.utf8.count else { continue }
        isOwn = try window.bytes(in: range).elementsEqual(ONNXWriter.metadataKey.utf8)
      case 2: value = try reader.range(field)
      default: break
      }
    }
    guard isOwn, value.count <= ONNXLimits.metadataBytes else { return }
    model.metadata = try window.bytes(in: value)
  }

  // MARK: Graphs

  private mutating func graph(_ message: WireReader, depth: Int = 0) throws -> ONNXGraph {
    guard depth <= ONNXLimits.graphDepth else { throw problem("its graphs nest too deeply") }
    var (reader, graph) = (message, ONNXGraph())
    while let field = try reader.next() {
      switch field.number {
      case 1:
        nodeCount += 1
        guard nodeCount <= ONNXLimits.nodes else {
          throw problem("it has more than the \(ONNXLimits.nodes) nodes that are accepted")
        }
        graph.nodes.append(try node(try reader.message(field), depth: depth))
      case 5: graph.initializers.append(try addTensor(try reader.message(field)))
      case 11, 12:
        edgeCount += 1
        try checkEdges()
        let value = try valueInfo(try reader.message(field))
        if field.number == 11 { graph.inputs.append(value) } else { graph.outputs.append(value) }
      case 15: throw problem("it has sparse tensors, which can't be read; save them as dense ones")
      default: break
      }
    }
    return graph
  }

  private func checkEdges() throws {
    guard edgeCount <= ONNXLimits.edges else {
      throw problem(
        "its nodes have more than the \(ONNXLimits.edges) inputs and outputs that are accepted")
    }
  }

  private mutating func node(_ message: WireReader, depth: Int) throws -> ONNXNode {
    var (reader, node) = (message, ONNXNode())
    while let field = try reader.next() {
      switch field.number {
      case 1, 2:
        edgeCount += 1
        try checkEdges()
        let name = try reader.text(field)
        if field.number == 1 { node.inputs.append(name) } else { node.outputs.append(name) }
      case 3: node.name = try reader.text(field)
      case 4: node.type = try reader.text(field)
      case 5:
        let (name, value) = try attribute(try reader.message(field), depth: depth)
        node.attributes[name] = value
        guard node.attributes.count <= ONNXLimits.attributes else {
          throw problem("a node has more than \(ONNXLimits.attributes) attributes")
        }
      case 7: node.domain = try reader.text(field)
      default: break
      }
    }
    if node.domain == "ai.onnx" { node.domain = "" }
    return node
  }

  private mutating func attribute(
    _ message: WireReader, depth: Int
  ) throws -> (name: String, ONNXAttribute) {
    var (reader, name, value) = (message, "", ONNXAttribute())
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try reader.text(field)
      case 2: value.float = try reader.float(field)
      case 3: value.integer = try reader.integer(field)
      case 4:
        // Texts of any length and bytes: what is no short text is no attribute that is read here.
        let range = try reader.range(field)
        if range.count <= ONNXLimits.textBytes { value.text = try? reader.text(field) }
      case 5: value.tensor = try addTensor(try reader.message(field))
      case 6:
        let inner = try graph(try reader.message(field), depth: depth + 1)
        value.graph = model.graphs.count
        model.graphs.append(inner)
      case 7: try reader.addFloats(field, to: &value.floats)
      case 8: try reader.addIntegers(field, to: &value.integers)
      case 21: value.isReference = true
      default: break
      }
    }
    return (name, value)
  }

  private func valueInfo(_ message: WireReader) throws -> ONNXValueInfo {
    var (reader, value) = (message, ONNXValueInfo())
    while let field = try reader.next() {
      switch field.number {
      case 1: value.name = try reader.text(field)
      case 2:
        var type = try reader.message(field)
        while let kind = try type.next() {
          guard kind.number == 1 else { continue }
          var tensor = try type.message(kind)
          while let part = try tensor.next() {
            switch part.number {
            case 1: value.elementType = try tensor.integer(part)
            case 2: value.sizes = try sizes(try tensor.message(part))
            default: break
            }
          }
        }
      default: break
      }
    }
    return value
  }

  private func sizes(_ message: WireReader) throws -> [ONNXValueInfo.Size] {
    var (reader, sizes) = (message, [ONNXValueInfo.Size]())
    while let field = try reader.next() {
      guard field.number == 1 else { continue }
      var (size, part) = (ONNXValueInfo.Size.symbol(""), try reader.message(field))
      while let value = try part.next() {
        switch value.number {
        case 1: size = .known(try part.integer(value))
        case 2: size = .symbol(try part.text(value))
        default: break
        }
      }
      sizes.append(size)
      guard sizes.count <= ONNXLimits.rank else { throw problem("a value has too many axes") }
    }
    return sizes
  }

  // MARK: Tensors

  private mutating func addTensor(_ message: WireReader) throws -> Int {
    guard model.tensors.count < ONNXLimits.tensors else {
      throw problem("it has more than the \(ONNXLimits.tensors) tensors that are accepted")
    }
    model.tensors.append(try tensor(message))
    return model.tensors.count - 1
  }

  private func tensor(_ message: WireReader) throws -> ONNXTensor {
    var (reader, name, type) = (message, "", 0)
    var sizes: [Int] = []
    var raw: Range<Int>?
    var typedField: ONNXTensor.TypedField?
    var parts: [Range<Int>] = []
    var external: [String: String] = [:]
    var isExternal = false
    while let field = try reader.next() {
      switch field.number {
      case 1: try reader.addIntegers(field, to: &sizes)
      case 2: type = try reader.integer(field)
      case 3: throw ONNXError.tensor(file: path, tensor: name, reason: "it is one of several parts")
      case 8: name = try reader.text(field)
      case 9: raw = try reader.range(field)
      case 13:
        let (key, value) = try entry(try reader.message(field))
        external[key] = value
        guard external.count <= 64 else {
          throw ONNXError.tensor(file: path, tensor: name, reason: "it has too many fields")
        }
      case 14: isExternal = try reader.integer(field) == 1
      default:
        guard let known = ONNXTensor.TypedField(rawValue: field.number) else { break }
        guard typedField == nil || typedField == known else {
          throw ONNXError.tensor(
            file: path, tensor: name, reason: "its elements are of two types")
        }
        typedField = known
        parts.append(field.range)
      }
    }
    return try tensor(
      name: name, type: type, sizes: sizes, raw: raw, typed: typedField.map { ($0, parts) },
      external: isExternal ? external : nil)
  }

  private func entry(_ message: WireReader) throws -> (key: String, value: String) {
    var (reader, key, value) = (message, "", "")
    while let field = try reader.next() {
      switch field.number {
      case 1: key = try reader.text(field)
      case 2: value = try reader.text(field)
      default: break
      }
    }
    return (key, value)
  }

  /// A tensor whose parts fit each other.
  private func tensor(
    name: String, type: Int, sizes: [Int], raw: Range<Int>?,
    typed: (field: ONNXTensor.TypedField, parts: [Range<Int>])?, external: [String: String]?
  ) throws -> ONNXTensor {
    func fault(_ reason: String) -> ONNXError { .tensor(file: path, tensor: name, reason: reason) }
    guard let elementType = ElementType(onnxNumber: type) else {
      throw fault(
        "its elements are of type \(ElementType.onnxName(of: type)), which can't be read; export it "
          + "in single precision")
    }
    guard sizes.count <= ONNXLimits.rank, let shape = try? Shape(checking: sizes) else {
      throw fault("its shape \(sizes.prefix(ONNXLimits.rank)) is negative or too large")
    }
    let (bytes, isTooLarge) = shape.count.multipliedReportingOverflow(by: elementType.width)
    guard !isTooLarge else { throw fault("its shape \(shape) is too large") }
    let place: ONNXTensor.Place
    if let external {
      guard let file = external["location"] else { throw fault("its file is not named") }
      guard let offset = Int(external["offset"] ?? "0"), offset >= 0,
        external["length"].map({ Int($0) == bytes }) ?? true
      else {
        throw fault(
          "its offset or length in \(file) is wrong; a tensor \(shape) has \(bytes) bytes")
      }
      place = .external(
        name: file, offset: offset, length: external["length"].flatMap { Int($0) })
    } else if let raw {
      guard raw.count == bytes else {
        throw fault("it is \(shape) of \(elementType.rawValue), but has \(raw.count) bytes")
      }
      place = .raw(raw)
    } else if let typed {
      guard elementType.isHeld(in: typed.field) else {
        throw fault("its elements are in a field for another type")
      }
      // A number takes a byte at least.
      let stored = typed.parts.reduce(0) { $0 + $1.count }
      guard shape.count <= stored else {
        throw fault("it is \(shape), but its elements take \(stored) bytes")
      }
      place = .typed(typed.field, typed.parts)
    } else {
      guard shape.count == 0 else { throw fault("it is \(shape), but has no elements") }
      place = .raw(0..<0)
    }
    return ONNXTensor(name: name, type: elementType, shape: shape, place: place)
  }
}

// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

extension Manifest {
  /// The manifest of an entry's content, with every rule of the format checked.
  /// - Parameter file: The archive, for errors.
  /// - Throws: ``ArchiveError``.
  init(parsing bytes: [UInt8], file: String, limits: Limits) throws(ArchiveError) {
    // Before everything, so that no flipped bit passes for a newer version.
    if let problem = ManifestSeal.problem(in: bytes) {
      throw .manifest(file: file, place: "its end", reason: problem)
    }
    let value: JSONValue
    do {
      value = try JSONValue(
        parsing: bytes, limits: JSONLimits(depth: limits.jsonDepth, values: limits.jsonValues))
    } catch {
      throw .manifest(file: file, place: "byte \(error.offset)", reason: error.reason)
    }
    var fields = try Fields(of: value, limits: limits) { place, reason in
      .manifest(file: file, place: place ?? "its start", reason: reason)
    }
    guard try fields.string("format") == Manifest.format else {
      throw .notAnArchive(file: file, reason: "its manifest is of another format")
    }
    // Before the other fields, since those of a newer version may be unknown.
    let version = try fields.integer("version")
    guard version == Manifest.version else { throw .unknownVersion(file: file, version: version) }
    let minor = try fields.integer("minor")
    let isNewer = minor > Manifest.newestMinor
    _ = try fields.string(ManifestSeal.key)
    kind = CheckpointKind(rawValue: try fields.string("kind"))
    if let problem = Manifest.problem(withKind: kind.rawValue) {
      throw fields.error("kind", problem)
    }
    chunk = try fields.integer("chunk")
    guard limits.chunkBytes.contains(chunk), chunk.nonzeroBitCount == 1 else {
      throw fields.error(
        "chunk",
        "\(chunk) is no power of two from \(limits.chunkBytes.lowerBound) to "
          + "\(limits.chunkBytes.upperBound)")
    }
    metadata = try fields.object("metadata")
    if let problem = Manifest.problem(withMetadata: metadata, limits: limits) {
      throw fields.error("metadata", problem)
    }
    let records = try fields.array("tensors", limit: limits.tensors, of: "tensors", file: file)
    segments = []
    for size in try fields.array("segments", limit: limits.segments, of: "segments", file: file) {
      guard let size = size.integer, (0...limits.segmentBytes).contains(size) else {
        throw fields.error(
          "segments", "the size of segment \(segments.count) is no integer from 0 to 2³³ − 1")
      }
      segments.append(size)
    }
    if !isNewer { try fields.finish() }
    tensors = []
    tensors.reserveCapacity(records.count)
    for (index, record) in records.enumerated() {
      tensors.append(
        try TensorRecord(
          parsing: record, index: index, minor: minor, isNewer: isNewer, file: file, limits: limits)
      )
    }
    try checkOrder(file: file)
    try checkPositions(file: file)
    try checkSizes(file: file, limits: limits)
  }

  private func checkOrder(file: String) throws(ArchiveError) {
    for (name, next) in zip(tensors, tensors.dropFirst())
    where !Manifest.ascends(name.name, next.name) {
      throw .tensor(
        file: file, tensor: next.name,
        reason: name.name.utf8.elementsEqual(next.name.utf8)
          ? "there are two of this name" : "it does not follow ‘\(name.name)’ in order of bytes")
    }
  }

  /// The tensors must fill the segments one behind the other.
  private func checkPositions(file: String) throws(ArchiveError) {
    var segment = -1
    var end = 0
    for tensor in tensors {
      func error(_ reason: String) -> ArchiveError {
        .tensor(file: file, tensor: tensor.name, reason: reason)
      }
      if tensor.segment == segment + 1 {
        guard segment < 0 || end == segments[segment] else {
          throw error("it starts segment \(segment + 1) before segment \(segment) is filled")
        }
        guard tensor.segment < segments.count else {
          throw error("there is no segment \(tensor.segment)")
        }
        segment += 1
        end = 0
      }
      guard tensor.segment == segment else {
        throw error("it is in segment \(tensor.segment), but \(max(segment, 0)) comes next")
      }
      guard tensor.offset == end else {
        throw error("its offset is \(tensor.offset), but the tensor before it ends at \(end)")
      }
      guard tensor.stored <= segments[segment] - end else {
        throw error("it ends behind its segment, which has \(segments[segment]) bytes")
      }
      end += tensor.stored
    }
    guard segment == segments.count - 1, segment < 0 || end == segments[segment] else {
      throw .manifest(
        file: file, place: "segments", reason: "the tensors do not fill \(segments.count) segments")
    }
  }

  /// Whether the tensors can be what they are said to be, so that no memory is taken for more.
  private func checkSizes(file: String, limits: Limits) throws(ArchiveError) {
    var total = 0
    for tensor in tensors {
      let (raw, isTooLarge) = tensor.shape.count.multipliedReportingOverflow(
        by: tensor.elementType.width)
      let (sum, isSumTooLarge) = total.addingReportingOverflow(raw)
      guard !isTooLarge, !isSumTooLarge, sum <= limits.rawBytes else {
        throw .limit(
          file: file, what: "bytes of tensors",
          found: isTooLarge || isSumTooLarge ? Int.max : sum, limit: limits.rawBytes)
      }
      total = sum
      let (bound, isUnbounded) = tensor.stored.multipliedReportingOverflow(by: limits.ratio)
      guard isUnbounded || raw <= bound, (raw == 0) == (tensor.stored == 0) else {
        throw .tensor(
          file: file, tensor: tensor.name,
          reason: "\(tensor.stored) stored bytes can't hold its \(raw)")
      }
      let codec = PlaneCodec(
        transform: tensor.transform, width: tensor.elementType.width, chunk: chunk)
      // At most one for each byte of the elements, so that the product can't overflow.
      let frames = codec.chunkCount(of: raw) * codec.planes
      guard frames <= tensor.stored / limits.frameBytes else {
        throw .tensor(
          file: file, tensor: tensor.name,
          reason: "\(tensor.stored) stored bytes can't hold its \(frames) frames")
      }
    }
  }
}

extension TensorRecord {
  fileprivate init(
    parsing value: JSONValue, index: Int, minor: Int, isNewer: Bool, file: String, limits: Limits
  ) throws(ArchiveError) {
    let known = value.object?["name"]?.string
    var fields = try Fields(of: value, limits: limits) { place, reason in
      let reason = place.map { "\($0): \(reason)" } ?? reason
      return known.map { .tensor(file: file, tensor: $0, reason: reason) }
        ?? .manifest(file: file, place: "tensor \(index)", reason: reason)
    }
    name = try fields.string("name")
    if let problem = Manifest.problem(withName: name, limits: limits) {
      throw .manifest(file: file, place: "tensor \(index)", reason: problem)
    }
    let type = try fields.string("dtype")
    guard let elementType = ElementType(rawValue: type) else {
      throw fields.error(
        "dtype", "‘\(type)’ is not known" + (isNewer ? ", so it takes a newer lcw" : ""))
    }
    guard elementType.minor <= minor else {
      throw fields.error(
        "dtype", "‘\(type)’ is not one of version \(Manifest.version).\(minor), which it states")
    }
    self.elementType = elementType
    shape = try fields.shape("shape")
    let transform = try fields.string("transform")
    guard let transform = Transform(rawValue: transform) else {
      throw fields.error("transform", "‘\(transform)’ is not known")
    }
    guard transform.fits(elementType) else {
      throw fields.error("transform", "‘\(transform.rawValue)’ is not for \(type)")
    }
    self.transform = transform
    segment = try fields.integer("segment")
    offset = try fields.integer("offset")
    stored = try fields.integer("stored")
    digest = try fields.optionalString("sha256")
    if let digest {
      let isHex = digest.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
      guard isHex, digest.utf8.count == 64 else {
        throw fields.error("sha256", "‘\(digest)’ is not 64 lower-case hexadecimal digits")
      }
    }
    if !isNewer { try fields.finish() }
  }
}

/// The members of an object, taken one by one, so that what is left is unknown.
private struct Fields {
  private var members: [String: JSONValue]
  private let limits: Limits
  private let makeError: (_ place: String?, _ reason: String) -> ArchiveError

  init(
    of value: JSONValue, limits: Limits,
    error: @escaping (_ place: String?, _ reason: String) -> ArchiveError
  ) throws(ArchiveError) {
    guard let object = value.object else { throw error(nil, "it is not an object") }
    members = object
    self.limits = limits
    makeError = error
  }

  func error(_ field: String, _ reason: String) -> ArchiveError { makeError(field, reason) }

  private mutating func take<Value>(
    _ field: String, _ type: String, _ value: (JSONValue) -> Value?
  ) throws(ArchiveError) -> Value {
    guard let member = members.removeValue(forKey: field) else {
      throw error(field, "the field is missing")
    }
    guard let value = value(member) else { throw error(field, "it is not \(type)") }
    return value
  }

  mutating func string(_ field: String) throws(ArchiveError) -> String {
    try take(field, "a text", \.string)
  }

  mutating func optionalString(_ field: String) throws(ArchiveError) -> String? {
    members[field] == nil ? nil : try string(field)
  }

  mutating func integer(_ field: String) throws(ArchiveError) -> Int {
    let range = 0...limits.integer
    return try take(field, "an integer from 0 to 2⁵³ − 1") { value in
      value.integer.flatMap { range.contains($0) ? $0 : nil }
    }
  }

  mutating func object(_ field: String) throws(ArchiveError) -> [String: JSONValue] {
    try take(field, "an object", \.object)
  }

  mutating func array(
    _ field: String, limit: Int, of what: String, file: String
  ) throws(ArchiveError) -> [JSONValue] {
    let values = try take(field, "a list", \.array)
    guard values.count <= limit else {
      throw .limit(file: file, what: what, found: values.count, limit: limit)
    }
    return values
  }

  mutating func shape(_ field: String) throws(ArchiveError) -> Shape {
    let values = try take(field, "a list", \.array)
    guard values.count <= limits.rank else {
      throw error(field, "it has \(values.count) dimensions, more than \(limits.rank)")
    }
    var dimensions: [Int] = []
    for value in values {
      guard let size = value.integer, size >= 0 else {
        throw error(field, "a dimension is no integer from 0 to 2⁵³ − 1")
      }
      guard size <= limits.integer else {
        throw error(field, "a dimension is the integer \(size), more than 2⁵³ − 1")
      }
      dimensions.append(size)
    }
    do {
      return try Shape(checking: dimensions)
    } catch {
      throw self.error(field, "\(error)")
    }
  }

  func finish() throws(ArchiveError) {
    if let field = members.keys.min() { throw error(field, "the field is not known") }
  }
}

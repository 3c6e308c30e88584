// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFiles
import LCWFormat
import LCWNumerics

/// How the archives in the folder `Golden` were made. What is in that folder is never made again:
/// new archives are added beside the old ones, so that each stays readable for ever.
enum GoldenArchives {
  static func all() throws -> [(name: String, checkpoint: Checkpoint, format: LCWArchive)] {
    let plain = LCWArchive()
    let checked = LCWArchive(effort: .best, digests: true)
    var list = [
      ("example", try example(), plain), ("dtypes", try everyType(firstTypes), plain),
      ("dtypes-sha256", try everyType(firstTypes), checked),
      ("dtypes-1.1", try everyType(ElementType.allCases), plain),
      ("nothing", Checkpoint(), plain), ("shapes", try shapes(), plain),
      ("chunks", try chunks(), checked), ("metadata", try metadata(), plain),
      ("exponents", try exponents(), checked), ("graph-residual", try residual(), plain),
      ("graph-concatenation", try concatenation(), plain),
    ]
    for kind in ["checkpoint", "path", "connection-model", "ensemble", "of-the-future"] {
      list.append(("kind-\(kind)", try kind == "path" ? path() : network(kind), plain))
    }
    return list.map { ("\($0.0).lcw", $0.1, $0.2) }
  }

  /// The types of version 1.0.
  static let firstTypes: [ElementType] = [
    .float64, .float32, .float16, .bfloat16, .int64, .int32, .int16, .int8, .uint8, .bool,
  ]

  /// The file that the specification shows byte by byte.
  static func example() throws -> Checkpoint {
    Checkpoint(
      metadata: ["note": "an example"],
      tensors: [
        NamedTensor("b", try tensor(.bfloat16, [2], [0x80, 0x3F, 0x00, 0xBF])),
        NamedTensor("mask", try tensor(.bool, [3], [1, 0, 1])),
        NamedTensor(
          "n", try tensor(.int32, [256], (0..<256).flatMap { _ in [2, 1, 0, 0] as [UInt8] })),
      ])
  }

  /// Each type in a few special values, which stay as they are, and in many, which are split.
  private static func everyType(_ types: [ElementType]) throws -> Checkpoint {
    var noise = Noise(1)
    let special: [ElementType: [UInt64]] = [
      .float64: [
        0, 1 << 63, 0x3FF0_0000_0000_0000, 0x7FF0_0000_0000_0000, 0x7FF8_0000_0000_0001, 1,
      ],
      .float32: [0, 0x8000_0000, 0x3F80_0000, 0x7F80_0000, 0x7FC0_0001, 1],
      .float16: [0, 0x8000, 0x3C00, 0x7C00, 0x7E01, 1],
      .bfloat16: [0, 0x8000, 0x3F80, 0x7F80, 0x7FC1, 1],
      .bool: [0, 1, 1, 0, 0, 1],
    ]
    var checkpoint = Checkpoint()
    for type in types {
      // Of integers: 0, 1, −1, the largest, the smallest, −2.
      let largest = UInt64.max >> UInt64(65 - 8 * type.width)
      let few = special[type] ?? [0, 1, .max, largest, largest + 1, .max - 1]
      var many = noise.bytes(600 * type.width)
      if type == .bool { many = many.map { $0 & 1 } }
      // Exponents of weights are alike.
      if type.isFloatingPoint {
        for index in stride(from: type.width - 1, to: many.count, by: type.width) {
          many[index] = many[index] & 0x80 | 0x3C
        }
      }
      checkpoint.tensors += [
        NamedTensor(
          "\(type.rawValue)/few",
          try tensor(
            type, [2, 3],
            few.flatMap { word in
              withUnsafeBytes(of: word.littleEndian) { Array($0.prefix(type.width)) }
            })),
        NamedTensor("\(type.rawValue)/many", try tensor(type, [20, 30], many)),
      ]
    }
    return checkpoint
  }

  private static func shapes() throws -> Checkpoint {
    Checkpoint(tensors: [
      NamedTensor("empty", try tensor(.float32, [0, 3], [])),
      NamedTensor("eight dimensions", try tensor(.int8, [1, 2, 1, 1, 2, 1, 1, 1], [1, 2, 3, 4])),
      NamedTensor("huge and empty", try tensor(.int64, [0, 1 << 40, 0], [])),
      NamedTensor("scalar", StoredTensor(try Tensor([2.5], shape: []))),
      NamedTensor("vector", StoredTensor(try Tensor([1, -2, 0.5], shape: [3]))),
    ])
  }

  /// Several chunks, the last of them short, and several segments.
  private static func chunks() throws -> Checkpoint {
    func words<Word: FixedWidthInteger>(_ count: Int, _ word: (Int) -> Word) -> [UInt8] {
      (0..<count).flatMap { withUnsafeBytes(of: word($0).littleEndian, Array.init) }
    }
    return Checkpoint(tensors: [
      NamedTensor(
        "ramp", try tensor(.int32, [300_001], words(300_001) { Int32($0 / 50_000 * 1000) })),
      NamedTensor(
        "ones", StoredTensor(try Tensor([Float](repeating: 1, count: 290_000), shape: [290, 1000]))),
      NamedTensor(
        "bytes", try tensor(.uint8, [600_000], (0..<600_000).map { UInt8($0 / 100_000) })),
      NamedTensor(
        "halves", try tensor(.float16, [400_000], words(400_000) { UInt16(0x3C00 + $0 / 200_000) })),
    ])
  }

  /// Values whose exponents are coded in five bits, a few of them with escapes, in several chunks.
  private static func exponents() throws -> Checkpoint {
    var noise = Noise(4)
    let weights = noise.weights(140_000)
    // What lies beyond any base: infinities, NaN, subnormals, the largest and tiny numbers.
    let rare: [Float] = [
      .infinity, -.infinity, .nan, Float(bitPattern: 714), -3e38, 2e-30, 1e10, -0.0, 0,
    ]
    var values = weights.map { ($0 * 32).rounded() / 32 }
    for (index, value) in rare.enumerated() { values[index * 17_389] = value }
    let halves = rare + weights[..<19_991]
    let words = halves.map { UInt16(truncatingIfNeeded: $0.bitPattern >> 16) }
    return Checkpoint(tensors: [
      NamedTensor(
        "bf16",
        try tensor(
          .bfloat16, [20_000],
          words.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) })),
      NamedTensor("f32", StoredTensor(try Tensor(values, shape: [4, 35_000]))),
      NamedTensor("odd", StoredTensor(try Tensor(Array(weights[..<301]), shape: [7, 43]))),
    ])
  }

  private static func metadata() throws -> Checkpoint {
    let one = try tensor(.uint8, [1], [1])
    return Checkpoint(
      metadata: [
        "bool": true, "empty list": .array([]), "empty object": .object([:]),
        "integer": -9_007_199_254_740_991,
        "list": .array([1, .number(-0.5), "two", false]), "number": .number(0.1),
        "object": .object(["nested": .array([1, 2])]), "small": .number(2.5e-308),
        "text": "\"quotes\", \\, /, \n\u{0}\u{1F}, naïve, \u{1F600}",
      ],
      tensors: ["a b", "caf\u{E9}", "cafe\u{301}", "../../etc/passwd", "\"\\", "\u{1F600}"].map {
        NamedTensor($0, one)
      })
  }

  private static func network(_ kind: String) throws -> Checkpoint {
    var noise = Noise(2)
    let shapes: [(name: String, shape: Shape)] = [
      ("dense1.weight", [5, 8]), ("dense1.bias", [5]), ("dense2.weight", [3, 5]),
      ("dense2.bias", [3]),
    ]
    return Checkpoint(
      kind: CheckpointKind(rawValue: kind),
      metadata: [
        "architecture": "mlp:hidden=5", "classes": 3, "input": .array([8]), "dataset": "digits",
        "network": "dense 5; relu; dense 3",
        "training": .object(["seed": "1", "epochs": 2, "rate": .number(0.05)]),
        "history": .object(["loss": .array([.number(1.25), "nan"])]),
      ],
      tensors: try shapes.map { name, shape in
        NamedTensor(name, StoredTensor(try Tensor(noise.weights(shape.count), shape: shape)))
      })
  }

  /// A network with a skip connection and batch normalisations, whose nodes have their usual names but one.
  private static func residual() throws -> Checkpoint {
    try graph(
      "conv 4 3x3 pad 1 no-bias; batchnorm; start = relu; conv 4 3x3 pad 1 no-bias; batchnorm; "
        + "add from norm2 start; relu; avgpool 4; flatten; dense ",
      seed: 5, input: [1, 8, 8],
      [
        ("conv1.weight", [4, 1, 3, 3]), ("norm1.scale", [4]), ("norm1.shift", [4]),
        ("norm1.mean", [4]), ("norm1.variance", [4]), ("conv2.weight", [4, 4, 3, 3]),
        ("norm2.scale", [4]), ("norm2.shift", [4]), ("norm2.mean", [4]), ("norm2.variance", [4]),
        ("dense1.weight", [3, 16]), ("dense1.bias", [3]),
      ])
  }

  /// A network with two branches behind each other's channels, and names as other programs have them.
  private static func concatenation() throws -> Checkpoint {
    try graph(
      "features.0 = conv 2 1x1; features.1/wide = conv 3 3x3 pad 1; "
        + "concat from features.0 features.1/wide; relu; flatten; head = dense ",
      seed: 6, input: [1, 4, 4],
      [
        ("features.0.weight", [2, 1, 1, 1]), ("features.0.bias", [2]),
        ("features.1/wide.weight", [3, 2, 3, 3]), ("features.1/wide.bias", [3]),
        ("head.weight", [3, 80]), ("head.bias", [3]),
      ])
  }

  private static func graph(
    _ text: String, seed: UInt64, input: [JSONValue], _ shapes: [(name: String, shape: Shape)]
  ) throws -> Checkpoint {
    var noise = Noise(seed)
    return Checkpoint(
      metadata: [
        "architecture": .string("sequential:layers=\(text)classes"), "classes": 3,
        "input": .array(input), "network": .string("\(text)3"),
      ],
      tensors: try shapes.map { name, shape in
        // A variance is not negative.
        let values = noise.weights(shape.count).map {
          name.hasSuffix("variance") ? abs($0) + 1 : $0
        }
        return NamedTensor(name, StoredTensor(try Tensor(values, shape: shape)))
      })
  }

  private static func path() throws -> Checkpoint {
    var path = try network("path")
    path.metadata["method"] = "linear"
    path.metadata["stages"] = .array(["straight"])
    path.metadata["motions"] = .object(
      Dictionary(uniqueKeysWithValues: path.tensors.map { ("stage1/\($0.name)", "line") }))
    path.tensors = path.tensors.flatMap { named in
      (0..<2).map { NamedTensor("stage1/\(named.name)/\($0)", named.tensor) }
    }
    return path
  }
}

extension GoldenArchives {
  /// What an archive of the folder holds, as `expected.json` says it: elements of up to 2400 bytes
  /// as hexadecimal digits, of more as their SHA-256.
  static func description(of checkpoint: Checkpoint) -> JSONValue {
    .object([
      "kind": .string(checkpoint.kind.rawValue),
      "metadata": .object(checkpoint.metadata),
      "tensors": .array(
        sorted(checkpoint).tensors.map { named in
          let bytes = named.tensor.bytes
          return .object([
            "name": .string(named.name),
            "dtype": .string(named.tensor.elementType.rawValue),
            "shape": .array(named.tensor.shape.dimensions.map(JSONValue.integer)),
            bytes.count <= 2400 ? "elements" : "sha256": .string(
              bytes.count <= 2400 ? hex(bytes) : SHA256.hexDigest(of: bytes)),
          ])
        }),
    ])
  }

  static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

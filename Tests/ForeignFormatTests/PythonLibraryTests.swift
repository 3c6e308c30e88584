// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import NumPyFormat
import SafetensorsFormat
import Testing

/// What is written here the libraries of Python read, and back, bit for bit.
struct PythonLibraryTests {
  /// The types that NumPy does not have.
  private static let unknown: Set<ElementType> = [.bfloat16, .float8E4M3, .float8E5M2]

  /// Says of each array its name, type, shape and bytes, and writes the arrays again.
  private static let numPyScript = """
    import sys, numpy
    arrays = numpy.load(sys.argv[1], allow_pickle=False)
    for name in arrays.files:
        a = arrays[name]
        print(name, a.dtype.name, list(a.shape), a.tobytes().hex(), sep='|')
    numpy.savez('plain.npz', **arrays)
    numpy.savez_compressed('deflated.npz', **arrays)
    numpy.savez('other.npz', **{n: numpy.array(a.byteswap().view(a.dtype.newbyteorder()), order='F')
                                for n, a in arrays.items()})
    one = arrays[arrays.files[0]]
    numpy.save('one.npy', one)
    for version in [(1, 0), (2, 0), (3, 0)]:
        with open('version%d.npy' % version[0], 'wb') as file:
            numpy.lib.format.write_array(file, one, version=version)
    """

  /// The lines that the scripts print of a checkpoint.
  private func lines(of checkpoint: Checkpoint) -> Set<String> {
    Set(
      checkpoint.tensors.map {
        let hex = $0.tensor.bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
        return
          "\($0.name)|\($0.tensor.elementType.pythonName)|\($0.tensor.shape)|\(hex.joined())"
      })
  }

  @Test(
    .enabled(if: Python.hasNumPy, "there is no Python with numpy; LCW_PYTHON can name one"),
    arguments: [false, true])
  func numPyReadsAndWritesTheSame(compress: Bool) throws {
    let folder = try TemporaryFolder()
    let checkpoint = try everyType(ElementType.allCases.filter { !Self.unknown.contains($0) })
    let file = folder.file("a.npz")
    try NumPy(compress: compress).write(checkpoint, to: file)
    let outcome = try Python.run(Self.numPyScript, [file.path], in: folder.url)
    try #require(outcome.status == 0, "\(outcome.output)")
    #expect(Set(outcome.output.split(separator: "\n").map(String.init)) == lines(of: checkpoint))
    for name in ["plain.npz", "deflated.npz", "other.npz"] {
      let found = try Checkpoint(reading: try NumPy().open(folder.file(name)))
      #expect(found == checkpoint, "\(name)")
    }
    for name in ["one.npy", "version1.npy", "version2.npy", "version3.npy"] {
      let found = try NumPy().open(folder.file(name)).tensor(named: "array")
      #expect(found == checkpoint.tensors[0].tensor, "\(name)")
    }
  }

  @Test(
    .enabled(if: Python.hasNumPy, "there is no Python with numpy; LCW_PYTHON can name one"))
  func numPyReadsABareArray() throws {
    let folder = try TemporaryFolder()
    let checkpoint = Checkpoint(tensors: [
      NamedTensor("a", try tensor(.float32, [2, 1], [1, 2, 3, 4, 5, 6, 7, 8]))
    ])
    try NumPy().write(checkpoint, to: folder.file("a.npy"))
    let script = """
      import numpy
      a = numpy.load('a.npy')
      print('a', a.dtype.name, list(a.shape), a.tobytes().hex(), sep='|')
      """
    let outcome = try Python.run(script, in: folder.url)
    #expect(outcome.output.split(separator: "\n").map(String.init) == Array(lines(of: checkpoint)))
  }

  /// Says of each tensor the same, and writes all those of NumPy's types again.
  private static let safetensorsScript = """
    import sys, numpy, safetensors
    from safetensors.numpy import save_file
    types = {'F64': 'float64', 'F32': 'float32', 'F16': 'float16', 'BF16': 'bfloat16',
             'I64': 'int64', 'I32': 'int32', 'I16': 'int16', 'I8': 'int8', 'U8': 'uint8',
             'BOOL': 'bool', 'U16': 'uint16', 'U32': 'uint32', 'U64': 'uint64',
             'F8_E4M3': 'float8_e4m3fn', 'F8_E5M2': 'float8_e5m2', 'C64': 'complex64'}
    arrays = {}
    for name, t in safetensors.deserialize(open(sys.argv[1], 'rb').read()):
        dtype, shape, data = types[t['dtype']], list(t['shape']), bytes(t['data'])
        print(name, dtype, shape, data.hex(), sep='|')
        if dtype not in ('bfloat16', 'float8_e4m3fn', 'float8_e5m2'):
            arrays[name] = numpy.frombuffer(data, dtype).reshape(shape)
    save_file(arrays, 'again.safetensors', {'note': 'text'})
    """

  @Test(
    .enabled(
      if: Python.hasSafetensors,
      "there is no Python with numpy and safetensors; LCW_PYTHON can name one"))
  func safetensorsReadsAndWritesTheSame() throws {
    let folder = try TemporaryFolder()
    let checkpoint = try everyType(ElementType.allCases)
    let file = folder.file("a.safetensors")
    try Safetensors().write(checkpoint, to: file)
    let outcome = try Python.run(Self.safetensorsScript, [file.path], in: folder.url)
    try #require(outcome.status == 0, "\(outcome.output)")
    #expect(Set(outcome.output.split(separator: "\n").map(String.init)) == lines(of: checkpoint))
    let again = try Checkpoint(reading: try Safetensors().open(folder.file("again.safetensors")))
    #expect(
      Set(again.tensors)
        == Set(checkpoint.tensors.filter { !Self.unknown.contains($0.tensor.elementType) }))
    #expect(again.metadata == ["note": "text"])
  }

  @Test(
    .enabled(
      if: Python.hasSafetensors,
      "there is no Python with numpy and safetensors; LCW_PYTHON can name one"))
  func theLibraryOfSafetensorsReadsTheSameHeaders() throws {
    let folder = try TemporaryFolder()
    let entry = "\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]"
    let headers = [
      "{\"__metadata__\":null,\"a\":{\(entry)}}", "{\"a\":{\(entry),\"x\":null}}",
      "{\"a\":{\(entry),\"x\":[null,{\"y\":1e3}]}}", "{\"\":{\(entry)}}",
      "{\"a\":{\(entry),\"x\":99999999999999999999999}}", "{\"e\u{301}\":{\(entry)}}",
      "{\"__metadata__\":{\"a\":null},\"a\":{\(entry)}}", "{\"a\":null}",
      "{\"a\":{\(entry),\"dtype\":\"F32\"}}", "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}",
      "{\"__metadata__\":null,\"__metadata__\":{},\"a\":{\(entry)}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[null],\"data_offsets\":[0,4]}}",
    ]
    for (index, header) in headers.enumerated() {
      _ = try folder.file(
        "\(index)", little(UInt64(header.utf8.count)) + Array(header.utf8) + [1, 2, 3, 4])
    }
    let script = """
      import sys
      from safetensors import safe_open
      for index in range(int(sys.argv[1])):
          try:
              with safe_open(str(index), 'numpy') as file:
                  print(index, *[name.encode().hex() for name in file.keys()], sep='|')
          except Exception:
              print(index, 'error', sep='|')
      """
    let outcome = try Python.run(script, ["\(headers.count)"], in: folder.url)
    let own = headers.indices.map { index in
      let source = try? Safetensors().open(folder.file("\(index)"))
      let names = source?.entries.map { entry in
        entry.name.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      }
      return "\(index)|" + (names?.joined(separator: "|") ?? "error")
    }
    #expect(outcome.output.split(separator: "\n").map(String.init) == own)
    #expect(own.count { $0.hasSuffix("error") } == 7)
  }

  @Test(
    .enabled(
      if: Python.hasSafetensors && Python.hasTorch,
      "there is no Python with torch and safetensors; LCW_PYTHON can name one"))
  func torchReadsAndWritesTheSameSafetensors() throws {
    let folder = try TemporaryFolder()
    let checkpoint = try everyType(ElementType.allCases)
    try Safetensors().write(checkpoint, to: folder.file("a.safetensors"))
    let script = """
      from safetensors.torch import load_file, save_file
      save_file(load_file('a.safetensors'), 'b.safetensors')
      """
    let outcome = try Python.run(script, in: folder.url)
    try #require(outcome.status == 0, "\(outcome.output)")
    let again = try Checkpoint(reading: try Safetensors().open(folder.file("b.safetensors")))
    #expect(Set(again.tensors) == Set(checkpoint.tensors))
  }
}

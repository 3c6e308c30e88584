// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Testing

/// What the command makes of files that people have: of other programs, packed, broken, in parts.
struct ForeignFileTests {
  private let program: Program

  private static let fixtures = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("ForeignFormatTests").appendingPathComponent("Fixtures")

  private static let network = ["--architecture", "mlp:hidden=20", "--dataset", "digits"]

  init() throws { program = try Program() }

  /// A fixture, copied into the program's folder.
  @discardableResult
  private func copy(_ name: String) throws -> String {
    try FileManager.default.copyItem(
      at: Self.fixtures.appendingPathComponent(name),
      to: program.folder.url.appendingPathComponent(name))
    return name
  }

  private func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: program.folder.url.appendingPathComponent(name))
    return name
  }

  @Test
  func `verify and inspect say that there are no checksums`() throws {
    try copy("02_no_crc32.pt")
    let verified = try program.run("verify", "02_no_crc32.pt").output
    #expect(verified.contains("without checksums") && !verified.contains("intact"))
    #expect(try program.run("inspect", "02_no_crc32.pt").output.contains("have no checksums"))
    let json = try program.json("inspect", "02_no_crc32.pt", "--json")
    #expect(json.object?["checksums"] == false)
    // The same of formats that never have any, and not of those that have.
    #expect(try program.run("verify", copy("08_native.npy")).output.contains("without checksums"))
    #expect(try program.run("verify", copy("mlp_5_4_3.npz")).output.contains("intact"))
  }

  @Test
  func `what is left out of a file is listed and the rest converted`() throws {
    try copy("05_macos.npz")
    #expect(
      try program.run("inspect", "05_macos.npz").output
        .contains("note: ‘__MACOSX/._a.npy’ is left out"))
    for (arguments, output) in [([], "a.lcw"), (["--select", "a"], "b.lcw")] {
      let outcome = try program.run(["convert", "05_macos.npz", output] + arguments)
      #expect(outcome.errors.contains("note: 05_macos.npz: ‘__MACOSX/._a.npy’"))
      #expect(outcome.output == "\(output): 1 tensors\n")
    }
    try copy("15_args_namespace.pt")
    #expect(
      try program.run("inspect", "15_args_namespace.pt").output
        .contains("note: ‘args’ is left out: it is an object of argparse.Namespace"))
    let bound = try program.run(
      ["convert", "15_args_namespace.pt", "c.lcw", "--select", "state_dict.*"] + Self.network)
    #expect(bound.output.contains("matched by order and shape"))
  }

  @Test
  func `a weight of integers is named, and tensors are counted right`() throws {
    try copy("04_int.safetensors")
    let error = try program.run(
      ["convert", "04_int.safetensors", "a.lcw"] + Self.network, expecting: 65
    ).errors
    #expect(error.contains("‘0.weight’ holds integers (i32), which are no weights"))
    #expect(error.contains("0.weight [20, 64] i32") && !error.contains("3 tensors"))
    try program.run("convert", "04_int.safetensors", "part.npz", "--select", "*weight")
    let part = try program.run(["convert", "part.npz", "b.lcw"] + Self.network, expecting: 65)
    #expect(part.errors.contains("4 parameters and 2 tensors, 1 of them with weights"))
  }

  @Test
  func `names that look alike stay two through every format`() throws {
    try copy("06_nfc.safetensors")
    var last = "06_nfc.safetensors"
    for next in ["a.lcw", "b.npz", "c.safetensors", "d.lcw"] {
      try program.run("convert", last, next)
      #expect(
        try program.run("diff", "06_nfc.safetensors", next).output == "0 of 2 tensors differ\n")
      last = next
    }
    #expect(try program.bytes("a.lcw") == program.bytes("d.lcw"))
  }

  @Test
  func `types that are only kept go through files and are refused by name`() throws {
    try copy("17_u16_u64.safetensors")
    for next in ["a.lcw", "b.npz"] {
      try program.run("convert", "17_u16_u64.safetensors", next)
      #expect(
        try program.run("diff", "17_u16_u64.safetensors", next).output
          == "0 of 3 tensors differ\n")
      #expect(try program.run("verify", next).output.contains("intact"))
    }
    #expect(try program.run("inspect", "a.lcw", "--stats").output.contains("u16"))
    try copy("kept_types.pt")
    try program.run("convert", "kept_types.pt", "c.lcw", expecting: 65)
    try program.run(
      "convert", "kept_types.pt", "c.lcw", "--select", "[ecnu]*", expecting: 64)
    try program.run(
      ["convert", "kept_types.pt", "c.lcw"]
        + ["conj", "neg", "u16", "u64", "e4m3", "e5m2"].flatMap { ["--select", $0] })
    #expect(try program.run("inspect", "c.lcw", "--stats").output.contains("f8_e4m3"))
    #expect(
      try program.run("inspect", "c.lcw", "conj", expecting: 65).errors.contains("type c64"))
    #expect(
      try program.run("convert", "c.lcw", "d.npz", expecting: 64).errors.contains("f8_e4m3"))
    #expect(
      try program.run("convert", "c.lcw", "d.lcw", "--dtype", "f32", expecting: 64).errors
        .contains("kept as they are"))
    try program.run("convert", "c.lcw", "d.safetensors")
    #expect(try program.run("diff", "c.lcw", "d.safetensors").status == 0)
  }

  @Test
  func `weights as inputs by outputs get a hint, and an option turns them`() throws {
    try copy("19_in_out.npz")
    let hint = try program.run(
      ["convert", "19_in_out.npz", "a.lcw"] + Self.network, expecting: 65
    ).errors
    #expect(hint.contains("once it is transposed") && hint.contains("--transpose"))
    #expect(
      try program.run(
        ["connect", "19_in_out.npz", "19_in_out.npz", "-m", "linear"] + Self.network,
        expecting: 65
      ).errors.contains("lcw convert --transpose"))
    let turned = try program.run(
      ["convert", "19_in_out.npz", "a.lcw", "--transpose"] + Self.network
    ).output
    #expect(turned.contains("matrices transposed") && turned.contains("[20, 64] from W1"))
    // Element by element: the network's file turned again is the file.
    try program.run("extract", "a.lcw", "dense1.weight", "-o", "w.raw")
    try program.run("extract", "19_in_out.npz", "W1", "-o", "w1.raw")
    let (own, given) = (try program.bytes("w.raw"), try program.bytes("w1.raw"))
    for (row, column) in [(0, 0), (3, 7), (19, 63)] {
      let a = (row * 64 + column) * 4
      let b = (column * 20 + row) * 4
      #expect(own[a..<a + 4].elementsEqual(given[b..<b + 4]))
    }
    #expect(
      try program.run(
        ["convert", "a.lcw", "b.lcw", "--transpose"] + Self.network, expecting: 65
      ).errors.contains("leave out --transpose"))
    try program.run("convert", "a.lcw", "b.lcw", "--transpose", expecting: 64)
    // Square weights fit both ways: only the option tells.
    let square = ["--architecture", "mlp:hidden=64x64", "--dataset", "digits"]
    try program.run(
      ["train"] + square + ["--epochs", "1", "-o", "s.lcw", "--quiet"])
    #expect(
      try program.run(["convert", "s.lcw", "t.lcw", "--transpose"] + square, expecting: 65).errors
        .contains("leave out --transpose"))
  }

  @Test
  func `what is no checkpoint is said for what it is`() throws {
    try copy("20_empty.pt")
    try copy("20_lfs.safetensors")
    let pages = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>"
    let header = program.folder.url.appendingPathComponent("cut.safetensors")
    try Data(contentsOf: Self.fixtures.appendingPathComponent("mlp_5_4_3.safetensors"))
      .dropFirst(8).write(to: header)
    try Data(contentsOf: Self.fixtures.appendingPathComponent("mlp_5_4_3.pt"))
      .dropFirst(64).write(to: program.folder.url.appendingPathComponent("cut.pt"))
    var tar = [UInt8](repeating: 0, count: 1536)
    tar.replaceSubrange(0..<5, with: "a.txt".utf8)
    tar.replaceSubrange(257..<262, with: "ustar".utf8)
    for (file, what) in [
      ("20_empty.pt", "is empty; download"),
      ("20_lfs.safetensors", "is a pointer of Git LFS, not the weights themselves; fetch these"),
      (try write("page.pt", Array(pages.utf8)), "is a web page"),
      (try write("error.bin", Array("<?xml version='1.0'?><Error/>".utf8)), "is XML"),
      ("cut.safetensors", "its first bytes are missing"),
      ("cut.pt", "ends as a zip file does"),
      (try write("a.gz", [0x1F, 0x8B, 8] + [UInt8](repeating: 9, count: 20)), "with gzip; unpack"),
      (try write("a.tar", tar), "is a tar, whose first entry is ‘a.txt’"),
      (
        try write("a.zip", [0x50, 0x4B, 3, 4] + [UInt8](repeating: 0, count: 40)),
        "is a zip file of other things"
      ),
      (try write("a.h5", [0x89] + Array("HDF\r\n\u{1A}\n".utf8)), "is an HDF5 file, as Keras"),
      (try write("a.json", Array("{\"lr\": 1}".utf8)), "is JSON, but no index"),
      (try write("a.txt", Array("Access denied\n".utf8)), "is text, which starts with ‘Access"),
      (try write("a.pkl", [0x80, 4] + Array("\u{95}xyzabc.".utf8)), "is a pickle of Python"),
      (try write("zeros", [UInt8](repeating: 0, count: 9000)), "zero bytes only"),
      (try write("noise", [200, 1, 2, 3, 4, 5, 6, 7, 8, 9]), "in no known format"),
      (".", "is a folder without an index"),
    ] {
      for command in ["inspect", "verify"] {
        let error = try program.run(command, file, expecting: 65).errors
        #expect(error.contains(what), "\(file): \(error)")
        #expect(error.split(separator: "\n").count == 1)
      }
    }
    try program.run("inspect", "none.pt", expecting: 66)
  }

  @Test
  func `a checkpoint in several files is one`() throws {
    let index = try copy("model.safetensors.index.json")
    try copy("model-00001-of-00002.safetensors")
    #expect(
      try program.run("inspect", index, expecting: 65).errors
        .contains("model-00002-of-00002.safetensors is not beside it"))
    let second = try copy("model-00002-of-00002.safetensors")
    for place in [index, "."] {
      let bound = try program.run(["convert", place, "a.lcw", "--overwrite"] + Self.network).output
      #expect(bound.contains("dense2.weight [10, 20] from 2.weight"))
    }
    #expect(try program.run("verify", index).output.contains("4 tensors"))
    try program.run("extract", index, "0.weight", "-o", "w.raw")
    let shard = try program.bytes("model-00001-of-00002.safetensors")
    #expect(try program.bytes("w.raw").count == 5120)
    #expect(shard.firstRange(of: try program.bytes("w.raw")) != nil)
    // No file of it is replaced, and it can be evaluated like any other.
    let error = try program.run("convert", index, second, "--overwrite", expecting: 64).errors
    #expect(error.contains("is both an input and the output"))
    let wrong = try program.run("convert", ".", second, "--overwrite", expecting: 64).errors
    #expect(wrong.contains("is both an input and the output"))
  }

  // MARK: - Files that are written here

  /// A Safetensors file, its header behind some bytes.
  private func safetensors(
    _ name: String, _ tensors: [(name: String, shape: [Int], values: [Float])],
    before: [UInt8] = []
  ) throws -> String {
    var data: [UInt8] = []
    var members: [String] = []
    for tensor in tensors {
      let start = data.count
      for value in tensor.values {
        let bits = value.bitPattern
        for byte in 0..<4 { data.append(UInt8(truncatingIfNeeded: bits >> UInt32(8 * byte))) }
      }
      let shape = tensor.shape.map { "\($0)" }.joined(separator: ",")
      members.append(
        "\"\(tensor.name)\":{\"dtype\":\"F32\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(start),\(data.count)]}")
    }
    let header = before + Array("{\(members.joined(separator: ","))}".utf8)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
    return try write(name, length + header + data)
  }

  /// The tensors of a perceptron for digits, each of one value.
  private func tensors(
    _ names: [String], _ shapes: [[Int]], value: Float = 0.01
  ) -> [(name: String, shape: [Int], values: [Float])] {
    zip(names, shapes).map { name, shape in
      (name, shape, [Float](repeating: value, count: shape.reduce(1, *)))
    }
  }

  private static let names = ["0.weight", "0.bias", "2.weight", "2.bias"]
  private static let shapes = [[20, 64], [20], [10, 20], [10]]

  @Test
  func `white space before a header is read, a byte order mark is named`() throws {
    let given = tensors(Self.names, Self.shapes)
    let plain = try safetensors("plain.safetensors", given)
    for before in [" ", "   ", "\n\t\r "] {
      let lead = try safetensors("lead.safetensors", given, before: Array(before.utf8))
      #expect(try program.run("diff", plain, lead).output == "0 of 4 tensors differ\n")
    }
    for (before, what) in [
      ([0xEF, 0xBB, 0xBF], "starts with a byte order mark"), ([0x2C], "other bytes than a brace"),
    ] as [([UInt8], String)] {
      let file = try safetensors("wrong.safetensors", given, before: before)
      let error = try program.run("inspect", file, expecting: 65).errors
      #expect(error.contains(what) && !error.contains("missing"), "\(error)")
    }
  }

  @Test
  func `weights that nothing can be computed with are converted and not measured`() throws {
    for (value, what) in [(Float.nan, "not finite"), (3e38, "too large")] {
      let file = try safetensors("a.safetensors", tensors(Self.names, Self.shapes, value: value))
      let said = try program.run(["convert", file, "a.lcw", "--overwrite"] + Self.network).output
      #expect(said.contains("\n  not measured: ") && said.contains(what), "\(said)")
      #expect(!said.contains("test accuracy") && !said.contains("compare with"))
      #expect(try program.run("verify", "a.lcw").output.contains("intact"))
    }
    // Each layer can be computed with, and the outputs are infinite.
    let file = try safetensors("b.safetensors", tensors(Self.names, Self.shapes, value: 1e30))
    let said = try program.run(["convert", file, "b.lcw"] + Self.network).output
    #expect(said.contains("\n  not measured: ") && !said.contains("test accuracy"), "\(said)")
  }

  @Test
  func `numbered names of layers of one width are bound, and the hint names the option`() throws {
    let architecture = ["--architecture", "mlp:hidden=20x20", "--dataset", "digits"]
    let names = ["W1", "b1", "W2", "b2", "W3", "b3"]
    let shapes = [[64, 20], [20], [20, 20], [20], [20, 10], [10]]
    let turned = try safetensors("in_out.safetensors", tensors(names, shapes))
    let hint = try program.run(["convert", turned, "a.lcw"] + architecture, expecting: 65).errors
    #expect(hint.contains("lcw convert --transpose"))
    let bound = try program.run(["convert", turned, "a.lcw", "--transpose"] + architecture).output
    #expect(bound.contains("matched by order and shape, matrices transposed"))
    #expect(bound.contains("  dense2.weight [20, 20] from W2\n"))
    #expect(bound.contains("dense1.bias") && bound.contains("have equal shapes") == false)
    let list = try safetensors(
      "list.safetensors",
      tensors((0..<6).map { "arr_\($0)" }, [[20, 64], [20], [20, 20], [20], [10, 20], [10]]))
    let placed = try program.run(["convert", list, "b.lcw"] + architecture).output
    #expect(placed.contains("  dense2.weight [20, 20] from arr_2\n"))
    #expect(placed.contains("  dense3.bias [10] from arr_5\n"))
  }

  @Test
  func `a recorded accuracy may be a tensor of one number`() throws {
    let file = try safetensors(
      "a.safetensors", [("best_acc1", [], [96.29])] + tensors(Self.names, Self.shapes))
    let said = try program.run(["convert", file, "a.lcw"] + Self.network)
    #expect(said.output.contains("dense1.weight [20, 64] from 0.weight"))
    #expect(said.errors.contains("says 96.29 % (best_acc1), but here it has "))
  }
}

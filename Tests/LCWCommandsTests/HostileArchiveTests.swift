// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWFormat
import LCWNumerics
import Testing

/// Archives whose checksums are right and whose content is not to be believed, through the commands.
@Suite(.serialized)
struct HostileArchiveTests {
  private let program: Program

  init() throws {
    program = try Program()
  }

  // MARK: The fixtures

  @Test
  func `an architecture that names a file opens none`() throws {
    try place("arch-file-shadow")
    // A file that exists and can be read, to see that no word of it is said.
    try overAll("arch-file-shadow") { command, outcome in
      guard !["inspect", "verify", "convert"].contains(command) else {
        #expect(outcome.status == 0, "\(command): \(outcome.errors)")
        return
      }
      #expect(outcome.status == 65, "\(command): \(outcome.errors)")
      #expect(outcome.errors.contains("files that metadata name are not opened"))
      #expect(outcome.errors.contains("name it with --architecture"))
      #expect(!outcome.errors.contains("root"))
    }
  }

  @Test
  func `a pooling window beyond all images is done in the time of the image`() throws {
    try place("avgpool-huge-window")
    try overAll("avgpool-huge-window") { command, outcome in
      #expect(outcome.status == 0, "\(command): \(outcome.errors)")
    }
  }

  @Test
  func `a path of broadcasts takes no more than its bytes bear out`() throws {
    try place("path-bomb-1e7")
    try overAll("path-bomb-1e7") { command, outcome in
      guard ["evaluate", "export"].contains(command) else { return }
      #expect(outcome.status == 65, "\(command): \(outcome.errors)")
      #expect(outcome.errors.contains("stored bytes can stand for"))
    }
  }

  @Test
  func `a recipe that trains for long wants a word`() throws {
    try place("path-garipov-million-epochs")
    try overAll("path-garipov-million-epochs") { command, outcome in
      guard ["evaluate", "export"].contains(command) else { return }
      #expect(outcome.status == 65, "\(command): \(outcome.errors)")
      #expect(outcome.errors.contains("trains for 1000000 epochs"))
      #expect(outcome.errors.contains("--allow-long-recipe"))
    }
  }

  @Test
  func `stages that contradict the recipe are refused`() throws {
    try place("computed-path-false-stages")
    try overAll("computed-path-false-stages") { command, outcome in
      guard ["evaluate", "export"].contains(command) else { return }
      #expect(outcome.status == 65, "\(command): \(outcome.errors)")
      #expect(outcome.errors.contains("stages, but ot makes"))
    }
  }

  // MARK: Their siblings

  @Test
  func `no kind of file, option or field names a file to open`() throws {
    let secret = program.folder.url.appendingPathComponent("secret.txt")
    try Data("the first line\n".utf8).write(to: secret)
    let own: [String: JSONValue] = [
      "architecture": .string("sequential:file=\(secret.path)"), "classes": 10,
      "input": [1, 8, 8], "dataset": "digits",
    ]
    let path: [String: JSONValue] = ["method": "linear", "stages": ["a"], "seed": "0"]
    try write("path.lcw", .path, own.merging(path) { $1 })
    try write("ensemble.lcw", .ensemble, own.merging(["head": 1, "members": 1]) { $1 })
    try writeSafetensors("network.safetensors", own)
    for name in ["path.lcw", "ensemble.lcw", "network.safetensors"] {
      let outcome = try limited(["evaluate", name, "--threads", "1"])
      #expect(outcome.status == 65, "\(name): \(outcome.errors)")
      #expect(outcome.errors.contains("are not opened"), "\(name): \(outcome.errors)")
      #expect(!outcome.errors.contains("first line"), "\(name): \(outcome.errors)")
    }
  }

  @Test
  func `files of a path are those beside it, or those that the user names`() throws {
    try program.run(
      "train", "--architecture", "mlp:hidden=6", "--dataset", "digits", "--epochs", "1",
      "--seeds", "1...3", "-o", ".", "--quiet")
    try FileManager.default.createDirectory(
      at: program.folder.url.appendingPathComponent("models"), withIntermediateDirectories: true)
    try program.run(
      "fit", "flow:epochs=1,layers=2,width=0.5", "digits-1.lcw", "digits-2.lcw", "-o",
      "models/nu.lcw", "--quiet")
    try program.run(
      "connect", "digits-1.lcw", "digits-3.lcw", "-m", "flow:model=models/nu.lcw", "-o",
      "path.lcw", "--quiet")
    let export = ["export", "path.lcw", "--at", "0.5", "-o", "x.lcw", "--overwrite"]
    // The archive's word is no way out of its folder.
    let away = try program.run(export, expecting: 66)
    #expect(away.errors.contains("--made-with"))
    try program.run(export + ["--made-with", "models/nu.lcw"])
    // A link beside the archive leads out of it, too.
    let link = program.folder.url.appendingPathComponent("nu.lcw")
    try FileManager.default.createSymbolicLink(
      atPath: link.path, withDestinationPath: "models/nu.lcw")
    try program.run(export, expecting: 66)
    try FileManager.default.removeItem(at: link)
    try FileManager.default.copyItem(
      at: program.folder.url.appendingPathComponent("models/nu.lcw"), to: link)
    try program.run(export)
    // Another file of that name is not looked into.
    try Data("something else".utf8).write(to: link)
    #expect(
      try program.run(export, expecting: 65).errors.contains("is not the file that the path"))
  }

  @Test
  func `a recipe opens no file that is not recorded with its digest`() throws {
    let tensors = try networkTensors(hidden: 3, places: ["start", "end"])
    let metadata: [String: JSONValue] = [
      "architecture": "mlp:hidden=3", "classes": 10, "input": [1, 8, 8], "dataset": "digits",
      "stages": ["flow"], "seed": "0", "method": "flow:model=/etc/hostname",
    ]
    try write("a.lcw", .path, metadata, tensors)
    let bare = try limited(["evaluate", "a.lcw"])
    #expect(bare.status == 65, "\(bare.errors)")
    #expect(bare.errors.contains("does not record its digest"))
    let digest = JSONValue.string(String(repeating: "0", count: 64))
    for name in ["/etc/hostname", "../../../etc/hostname", "..", "/", "", "-"] {
      var metadata = metadata
      metadata["method"] = .string("flow:model=\(name)")
      metadata["files"] = .object([name: digest])
      try write("a.lcw", .path, metadata, tensors)
      let outcome = try limited(["evaluate", "a.lcw"])
      #expect([65, 66].contains(outcome.status), "\(name): \(outcome.errors)")
      #expect(!outcome.errors.contains("no known format"), "\(name): \(outcome.errors)")
    }
  }

  @Test
  func `what is computed is bounded by what is stored, in every kind`() throws {
    let wide = JSONValue.string("mlp:hidden=100000000")
    let common: [String: JSONValue] = ["classes": 10, "input": [1, 8, 8], "dataset": "digits"]
    let pair = try networkTensors(hidden: 3, places: ["start", "end"])
    for (kind, metadata, tensors, says) in [
      (.checkpoint, ["architecture": wide], [], "bytes of weights"),
      (.ensemble, ["architecture": wide, "head": 2, "members": 60_000], [], "bytes of weights"),
      (
        .checkpoint,
        [
          "architecture":
            "sequential:layers=conv 1 1x1 pad 40000; maxpool 80008; flatten; dense classes"
        ], [], "bytes of values"
      ),
      (
        .checkpoint,
        [
          "architecture":
            "sequential:layers=conv 1 1 pad 900; avgpool 401 stride 1 pad 200; maxpool 999; flatten; dense classes"
        ], [], "multiplications for a sample"
      ),
      (
        .checkpoint,
        [
          "architecture":
            "sequential:layers=conv 8 1x1; conv 1 1000x500 pad 500; flatten; dense classes"
        ], [], "bytes of a convolution's windows"
      ),
      (
        .checkpoint,
        [
          "architecture": .string(
            "sequential:layers="
              + String(repeating: "relu;", count: 100_000) + "flatten;dense classes")
        ], [], "8192 layers at most"
      ),
      (
        .checkpoint,
        ["architecture": "sequential:layers=flatten; dense classes", "input": [0, 8, 8]], [],
        "has no values"
      ),
      (
        .path,
        [
          "architecture": "mlp:hidden=3", "method": "garipov:epochs=101", "stages": ["chain 3"],
          "seed": "0",
        ], pair, "trains for 101 epochs"
      ),
    ] as [(CheckpointKind, [String: JSONValue], [NamedTensor], String)] {
      try write("a.lcw", kind, common.merging(metadata) { $1 }, tensors)
      let outcome = try limited(["evaluate", "a.lcw"])
      #expect(outcome.status == 65, "\(says): \(outcome.errors)")
      #expect(outcome.errors.contains(says), "\(outcome.errors)")
    }
  }

  /// Graphs that are too large, that are none, and that ask for more than is stored.
  @Test
  func `hostile graphs are told in no time, in archives and in options`() throws {
    let marks = String(repeating: "\u{301}\u{316}", count: 14)
    let many = (1...100).map { "n\($0)" }
    let live =
      many.map { "\($0) = relu from input" }.joined(separator: ";") + ";add from "
      + many.joined(separator: " ") + "; maxpool 2000; flatten; dense classes"
    for (graph, input, says) in [
      (String(repeating: "relu;", count: 200_000), [8], "8192 layers at most"),
      ("add from relu2 input; relu; flatten; dense classes", [8], "where ‘relu2’ stands"),
      ("loop = add from loop input; dense classes", [8], "where ‘loop’ stands"),
      ("relu; a = relu; relu from relu1; dense classes", [8], "is read by no layer"),
      (
        "add from" + String(repeating: " input", count: 150_000) + "; dense classes", [8],
        "65536 names at most"
      ),
      ("conv 2147483647 1x1; conv 2147483647 1x1; flatten; dense classes", [1, 8, 8], "makes"),
      (live, [1, 2000, 2000], "in memory at once"),
      (String(repeating: "a", count: 900_000) + " = relu; dense classes", [8], "a name of letters"),
      ("\u{1B}[2J\u{202E} = relu; dense classes", [8], "a name of letters"),
      ("r\u{435}lu; dense classes", [8], "ASCII"), ("relu\(marks); dense classes", [8], "ASCII"),
    ] as [(String, [JSONValue], String)] {
      let metadata: [String: JSONValue] = [
        "architecture": .string("sequential:layers=\(graph)"), "classes": 10,
        "input": .array(input), "dataset": "digits",
      ]
      try write("a.lcw", .checkpoint, metadata, [])
      for command in [["evaluate", "a.lcw"], ["inspect", "a.lcw", "--groups"]] {
        let start = Date.now
        let outcome = try limited(command)
        #expect(outcome.status == 65, "\(says): \(outcome.errors)")
        #expect(outcome.errors.contains(says), "\(says): \(outcome.errors)")
        #expect(outcome.errors.utf8.count < 20_000)
        #expect(!outcome.errors.unicodeScalars.contains("\u{1B}"))
        #expect(!outcome.errors.unicodeScalars.contains("\u{202E}"))
        #expect(Date.now.timeIntervalSince(start) < 20, "\(says)")
      }
      guard graph.utf8.count < 100_000, says != "in memory at once" else { continue }
      let outcome = try limited([
        "train", "--architecture", "sequential:layers=\(graph)", "--dataset", "digits", "-o",
        "b.lcw",
      ])
      #expect(outcome.status == 64, "\(says): \(outcome.errors)")
      #expect(!outcome.errors.unicodeScalars.contains("\u{1B}"))
    }
  }

  @Test
  func `equal units of few bytes do not ask for a matrix of all their distances`() throws {
    let units = 30_000
    let tensors = ["start", "end"].flatMap { place in
      [
        ("dense1.weight", [units, 64]), ("dense1.bias", [units]), ("dense2.weight", [10, units]),
        ("dense2.bias", [10]),
      ].map { NamedTensor("\(place)/\($0)", StoredTensor(Tensor(zeros: Shape($1)))) }
    }
    for method in ["ot", "linear+wa"] {
      try write(
        "a.lcw", .path,
        [
          "architecture": .string("mlp:hidden=\(units)"), "classes": 10, "input": [1, 8, 8],
          "dataset": "digits", "stages": ["a"], "seed": "0", "method": .string(method),
        ], tensors)
      let outcome = try limited(["evaluate", "a.lcw"])
      #expect(outcome.status == 65, "\(method): \(outcome.errors)")
      #expect(outcome.errors.contains("bytes to compute its path"), "\(outcome.errors)")
    }
  }

  @Test
  func `a long recipe is followed once it is allowed`() throws {
    try write(
      "a.lcw", .path,
      [
        "architecture": "mlp:hidden=3", "classes": 10, "input": [1, 8, 8], "dataset": "digits",
        "method": "garipov:epochs=101,batch=4096", "stages": ["chain 3"], "seed": "0",
      ], try networkTensors(hidden: 3, places: ["start", "end"]))
    let arguments = ["export", "a.lcw", "--at", "0.5", "-o", "x.lcw", "--overwrite"]
    #expect(try limited(arguments).status == 65)
    let allowed = try limited(arguments + ["--allow-long-recipe"])
    #expect(allowed.status == 0, "\(allowed.errors)")
  }

  @Test
  func `what is wrong in an archive's fields ends with 65`() throws {
    let common: [String: JSONValue] = [
      "architecture": "mlp:hidden=3", "classes": 10, "input": [1, 8, 8], "dataset": "digits",
    ]
    for (kind, fields, says) in [
      (.checkpoint, ["architecture": "mlp:hidden=0"], "architecture"),
      (.checkpoint, ["architecture": "mlp:hiden=3"], "architecture"),
      (.checkpoint, ["architecture": "MLP"], "architecture"),
      (.checkpoint, ["dataset": "digits:x=1"], "dataset"),
      (.checkpoint, ["dataset": "Digits"], "dataset"),
      (.checkpoint, ["classes": .integer(1 << 52)], "makes more work"),
      (.checkpoint, ["input": [1, 4_503_599_627_370_496, 2_000_000]], "can't be used"),
      (.path, ["method": "linear+wa+wa", "stages": ["a"], "seed": "0"], "method"),
      (.path, ["method": "ot:cost=none", "stages": ["a"], "seed": "0"], "method"),
      (.ensemble, ["head": 9, "members": 1], "head"),
      (.ensemble, ["head": -1, "members": 1], "head"),
    ] as [(CheckpointKind, [String: JSONValue], String)] {
      let places = kind == .path ? ["start", "end"] : [""]
      try write(
        "a.lcw", kind, common.merging(fields) { $1 },
        try networkTensors(hidden: 3, places: places))
      let outcome = try limited(["evaluate", "a.lcw"])
      #expect(outcome.status == 65, "\(fields): \(outcome.errors)")
      #expect(outcome.errors.contains(says), "\(fields): \(outcome.errors)")
    }
  }

  @Test
  func `the state of a training counts its steps within all integers`() throws {
    let train = [
      "train", "--architecture", "mlp:hidden=3", "--dataset", "digits", "--epochs", "2",
      "--threads", "1", "-o", "a.lcw", "--quiet",
    ]
    // A file that holds one of two epochs: the run is repeated with the counts of its state changed.
    let running = try program.start(train.map { $0 == "2" ? "4000" : $0 } + ["--save-every", "1"])
    let file = program.folder.url.appendingPathComponent("a.lcw")
    let deadline = Date.now + 60
    while !FileManager.default.fileExists(atPath: file.path), Date.now < deadline { usleep(2000) }
    running.interrupt()
    #expect(running.finish().status == 130)
    let state = try Checkpoint(reading: LCWArchive().open(file))
    var training = try #require(state.metadata["training"]?.object)
    for steps in [Int.max, -1] {
      training["steps"] = .integer(steps)
      var metadata = state.metadata
      metadata["training"] = .object(training)
      try writeSafetensors("a.lcw", metadata, state.tensors)
      let outcome = try limited(train.map { $0 == "2" ? "4000" : $0 } + ["--resume"])
      #expect(outcome.status == 64 || outcome.status == 65, "\(steps): \(outcome.errors)")
    }
  }

  // MARK: Help

  private func place(_ name: String) throws {
    let fixture = Bundle.module.bundleURL.appendingPathComponent("Fixtures/Hostile/\(name).lcw")
    for copy in ["\(name).lcw", "b.lcw"] {
      try FileManager.default.copyItem(
        at: fixture, to: program.folder.url.appendingPathComponent(copy))
    }
  }

  /// Runs every command that reads archives, each within a minute and 3 GB of addresses, and looks
  /// what it ends with: a documented status, whatever else is looked for.
  private func overAll(
    _ name: String, _ check: (String, Program.Outcome) throws -> Void
  ) throws {
    let file = "\(name).lcw"
    for arguments in [
      ["evaluate", file, "--points", "2"], ["inspect", file], ["verify", file],
      ["convert", file, "out.lcw"], ["connect", file, "b.lcw", "-m", "linear", "--points", "2"],
      ["compare", file, "b.lcw", "-m", "linear", "--points", "2"], ["ensemble", file, "b.lcw"],
    ] {
      let outcome = try limited(arguments)
      #expect([0, 65].contains(outcome.status), "\(arguments): \(outcome.errors)")
      try check(arguments[0], outcome)
    }
    guard try program.run("inspect", file).output.contains(": path") else { return }
    let outcome = try limited(["export", file, "--at", "0.5", "-o", "point.lcw"])
    #expect(outcome.status == 65, "\(outcome.errors)")
    try check("export", outcome)
  }

  /// A run that has a minute and 3 GB of addresses, of which a thread's stack and the linear
  /// algebra's buffers are most.
  private func limited(_ arguments: [String]) throws -> Program.Outcome {
    let start = Date.now
    let executable = URL(fileURLWithPath: CommandLine.arguments[0])
      .deletingLastPathComponent().appendingPathComponent("lcw").path
    let running = try RunningProgram(
      URL(fileURLWithPath: "/bin/bash"),
      ["-c", "ulimit -v 3000000; exec timeout 60 \"$0\" \"$@\"", executable] + arguments,
      environment: ProcessInfo.processInfo.environment.filter { $0.key != "LCW_DATA" },
      folder: program.folder.url, input: nil, output: nil, errors: nil)
    let outcome = running.finish()
    #expect(Date.now.timeIntervalSince(start) < 60, "\(arguments)")
    return outcome
  }

  private func write(
    _ name: String, _ kind: CheckpointKind, _ metadata: [String: JSONValue],
    _ tensors: [NamedTensor] = []
  ) throws {
    try LCWArchive().write(
      Checkpoint(kind: kind, metadata: metadata, tensors: tensors),
      to: program.folder.url.appendingPathComponent(name))
  }

  private func networkTensors(hidden: Int, places: [String]) throws -> [NamedTensor] {
    var random = RandomStream(seed: 1)
    return places.flatMap { place in
      [
        ("dense1.weight", [hidden, 64]), ("dense1.bias", [hidden]),
        ("dense2.weight", [10, hidden]), ("dense2.bias", [10]),
      ].map { name, sizes in
        NamedTensor(
          place.isEmpty ? name : "\(place)/\(name)",
          StoredTensor(random.uniform(Shape(sizes), bound: 0.1)))
      }
    }
  }

  /// A file whose metadata are texts, as JSON where they are no texts.
  private func writeSafetensors(
    _ name: String, _ metadata: [String: JSONValue], _ tensors: [NamedTensor] = []
  ) throws {
    var texts = metadata.mapValues { JSONValue.string($0.string ?? $0.compactText) }
    let structured = metadata.filter { $0.value.string == nil }.keys.sorted()
    texts["lcw.json"] = .string(
      JSONValue.array(structured.map { .string($0) }).compactText)
    var header: [String: JSONValue] = ["__metadata__": .object(texts)]
    var data: [UInt8] = []
    for tensor in tensors {
      let end = data.count + tensor.tensor.bytes.count
      header[tensor.name] = .object([
        "dtype": "F32", "shape": .array(tensor.tensor.shape.dimensions.map { .integer($0) }),
        "data_offsets": [.integer(data.count), .integer(end)],
      ])
      data += tensor.tensor.bytes
    }
    let text = Array(JSONValue.object(header).compactText.utf8)
    let length = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) }
    try Data(length + text + data).write(to: program.folder.url.appendingPathComponent(name))
  }
}

extension JSONValue: ExpressibleByArrayLiteral {
  /// A list.
  init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
}

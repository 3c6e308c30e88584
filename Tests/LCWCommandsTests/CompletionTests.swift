// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import Testing

/// What shells offer.
struct CompletionTests {
  private let program: Program

  init() throws {
    program = try Program()
    for file in ["middle.lcw", "other.npz", "plan.json", "a file.lcw"] {
      try Data().write(to: program.folder.url.appendingPathComponent(file))
    }
    for folder in ["models", "digits"] {
      try FileManager.default.createDirectory(
        at: program.folder.url.appendingPathComponent(folder), withIntermediateDirectories: true)
    }
  }

  // MARK: What the program offers

  /// What is offered for the last word of a line, which belongs to an argument.
  private func offers(
    _ argument: String, of command: [String], _ line: [String],
    environment: [String: String] = [:]
  ) throws -> [String] {
    let last = line.last ?? ""
    let outcome = try program.run(
      ["---completion"] + command + ["--", argument, "\(line.count - 1)", "\(last.count)"] + line,
      environment: environment.merging(["SAP_SHELL": "bash"]) { $1 })
    return outcome.output.split(separator: "\n").map(String.init)
  }

  private func methods(_ start: String) throws -> [String] {
    try offers("--method", of: ["connect"], ["lcw", "connect", "--method", start])
  }

  @Test
  func `methods, their modifiers, their options and the values`() throws {
    #expect(try methods("").contains("garipov"))
    #expect(try methods("a") == ["arc", "arc+"])
    #expect(try methods("ot") == ["ot", "ot:", "ot+"])
    #expect(try methods("ot+") == ["ot+bfly", "ot+repair", "ot+reset", "ot+wa"])
    #expect(try methods("ot:path=arc+w") == ["ot:path=arc+wa", "ot:path=arc+wa:"])
    #expect(try methods("ot+wa:b") == ["ot+wa:bias="])
    #expect(try methods("garipov+") == ["garipov+repair", "garipov+reset"])
    #expect(try methods("ot:") == ["ot:path=", "ot:cost="])
    #expect(try methods("ot:path=arc,") == ["ot:path=arc,cost="])
    #expect(try methods("ot:cost=") == ["ot:cost=neuron", "ot:cost=incoming", "ot:cost=weights"])
    #expect(try methods("ot:cost=in") == ["ot:cost=incoming"])
    #expect(try methods("garipov:points=") == ["garipov:points=3"])
    #expect(
      try methods("bijection:model=m") == [
        "bijection:model=middle.lcw", "bijection:model=models/",
      ])
    #expect(try methods("nothing:") == [])
    #expect(try methods("--method=ot+w") == ["ot+wa", "ot+wa:"])
    #expect(try methods("'ot+w") == ["ot+wa", "ot+wa:"])
  }

  @Test
  func `other kinds of plugins, experiments, scales and targets`() throws {
    #expect(
      try offers("--architecture", of: ["train"], ["lcw", "train", "--architecture", "mlp:h"])
        == ["mlp:hidden="])
    #expect(
      try offers("--dataset", of: ["train"], ["lcw", "train", "--dataset", "cifar10"])
        .starts(with: ["cifar10", "cifar100"]))
    #expect(
      try offers("--format", of: ["convert"], ["lcw", "convert", "--format", "lcw:effort=b"])
        == ["lcw:effort=best"])
    #expect(
      try offers("--input-format", of: ["diff"], ["lcw", "diff", "--input-format", "safe"])
        == ["safetensors"])
    #expect(
      Set(try offers("positional@0", of: ["fit"], ["lcw", "fit", ""]))
        .isDisjoint(with: ["arc", "linear", "ot"]))
    #expect(
      try offers("positional@0", of: ["fit"], ["lcw", "fit", "bij"]) == ["bijection", "bijection:"])
    #expect(
      try offers("positional@0", of: ["plugins"], ["lcw", "plugins", "m"]).contains("method"))
    #expect(
      try offers("positional@0", of: ["plugins"], ["lcw", "plugins", "mn"]) == ["mnist"])
    #expect(
      try offers("positional@0", of: ["plugins"], ["lcw", "plugins", "oper"]) == ["operation"])
    #expect(
      try offers("positional@0", of: ["reproduce"], ["lcw", "reproduce", ""])
        == [
          "cifar10-conv2fc1", "cifar10-resnet20", "cifar10-three-layer", "cifar10-two-layer",
          "cifar10-vgg16", "cifar10-vgg16-narrow", "cifar100-vgg16", "digits", "mnist-deep",
          "mnist-two-layer", "digits/", "models/", "plan.json",
        ])
    #expect(
      try offers(
        "--scale", of: ["reproduce"], ["lcw", "reproduce", "mnist-two-layer", "--scale", ""]
      ).contains("quick"))
    #expect(
      try offers("positional@0", of: ["plugin", "link"], ["lcw", "plugin", "link", "Spi"])
        == ["SpiralsExample"])
  }

  /// Arguments, of a command and those below it, that take files or plugins and have nothing to offer.
  private func silentArguments(of command: JSONValue?) -> [String] {
    let takesWords: Set = [
      "add-method", "architecture", "dataset", "file", "files", "first", "folder", "format",
      "input",
      "input-format", "method", "methods", "output", "path", "report", "second",
    ]
    let own = (command?.object?["arguments"]?.array ?? []).compactMap { argument -> String? in
      guard let fields = argument.object, fields["kind"]?.string != "flag",
        fields["completionKind"]?.object == nil, let name = fields["valueName"]?.string
      else { return nil }
      let words = (fields["abstract"]?.string ?? "").split { !$0.isLetter }
      return takesWords.contains(name) || words.contains("file") || words.contains("folder")
        ? "\(command?.object?["commandName"]?.string ?? "") \(name)" : nil
    }
    return own
      + (command?.object?["subcommands"]?.array ?? []).flatMap(silentArguments)
  }

  @Test
  func `every argument that takes a file, a folder or a plugin offers some`() throws {
    let description = try program.json("--experimental-dump-help").object?["command"]
    #expect(silentArguments(of: description) == [])
    #expect(description?.object?["subcommands"]?.array?.isEmpty == false)
  }

  @Test
  func `inspect looks into files and data sets`() throws {
    func inspect(_ start: String) throws -> [String] {
      try offers("positional@0", of: ["inspect"], ["lcw", "inspect", start])
    }
    #expect(try inspect("mi") == ["middle.lcw"])
    #expect(try inspect("dig") == ["digits", "digits:", "digits/"])
    #expect(try inspect("mnist:mea") == ["mnist:mean="])
  }

  @Test
  func `tensors of the file that is named`() throws {
    try program.run(
      "train", "--architecture", "mlp:hidden=9", "--dataset", "digits", "--epochs", "1", "-o",
      "a.lcw", "--quiet")
    for (command, argument) in [("inspect", "positional@1"), ("extract", "positional@1")] {
      #expect(
        try Set(offers(argument, of: [command], ["lcw", command, "a.lcw", "dense2"]))
          == ["dense2.weight", "dense2.bias"])
    }
    #expect(
      try offers("positional@1", of: ["inspect"], ["lcw", "inspect", "middle.lcw", ""]) == [])
  }

  #if os(Linux)
    @Test
    func `plugins of shared objects are offered, and a broken object says nothing`() throws {
      try program.run("plugin", "link", "RanksExample", "-o", "libranks.so")
      let line = ["lcw", "connect", "-m", "ran"]
      let named = ["lcw", "--plugin", "libranks.so", "connect", "-m", "ran"]
      #expect(try offers("--method", of: ["connect"], line) == [])
      #expect(try offers("--method", of: ["connect"], named).contains("ranks"))
      let folder = ["LCW_PLUGINS": program.folder.url.path]
      #expect(
        try offers("--method", of: ["connect"], line, environment: folder)
          .contains("ranks"))
      try Data().write(to: program.folder.url.appendingPathComponent("libranks.so"))
      let outcome = try program.run(
        ["---completion", "connect", "--", "--method", "3", "3"] + line, environment: folder,
        expecting: 1)
      #expect(outcome.errors.isEmpty && outcome.output.isEmpty)
    }
  #endif

  // MARK: What shells make of it

  /// Runs a script of a shell in which `lcw` is this program.
  /// - Returns: Its output, or nothing if there is no such shell.
  private func output(of shell: String, _ script: String) throws -> [String]? {
    let places = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    guard
      let place = places.first(where: {
        FileManager.default.isExecutableFile(atPath: "\($0)/\(shell)")
      })
    else { return nil }
    let file = program.folder.url.appendingPathComponent(".script")
    try Data(script.utf8).write(to: file)
    let own = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
    let run = try RunningProgram(
      URL(fileURLWithPath: "\(place)/\(shell)"), [file.path],
      environment: [
        "PATH": "\(own):\(places.joined(separator: ":"))",
        "HOME": program.folder.url.appendingPathComponent(".home").path,
      ],
      folder: program.folder.url, input: nil, output: nil, errors: nil
    ).finish()
    #expect(run.status == 0 && run.errors.isEmpty, "\(shell) said \(run.errors)")
    return run.output.split(separator: "\n").map(String.init)
  }

  /// What bash offers for a line's last word.
  /// - Parameter words: The line as bash breaks it.
  private func bash(_ line: String, _ words: [String]) throws -> [String]? {
    // Bash does not count a break to the word behind it.
    let last = words.last.map { [":", "=", ":=", "::"].contains($0) ? "" : $0 } ?? ""
    let quoted = (words.map { "'\($0)'" }).joined(separator: " ")
    return try output(
      of: "bash",
      """
      set -eu
      lcw --generate-completion-script bash > .completion
      . ./.completion
      set +eu
      COMP_LINE='\(line)'
      COMP_POINT=${#COMP_LINE}
      COMP_WORDS=(\(quoted))
      COMP_CWORD=\(words.count - 1)
      COMPREPLY=()
      function=$(complete -p lcw | sed 's/.*-F \\([^ ]*\\).*/\\1/')
      "$function" lcw '\(last)' '\(words.dropLast().last ?? "")'
      printf '%s\\n' "${COMPREPLY[@]}"
      """)
  }

  @Test
  func `bash offers files and plugins, with the words as bash breaks them`() throws {
    func expect(
      _ line: String, _ words: [String], _ offers: [String],
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      guard let found = try bash(line, words) else { return }
      #expect(Set(found) == Set(offers), sourceLocation: sourceLocation)
    }
    try expect("lcw conn", ["lcw", "conn"], ["connect"])
    try expect("lcw help conn", ["lcw", "help", "conn"], ["connect"])
    try expect("lcw connect mid", ["lcw", "connect", "mid"], ["middle.lcw"])
    try expect(
      "lcw connect middle.lcw o", ["lcw", "connect", "middle.lcw", "o"], ["other.npz"])
    try expect("lcw verify middle.lcw a", ["lcw", "verify", "middle.lcw", "a"], ["a file.lcw"])
    try expect(
      "lcw connect middle.lcw other.npz -m ga",
      ["lcw", "connect", "middle.lcw", "other.npz", "-m", "ga"],
      ["garipov", "garipov:", "garipov+"])
    try expect(
      "lcw connect -m ot:cost=in", ["lcw", "connect", "-m", "ot", ":", "cost", "=", "in"],
      ["incoming"])
    try expect("lcw connect -m ot:", ["lcw", "connect", "-m", "ot", ":"], ["path=", "cost="])
    try expect(
      "lcw connect --method=ot+", ["lcw", "connect", "--method", "=", "ot+"],
      ["ot+wa", "ot+bfly", "ot+reset", "ot+repair"])
    try expect(
      "lcw connect -m ot:cost=neuron mid",
      ["lcw", "connect", "-m", "ot", ":", "cost", "=", "neuron", "mid"], ["middle.lcw"])
    try expect(
      "lcw connect -m bijection:model=mid",
      ["lcw", "connect", "-m", "bijection", ":", "model", "=", "mid"], ["middle.lcw"])
    try expect(
      "lcw evaluate --format=m", ["lcw", "evaluate", "--format", "=", "m"], ["markdown"])
    try expect("lcw plugin new d", ["lcw", "plugin", "new", "d"], ["dataset"])
    try expect("lcw fit mid", ["lcw", "fit", "mid"], [])
    try expect("lcw fit flow mid", ["lcw", "fit", "flow", "mid"], ["middle.lcw"])
    try expect("lcw demo --data mo", ["lcw", "demo", "--data", "mo"], ["models"])
    try expect("lcw reproduce dig", ["lcw", "reproduce", "dig"], ["digits", "digits/"])
  }

  @Test
  func `a name of a file that is a command does not run in bash`() throws {
    try Data().write(to: program.folder.url.appendingPathComponent("x$(touch ran).json"))
    guard let found = try bash("lcw reproduce x", ["lcw", "reproduce", "x"]) else { return }
    #expect(found == ["x\\$\\(touch\\ ran\\).json"])
    #expect(
      !FileManager.default.fileExists(
        atPath: program.folder.url.appendingPathComponent("ran").path))
  }

  // What it asks the program for needs a terminal.
  @Test
  func `fish offers files, choices and commands`() throws {
    func fish(_ line: String) throws -> [String]? {
      try output(
        of: "fish",
        """
        lcw --generate-completion-script fish | source
        complete -C '\(line)'
        """
      )?.map { String($0.prefix { $0 != "\t" }) }
    }
    func expect(
      _ line: String, _ offers: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      guard let found = try fish(line) else { return }
      #expect(Set(found) == Set(offers), sourceLocation: sourceLocation)
    }
    try expect("lcw connect mid", ["middle.lcw"])
    try expect("lcw evaluate --format m", ["markdown"])
    try expect("lcw fit flow mid", ["middle.lcw"])
    try expect("lcw help conn", ["connect"])
  }

  @Test
  func `zsh takes the script, with what was put into it`() throws {
    let script = try program.run("--generate-completion-script", "zsh").output
    #expect(script.components(separatedBy: "\n__lcw_complete() {").count == 3)
    let mended = try #require(script.range(of: "compadd -V lcw -a closed"))
    let called = try #require(script.range(of: "${funcstack[1]}"))
    #expect(mended.upperBound < called.lowerBound)
    // Values may stand behind an equals sign.
    #expect(script.contains("\n        '--report=[Write a report of the paths"))
    #expect(script.contains("\n        '*'{--method=,-m}'[A method, such as arc"))
    #expect(script.contains("\n        '--evaluate[Evaluate the paths.]'"))
    _ = try output(of: "zsh", "setopt noexec\n" + script)
  }

  @Test
  func `a host of another name is completed too`() throws {
    let own = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    let host = program.folder.url.appendingPathComponent("lcw-own")
    try FileManager.default.createSymbolicLink(
      at: host, withDestinationURL: own.appendingPathComponent("lcw"))
    let ends = [
      "bash": "complete -F __lcw_complete_words lcw lcw-own\n", "zsh": "#compdef lcw lcw-own\n",
      "fish": "complete -c lcw-own -w lcw\n",
    ]
    for (shell, line) in ends {
      let script = try RunningProgram(
        host, ["--generate-completion-script", shell], environment: [:],
        folder: program.folder.url, input: nil, output: nil, errors: nil
      ).finish().output
      #expect(script.contains(line), "\(shell)")
    }
  }
}

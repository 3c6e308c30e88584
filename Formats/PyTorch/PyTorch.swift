// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import LCWCore
import LCWFiles

/// The files of `torch.save`: a zip of a pickle and of storages, or the stream of these from before
/// PyTorch 1.6.
///
/// The pickle is data to this reader: it is never executed. A `Counter` and a `defaultdict` are
/// dictionaries, and a scalar of NumPy's is a number. An object of another class, such as an
/// `argparse.Namespace`, a path, a date or an array of NumPy's, is never built: it is left out with all
/// that is in it, and named in the notes. A file that is one object, or has no tensors but in
/// objects, is refused, and so is one that names what runs code or reaches files.
///
/// Dictionaries and lists may be nested; the keys and indices that lead to a tensor, joined by
/// dots, are its name: `model_state.fc.0.weight`. A file that is nothing but a tensor holds
/// `tensor`. Numbers, texts and truth values, and lists of up to 256 of these, become metadata
/// under such a name, at most 1024 of them and of texts those up to 4096 bytes; what does not fit
/// is left out, as are `None`, bytes, and the attributes that an `OrderedDict` may have.
public struct PyTorch: CheckpointFormat {
  /// `pytorch`
  public static let name = "pytorch"
  /// What it is.
  public static let summary = "the files of torch.save (state dictionaries and nested ones)"
  /// `pt`, `pth`, `bin`
  public static let fileExtensions = ["pt", "pth", "bin"]

  /// Safetensors, which PyTorch's users read with a library of the same name.
  public static func insteadOfWriting(_ file: String) -> String? {
    let name = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
    return "write \(name).safetensors, which Python reads with "
      + "safetensors.torch.load_file(\"\(name).safetensors\")"
  }

  /// The most dimensions of a tensor, as in PyTorch.
  static let rankLimit = 64

  /// The format, which has no options.
  public init(options: OptionValues) throws {}

  /// The format.
  public init() {}

  /// Whether the bytes are the start of a zip whose first entry is one of PyTorch's, of the legacy
  /// stream, or of the tar from before it.
  public static func recognises(_ start: [UInt8]) -> Bool {
    if LegacyStream.recognises(start) || isLegacyTar(start) { return true }
    guard let name = ZipFile.firstName(in: start), !name.hasSuffix(".npy") else { return false }
    let parts = name.split(separator: "/", maxSplits: 1)
    guard parts.count == 2 else { return false }
    return ["data/", "code/", ".data/"].contains { parts[1].hasPrefix($0) }
      || [
        "data.pkl", "constants.pkl", "version", "byteorder", ".format_version",
        ".storage_alignment",
      ].contains(parts[1])
  }

  /// Whether a file is a zip with a pickle of PyTorch's, though not as one of its first parts: as one
  /// that was packed again.
  public static func recognises(contentsOf file: URL) -> Bool {
    guard let zip = try? ZipFile(file) else { return false }
    return zip.entries.contains { TorchZip.isPickle($0.name) }
  }

  /// Opens a file: reads its pickle and checks that its tensors are within their storages.
  /// - Throws: ``PyTorchError``, `ZipError` if the zip is damaged, and `FileError` if the file
  ///   can't be read.
  public func open(_ file: URL) throws -> any CheckpointSource {
    let input = try InputFile(file)
    let start = try input.prefix(512)
    if Self.isLegacyTar(start) { throw PyTorchError.legacyTar(file: input.path) }
    if LegacyStream.recognises(start) {
      let stream = try LegacyStream(file)
      return try PyTorchReader(pickle: stream.pickle, storages: stream, file: input.path)
    }
    guard start.starts(with: ZipFile.mark) else {
      throw PyTorchError.notPyTorch(
        file: input.path, reason: "it is neither a zip nor a stream of pickles")
    }
    let archive = try TorchZip(file)
    return try PyTorchReader(pickle: archive.pickle, storages: archive, file: input.path)
  }

  /// Whether the bytes start a tar of the parts that PyTorch wrote before version 0.1.10.
  private static func isLegacyTar(_ start: [UInt8]) -> Bool {
    guard start.count >= 262, start[257..<262].elementsEqual("ustar".utf8) else { return false }
    let name = String(decoding: start[..<100].prefix { $0 != 0 }, as: UTF8.self)
    let parts = ["sys_info", "pickle", "tensors", "storages"]
    return parts.contains(name.hasPrefix("./") ? String(name.dropFirst(2)) : name)
  }
}

@section("lcw_plugins") @used
let pyTorchPlugin: PluginRecord = { $0.add(PyTorch.self) }

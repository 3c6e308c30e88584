// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import Testing

/// Whether this build decodes images.
private let areDecoded =
  ((try? PluginRegistry.linked().plugins(of: .dataset).first { $0.name == "images" }?.summary) ?? "")
  .contains("not in this build") == false

@Suite(.enabled(if: areDecoded, "libpng and libjpeg were not there when this was built"))
struct ImagesTests {
  private static let fixtures = Bundle.module.bundleURL
    .appendingPathComponent("Fixtures/images")

  private static func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: fixtures.appendingPathComponent(name)))
  }

  /// What images of these classes are; a class has files and their contents.
  private func images(
    _ classes: [String: [String: [UInt8]]], _ more: String = ""
  ) throws -> any LabelledData {
    try withTemporaryFolder { folder in
      for (name, files) in classes {
        try FileManager.default.createDirectory(
          at: folder.appendingPathComponent("photos/\(name)"), withIntermediateDirectories: true)
        for (file, content) in files {
          try write(content, to: "photos/\(name)/\(file)", in: folder)
        }
      }
      return try data("images:folder=photos" + (more.isEmpty ? "" : ",\(more)"), in: folder)
    }
  }

  private func problem(_ classes: [String: [String: [UInt8]]], _ more: String = "") -> String {
    message { _ = try images(classes, more) } ?? "no error"
  }

  /// The raw pixels of one image, which both splits have.
  private func pixels(_ name: String, _ more: String = "") throws -> [Float] {
    let content = try Self.bytes(name)
    let file = "image.\(name.split(separator: ".").last ?? "")"
    let classes = [
      "train/a": [file: content], "train/b": [file: content], "test/a": [file: content],
    ]
    let data = try images(classes, more.isEmpty ? "scale=1" : "scale=1,\(more)")
    return try data.samples(.test).all
  }

  private static func expected() throws -> [String: [String: [Float]]] {
    let json = try JSONValue(parsing: bytes("expected.json")).object ?? [:]
    return json.mapValues { entry in
      (entry.object ?? [:]).mapValues {
        ($0.array ?? []).compactMap { $0.integer.map { Float($0) } }
      }
    }
  }

  private func largest(_ a: [Float], _ b: [Float]) -> Float {
    a.count == b.count ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
  }

  @Test(arguments: [
    "rgb.png", "grey.png", "palette.png", "bits.png", "grey16.png", "rgba.png", "rgb.jpg",
    "grey.jpg",
    "progressive.jpg",
  ])
  func imagesAreDecodedAsByPillow(name: String) throws {
    let expected = try #require(try Self.expected()[name])
    // Versions of libjpeg round differently; PNG is exact.
    let tolerance: Float = name.hasSuffix("jpg") ? 2 : name == "rgba.png" ? 1 : 0
    let rgb = try #require(expected["rgb"])
    #expect(try largest(pixels(name), rgb) <= tolerance)
    if let grey = expected["grey"] {
      #expect(try largest(pixels(name, "channels=1"), grey) <= max(tolerance, 0))
    }
    // Pillow rounds between columns and rows.
    if let small = expected["small"] {
      #expect(try largest(pixels(name, "size=4x5"), small) <= tolerance + 1)
    }
    if let large = expected["large"] {
      #expect(try largest(pixels(name, "size=31x23"), large) <= tolerance + 1)
    }
  }

  @Test(arguments: [[12, 17], [4, 5], [31, 23], [1, 1], [12, 40], [3, 17]])
  func resizingIsTheTriangleFilter(size: [Int]) throws {
    let (rows, columns) = (size[0], size[1])
    let source = try pixels("grey.png", "channels=1")
    let resized = try pixels("grey.png", "channels=1,size=\(rows)x\(columns)")
    // Both directions at once, by the definition, over the whole image.
    func weight(_ old: Int, _ new: Int, _ oldCount: Int, _ newCount: Int) -> Double {
      let ratio = Double(oldCount) / Double(newCount)
      return max(0, 1 - abs(Double(old) + 0.5 - (Double(new) + 0.5) * ratio) / max(1, ratio))
    }
    for row in 0..<rows {
      for column in 0..<columns {
        var (sum, weights) = (0.0, 0.0)
        for y in 0..<12 {
          for x in 0..<17 {
            let both = weight(y, row, 12, rows) * weight(x, column, 17, columns)
            sum += both * Double(source[y * 17 + x])
            weights += both
          }
        }
        let value = Double(resized[row * columns + column])
        #expect(abs(value - sum / weights) <= 0.5 + 1e-9)
      }
    }
  }

  @Test func foldersAreClasses() throws {
    let png = try Self.bytes("rgb.png")
    let jpeg = try Self.bytes("rgb.jpg")
    let classes = [
      "zebra": ["1.png": png, "2.JPG": jpeg, ".hidden": [1]],
      "Ant": ["1.png": png, "2.jpeg": jpeg],
    ]
    let data = try images(classes, "split=0.25,size=8x6")
    #expect(data.classNames == ["Ant", "zebra"])
    #expect(data.sampleShape == [3, 8, 6])
    let (train, test) = (try data.samples(.train), try data.samples(.test))
    #expect(train.count == 3 && test.count == 1)
    #expect((train.labels + test.labels).sorted() == [0, 0, 1, 1])
    #expect(train.all.allSatisfy { (0...1).contains($0) })
    #expect(data.preprocessing.contains("pixel / 255") && data.preprocessing.contains("8×6"))
    let grey = try images(classes, "channels=1,normalisation=half")
    #expect(grey.sampleShape == [1, 12, 17])
    #expect(try grey.samples(.train).all.contains { $0 < 0 })
  }

  @Test func faultsAreNamedWithTheirFile() throws {
    let png = try Self.bytes("rgb.png")
    let jpeg = try Self.bytes("rgb.jpg")
    let good = ["good.png": png]
    func says(
      _ files: [String: [UInt8]], _ more: String = "", _ file: String, _ part: String,
      sourceLocation: SourceLocation = #_sourceLocation
    ) {
      let text = problem(["a": good, "b": files], more)
      #expect(text.contains("photos/\(file): "), "\(text)", sourceLocation: sourceLocation)
      #expect(text.contains(part), "\(text)", sourceLocation: sourceLocation)
      #expect(!text.contains("\n"), sourceLocation: sourceLocation)
    }
    says(["x.png": Array(png.prefix(png.count / 2))], "", "b/x.png", "can't be decoded")
    says(["x.jpg": Array(jpeg.prefix(jpeg.count * 2 / 3))], "", "b/x.jpg", "can't be decoded")
    says(["x.png": Array(png.prefix(20))], "", "b/x.png", "can't be decoded")
    says(["x.jpg": [0xFF, 0xD8, 0xFF]], "", "b/x.jpg", "can't be decoded")
    says(["x.png": jpeg], "", "b/x.png", "its name says PNG, but its content is JPEG")
    says(["x.png": Array("<html>".utf8)], "", "b/x.png", "neither PNG nor JPEG")
    says(["x.png": []], "", "b/x.png", "neither PNG nor JPEG")
    says(["notes.txt": [1]], "", "b/notes.txt", "not that of a PNG or JPEG file")
    says([:], "", "b", "has no images")
    says(["x.jpg": try Self.bytes("cmyk.jpg")], "", "b/x.jpg", "neither grey nor RGB")
    says(
      ["x.png": try Self.bytes("bomb.png")], "size=4x4", "b/x.png",
      "it has 60000×60000 pixels, more than 100000000")
    says(["x.png": png], "max-bytes=100", "a/good.png", "more than 100; allow more with max-bytes=")
    var flipped = png
    flipped[png.count / 2] ^= 0x55
    says(["x.png": flipped], "", "b/x.png", "can't be decoded")
    let small = problem(["a": good, "b": good], "memory=0.0000001,size=100x100")
    #expect(small.contains("2 images of 100×100 take"))
    #expect(problem(["a": good]).contains("1 folders of images"))
    #expect(problem(["a": good, "b": good], "size=32").contains("rows and columns such as 32x32"))
    #expect(problem(["a": good, "b": good], "channels=2").contains("expected 1 or 3"))
    #expect(
      problem(["train/a": good, "train/b": good, "test/c": good]).contains(
        "does not occur in the training set, whose classes are a, b"))
    #expect(
      problem(["train/a": good, "train/b": good, "test/a": good], "split=0.5").contains(
        "a test set is named"))
  }

  @Test(arguments: ["val", "valid", "validation"])
  func aValidationFolderIsATestSet(name: String) throws {
    let good = ["good.png": try Self.bytes("rgb.png")]
    let data = try images([
      "train/a": good, "train/b": good, "\(name)/a": good, "\(name)/b": good,
    ])
    #expect(try data.samples(.train).count == 2 && data.samples(.test).count == 2)
    #expect(data.classNames == ["a", "b"])
    #expect(data.preprocessing.contains("the test set is the folder ‘\(name)’"))
    // Folders of these names with images in them are classes.
    #expect(try images(["train": good, name: good]).classNames == ["train", name])
  }

  @Test func trainAloneIsTold() throws {
    let good = ["good.png": try Self.bytes("rgb.png")]
    let text = problem(["train/a": good, "train/b": good, "other/a": good])
    #expect(text.contains("‘train’ has no ‘test’ or ‘val’ beside it"), "\(text)")
  }

  @Test func onlyResizedImagesAreCalledSo() throws {
    let good = ["good.png": try Self.bytes("rgb.png")]
    let classes = ["train/a": good, "train/b": good, "test/a": good]
    #expect(try images(classes).preprocessing == "pixel / 255")
    #expect(try images(classes, "size=4x5").preprocessing == "pixel / 255; resized to 4×5")
  }

  @Test func imagesOfOtherSizesNeedASize() throws {
    let text = problem(
      [
        "a": ["x.png": try Self.bytes("rgb.png")],
        "b": ["x.png": try Self.bytes("bomb.png")],
      ], "max-pixels=10000000000")
    #expect(text.contains("b/x.png: it has 60000×60000 pixels, unlike"))
    #expect(text.contains("resize all with size="))
  }
}

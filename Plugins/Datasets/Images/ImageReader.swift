// SPDX-License-Identifier: Apache-2.0
import CImages
import Foundation
import LCWCore
import LCWFiles

/// Rows and columns of pixels.
struct PixelSize: Hashable {
  var rows: Int
  var columns: Int

  var count: Int { rows * columns }
}

/// Decodes images and brings them to one size and number of channels.
struct ImageReader: Sendable {
  /// The size that images are resized to; nothing where all have one.
  var size: PixelSize?
  var channels: Int
  var pixelLimit: Int
  var byteLimit: Int

  /// The size that all images have.
  /// - Throws: ``DataError`` that names the first of another size.
  func commonSize(of tree: ImageTree) throws -> PixelSize {
    var first: (file: URL, size: PixelSize)?
    for file in (tree.train + (tree.test ?? [])).flatMap(\.files) {
      let size = try open(file).size
      if let first, first.size != size {
        throw DataError.damaged(
          file: file.path,
          reason: "it has \(size.rows)×\(size.columns) pixels, unlike \(first.file.path) with "
            + "\(first.size.rows)×\(first.size.columns); resize all with size=, as size=32x32")
      }
      first = first ?? (file, size)
    }
    return first?.size ?? PixelSize(rows: 0, columns: 0)
  }

  /// The pixels of a file, channel by channel and row by row.
  func pixels(of file: URL, _ size: PixelSize) throws -> [UInt8] {
    let image = try decoded(file)
    let planes = image.planes(channels: channels)
    return planes.flatMap { plane in
      plane.size == size ? plane.values : plane.resized(to: size).values
    }
  }

  /// A file whose header was read.
  private struct Opened {
    var kind: ImageKind
    var bytes: [UInt8]
    var header: LCWImageHeader
    var size: PixelSize {
      PixelSize(rows: Int(header.height), columns: Int(header.width))
    }
  }

  private func open(_ file: URL) throws -> Opened {
    let input = try InputFile(file)
    guard input.size <= byteLimit else {
      throw DataError.damaged(
        file: file.path,
        reason: "it has \(input.size) bytes, more than \(byteLimit); allow more with max-bytes=")
    }
    let bytes = try input.bytes(in: 0..<input.size)
    guard let kind = ImageKind(content: bytes) else {
      throw DataError.damaged(file: file.path, reason: "its content is neither PNG nor JPEG")
    }
    if let named = ImageKind(fileName: file.lastPathComponent), named != kind {
      throw DataError.damaged(
        file: file.path,
        reason: "its name says \(named.rawValue), but its content is \(kind.rawValue)")
    }
    var header = LCWImageHeader()
    try checked(file) { message in
      kind == .png
        ? lcw_png_header(bytes, bytes.count, &header, &message)
        : lcw_jpeg_header(bytes, bytes.count, &header, &message)
    }
    let (rows, columns) = (Int(header.height), Int(header.width))
    guard rows > 0, columns > 0, rows * columns <= pixelLimit else {
      throw DataError.damaged(
        file: file.path,
        reason:
          "it has \(rows)×\(columns) pixels, more than \(pixelLimit); allow more with max-pixels=")
    }
    return Opened(kind: kind, bytes: bytes, header: header)
  }

  private func decoded(_ file: URL) throws -> DecodedImage {
    var opened = try open(file)
    var pixels = [UInt8](repeating: 0, count: opened.size.count * Int(opened.header.channels))
    let (bytes, kind) = (opened.bytes, opened.kind)
    try checked(file) { message in
      kind == .png
        ? lcw_png_decode(bytes, bytes.count, &opened.header, &pixels, &message)
        : lcw_jpeg_decode(bytes, bytes.count, &opened.header, &pixels, &message)
    }
    return DecodedImage(
      size: opened.size, channels: Int(opened.header.channels), pixels: pixels)
  }

  /// Calls a decoder, and throws what it says where it fails.
  private func checked(
    _ file: URL, _ decode: (inout [CChar]) -> Int32
  ) throws(DataError) {
    var message = [CChar](repeating: 0, count: Int(LCW_IMAGE_MESSAGE))
    guard decode(&message) == 0 else {
      let text = String(
        decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      throw .damaged(file: file.path, reason: "the image can't be decoded: \(text.asOneLine)")
    }
  }
}

/// An image as a file has it: pixels behind one another, row by row.
struct DecodedImage {
  var size: PixelSize
  /// 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
  var channels: Int
  var pixels: [UInt8]

  /// The planes of grey, or of red, green and blue. What is transparent is mixed with black.
  func planes(channels wanted: Int) -> [Plane] {
    let hasAlpha = channels % 2 == 0
    let colours = channels - (hasAlpha ? 1 : 0)
    var planes = (0..<colours).map { channel in
      (0..<size.count).map { pixel in
        let value = pixels[pixel * channels + channel]
        guard hasAlpha else { return value }
        let alpha = Int(pixels[pixel * channels + colours])
        return UInt8((Int(value) * alpha + 127) / 255)
      }
    }
    if wanted == 1, colours == 3 {
      // The luma of ITU-R BT.601, in 16 bits behind the point.
      planes = [
        (0..<size.count).map { pixel in
          let sum =
            Int(planes[0][pixel]) * 19595 + Int(planes[1][pixel]) * 38470
            + Int(planes[2][pixel]) * 7471
          return UInt8((sum + 1 << 15) >> 16)
        }
      ]
    } else if wanted == 3, colours == 1 {
      planes = [planes[0], planes[0], planes[0]]
    }
    return planes.map { Plane(size: size, values: $0) }
  }
}

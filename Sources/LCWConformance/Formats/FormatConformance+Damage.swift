// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics

extension FormatConformance {
  /// What becomes of a file that is opened and read whole.
  private enum Outcome {
    case content(Checkpoint)
    case refused(any DescribedError)
    case undescribed(any Error)
  }

  private func outcome(of file: URL) -> Outcome {
    do { return .content(try Checkpoint(reading: format.open(file))) } catch let error
      as any DescribedError
    { return .refused(error) } catch { return .undescribed(error) }
  }

  /// The most damaged versions of a file that are tried.
  private static let most = 1000

  /// A whole file, and what becomes of it when it is damaged.
  func brokenReading(_ original: URL, _ folder: URL) throws -> [BrokenProperty] {
    var broken: [BrokenProperty] = []
    let bytes = [UInt8](try Data(contentsOf: original))
    if !type.recognises(Array(bytes.prefix(4096))), !type.recognises(contentsOf: original) {
      broken.add(.recognisesFiles, "\(original.lastPathComponent) is not taken for the format")
    }
    let whole = try format.open(original)
    let expected = try Checkpoint(reading: whole)
    do {
      _ = try whole.tensor(named: "no such tensor")
      broken.add(.refusesMissingTensors, "a tensor that is not there can be read")
    } catch is any DescribedError {
    } catch {
      broken.add(.refusesMissingTensors, "refused by \(error)")
    }
    let damaged = folder.appendingPathComponent("damaged.\(original.pathExtension)")
    broken += try brokenCuts(bytes, expected, damaged)
    broken += try brokenFlips(bytes, expected, damaged)
    return broken
  }

  private func brokenCuts(
    _ bytes: [UInt8], _ expected: Checkpoint, _ file: URL
  ) throws -> [BrokenProperty] {
    for length in stride(from: 0, to: bytes.count, by: max(1, bytes.count / Self.most)) {
      try Data(bytes[..<length]).write(to: file)
      let what = "the first \(length) of \(bytes.count) bytes"
      switch outcome(of: file) {
      case .content(let found):
        if let difference = Self.difference(found, expected) {
          return [BrokenProperty(.refusesCuts, "\(what) are read, and \(difference)")]
        }
      case .refused(let error):
        guard "\(error)".contains(file.lastPathComponent) else {
          return [BrokenProperty(.namesFiles, "\(what): \(error)")]
        }
      case .undescribed(let error):
        return [BrokenProperty(.refusesCuts, "\(what) are refused by \(error)")]
      }
    }
    return []
  }

  private func brokenFlips(
    _ bytes: [UInt8], _ expected: Checkpoint, _ file: URL
  ) throws -> [BrokenProperty] {
    var bytes = bytes
    var random = RandomStream(seed: 6)
    let flips = bytes.count * 8
    for flip in stride(from: 0, to: flips, by: max(1, flips / Self.most)) {
      // One of the bits that a step passes, so that not always the same one of a byte is flipped.
      let place = min(flips - 1, flip + random.integer(below: max(1, flips / Self.most)))
      bytes[place / 8] ^= 1 << UInt8(place % 8)
      defer { bytes[place / 8] ^= 1 << UInt8(place % 8) }
      try Data(bytes).write(to: file)
      let what = "with bit \(place % 8) of byte \(place / 8) flipped"
      switch outcome(of: file) {
      case .content(let found):
        if isChecksummed, let difference = Self.difference(found, expected) {
          return [BrokenProperty(.refusesFlips, "\(what) the file is read, and \(difference)")]
        }
      case .refused(let error):
        guard "\(error)".contains(file.lastPathComponent) else {
          return [BrokenProperty(.namesFiles, "\(what): \(error)")]
        }
      case .undescribed(let error):
        return [BrokenProperty(.refusesFlips, "\(what) the file is refused by \(error)")]
      }
    }
    return []
  }
}

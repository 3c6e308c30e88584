// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import Testing

/// Batches of the Python version, which Tests/Reference/cifar_pickles.py wrote.
@Suite struct PythonCIFARTests {
  private func fixture(_ name: String) throws -> [UInt8] {
    let folder = try #require(
      Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    return Array(try Data(contentsOf: folder.appendingPathComponent("cifar/\(name)")))
  }

  /// The test samples of a data set whose test batch has these bytes.
  private func samples(
    _ bytes: [UInt8], reference: String = "cifar10:scale=1,normalisation=none",
    file: String = "cifar-10-batches-py/test_batch"
  ) throws -> SampleSet {
    try withTemporaryFolder { folder in
      try write(bytes, to: file, in: folder)
      return try dataset(reference).samples(.test, in: DataLocations(folders: [folder]))
    }
  }

  private func pixels(of image: Int) -> [Float] {
    (0..<3072).map { Float((7 * image + 13 * $0) % 256) }
  }

  @Test(arguments: ["python2", "protocol2", "protocol3", "protocol4", "protocol5"])
  func everyProtocolIsRead(name: String) throws {
    let samples = try samples(fixture(name))
    #expect(samples.labels == [9, 0, 4])
    for image in 0..<3 {
      #expect(samples.block(image..<image + 1).elements == pixels(of: image))
    }
  }

  @Test(arguments: [
    "cifar-10-batches-py/", "cifar10/", "cifar10/cifar-10-batches-py/", "",
  ])
  func batchesAreFoundWhereTheyAreUnpacked(folder: String) throws {
    #expect(try samples(fixture("python2"), file: "\(folder)test_batch").count == 3)
  }

  @Test func aPickleUnderTheBinaryFilesNameIsRead() throws {
    #expect(try samples(fixture("python2"), file: "cifar10/test_batch.bin").count == 3)
  }

  @Test(arguments: [("", [Int32(99), 0, 51]), ("labels=coarse,", [19, 4, 0])])
  func fineOrCoarseLabels(option: String, labels: [Int32]) throws {
    let samples = try samples(
      fixture("python2-100"), reference: "cifar100:\(option)scale=1,normalisation=none",
      file: "cifar-100-python/test")
    #expect(samples.labels == labels)
    #expect(samples.block(2..<3).elements == pixels(of: 2))
  }

  @Test(arguments: [
    ("calls", "it is no pickle of a CIFAR batch: it calls ‘posix.mkdir’, which a batch of CIFAR"),
    ("floats", "its ‘data’ is no array of unsigned bytes with 3072 columns, row by row"),
    ("columns", "its ‘data’ is no array of unsigned bytes with 3072 columns, row by row"),
    ("short", "its ‘labels’ is no list of 1 integers, one for each row of ‘data’"),
    ("nameless", "its dictionary has no ‘labels’, only: data"),
    ("beyond", "label 10 of record 0 is not from 0 to 9"),
    ("list", "it is no pickle of a CIFAR batch: it holds no dictionary"),
    ("python2-100", "its dictionary has no ‘labels’, only: batch_label, coarse_labels, data"),
  ])
  func whatIsNoBatchIsNamed(name: String, says: String) throws {
    let text = try #require(message { _ = try samples(fixture(name)) })
    #expect(text.contains("cifar-10-batches-py/test_batch: \(says)"), "\(text)")
    #expect(!FileManager.default.fileExists(atPath: "called-by-a-pickle"))
  }

  @Test(arguments: ["python2", "protocol2", "protocol4", "protocol5"])
  func aBatchThatBreaksOffOrIsDamagedIsRefusedOrRead(name: String) throws {
    let bytes = try fixture(name)
    // Much of what is no pixel, and some of those.
    for length in Array(stride(from: 1, to: 400, by: 7)) + [
      5000, bytes.count - 100, bytes.count - 1,
    ] {
      let text = message { _ = try samples(Array(bytes[..<length])) }
      #expect(text?.contains("test_batch: ") == true, "\(length)")
    }
    let codes: [UInt8] = [0, 0x28, 0x52, 0x62, 0x65, 0x68, 0x80, 0x95, 0xFF]
    for position in 0..<300 {
      for byte in [codes[position % 9], codes[(position + 4) % 9]] {
        var damaged = bytes
        damaged[position] = byte
        // Whatever comes of it, it is samples or a described error.
        do { _ = try samples(damaged) } catch {
          #expect(error is any DescribedError, "\(position), \(byte): \(error)")
        }
      }
    }
  }
}

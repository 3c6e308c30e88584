// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import Testing

/// Binary files in which pixel bytes differ from record to record.
private func records(_ labels: [[UInt8]], seed: Int) -> [UInt8] {
  labels.enumerated().flatMap { $1 + noise(3072, seed: 100 * seed + $0) }
}

@Suite struct CIFARTests {
  private func writeCIFAR10(to folder: URL, prefix: String) throws {
    for batch in 1...5 {
      let labels = [[UInt8(batch)], [UInt8(batch + 4)]]
      try write(records(labels, seed: batch), to: "\(prefix)data_batch_\(batch).bin", in: folder)
    }
    try write(records([[3]], seed: 6), to: "\(prefix)test_batch.bin", in: folder)
  }

  @Test(arguments: [
    "cifar10/", "cifar-10-batches-bin/", "cifar10/cifar-10-batches-bin/", "",
  ])
  func theBatchesAreReadInOrder(prefix: String) throws {
    try withTemporaryFolder { folder in
      try writeCIFAR10(to: folder, prefix: prefix)
      let cifar = try dataset("cifar10")
      let train = try cifar.samples(.train, in: DataLocations(folders: [folder]))
      let test = try cifar.samples(.test, in: DataLocations(folders: [folder]))
      #expect(cifar.classes == 10)
      #expect(train.sampleShape == [3, 32, 32])
      #expect(train.labels == [1, 5, 2, 6, 3, 7, 4, 8, 5, 9])
      #expect(test.labels == [3])
      #expect(train.augmentation == SampleSet.Augmentation(flips: true, padding: 4))
      #expect(test.augmentation == nil)
      let second = train.block(3..<4)
      expectNormalised(second, noise(3072, seed: 201))
      expectNormalised(test.block(0..<1), noise(3072, seed: 600))
    }
  }

  private func expectNormalised(_ block: Tensor, _ bytes: [UInt8]) {
    #expect(block.shape == [1, 3, 32, 32])
    let (mean, deviation) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    let largest = bytes.indices.map { index in
      let channel = index / 1024
      let expected = (Double(bytes[index]) / 255 - mean[channel]) / deviation[channel]
      return abs(Double(block.elements[index]) - expected)
    }.max()
    #expect((largest ?? .infinity) < 1e-6)
  }

  @Test func moreRecordsThanABlockAreReadWhole() throws {
    try withTemporaryFolder { folder in
      let labels = (0..<2500).map { [UInt8($0 % 20), UInt8($0 % 100)] }
      let bytes = records(labels, seed: 1)
      try write(bytes, to: "cifar100/train.bin", in: folder)
      let samples = try dataset("cifar100").samples(.train, in: DataLocations(folders: [folder]))
      #expect(samples.labels == labels.map { Int32($0[1]) })
      for index in [0, 999, 1000, 2499] {
        expectNormalised(samples.block(index..<index + 1), noise(3072, seed: 100 + index))
      }
    }
  }

  @Test(arguments: [
    ("cifar100", 100, [Int32(99), 0, 51]), ("cifar100:labels=fine", 100, [99, 0, 51]),
    ("cifar100:labels=coarse", 20, [19, 4, 0]),
  ])
  func fineOrCoarseLabels(reference: String, classes: Int, labels: [Int32]) throws {
    for prefix in ["cifar100/", "cifar-100-binary/", "cifar100/cifar-100-binary/", ""] {
      try withTemporaryFolder { folder in
        let bytes = records([[19, 99], [4, 0], [0, 51]], seed: 1)
        try write(bytes, to: "\(prefix)test.bin", in: folder)
        let cifar = try dataset(reference)
        let samples = try cifar.samples(.test, in: DataLocations(folders: [folder]))
        #expect(cifar.classes == classes)
        #expect(samples.classes == classes)
        #expect(samples.labels == labels)
        expectNormalised(samples.block(2..<3), noise(3072, seed: 102))
      }
    }
  }

  @Test(arguments: ["cifar10", "cifar100"])
  func augmentationCanBeLeftOut(name: String) throws {
    try withTemporaryFolder { folder in
      try writeCIFAR10(to: folder, prefix: "")
      try write(records([[1, 2]], seed: 9), to: "train.bin", in: folder)
      for (option, isAugmented) in [("", true), (":augment=true", true), (":augment=false", false)]
      {
        let cifar = try dataset(name + option)
        let samples = try cifar.samples(.train, in: DataLocations(folders: [folder]))
        #expect((samples.augmentation != nil) == isAugmented)
        #expect(cifar.preprocessing.contains("0.485, 0.456, 0.406"))
        #expect(cifar.preprocessing.contains("0.229, 0.224, 0.225"))
        #expect(cifar.preprocessing.contains("padded by 4") == isAugmented)
      }
    }
  }

  @Test(arguments: [
    ("cifar10", DataSplit.train, "cifar10/data_batch_1.bin", "cifar-10-batches-bin"),
    ("cifar10", .test, "cifar10/test_batch.bin", "cifar-10-batches-bin"),
    ("cifar100", .train, "cifar100/train.bin", "cifar-100-binary"),
  ])
  func aMissingFileIsNamedWithFolderAndAdvice(
    name: String, split: DataSplit, file: String, archiveFolder: String
  ) throws {
    let folder = URL(fileURLWithPath: "/nowhere/at-all", isDirectory: true)
    let error = #expect(throws: DataError.self) {
      try dataset(name).samples(split, in: DataLocations(folders: [folder]))
    }
    #expect(error?.category == .missingFile)
    let text = error?.description ?? ""
    #expect(text.hasPrefix("\(file) is not in /nowhere/at-all; "))
    #expect(text.contains("Alex Krizhevsky's page") && text.contains(archiveFolder))
  }

  @Test func aMissingBatchIsNamed() throws {
    try withTemporaryFolder { folder in
      try writeCIFAR10(to: folder, prefix: "")
      try FileManager.default.removeItem(at: folder.appendingPathComponent("data_batch_4.bin"))
      let text = message {
        _ = try dataset("cifar10").samples(.train, in: DataLocations(folders: [folder]))
      }
      #expect(text?.hasPrefix("cifar10/data_batch_4.bin is not in \(folder.path)") == true)
    }
  }

  @Test(arguments: [
    (-1, "its records are of 3073 bytes, but its 6145 bytes are no positive whole number of them"),
    (1, "but its 6147 bytes are no positive whole number of them"),
    (-6146, "but its 0 bytes are no positive whole number of them"),
  ])
  func aFileOfAnotherLengthIsRefused(change: Int, says: String) throws {
    try withTemporaryFolder { folder in
      try writeCIFAR10(to: folder, prefix: "cifar10/")
      let whole = records([[0], [1]], seed: 1)
      let bytes = change > 0 ? whole + noise(change, seed: 1) : whole.dropLast(-change)
      try write(bytes, to: "cifar10/data_batch_3.bin", in: folder)
      let text = message {
        _ = try dataset("cifar10").samples(.train, in: DataLocations(folders: [folder]))
      }
      #expect(text?.hasPrefix("\(folder.path)/cifar10/data_batch_3.bin: ") == true)
      #expect(text?.contains(says) == true, "\(text ?? "no error")")
    }
  }

  @Test(arguments: [
    ("cifar10", "test_batch.bin", [[UInt8(9)], [10]], "label 10 of record 1 is not from 0 to 9"),
    ("cifar100", "test.bin", [[19, 99], [0, 100]], "label 100 of record 1 is not from 0 to 99"),
    ("cifar100", "test.bin", [[20, 99]], "label 20 of record 0 is not from 0 to 19"),
    (
      "cifar100:labels=coarse", "test.bin", [[1, 255]],
      "label 255 of record 0 is not from 0 to 99"
    ),
  ])
  func aLabelOutOfRangeIsRefused(
    reference: String, file: String, labels: [[UInt8]], says: String
  ) throws {
    try withTemporaryFolder { folder in
      try write(records(labels, seed: 1), to: file, in: folder)
      let text = message {
        _ = try dataset(reference).samples(.test, in: DataLocations(folders: [folder]))
      }
      #expect(text == "\(folder.path)/\(file): \(says)")
    }
  }

  @Test(arguments: ["cifar10:augment=maybe", "cifar10:labels=fine", "cifar100:labels=both"])
  func aWrongOptionIsRefused(reference: String) {
    #expect(throws: PluginError.self) { try dataset(reference) }
  }
}

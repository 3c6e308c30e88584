// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import Testing

@Suite struct ArraysTests {
  private func tensor(
    _ type: ElementType, _ shape: Shape, _ values: [Int]
  ) throws -> StoredTensor {
    let bytes: [UInt8]
    switch type {
    case .uint8, .int8, .bool: bytes = values.map { UInt8(truncatingIfNeeded: $0) }
    case .int64:
      bytes = values.flatMap { value in withUnsafeBytes(of: Int64(value).littleEndian, Array.init) }
    case .int32:
      bytes = values.flatMap { value in withUnsafeBytes(of: Int32(value).littleEndian, Array.init) }
    case .int16:
      bytes = values.flatMap { value in withUnsafeBytes(of: Int16(value).littleEndian, Array.init) }
    case .float64:
      bytes = values.flatMap { value in
        withUnsafeBytes(of: Double(value).bitPattern.littleEndian, Array.init)
      }
    default:
      let floats = StoredTensor(try Tensor(values.map { Float($0) }, shape: shape))
      return floats.converted(to: type)
    }
    return try StoredTensor(elementType: type, shape: shape, bytes: bytes)
  }

  private func save(_ tensors: [(String, StoredTensor)], to name: String, in folder: URL) throws {
    let format = name.hasSuffix(".safetensors") ? "safetensors" : "numpy"
    let checkpoint = Checkpoint(tensors: tensors.map { NamedTensor($0.0, $0.1) })
    try PluginRegistry.linked().format(PluginReference(name: format))
      .write(checkpoint, to: folder.appendingPathComponent(name))
  }

  /// What a file `x.npz` of these arrays is, with more options behind the file's.
  private func arrays(
    _ tensors: [(String, StoredTensor)], _ more: String = "", test: [(String, StoredTensor)]? = nil,
    file: String = "x.npz"
  ) throws -> any LabelledData {
    try withTemporaryFolder { folder in
      try save(tensors, to: file, in: folder)
      let testFile = file.replacingOccurrences(of: "x.", with: "t.")
      if let test { try save(test, to: testFile, in: folder) }
      let options = (test == nil ? "" : ",test=\(testFile)") + (more.isEmpty ? "" : ",\(more)")
      return try data("arrays:train=\(file)\(options)", in: folder)
    }
  }

  private func problem(
    _ tensors: [(String, StoredTensor)], _ more: String = "", test: [(String, StoredTensor)]? = nil
  ) -> String {
    message { _ = try arrays(tensors, more, test: test) } ?? "no error"
  }

  @Test(
    arguments: [ElementType.float64, .float32, .float16, .bfloat16, .int64, .int32, .int16, .int8])
  func allTypesBecomeFloats(type: ElementType) throws {
    let x = try tensor(type, [3, 2], [1, -2, 3, -4, 5, 6])
    let y = try tensor(.int64, [3], [0, 1, 0])
    // NumPy has no type of its own for bfloat16.
    for file in ["x.npz", "x.safetensors"] where type != .bfloat16 || file != "x.npz" {
      let data = try arrays([("x", x), ("y", y)], test: [("X", x), ("Y", y)], file: file)
      #expect(try data.samples(.train).all == [1, -2, 3, -4, 5, 6])
      #expect(try data.samples(.test).all == [1, -2, 3, -4, 5, 6])
      #expect(try data.samples(.train).labels == [0, 1, 0])
      #expect(data.sampleShape == [2] && data.classes == 2 && data.classNames == nil)
    }
  }

  @Test func bytesAreDividedBy255() throws {
    let x = try tensor(.uint8, [2, 1, 2, 2], [0, 51, 102, 255, 255, 0, 0, 0])
    let y = try tensor(.uint8, [2, 1], [1, 0])
    let data = try arrays([("images", x), ("labels", y)], test: [("images", x), ("labels", y)])
    let expected: [Float] = [0, 0.2, 0.4, 1, 1, 0, 0, 0]
    for (value, wanted) in zip(try data.samples(.train).all, expected) {
      #expect(abs(value - wanted) < 1e-6)
    }
    #expect(data.preprocessing == "value / 255")
    let plain = try arrays(
      [("images", x), ("labels", y)], "scale=1", test: [("images", x), ("labels", y)])
    #expect(try plain.samples(.train).all == [0, 51, 102, 255, 255, 0, 0, 0])
  }

  @Test func oneFileMayHoldBothSplits() throws {
    let x = try tensor(.float32, [3, 1], [1, 2, 3])
    let t = try tensor(.float32, [2, 1], [8, 9])
    let data = try arrays([
      ("x_train", x), ("y_train", try tensor(.int64, [3], [0, 1, 2])), ("x_test", t),
      ("y_test", try tensor(.int64, [2], [2, 0])),
    ])
    #expect(try data.samples(.train).all == [1, 2, 3])
    #expect(try data.samples(.test).all == [8, 9])
    #expect(try data.samples(.test).labels == [2, 0])
  }

  @Test func `samples sorted by class are shuffled, others keep their order`() throws {
    let count = 120
    let x = try tensor(.float32, [count, 1], Array(0..<count))
    for (isSorted, labels) in [
      (true, (0..<count).map { $0 / 40 }), (false, (0..<count).map { $0 % 3 }),
    ] {
      let y = try tensor(.int64, [count], labels)
      let data = try arrays([("x_train", x), ("y_train", y), ("x_test", x), ("y_test", y)])
      for part in [DataSplit.train, .test] {
        let samples = try data.samples(part)
        #expect((samples.all == (0..<count).map(Float.init)) == !isSorted)
        #expect(Set(samples.labels.prefix(20)).count == 3)
        for (value, label) in zip(samples.all, samples.labels) {
          #expect(Int(label) == labels[Int(value)])
        }
      }
    }
  }

  @Test func labelsMayBeAFileOfTheirOwn() throws {
    try withTemporaryFolder { folder in
      try save(
        [("array", tensor(.float32, [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]))], to: "x.npy", in: folder)
      try save([("array", tensor(.int32, [4], [5, 7, 5, 7]))], to: "y.npy", in: folder)
      let data = try data("arrays:train=x.npy,train-labels=y.npy,split=0.5,seed=3", in: folder)
      #expect(data.classNames == ["5", "7"])
      let (train, test) = (try data.samples(.train), try data.samples(.test))
      #expect(train.count == 2 && test.count == 2)
      let rows = zip(train.all + test.all, 0...).filter { $0.1 % 2 == 0 }.map(\.0)
      #expect(rows.sorted() == [1, 3, 5, 7])
      for (value, label) in zip(rows, train.labels + test.labels) {
        #expect(label == (value == 1 || value == 5 ? 0 : 1))
      }
    }
  }

  @Test func arraysAreNamed() throws {
    let x = try tensor(.float32, [2, 1], [1, 2])
    let y = try tensor(.int64, [2], [0, 1])
    let both = [("a", x), ("b", y), ("c", x)]
    #expect(
      problem(both).contains("no array has a usual name of samples, such as x; it has a, b, c"))
    #expect(
      problem(both, "samples=d,labels=b").contains("there is no array ‘d’, which samples= names"))
    let data = try arrays(both, "samples=c,labels=b")
    #expect(data.classes == 2)
    #expect(
      problem([("x", x), ("data", x), ("y", y)]).contains("‘x’ and ‘data’ may be the samples"))
    #expect(problem([("x", x)]).contains("name the file of the labels with train-labels="))
  }

  @Test func aFileOfSamplesAloneNeedsOneOfLabels() throws {
    try withTemporaryFolder { folder in
      try save([("array", tensor(.float32, [2, 1], [1, 2]))], to: "x.npy", in: folder)
      let alone = message { _ = try data("arrays:train=x.npy", in: folder) }
      #expect(
        alone?.contains(
          "x.npy: it has one array and no labels beside it; name the file of the labels with "
            + "train-labels=") == true)
    }
  }

  @Test func labelsOfWordsAreToldHowToBeNumbers() throws {
    try withTemporaryFolder { folder in
      try save([("array", tensor(.float32, [2, 1], [1, 2]))], to: "x.npy", in: folder)
      // An array of NumPy with two texts of a character: format 1.0, whose header has 118 bytes.
      let dictionary = "{'descr': '<U1', 'fortran_order': False, 'shape': (2,), }"
      let padding = String(repeating: " ", count: 117 - dictionary.utf8.count)
      let file: [UInt8] =
        [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array((dictionary + padding + "\n").utf8)
        + [97, 0, 0, 0, 98, 0, 0, 0]
      try write(file, to: "y.npy", in: folder)
      let text = message { _ = try data("arrays:train=x.npy,train-labels=y.npy", in: folder) } ?? ""
      #expect(text.contains("y.npy, array ‘"), "\(text)")
      #expect(text.contains("of type ‘<U1’, but labels are whole numbers here"), "\(text)")
      #expect(text.contains("np.unique(y, return_inverse=True)"), "\(text)")
    }
  }

  @Test func aLabelThatDoublesDoNotTellApartIsTooLarge() throws {
    let x = try tensor(.float32, [2, 1], [1, 2])
    let text = problem([("x", x), ("y", try tensor(.int64, [2], [0, 9_007_199_254_740_993]))])
    #expect(text.contains("array ‘y’: label") && text.contains("is too large"), "\(text)")
  }

  @Test func samplesOfOneFileAreToldApartByTheirArrays() throws {
    let y = try tensor(.int64, [2], [0, 1])
    let text = problem([
      ("x_train", try tensor(.float32, [2, 3], [1, 2, 3, 4, 5, 6])), ("y_train", y),
      ("x_test", try tensor(.float32, [2, 2], [1, 2, 3, 4])), ("y_test", y),
    ])
    #expect(
      text.contains("the samples of ‘x_test’ are [2], but those of ‘x_train’ are [3]"), "\(text)")
  }

  @Test func imagesMayHaveTheirChannelsLast() throws {
    let x = try tensor(.uint8, [2, 1, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    let y = try tensor(.int64, [2], [0, 1])
    let data = try arrays(
      [("x", x), ("y", y)], "channels=last,scale=1", test: [("x", x), ("y", y)])
    #expect(data.sampleShape == [3, 1, 2])
    #expect(try data.samples(.train).all == [1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12])
    let flat = try arrays([("x", x), ("y", y)], "shape=6", test: [("x", x), ("y", y)])
    #expect(flat.sampleShape == [6])
    let vector = try tensor(.float32, [2], [1, 2])
    #expect(try arrays([("x", vector), ("y", y)]).sampleShape == [1])
  }

  @Test func faultsAreNamedWithTheirPlace() throws {
    let x = try tensor(.float32, [3, 2], [1, 2, 3, 4, 5, 6])
    let y = try tensor(.int64, [3], [0, 1, 0])
    func says(_ text: String, _ part: String, sourceLocation: SourceLocation = #_sourceLocation) {
      #expect(text.contains(part), "\(text)", sourceLocation: sourceLocation)
      #expect(!text.contains("\n"), sourceLocation: sourceLocation)
    }
    var values: [Float] = [1, 2, 3, .nan, 5, 6]
    let broken = StoredTensor(try Tensor(values, shape: [3, 2]))
    says(problem([("x", broken), ("y", y)]), "array ‘x’: value 1 of sample 1 is not a number")
    let complex = try StoredTensor(
      elementType: .complex64, shape: [3, 2], bytes: [UInt8](repeating: 0, count: 48))
    says(problem([("x", complex), ("y", y)]), "array ‘x’: its elements are complex numbers (c64)")
    values[3] = .infinity
    let large = StoredTensor(try Tensor(values, shape: [3, 2]))
    says(problem([("x", large), ("y", y)]), "value 1 of sample 1 is infinite")
    says(
      problem([("x", x), ("y", try tensor(.int64, [2], [0, 1]))]),
      "array ‘y’: it has 2 labels, but there are 3 samples")
    says(
      problem([("x", x), ("y", try tensor(.int64, [3, 2], [0, 1, 0, 1, 1, 0]))]),
      "as argmax tells it")
    says(
      problem([("x", x), ("y", try tensor(.int64, [3], [0, 0, 0]))]), "all labels are ‘0’")
    says(
      problem([("x", try tensor(.float32, [0, 2], [])), ("y", try tensor(.int64, [0], []))]),
      "it has no samples")
    says(
      problem([("x", x), ("y", StoredTensor(try Tensor([0, 0.5, 1], shape: [3])))]),
      "label 0.5 of sample 1 is not a whole number")
    says(
      problem([("x", x), ("y", y)], test: [("x", x), ("y", try tensor(.int64, [3], [0, 1, 2]))]),
      "label 2 of sample 2 does not occur in the training set, whose classes are 0 to 1")
    says(
      problem(
        [("x", x), ("y", y)],
        test: [("x", try tensor(.float32, [2, 3], [1, 2, 3, 4, 5, 6])), ("y", y)]),
      "array ‘y’: it has 3 labels, but there are 2 samples")
    says(
      problem(
        [("x", x), ("y", y)],
        test: [
          ("x", try tensor(.float32, [3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9])), ("y", y),
        ]), "its samples are [3], but those of x.npz are [2]")
    says(
      problem([("x", x), ("y", y)], "memory=0.00000001"), "3 samples of 2 f32 take")
    says(problem([("x", x), ("y", y)], "shape=3"), "shape= says samples of 3 values")
    says(problem([("x", x), ("y", y)], "channels=last"), "channels=last is for images")
  }
}

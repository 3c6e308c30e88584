// SPDX-License-Identifier: Apache-2.0
import CKernels

extension StoredTensor {
  /// The elements as another floating-point type, rounded once, to nearest even.
  ///
  /// Integers and truth values stay as they are: they are counts and masks, not
  /// weights.
  ///
  /// - Parameter type: f64, f32, f16 or bf16.
  public func converted(to type: ElementType) -> StoredTensor {
    guard elementType.isFloatingPoint, type.isFloatingPoint, type != elementType else {
      return self
    }
    switch type {
    case .float64:
      return StoredTensor(words: floats.elements.map { Double($0).bitPattern }, .float64, shape)
    case .float16: return StoredTensor(words: halves(lcw_float_to_half), .float16, shape)
    case .bfloat16: return StoredTensor(words: halves(lcw_float_to_bfloat), .bfloat16, shape)
    default: return StoredTensor(floats)
    }
  }

  private func halves(
    _ convert: (UnsafeMutablePointer<UInt16>, UnsafePointer<Float>, Int) -> Void
  ) -> [UInt16] {
    let source =
      elementType == .float64
      ? words(UInt64.self).map { Float(roundedToOdd: Double(bitPattern: $0)) } : floats.elements
    return [UInt16](unsafeUninitializedCapacity: source.count) { target, count in
      source.withUnsafeBufferPointer { source in
        if let from = source.baseAddress, let to = target.baseAddress {
          convert(to, from, source.count)
        }
      }
      count = source.count
    }
  }

  private init<Word: FixedWidthInteger>(words: [Word], _ type: ElementType, _ shape: Shape) {
    let bytes = words.map(\.littleEndian).withUnsafeBytes { [UInt8]($0) }
    self.init(trusted: bytes, type, shape)
  }
}

extension Float {
  /// A number that is rounded again, to 22 bits or fewer, as if it had not been rounded here: what
  /// is not exact gets an odd last bit (Boldo and Melquiond 2008).
  init(roundedToOdd value: Double) {
    let nearest = Float(value)
    let isExact = Double(nearest) == value || value.isNaN
    guard !isExact, nearest.bitPattern & 1 == 0 else {
      self = nearest
      return
    }
    // The other neighbour is odd. One of infinity is the largest finite number.
    self = Double(nearest) < value ? nearest.nextUp : nearest.nextDown
  }
}

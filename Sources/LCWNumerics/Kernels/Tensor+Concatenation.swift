// SPDX-License-Identifier: Apache-2.0

extension Tensor {
  /// Tensors one behind the other along an axis, as channels are along the axis 1 of blocks of images.
  /// All other sizes are the same.
  public static func concatenation(
    _ parts: [Tensor], axis: Int = 1, workers: Workers = .serial
  ) -> Tensor {
    guard let first = parts.first else { preconditionFailure("there is nothing to concatenate") }
    var sizes = first.shape.dimensions
    precondition(
      sizes.indices.contains(axis)
        && parts.allSatisfy { part in
          var own = part.shape.dimensions
          guard own.count == sizes.count else { return false }
          own[axis] = sizes[axis]
          return own == sizes
        },
      "\(parts.map(\.shape)) can't be put behind each other along the axis \(axis)")
    sizes[axis] = parts.reduce(0) { $0 + $1.shape[axis] }
    var result = Tensor(unspecified: Shape(sizes))
    let rows = sizes[..<axis].reduce(1, *)
    let width = result.count / max(1, rows)
    var start = 0
    result.withMutableBase { target in
      for part in parts {
        let count = part.count / max(1, rows)
        part.withBase { source in
          workers.forEachRange(of: rows, grain: max(1, elementGrain / max(1, count))) {
            for row in $0 {
              (target + row * width + start).update(from: source + row * count, count: count)
            }
          }
        }
        start += count
      }
    }
    return result
  }

  /// The parts of given sizes along an axis, which add up to its size: what ``concatenation(_:axis:workers:)``
  /// puts together, and the gradients before it from the one behind it.
  public func split(_ sizes: [Int], axis: Int = 1, workers: Workers = .serial) -> [Tensor] {
    precondition(
      (0..<shape.rank).contains(axis) && sizes.allSatisfy { $0 >= 0 }
        && sizes.reduce(0, +) == shape[axis],
      "parts of the sizes \(sizes) do not make up the axis \(axis) of \(shape)")
    let dimensions = shape.dimensions
    let rows = dimensions[..<axis].reduce(1, *)
    let inner = dimensions[(axis + 1)...].reduce(1, *)
    let width = dimensions[axis] * inner
    var start = 0
    return sizes.map { size in
      var own = dimensions
      own[axis] = size
      var part = Tensor(unspecified: Shape(own))
      let count = size * inner
      withBase { source in
        part.withMutableBase { target in
          workers.forEachRange(of: rows, grain: max(1, elementGrain / max(1, count))) {
            for row in $0 {
              (target + row * count).update(from: source + row * width + start, count: count)
            }
          }
        }
      }
      start += count
      return part
    }
  }

  /// Equal parts along an axis.
  public func split(equally count: Int, axis: Int = 1, workers: Workers = .serial) -> [Tensor] {
    precondition(
      (0..<shape.rank).contains(axis) && count > 0 && shape[axis] % count == 0,
      "the axis \(axis) of \(shape) does not make \(count) equal parts")
    let sizes = [Int](repeating: shape[axis] / count, count: count)
    return split(sizes, axis: axis, workers: workers)
  }
}

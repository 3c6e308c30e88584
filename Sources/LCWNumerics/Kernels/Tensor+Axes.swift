// SPDX-License-Identifier: Apache-2.0
import CKernels

extension Tensor {
  /// The tensor with its axes in another order: axis `order[i]` becomes axis i, as in NumPy and PyTorch.
  /// The gradient goes back by ``inverse(ofAxes:)``.
  public func reordered(axes order: [Int], workers: Workers = .serial) -> Tensor {
    precondition(
      order.sorted() == Array(0..<shape.rank), "\(order) is no order of the axes of \(shape)")
    let sizes = shape.dimensions
    var result = Tensor(unspecified: Shape(order.map { sizes[$0] }))
    guard count > 0 else { return result }
    // Axes that stay next to each other are one, and axes of size 1 are none.
    var runs: [[Int]] = []
    for axis in order where sizes[axis] > 1 {
      if let last = runs.last?.last,
        sizes[(last + 1)..<max(last + 1, axis)].allSatisfy({ $0 == 1 }),
        axis > last
      {
        runs[runs.count - 1].append(axis)
      } else {
        runs.append([axis])
      }
    }
    var strides = [Int](repeating: 1, count: sizes.count)
    for axis in stride(from: sizes.count - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * sizes[axis + 1]
    }
    let axes = runs.map { run in
      (size: run.reduce(1) { $0 * sizes[$1] }, step: strides[run[run.count - 1]])
    }
    guard axes.count > 1 else { return reshaped(result.shape) }
    // The last two axes are a matrix for each place along the others, copied row by row or transposed.
    let (rows, columns) = (axes[axes.count - 2], axes[axes.count - 1])
    let outer = axes.dropLast(2)
    let matrices = outer.reduce(1) { $0 * $1.size }
    let size = rows.size * columns.size
    withBase { source in
      result.withMutableBase { target in
        workers.forEachRange(of: matrices, grain: max(1, elementGrain / size)) {
          for matrix in $0 {
            var (rest, start) = (matrix, 0)
            for axis in outer.reversed() {
              start += rest % axis.size * axis.step
              rest /= axis.size
            }
            let (from, to) = (source + start, target + matrix * size)
            if rows.step == 1 {
              lcw_transpose(to, columns.size, from, columns.step, columns.size, rows.size)
              continue
            }
            for row in 0..<rows.size {
              let (from, to) = (from + row * rows.step, to + row * columns.size)
              if columns.step == 1 {
                to.update(from: from, count: columns.size)
              } else {
                for column in 0..<columns.size { to[column] = from[column * columns.step] }
              }
            }
          }
        }
      }
    }
    return result
  }

  /// The order that undoes an order of axes.
  public static func inverse(ofAxes order: [Int]) -> [Int] {
    var inverse = [Int](repeating: 0, count: order.count)
    for (place, axis) in order.enumerated() { inverse[axis] = place }
    return inverse
  }
}

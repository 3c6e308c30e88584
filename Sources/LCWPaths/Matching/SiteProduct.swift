// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics

/// What the units of two networks have in common at one site: the inner products of the values that each
/// unit has there, `[units, units]`.
///
/// Where the values of a unit lie together in memory, or one in each row, a matrix product reads them where
/// they are. Only filters' input planes are gathered: those of A once, those of B in each product.
struct SiteProduct: Sendable {
  let site: UnitGroup.Site
  private let count: Int
  private let pieces: SitePieces
  private let layout: Layout
  /// A's values as rows, if they had to be gathered.
  private let gathered: Tensor?

  private enum Layout {
    /// A row for each unit.
    case rows
    /// A column for each unit.
    case columns
    case scattered
  }

  /// - Parameters:
  ///   - group: The units.
  ///   - site: One of the group's sites.
  ///   - a: The first network.
  init(_ group: UnitGroup, _ site: UnitGroup.Site, of a: Weights) {
    self.site = site
    count = group.count
    pieces = SitePieces(of: site, in: a.network)
    let shape = a.network.parameters[site.parameter].shape
    layout =
      if site.axis == 0, site.block == 1 {
        .rows
      } else if site.axis == 1, site.block == 1,
        shape.rank == 2
      { .columns } else { .scattered }
    gathered =
      layout == .scattered ? pieces.rows(of: a[site.parameter], count: group.count) : nil
  }

  /// The multiplications with additions of a product.
  var work: Double { Double(count) * Double(count) * Double(pieces.width) }

  /// Adds the inner products of A's units, a row each, with those of another network, a column each.
  func add(_ a: Tensor, _ b: Tensor, to products: inout Tensor, workers: Workers) {
    let units = site.offset..<site.offset + count
    switch layout {
    case .rows:
      products.assignProduct(
        a.matrix(rows: units), b.transposed(rows: units), beta: 1, workers: workers)
    case .columns:
      products.assignProduct(
        a.transposed(rows: site.rows, columns: units), b.matrix(rows: site.rows, columns: units),
        beta: 1, workers: workers)
    case .scattered:
      let rows = pieces.rows(of: b, count: count)
      products.assignProduct(
        (gathered ?? pieces.rows(of: a, count: count)).matrix, rows.transposed, beta: 1,
        workers: workers)
    }
  }
}

extension SitePieces {
  /// The values of all units, a row each.
  func rows(of tensor: Tensor, count: Int) -> Tensor {
    var rows = Tensor(unspecified: [count, width])
    rows.elements.withUnsafeMutableBufferPointer { rows in
      tensor.elements.withUnsafeBufferPointer { values in
        var next = 0
        for unit in 0..<count {
          for start in starts(ofUnit: unit) {
            for index in start..<start + length {
              rows[next] = values[index]
              next += 1
            }
          }
        }
      }
    }
    return rows
  }

  /// Writes rows over the values of the units.
  func assign(_ rows: Tensor, to tensor: inout Tensor) {
    tensor.elements.withUnsafeMutableBufferPointer { values in
      rows.elements.withUnsafeBufferPointer { rows in
        var next = 0
        for unit in 0..<(width == 0 ? 0 : rows.count / width) {
          for start in starts(ofUnit: unit) {
            for index in start..<start + length {
              values[index] = rows[next]
              next += 1
            }
          }
        }
      }
    }
  }

  /// Gives every unit the mean of all units' values.
  func average(_ tensor: inout Tensor, count: Int) {
    let share = 1 / Float(count)
    tensor.elements.withUnsafeMutableBufferPointer { values in
      for start in starts(ofUnit: 0) {
        for index in start..<start + length {
          var sum: Float = 0
          for unit in 0..<count { sum += values[index + unit * length] }
          for unit in 0..<count { values[index + unit * length] = sum * share }
        }
      }
    }
  }
}

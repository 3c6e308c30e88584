// SPDX-License-Identifier: Apache-2.0

/// An upright rectangle of a chart.
struct Box {
  var left: Double
  var top: Double
  var right: Double
  var bottom: Double

  func overlaps(_ other: Box) -> Bool {
    left < other.right && other.left < right && top < other.bottom && other.top < bottom
  }

  func contains(_ other: Box) -> Bool {
    left <= other.left && other.right <= right && top <= other.top && other.bottom <= bottom
  }

  /// Whether a segment runs through the box (Liang and Barsky's clipping).
  func isCrossed(by segment: Segment) -> Bool {
    if max(segment.x1, segment.x2) < left || min(segment.x1, segment.x2) > right { return false }
    if max(segment.y1, segment.y2) < top || min(segment.y1, segment.y2) > bottom { return false }
    let dx = segment.x2 - segment.x1
    let dy = segment.y2 - segment.y1
    var first = 0.0
    var last = 1.0
    let bounds = [
      (-dx, segment.x1 - left), (dx, right - segment.x1), (-dy, segment.y1 - top),
      (dy, bottom - segment.y1),
    ]
    for (slope, distance) in bounds {
      if slope == 0 {
        if distance < 0 { return false }
      } else if slope < 0 {
        first = max(first, distance / slope)
      } else {
        last = min(last, distance / slope)
      }
    }
    return first <= last
  }
}

/// A straight piece of a line.
struct Segment {
  var x1: Double
  var y1: Double
  var x2: Double
  var y2: Double
}

/// Places for texts so that none stands over another.
enum LabelPlacement {
  /// The places nearest to `wanted`, in its order, that are `height` apart and within the bounds;
  /// nothing if there is no room for all.
  ///
  /// It is the least-squares solution: isotonic regression by pooling adjacent violators.
  static func spread(
    _ wanted: [Double], height: Double, within bounds: ClosedRange<Double>
  ) -> [Double]? {
    let room = bounds.upperBound - bounds.lowerBound - Double(wanted.count - 1) * height
    guard room >= 0 else { return nil }
    let order = wanted.indices.sorted { (wanted[$0], $0) < (wanted[$1], $1) }
    var pools: [(mean: Double, count: Int)] = []
    for (rank, index) in order.enumerated() {
      pools.append((wanted[index] - Double(rank) * height, 1))
      while pools.count > 1, pools[pools.count - 2].mean > pools[pools.count - 1].mean {
        let last = pools.removeLast()
        let previous = pools.removeLast()
        let count = previous.count + last.count
        let sum = previous.mean * Double(previous.count) + last.mean * Double(last.count)
        pools.append((sum / Double(count), count))
      }
    }
    var result = wanted
    var rank = 0
    for pool in pools {
      let place = min(max(pool.mean, bounds.lowerBound), bounds.lowerBound + room)
      for _ in 0..<pool.count {
        result[order[rank]] = place + Double(rank) * height
        rank += 1
      }
    }
    return result
  }

  /// A text's place beside a point.
  struct Beside {
    var box: Box
    /// The distance from the point.
    var distance: Double
  }

  /// From a point to its text, the preferred ones first.
  private static let directions: [(Double, Double)] = [
    (0, 1), (0, -1), (1, 0), (-1, 0), (0.7, 0.7), (-0.7, 0.7), (0.7, -0.7), (-0.7, -0.7),
    (0.35, 1), (-0.35, 1), (0.35, -1), (-0.35, -1), (1, 0.35), (-1, 0.35), (1, -0.35), (-1, -0.35),
  ]

  /// The best place for a text of a size near a point: inside `frame`, off all `taken` boxes, and
  /// across as few `segments` as can be; nothing if there is none.
  static func beside(
    x: Double, y: Double, width: Double, height: Double, frame: Box, taken: [Box],
    segments: [Segment]
  ) -> Beside? {
    var best: (place: Beside, cost: Double)?
    for distance in [9.0, 18, 30, 46] {
      for (dx, dy) in directions {
        let centerX = x + dx * (distance + width / 2)
        let centerY = y + dy * (distance + height / 2)
        let box = Box(
          left: centerX - width / 2, top: centerY - height / 2, right: centerX + width / 2,
          bottom: centerY + height / 2)
        guard frame.contains(box), !taken.contains(where: box.overlaps) else { continue }
        let crossings = segments.count { box.isCrossed(by: $0) }
        let cost = distance + 14 * Double(min(crossings, 20))
        if cost < best?.cost ?? .infinity { best = (Beside(box: box, distance: distance), cost) }
      }
    }
    return best?.place
  }
}

// SPDX-License-Identifier: Apache-2.0

/// Places for the numbers of contours: within the plot, and none over another. A contour for which
/// there is no such place gets no number.
struct ContourLabels {
  struct Label {
    var text: String
    /// The middle.
    var x: Double
    var y: Double
    var halfWidth: Double
    var halfHeight: Double
  }

  private(set) var placed: [Label] = []
  private var avoided: [Label] = []
  private let left: Double
  private let right: Double
  private let top: Double
  private let bottom: Double
  private let lineHeight: Double

  /// - Parameters:
  ///   - left: The plot's bounds, with those that follow.
  init(left: Double, right: Double, top: Double, bottom: Double, lineHeight: Double) {
    self.left = left
    self.right = right
    self.top = top
    self.bottom = bottom
    self.lineHeight = lineHeight
  }

  /// Keeps numbers off a place.
  mutating func avoid(x: Double, y: Double, radius: Double) {
    avoided.append(Label(text: "", x: x, y: y, halfWidth: radius, halfHeight: radius))
  }

  /// Places a number on one of the places of its contour: the one that is farthest from those placed
  /// before, so that the numbers spread over the plot.
  mutating func add(_ text: String, width: Double, alongside places: [(x: Double, y: Double)]) {
    let candidates = places.map {
      Label(
        text: text, x: $0.x, y: $0.y, halfWidth: width / 2 + 2, halfHeight: lineHeight / 2)
    }.filter { isWithin($0) && !(placed + avoided).contains(where: $0.touches) }
    if let best = candidates.max(by: { distance($0) < distance($1) }) { placed.append(best) }
  }

  private func isWithin(_ label: Label) -> Bool {
    label.x - label.halfWidth >= left && label.x + label.halfWidth <= right
      && label.y - label.halfHeight >= top && label.y + label.halfHeight <= bottom
  }

  /// The square of the distance to the nearest number; the first goes as near to the middle as it
  /// can.
  private func distance(_ label: Label) -> Double {
    func square(_ x: Double, _ y: Double) -> Double {
      (label.x - x) * (label.x - x) + (label.y - y) * (label.y - y)
    }
    return placed.map { square($0.x, $0.y) }.min()
      ?? -square((left + right) / 2, (top + bottom) / 2)
  }
}

extension ContourLabels.Label {
  func touches(_ other: Self) -> Bool {
    (x - other.x).magnitude < halfWidth + other.halfWidth
      && (y - other.y).magnitude < halfHeight + other.halfHeight
  }
}

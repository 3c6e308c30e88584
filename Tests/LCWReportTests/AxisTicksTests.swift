// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWReport
import Testing

struct AxisTicksTests {
  static let cases: [(range: ClosedRange<Double>, limit: Int, labels: String)] = [
    (0...1, 6, "0 0.2 0.4 0.6 0.8 1.0"),
    (0...1, 11, "0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 1.0"),
    (0...1, 2, "0 1"),
    (-1.2...1.2, 5, "−1.0 −0.5 0 0.5 1.0"),
    (0...16, 9, "0 2 4 6 8 10 12 14 16"),
    (0...100_000, 6, "0 20000 40000 60000 80000 100000"),
    (0...3e-8, 4, "0 1e−8 2e−8 3e−8"),
    (1e9...1_000_000_003, 4, "1000000000 1000000001 1000000002 1000000003"),
    (0...3e20, 4, "0 1e20 2e20 3e20"),
  ]

  @Test(arguments: cases)
  func labels(range: ClosedRange<Double>, limit: Int, labels: String) {
    #expect(AxisTicks(in: range, atMost: limit).labels.joined(separator: " ") == labels)
  }

  @Test func percentages() {
    let ticks = AxisTicks(in: 0.949...0.982, atMost: 5, format: .percent)
    #expect(ticks.labels == ["95%", "96%", "97%", "98%"])
    #expect(ticks.values == [0.95, 0.96, 0.97, 0.98])
  }

  @Test func countsAreWhole() {
    #expect(AxisTicks(in: 1...3, atMost: 11, format: .count).labels == ["1", "2", "3"])
    #expect(
      AxisTicks(in: 0...14, atMost: 11, format: .count).values == (0...7).map { Double(2 * $0) })
    #expect(AxisTicks(in: 1.2...1.8, atMost: 5, format: .count).labels.isEmpty)
  }

  @Test func powersOfTenAreWrittenAsNumbers() {
    let decades = AxisTicks(in: -2.5...3.2, atMost: 7, format: .powerOfTen)
    #expect(decades.labels == ["0.01", "0.1", "1", "10", "100", "1000"])
    #expect(decades.values == [-2, -1, 0, 1, 2, 3])
    let near = AxisTicks(in: 0.9...1.8, atMost: 7, format: .powerOfTen)
    #expect(near.labels == ["10", "20", "50"])
    #expect(near.values.map { ($0 * 1000).rounded() } == [1000, 1301, 1699])
    let wide = AxisTicks(in: -20...20, atMost: 5, format: .powerOfTen)
    #expect(wide.labels == ["1e−20", "1e−10", "1", "1e10", "1e20"])
    // Where no two of these lie, numbers as on any axis.
    let narrow = AxisTicks(in: -1.683...(-1.55), atMost: 5, format: .powerOfTen)
    #expect(narrow.labels == ["0.022", "0.024", "0.026", "0.028"])
    #expect(narrow.values.map { (pow(10, $0) * 1000).rounded() } == [22, 24, 26, 28])
  }

  @Test func valuesAreTheNearestToTheirLabels() {
    #expect(AxisTicks(in: 0...1, atMost: 11).values == (0...10).map { Double($0) / 10 })
  }

  static let withoutRoom: [ClosedRange<Double>] = [
    1...1, 1...1.0.nextUp, 0 ... .leastNonzeroMagnitude,
    -Double.greatestFiniteMagnitude...Double.infinity,
    -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude,
  ]

  @Test(arguments: withoutRoom)
  func rangesWithoutRoomHaveNone(range: ClosedRange<Double>) {
    #expect(AxisTicks(in: range, atMost: 5).values.isEmpty)
  }

  @Test func stepsAreOneTwoOrFive() throws {
    var state: UInt64 = 3
    for _ in 0..<500 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let low = Double(state >> 11) / 0x1p53 * 200 - 100
      let width = Double(state & 0xFFFF) / 100 + 0.01
      let limit = 2 + Int(state >> 20 & 7)
      let ticks = AxisTicks(in: low...low + width, atMost: limit)
      #expect(ticks.values.count <= limit)
      #expect(ticks.values.allSatisfy { $0 >= low - 1e-6 && $0 <= low + width + 1e-6 })
      guard ticks.values.count > 1 else { continue }
      var step = ticks.values[1] - ticks.values[0]
      while step < 0.999 { step *= 10 }
      while step > 9.99 { step /= 10 }
      #expect([1, 2, 5].contains { ($0 - step).magnitude < 1e-6 }, "step \(step)")
    }
  }
}

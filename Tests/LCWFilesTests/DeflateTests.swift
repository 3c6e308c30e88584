// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWFiles
import Testing

/// Deflated bytes made by zlib through Python, `zlib.compressobj(level, DEFLATED, -15, 8, strategy)`.
@Suite struct DeflateTests {
  /// Deflated bytes, in Base64, and what they unpack to.
  struct Sample: Sendable, CustomTestStringConvertible {
    var name: String
    var packed: String
    var content: [UInt8]
    var testDescription: String { name }

    var bytes: [UInt8] {
      get throws { Array(try #require(Data(base64Encoded: packed))) }
    }
  }

  /// The first bytes of "1 2 3 …".
  private static func text(_ count: Int) -> [UInt8] {
    Array((1...300).map { "\($0) " }.joined().utf8.prefix(count))
  }

  static let samples: [Sample] = [
    Sample(
      name: "a stored block (level 0)",
      packed: "ASgA1/8xIDIgMyA0IDUgNiA3IDggOSAxMCAxMSAxMiAxMyAxNCAxNSAxNiAx",
      content: text(40)),
    Sample(
      name: "fixed codes (Z_FIXED)",
      packed: "M1QwUjBWMFEwVTBTMFewULBUMDRQMDRUMDRSMDRWMDRRMDRVMDRTMAQA", content: text(40)),
    Sample(
      name: "codes of its own (level 9)",
      packed: "HdPbEQQhDAPBVBQCEmAg/8R2vP+ue0wLK5pa2iodXT15yJYjT3nJWy75yFd+ylCsRJnKUrZSylGu8jSHpjX5"
        + "yKm5NLdmaR7Nq/m0hpa1osU3Lq2tVVpH62o97aFt7WhPbX7Q1i7to321n2qorIpqqpaK31uqo7qqpzN0rBOdqbN0"
        + "tg5/5+hcnac7dK0b3am7dLdu6fJvr+7TG3rWi97UW3pbr/SOHjG6BjkGPQZBBkUGSQZNBlEGVQZZBnd/Nu46XJfr"
        + "dN2u43W9zkc/E9DpvtzR0EQ0FU1G09GENCVNStPSsyG4I6fpaYKaoiapaWqimqomq1eLcUdZk9a0NXFNXZPX9DWB"
        + "TWHvpuWOyKayyWw6m9CmtEltWpvYrt4Ad/Q2wU1xk9w0N9FNdZPddPfpsXBHetPexDf1TX7T3wAYAUPg26viDgXD"
        + "YBwMhJEwFMbCYBgNv55f748B4hE8gkfwCB7BI3gEj+AR91C5wyN4BI/gETyCR/BI77kH/S+au950j7pX3bPuXfew"
        + "8QgewSOzp88dHsEjeASP4BE8gkfwCB5Z/Ua4wyN4BI/gETyCR/AIHsEjux8Td3gEj+ARPIJH8AgewSN4pPrVcYdH"
        + "8AgewSN4BI/gETyCR04/T+7wCB7BI3gEj+ARPIJH8Mjtd8wdHsEjeASP4BE8gkfwCB55/eD7xQ99",
      content: text(1092)),
    Sample(
      name: "no repetitions (Z_HUFFMAN_ONLY)",
      packed: "BcEJAcAgEACgKkTYvWr/YoOQShvruJ74RIgUJVqMWHHEFU9+MmTKki1Hrjzyyqc+FSpVqVajVh111dOfDp26"
        + "dOvRq4+++pnPhElTps2YNcdc8+xnw6Yt23bs2mOvfc73Aw==",
      content: text(200)),
    Sample(
      name: "several blocks (Z_FULL_FLUSH after each 100 bytes)",
      packed: "DMwJAcAwDAMxKgehtvO0/IltAiBhQtEMy+Whg4SMggo1GrTooocPFjYOLtx48OKLHzlE5C9DijQZ8gEAAP//"
        + "BMEBAQAgCAPBKh8BZRvYv5h3Qy/9UKGDLmokZBQ0aNHDhQ++uLGwcfDgxY8UOeSSJiImIUOWPKY+AAAA//8MwwkN"
        + "ADAMAzEqB6HtniT8iW2WjBoNWmijgy4SMgou3HjwwhsffLGwcUiRJkMW2eSQS0RMQlf9/Q8PAAD//wMA",
      content: text(300)),
    Sample(
      name: "runs (Z_RLE)", packed: "7cExAQAAAMIg+6deDQ9gAADAvQA=",
      content: [UInt8](repeating: 0, count: 3000)),
    Sample(name: "nothing", packed: "AwA=", content: []),
    Sample(name: "an empty stored block", packed: "AQAA//8=", content: []),
  ]

  @Test(arguments: samples)
  func unpacks(_ sample: Sample) throws {
    let packed = try sample.bytes
    #expect(try Deflate.unpacked(packed, count: sample.content.count) == sample.content)
    // There are no more, however many are asked for.
    for more in [1, 100, 1 << 20] {
      #expect(try Deflate.unpacked(packed, count: sample.content.count + more) == sample.content)
    }
  }

  @Test(arguments: samples)
  func givesTheFirstBytesAlone(_ sample: Sample) throws {
    let packed = try sample.bytes
    for count in Set([0, 1, 2, 17, sample.content.count - 1]) where count >= 0 {
      #expect(
        try Deflate.unpacked(packed, count: count) == Array(sample.content.prefix(count)))
    }
  }

  @Test(arguments: samples)
  func whatIsCutGivesNoMoreBytes(_ sample: Sample) throws {
    let packed = try sample.bytes
    for length in packed.indices {
      // Zeros follow in place of what is missing, so that something may come of it.
      do {
        let found = try Deflate.unpacked(Array(packed[..<length]), count: sample.content.count)
        #expect(found.count <= sample.content.count)
      } catch {
        #expect(!error.reason.isEmpty && !error.reason.contains { $0.isNewline })
      }
    }
  }

  @Test(
    arguments: [
      ("a block of the reserved sort", [0x07]),
      ("a stored block whose lengths differ", [0x01, 0x02, 0x00, 0x00, 0x00, 0x41, 0x42]),
      ("a distance beyond the start", [0x03, 0x02, 0x00]),
      ("too many codes", [0xFD, 0xFF, 0xFF, 0xFF]),
    ] as [(String, [UInt8])])
  func refuses(what: String, packed: [UInt8]) {
    let failure = #expect(throws: Inflater.Failure.self, "\(what)") {
      try Deflate.unpacked(packed, count: 1000)
    }
    #expect(failure?.reason.isEmpty == false)
  }

  @Test func muchUnpacksInManyRounds() throws {
    // Twenty stored blocks: more than one block.
    let content = [UInt8](repeating: 7, count: 60_000)
    let block: [UInt8] = [0x00, 0x60, 0xEA, 0x9F, 0x15] + content
    let packed: [UInt8] = Array(repeatElement(block, count: 20).joined()) + [0x03, 0x00]
    let found = try Deflate.unpacked(packed, count: 1_200_001)
    #expect(found.count == 1_200_000)
    #expect(found.allSatisfy { $0 == 7 })
  }
}

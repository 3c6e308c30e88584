// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import ONNXFormat
import Testing

/// What could be taken for something else without a word.
struct RefusalTests {
  private func network(_ content: [UInt8]) throws -> String? {
    let folder = try TemporaryFolder()
    let file = try folder.file("model.onnx", content)
    return try format().open(file).metadata["network"]?.string
  }

  private func refusal(_ content: [UInt8]) throws -> String {
    let folder = try TemporaryFolder()
    let file = try folder.file("model.onnx", content)
    let error = #expect(throws: ONNXError.self) { try format().open(file) }
    return error?.description ?? ""
  }

  @Test
  func `what only another output needs is not read, nor taken for the end`() throws {
    let content = Message.model { graph in
      graph.node("Relu", ["x"], "logits")
      graph.node("Softmax", ["logits"], "p")
      graph.node("Resize", ["p"], "y")
      graph.message(12) { $0.value("logits", [4]) }
    }
    #expect(try network(content) == "relu")
  }

  @Test
  func `a softmax over the channels of each position stays`() throws {
    let content = Message.model(sizes: [2, 3, 3]) { graph in
      graph.message(1) { node in
        node.text(1, "x")
        node.text(2, "y")
        node.text(4, "Softmax")
        node.message(5) {
          $0.text(1, "axis")
          $0.integer(3, 1)
          $0.integer(20, 2)
        }
      }
    }
    // As an operation, or refused by name: not left out.
    let folder = try TemporaryFolder()
    let file = try folder.file("model.onnx", content)
    do {
      let text = try format().open(file).metadata["network"]?.string
      #expect(text?.hasPrefix("softmax") == true, "\(text ?? "")")
    } catch let error as ONNXError {
      #expect(error.description.contains("softmax") || error.description.contains("Softmax"))
    }
  }

  @Test
  func `a vector is no gate of an image's channels`() throws {
    let content = Message.model(sizes: [4, 4, 4]) { graph in
      graph.node("GlobalAveragePool", ["x"], "m")
      graph.node("Flatten", ["m"], "v")
      graph.node("Mul", ["x", "v"], "y")
    }
    #expect(try refusal(content).contains("[4, 4, 4] and [4]"))
  }

  @Test
  func `a name is computed once`() throws {
    let content = Message.model { graph in
      graph.node("Relu", ["x"], "a")
      graph.node("Tanh", ["x"], "a")
      graph.node("Add", ["a", "x"], "y")
    }
    #expect(try refusal(content).contains("‘a’, which is there already"))
  }

  @Test
  func `a small sigmoid is not a clip`() throws {
    let content = Message.model { graph in
      graph.tensor("s", [1], raw: bytes([1e-6]))
      graph.node("Sigmoid", ["x"], "a")
      graph.node("Mul", ["a", "s"], "y")
    }
    let text = try network(content)
    #expect(text?.contains("sigmoid") == true && text?.contains("clip") == false, "\(text ?? "")")
  }

  /// The quotient of whole numbers is a whole number: that of many is not computed, but what was made
  /// floating-point before is.
  @Test(arguments: [false, true])
  func `whole numbers of a large tensor are not divided as others are`(isCast: Bool) throws {
    let count = 5000
    let content = Message.model(sizes: [count]) { graph in
      graph.tensor("w", [count], raw: [UInt8](repeating: 7, count: count), type: 3)
      if isCast {
        graph.tensor("s", [1], raw: bytes([2]))
        graph.message(1) { node in
          node.text(1, "w")
          node.text(2, "f")
          node.text(4, "Cast")
          node.message(5) {
            $0.text(1, "to")
            $0.integer(3, 1)
            $0.integer(20, 2)
          }
        }
      } else {
        graph.tensor("s", [1], raw: [2], type: 3)
      }
      graph.node("Div", [isCast ? "f" : "w", "s"], "q")
      graph.node("Mul", ["x", "q"], "y")
    }
    guard isCast else {
      #expect(try refusal(content).contains("divides whole numbers"))
      return
    }
    let folder = try TemporaryFolder()
    let source = try format().open(folder.file("model.onnx", content))
    #expect(try source.floats(named: "affine1.scale").elements.allSatisfy { $0 == 3.5 })
  }

  @Test
  func `a clip may have one bound`() throws {
    let content = Message.model { graph in
      graph.tensor("low", [], raw: bytes([0.1]))
      graph.node("Clip", ["x", "low"], "y")
    }
    #expect(try network(content)?.hasPrefix("clip 0.1 3.4028") == true)
  }
}

// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNetworks
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

  @Test
  func `sequences and attention are refused in words`() throws {
    let sequence = Message.model(sizes: [4, 8]) { graph in
      graph.tensor("w", [2, 4, 3], raw: bytes([Float](repeating: 1, count: 24)))
      graph.node("Conv", ["x", "w"], "y")
    }
    let text = try refusal(sequence)
    #expect(text.contains("Conv ‘node of y’ (its weight is [2, 4, 3] and its input [4, 8]"))
    #expect(text.contains("convolutions here are over images"))
    let product = Message.model(sizes: [4, 4]) { graph in
      graph.node("Relu", ["x"], "a")
      graph.node("MatMul", ["x", "a"], "y")
    }
    #expect(try refusal(product).contains("MatMul ‘node of y’ (it multiplies two values"))
    let attention = Message.model(operatorSet: 23, sizes: [4, 8]) {
      $0.node("Attention", ["x", "x", "x"], "y")
    }
    #expect(try refusal(attention).contains("Attention ‘node of y’ (there is no such operation)"))
  }

  @Test
  func `an operation that can't read a value is named with its words`() throws {
    let content = Message.model { graph in
      graph.tensor("w", [3, 5], raw: bytes([Float](repeating: 1, count: 15)))
      graph.node("Gemm", ["x", "w"], "y")
    }
    let text = try refusal(content)
    #expect(
      text.contains("Gemm ‘node of y’") && text.contains("as ‘dense 5 no-bias’ it"), "\(text)")
  }

  @Test
  func `weights of whole numbers are named`() throws {
    let content = Message.model { graph in
      graph.tensor("w", [2, 4], raw: [UInt8](repeating: 1, count: 8), type: 3)
      graph.message(1) { node in
        for input in ["x", "w"] { node.text(1, input) }
        node.text(2, "y")
        node.text(4, "Gemm")
        node.message(5) {
          $0.text(1, "transB")
          $0.integer(3, 1)
          $0.integer(20, 2)
        }
      }
    }
    // Few whole numbers are read as what they are; many are left in the file, and are no weights.
    #expect(try network(content)?.hasPrefix("dense 2") == true)
    let count = 5000
    let large = Message.model(sizes: [count]) { graph in
      graph.tensor("w", [count], raw: [UInt8](repeating: 1, count: count), type: 3)
      graph.node("Mul", ["x", "w"], "y")
    }
    let text = try refusal(large)
    #expect(text.contains("‘w’") && text.contains("whole numbers (i8)"), "\(text)")
  }

  @Test
  func `local response over an even number of channels is neither read nor written`() throws {
    let content = Message.model(sizes: [4, 2, 2]) { graph in
      graph.message(1) { node in
        node.text(1, "x")
        node.text(2, "y")
        node.text(4, "LRN")
        node.message(5) {
          $0.text(1, "size")
          $0.integer(3, 4)
          $0.integer(20, 2)
        }
      }
    }
    #expect(try refusal(content).contains("its size 4 is even"))
    let architecture = try PluginReference("sequential:layers=lrn 4; flatten; dense classes")
    let network = try registry.architecture(architecture)
      .network(inputShape: [4, 2, 2], classes: 3)
    let weights = try Weights(randomFor: network, seed: 1)
    let checkpoint = Checkpoint(
      metadata: Checkpoint.description(
        of: network, architecture: architecture, dataset: nil),
      tensors: zip(network.parameters, weights.tensors).map {
        NamedTensor($0.name, StoredTensor($1))
      })
    let folder = try TemporaryFolder()
    let error = #expect(throws: CheckpointError.self) {
      try format().write(checkpoint, to: folder.file("a.onnx"))
    }
    #expect(error?.description.contains("an even size") == true)
  }

  @Test
  func `slopes that differ from place to place are refused`() throws {
    let content = Message.model(sizes: [2, 2, 2]) { graph in
      graph.tensor("s", [2, 2, 2], raw: bytes((0..<8).map(Float.init)))
      graph.node("PRelu", ["x", "s"], "y")
    }
    #expect(try refusal(content).contains("differ from place to place"))
  }
}

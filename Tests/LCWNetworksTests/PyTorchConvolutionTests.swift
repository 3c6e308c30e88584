// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWNumerics
import Testing

/// Convolutions and poolings against what PyTorch made of the same input; the file is written by
/// Tests/Reference/convolution_fixtures.py.
struct PyTorchConvolutionTests {
  private struct Case: Decodable {
    var kind: String
    var samples: Int
    var image: [Int]
    var filters: Int?
    var kernel: [Int]
    var stride: Int
    var padding: Int
    var input: [Float]
    var weight: [Float]?
    var bias: [Float]?
    var output: [Double]
    var gradient: [Float]
    var inputGradient: [Double]
    var weightGradient: [Double]?
    var biasGradient: [Double]?
  }

  private func cases() throws -> [Case] {
    let file = try #require(
      Bundle.module.url(forResource: "convolution", withExtension: "json", subdirectory: "Fixtures")
    )
    return try JSONDecoder().decode([Case].self, from: Data(contentsOf: file))
  }

  @Test
  func `convolutions are PyTorch's`() throws {
    var compared = 0
    for c in try cases() where c.kind == "conv" {
      compared += 1
      let (image, filters) = (Shape(c.image), try #require(c.filters))
      let windows = ImageWindows(
        over: image, kernel: c.kernel, stride: c.stride, padding: c.padding)
      let convolution = ImageConvolution(filters: filters, over: windows)
      let input = try Tensor(c.input, shape: image.batched(c.samples))
      let weight = try Tensor(
        try #require(c.weight), shape: Shape([filters, image[0]] + c.kernel))
      let bias = c.bias.map { Tensor($0) }
      let output = convolution.output(of: input, weight: weight, bias: bias)
      #expect(differ(output, c.output) < 2e-5)
      var weightGradient = Tensor(zeros: weight.shape)
      var biasGradient = bias.map { Tensor(zeros: $0.shape) }
      let gradient = convolution.backward(
        try Tensor(c.gradient, shape: output.shape), clipped: nil, images: input, weight: weight,
        weightGradient: &weightGradient, biasGradient: &biasGradient)
      #expect(differ(try #require(gradient), c.inputGradient) < 2e-5)
      #expect(differ(weightGradient, try #require(c.weightGradient)) < 4e-5)
      if let biasGradient {
        #expect(differ(biasGradient, try #require(c.biasGradient)) < 2e-5)
      }
    }
    #expect(compared == 8)
  }

  @Test
  func `poolings are PyTorch's`() throws {
    var compared = 0
    for c in try cases() where c.kind != "conv" {
      compared += 1
      let image = Shape(c.image)
      let pooling = ImagePooling(
        c.kind == "maxpool" ? .maximum : .average,
        over: ImageWindows(over: image, kernel: c.kernel, stride: c.stride, padding: c.padding))
      let input = try Tensor(c.input, shape: image.batched(c.samples))
      let output = pooling.output(of: input)
      #expect(differ(output, c.output) < 1e-6)
      let gradient = pooling.backward(
        try Tensor(c.gradient, shape: output.shape), images: input)
      #expect(differ(gradient, c.inputGradient) < 1e-5)
    }
    #expect(compared == 8)
  }
}

// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import LCWOperations
import Testing

struct PublishedNetworkTests {
  private func trainedValues(_ text: String, _ shape: Shape, classes: Int) throws -> Int {
    try network(text, shape, classes: classes).parameters
      .reduce(0) { $0 + ($1.isTrained ? $1.shape.count : 0) }
  }

  @Test(arguments: [
    ("resnet", 269_722), ("resnet:shortcut=projection", 272_474), ("resnet:depth=32", 464_154),
    ("resnet:depth=44", 658_586), ("resnet:depth=56", 853_018), ("resnet:depth=110", 1_727_962),
    ("preresnet", 1_703_258), ("wideresnet", 36_479_194),
    ("wideresnet:layout=meliketoy", 36_489_290),
    ("vgg:norm=none", 14_719_818), ("vgg", 14_728_266), ("resnet-imagenet:stem=cifar", 11_173_962),
  ])
  func `for CIFAR they have the published numbers of parameters`(text: String, count: Int) throws {
    #expect(try trainedValues(text, [3, 32, 32], classes: 10) == count)
  }

  @Test(arguments: [
    ("resnet-imagenet", 11_689_512), ("resnet-imagenet:depth=34", 21_797_672),
    ("resnet-imagenet:depth=50", 25_557_032), ("mobilenetv2", 3_504_872),
    ("vgg:depth=11,norm=none,head=imagenet", 132_863_336),
    ("vgg:head=imagenet", 138_365_992),
  ])
  func `for ImageNet they have torchvision's numbers of parameters`(text: String, count: Int) throws
  {
    #expect(try trainedValues(text, [3, 224, 224], classes: 1000) == count)
  }

  @Test(arguments: [
    ("resnet:depth=21", "6n+2"), ("resnet:depth=2", "8"),
    ("resnet:norm=group", "batch, layer, none"),
    ("resnet:shortcut=none", "padding, projection, projection3x3"), ("resnet:width=0", "64"),
    ("preresnet:depth=45", "9n+2 from 47 on"), ("preresnet:depth=21", "6n+2 below 44"),
    ("wideresnet:depth=20", "6n+4"), ("wideresnet:layout=other", "xternalz, meliketoy"),
    ("wideresnet:dropout=1", "0.99"), ("vgg:depth=12", "11, 13, 16, 19"),
    ("vgg:dropout=0.2", "head=imagenet"), ("resnet-imagenet:depth=101", "18, 34, 50"),
    ("resnet-imagenet:stem=tiny", "imagenet, cifar"), ("mobilenetv2:width=65", "64"),
    ("mobilenetv2:dropout=2", "0.99"),
  ])
  func `wrong options say what is expected`(text: String, part: String) {
    let error = #expect(throws: PluginError.self) { try network(text) }
    #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
  }

  @Test
  func `nodes that train are named as modules, and the text says them`() throws {
    let network = try network("resnet:depth=8,width=0.125,norm=none")
    #expect(
      "\(network)".hasPrefix(
        "conv 2 3x3 pad 1; relu; layer1.0.conv1 = conv 2 3x3 pad 1; relu; "
          + "layer1.0.conv2 = conv 2 3x3 pad 1; add from layer1.0.conv2 relu1; relu; "))
    let text = try NetworkText(
      "\(network)", operations: PluginRegistry.linked().operations)
    #expect(try text.network(inputShape: network.inputShape, classes: 10) == network)
  }

  @Test
  func `samples that are no images are refused by the layer`() {
    for text in ["resnet", "preresnet", "wideresnet", "vgg", "resnet-imagenet", "mobilenetv2"] {
      let error = #expect(throws: NetworkError.self) { try network(text, [784]) }
      #expect(error?.description.contains("conv") == true)
    }
    #expect(throws: NetworkError.self) { try network("vgg", [3, 16, 16]) }
  }

  @Test
  func `a sketch appends convolutions that keep the size`() throws {
    var sketch = NetworkSketch(inputShape: [4, 9, 9])
    let start = sketch.appendConvolution(6, size: 3, bias: false, named: "a")
    sketch.appendConvolution(6, size: 5, stride: 2, groups: 2, bias: true, named: "b")
    #expect(throws: NetworkError.self) {
      // Nothing reads the second one.
      var copy = sketch
      copy.appendConvolution(2, size: 1, bias: true, named: "c", reading: start)
      _ = try copy.network()
    }
    let network = try sketch.network()
    #expect(network.shapes == [[4, 9, 9], [6, 9, 9], [6, 5, 5]])
    #expect(network.parameters.map(\.shape) == [[6, 4, 3, 3], [6, 3, 5, 5], [6]])
  }
}

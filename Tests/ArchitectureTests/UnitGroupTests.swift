// SPDX-License-Identifier: Apache-2.0
import LCWCore
import LCWNumerics
import Testing

/// The groups of units that may be permuted together, in the networks that architectures make.
struct UnitGroupTests {
  @Test(arguments: [
    // A stage's blocks share its channels, and each block has channels of its own inside.
    ("resnet:width=0.25,shortcut=projection", 3 + 9),
    // Channels of zeros leave the earlier stage's in the middle of the later one's: that has two more groups.
    ("resnet:width=0.25", 1 + 2 + 2 + 9),
    ("resnet:width=0.25,norm=layer,shortcut=projection3x3", 3 + 9),
    ("preresnet:depth=20,width=0.25", 3 + 9),
    // The first block of bottlenecks changes the number of channels.
    ("preresnet:depth=47,width=0.25", 4 + 2 * 15),
    ("wideresnet:depth=16,width=0.25", 4 + 6),
    ("wideresnet:depth=16,width=0.25,layout=meliketoy", 4 + 6),
    ("vgg:depth=11,width=0.0625", 8),
    ("vgg:depth=11,width=0.0625,head=imagenet", 8 + 2),
    ("resnet-imagenet:width=0.0625", 4 + 8),
    ("resnet-imagenet:depth=34,width=0.0625", 4 + 16),
    ("resnet-imagenet:depth=50,width=0.0625", 5 + 2 * 16),
    // A filter of its own for each channel ties what it reads and writes.
    ("mobilenetv2:width=0.5", 1 + 16 + 7 + 1),
  ])
  func `there are as many free groups as structure says`(text: String, count: Int) throws {
    let groups = try UnitGroups(of: network(text, [3, 36, 36]))
    #expect(groups.free.count == count)
  }

  @Test
  func `a stage's channels are written by all of its blocks`() throws {
    let network = try network("resnet:width=0.25,shortcut=projection")
    let groups = UnitGroups(of: network).free
    func names(_ group: UnitGroup, _ use: UnitGroup.Site.Use) -> [String] {
      group.nodes(use, in: network).map { network.nodes[$0].name }
    }
    let stage = try #require(groups.first { names($0, .writes).contains("layer2.0.conv2") })
    #expect(
      names(stage, .writes)
        == ["layer2.0.conv2", "layer2.0.shortcut.0", "layer2.1.conv2", "layer2.2.conv2"])
    #expect(
      names(stage, .reads)
        == ["layer2.1.conv1", "layer2.2.conv1", "layer3.0.conv1", "layer3.0.shortcut.0"])
    #expect(names(stage, .passes).contains("layer2.0.shortcut.1"))
    #expect(stage.couplings.isEmpty)
  }

  @Test(arguments: PyTorchNetwork.all)
  func `a permutation of every free group leaves the logits`(_ given: PyTorchNetwork) throws {
    let (weights, samples) = (try given.weights(), try given.samples())
    let groups = UnitGroups(of: weights.network)
    var random = RandomStream(seed: 3)
    let own = try logits(weights, samples)
    var permuted = weights
    for group in groups.free {
      let order = random.permutation(of: group.count)
      let moved = try difference(logits(weights.permuting(group, by: order), samples), own)
      #expect(moved < 1e-5, "\(moved)")
      permuted = permuted.permuting(group, by: order)
    }
    #expect(permuted != weights)
    // All at once: rounding adds up over nineteen layers whose sums have another order.
    let moved = try difference(logits(permuted, samples), own)
    #expect(moved < 3e-5, "\(moved)")
    // One that does not belong to a group is noticed: the classes, which the network puts out.
    let classes = try #require(groups.all.last { $0.holds.contains(.output) })
    let turned = weights.permuting(
      classes, by: (0..<classes.count).map { ($0 + 1) % classes.count })
    #expect(try difference(logits(turned, samples), own) > 1e-3)
  }
}

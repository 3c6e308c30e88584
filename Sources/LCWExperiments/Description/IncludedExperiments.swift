// SPDX-License-Identifier: Apache-2.0
extension ExperimentDescription {
  /// The texts of the descriptions that come with the library, by the experiment's name.
  public static let included: [String: [UInt8]] = [
    "cifar10-conv2fc1": PackageResources.cifar10_conv2fc1_json,
    "cifar10-resnet20": PackageResources.cifar10_resnet20_json,
    "cifar10-three-layer": PackageResources.cifar10_three_layer_json,
    "cifar10-two-layer": PackageResources.cifar10_two_layer_json,
    "cifar10-vgg16": PackageResources.cifar10_vgg16_json,
    "cifar10-vgg16-narrow": PackageResources.cifar10_vgg16_narrow_json,
    "cifar100-vgg16": PackageResources.cifar100_vgg16_json,
    "digits": PackageResources.digits_json,
    "mnist-deep": PackageResources.mnist_deep_json,
    "mnist-two-layer": PackageResources.mnist_two_layer_json,
  ]
}

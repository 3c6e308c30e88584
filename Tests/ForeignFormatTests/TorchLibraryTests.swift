// SPDX-License-Identifier: Apache-2.0
import Foundation
import LCWCore
import LCWNumerics
import PyTorchFormat
import SafetensorsFormat
import Testing

/// What `torch.save` writes of every type, in every protocol and container.
@Suite(.enabled(if: Python.hasTorch, "there is no Python with torch; LCW_PYTHON can name one"))
struct TorchLibraryTests {
  private static let script = """
    import torch, torch.utils
    from collections import OrderedDict
    from safetensors.torch import load_file
    tensors = {n: t.clone() for n, t in load_file('a.safetensors').items()}
    torch.save(tensors, 'zip.pt')
    torch.save(tensors, 'legacy.pt', _use_new_zipfile_serialization=False)
    for protocol in [2, 3, 4, 5]:
        torch.save(tensors, 'protocol%d.pt' % protocol, pickle_protocol=protocol)
    torch.save(tensors, 'legacy4.pt', pickle_protocol=4, _use_new_zipfile_serialization=False)
    torch.save(tensors, 'größe.pt')
    torch.save(OrderedDict((n, torch.nn.Parameter(t, requires_grad=False))
                           for n, t in tensors.items()), 'parameters.pt')
    big = torch.arange(0, 24, dtype=torch.float32).reshape(2, 3, 4)
    torch.save({'whole': big, 'permuted': big.permute(2, 0, 1), 'part': big[1, :, 1:3],
                'expanded': big[0, 0].expand(3, 4), 'diagonal': big[0].diagonal()}, 'views.pt')
    torch.save({k: v.contiguous().clone() for k, v in
                torch.load('views.pt', weights_only=True).items()}, 'copies.pt')
    torch.save({'shape': big.shape, 'type': torch.float16, 'x': big[0, 0, :1]}, 'plain.pt')
    torch.save({'x': torch.zeros(2, dtype=torch.complex128)}, 'complex.pt')
    torch.save({'x': torch.zeros(2, dtype=torch.float8_e8m0fnu)}, 'e8m0.pt')
    torch.save(torch.ones(3), 'bare.pt')
    torch.save([torch.ones(3), {'y': torch.zeros(1)}], 'list.pt')
    class Net(torch.nn.Module):
        pass
    import __main__; __main__.Net = Net
    torch.save(Net(), 'module.pt')
    torch.save({'optimizer': torch.optim.Adam([torch.nn.Parameter(torch.ones(2))]).state_dict(),
                'model': torch.nn.BatchNorm1d(3).state_dict()}, 'training.pt')
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), 'script.pt')
    """

  @Test func filesOfTorchAreRead() throws {
    let folder = try TemporaryFolder()
    let checkpoint = try everyType(ElementType.allCases)
    try Safetensors().write(checkpoint, to: folder.file("a.safetensors"))
    let outcome = try Python.run(Self.script, in: folder.url)
    try #require(outcome.status == 0, "\(outcome.output)")
    func open(_ name: String) throws -> Checkpoint {
      let file = folder.file(name)
      #expect(PyTorch.recognises(Array(try bytes(of: file).prefix(4096))), "\(name)")
      return try Checkpoint(reading: try PyTorch().open(file))
    }
    for name in [
      "zip.pt", "legacy.pt", "protocol2.pt", "protocol3.pt", "protocol4.pt", "protocol5.pt",
      "legacy4.pt", "größe.pt", "parameters.pt",
    ] {
      #expect(Set(try open(name).tensors) == Set(checkpoint.tensors), "\(name)")
    }
    #expect(try open("views.pt") == open("copies.pt"))
    #expect(try open("views.pt").tensor(named: "permuted").shape == [4, 2, 3])
    #expect(
      try open("plain.pt").metadata == ["shape": .array([2, 3, 4]), "type": "torch.float16"])
    #expect(try open("bare.pt").tensors.map(\.name) == ["tensor"])
    #expect(try open("list.pt").tensors.map(\.name) == ["0", "1.y"])
    let training = try open("training.pt")
    #expect(training.tensors.contains { $0.name == "model.running_mean" })
    #expect(
      training.metadata["optimizer.param_groups.0.betas"] == .array([.number(0.9), .number(0.999)]))
    for (name, reason) in [
      ("complex.pt", "complex128"), ("e8m0.pt", "float8_e8m0fnu"),
      ("module.pt", "‘__main__.Net’"), ("module.pt", "save model.state_dict()"),
      ("script.pt", "save model.state_dict()"),
    ] {
      let error = #expect(throws: PyTorchError.self) { try open(name) }
      #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }
  }
}

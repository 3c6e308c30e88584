// SPDX-License-Identifier: Apache-2.0

/// The names that no checkpoint has a use for, and that hostile ones have: a pickle with one of them
/// is refused whole. Nothing is looked up or executed whatever the name is; other unknown names
/// are those of objects, which are left out.
enum RefusedGlobal {
  /// Whether a pickle with a qualified name is refused.
  static func contains(_ name: String) -> Bool {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard let module = parts.first, let last = parts.last else { return true }
    if ["builtins", "__builtin__"].contains(module) { return !plainBuiltins.contains(last) }
    return modules.contains(module) || names.contains { name.hasPrefix($0) }
  }

  /// Whether a name is that of a function of PyTorch's, which makes tensors of a kind that is not
  /// known, or loads another file: a call of it is refused, so that no weights are left out silently.
  static func isTorchFunction(_ name: String) -> Bool {
    let last = name.split(separator: ".").last
    return name.hasPrefix("torch.") && !(last?.first?.isUppercase ?? false)
  }

  /// Classes of Python's own, and the function that gives an object's part.
  private static let plainBuiltins: Set<String> = [
    "set", "frozenset", "bytes", "bytearray", "list", "dict", "tuple", "int", "float", "str",
    "bool", "complex", "slice", "range", "object", "type", "getattr", "Ellipsis", "NoneType",
  ]

  /// Modules that run programs and code, and that reach files, processes and the network.
  private static let modules: Set<String> = [
    "os", "posix", "nt", "posixpath", "ntpath", "subprocess", "sys", "shutil", "socket", "ssl",
    "importlib", "imp", "runpy", "pkgutil", "pty", "ctypes", "_ctypes", "code", "codeop",
    "commands",
    "webbrowser", "pickle", "_pickle", "cPickle", "marshal", "dill", "cloudpickle", "joblib",
    "timeit",
    "cProfile", "profile", "pdb", "bdb", "trace", "doctest", "asyncio", "multiprocessing",
    "concurrent", "threading", "_thread", "signal", "http", "urllib", "urllib2", "ftplib",
    "smtplib",
    "telnetlib", "xmlrpc", "requests", "httpx", "aiohttp", "tempfile", "platform", "pip",
    "setuptools", "distutils", "venv", "ensurepip", "site", "gc", "inspect", "mmap", "fcntl",
  ]

  /// Names, or what they start with, in modules that have harmless ones too.
  private static let names = [
    "operator.attrgetter", "operator.methodcaller", "_operator.attrgetter",
    "_operator.methodcaller", "types.FunctionType", "types.CodeType", "types.LambdaType",
    "numpy.testing", "numpy.f2py", "numpy.distutils", "numpy.load", "numpy.fromfile",
    "numpy.ctypeslib", "torch.hub", "torch.utils.cpp_extension", "torch.jit", "io.open", "_io.",
    "codecs.open", "pathlib.Path.",
  ]
}

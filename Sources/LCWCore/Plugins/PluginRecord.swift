// SPDX-License-Identifier: Apache-2.0
@_exported public import CPluginSection

/// What a plugin places in the linker section `lcw_plugins`: a function that adds its types.
public typealias PluginRecord = @convention(c) (PluginCollector) -> Void

extension PluginCollector {
  /// Adds a plugin's type to those found.
  public func add<P: Plugin>(_ type: P.Type) {
    Unmanaged<PluginSink>.fromOpaque(context).takeUnretainedValue().types.append(type)
  }
}

/// Takes what the sections' entries add, during one walk.
final class PluginSink {
  var types: [any Plugin.Type] = []

  /// The plugins linked into this program and into the shared objects that it opened, in the order
  /// of the sections.
  static func linkedPlugins() -> [any Plugin.Type] {
    let sink = PluginSink()
    let collector = PluginCollector(context: Unmanaged.passUnretained(sink).toOpaque())
    withExtendedLifetime(sink) {
      var section = lcw_plugin_sections()
      while true {
        walk(section, collector)
        guard let next = section.next else { break }
        section = next.pointee
      }
    }
    return sink.types
  }

  private static func walk(_ section: PluginSection, _ collector: PluginCollector) {
    guard var entry = section.begin, let end = section.end else { return }
    while entry < end {
      entry.pointee?(collector)
      entry += 1
    }
  }
}

extension PluginRegistry {
  /// The shared object that a plugin came from; nothing for one that is linked into the program.
  public static func sharedObject(of type: any Plugin.Type) -> String? {
    // A type that is no generic one has its metadata in the file that it was compiled into.
    lcw_plugin_file(unsafeBitCast(type as Any.Type, to: UnsafeRawPointer.self))
      .map { String(cString: $0) }
  }
}

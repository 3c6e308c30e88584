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

/// Takes what the section's entries add, during one walk.
final class PluginSink {
  var types: [any Plugin.Type] = []

  /// The plugins linked into this program, in the order of the section.
  static func linkedPlugins() -> [any Plugin.Type] {
    let sink = PluginSink()
    let collector = PluginCollector(context: Unmanaged.passUnretained(sink).toOpaque())
    guard var entry = lcw_plugin_section_begin(), let end = lcw_plugin_section_end() else {
      return []
    }
    withExtendedLifetime(sink) {
      while entry < end {
        entry.pointee?(collector)
        entry += 1
      }
    }
    return sink.types
  }
}

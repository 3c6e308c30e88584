// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Collects the plugins that a walk over the linker section finds.
typedef struct {
  void *_Nonnull context;
} PluginCollector;

/// One entry of the section: adds a plugin to the collector.
typedef void (*PluginSectionEntry)(PluginCollector);

/// The section's first entry; equal to the end when no plugin is linked.
const PluginSectionEntry _Nullable *_Nullable lcw_plugin_section_begin(void);

/// One past the section's last entry.
const PluginSectionEntry _Nullable *_Nullable lcw_plugin_section_end(void);

// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Collects the plugins that a walk over the linker sections finds.
typedef struct {
  void *_Nonnull context;
} PluginCollector;

/// One entry of a section: adds a plugin to the collector.
typedef void (*PluginSectionEntry)(PluginCollector);

/// The plugins of the program, or of one shared object.
typedef struct PluginSection {
  /// The first entry; equal to the end when no plugin is linked.
  const PluginSectionEntry _Nullable *_Nullable begin;
  /// One past the last entry.
  const PluginSectionEntry _Nullable *_Nullable end;
  /// The section of the object that was opened before.
  const struct PluginSection *_Nullable next;
} PluginSection;

/// The program's section; its `next` is that of the shared object opened last.
PluginSection lcw_plugin_sections(void);

/// Called by a shared object's constructor, on whatever thread opens it: adds its section to the
/// list. The section must live as long as the program; objects with plugins are never closed.
void lcw_plugin_section_add(PluginSection *_Nonnull section);

/// The file that an address was loaded from, or null if that is the program itself.
const char *_Nullable lcw_plugin_file(const void *_Nonnull address);

/// The compiler that this was compiled by.
const char *_Nonnull lcw_compiler(void);

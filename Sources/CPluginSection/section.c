// SPDX-License-Identifier: Apache-2.0
#include "CPluginSection.h"

// The linker defines these two for a section whose name is a C identifier. Weak, so that a
// program without plugins links; hidden, so that each program walks its own section.
extern const PluginSectionEntry __start_lcw_plugins[]
    __attribute__((weak, visibility("hidden")));
extern const PluginSectionEntry __stop_lcw_plugins[]
    __attribute__((weak, visibility("hidden")));

const PluginSectionEntry *lcw_plugin_section_begin(void) { return __start_lcw_plugins; }
const PluginSectionEntry *lcw_plugin_section_end(void) { return __stop_lcw_plugins; }

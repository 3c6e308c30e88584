// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CPluginSection.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>

// The linker defines these two for a section whose name is a C identifier. Weak, so that a
// program without plugins links; hidden, so that each program walks its own section.
extern const PluginSectionEntry __start_lcw_plugins[]
    __attribute__((weak, visibility("hidden")));
extern const PluginSectionEntry __stop_lcw_plugins[]
    __attribute__((weak, visibility("hidden")));

// The dynamic linker keeps what was opened for the whole process, so this list can't be a value.
static _Atomic(const PluginSection *) opened;

PluginSection lcw_plugin_sections(void) {
  PluginSection section = {__start_lcw_plugins, __stop_lcw_plugins, atomic_load(&opened)};
  return section;
}

void lcw_plugin_section_add(PluginSection *section) {
  const PluginSection *next = atomic_load(&opened);
  do {
    section->next = next;
  } while (!atomic_compare_exchange_weak(&opened, &next, section));
}

const char *lcw_plugin_file(const void *address) {
  Dl_info there, here;
  if (!dladdr(address, &there) || !dladdr((const void *)&opened, &here)) return NULL;
  return there.dli_fbase == here.dli_fbase ? NULL : there.dli_fname;
}

const char *lcw_compiler(void) { return __VERSION__; }

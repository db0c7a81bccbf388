// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>({"asm_exc_page_fault", "exc_page_fault",
    "__x64_sys_munmap", "__x64_sys_mmap", "__x64_sys_brk", "__x64_sys_madvise", "__x64_sys_mremap", "munmap",
    "__munmap", "__GI_munmap", "mmap", "__mmap", "mmap64", "madvise", "sysmalloc", "systrim*"})};
constexpr std::array kMarkers{std::to_array<std::string_view>({"__x64_sys_munmap", "__x64_sys_brk", "__x64_sys_madvise",
    "munmap", "__munmap", "__GI_munmap", "systrim*", "madvise"})};

} // namespace

const WorkRule kPageFaultsRule{
    .data = {.key = "page_faults",
        .label = "Memory given back and taken anew",
        .title = "{place} spends {share} of the CPU time on pages that are given back to the system and "
                 "taken anew",
        .speedUp = {1.5, 30},
        .confidence = 0.7,
        .effort = 2,
        .advice = "Keep large buffers and use them again; or raise M_MMAP_THRESHOLD and M_TRIM_THRESHOLD, "
                  "so that malloc keeps them.",
        .check = "Record again: minor page faults a second and system CPU time should fall.",
        .caution = ""},
    .functions = kFunctions,
    .markers = kMarkers,
    .leastMarkerShare = 0.01,
    .leastShare = 0.05,
    .depth = WorkDepth::Symptom,
};

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace model {

/// The name of a function without what a compiler or linker numbers anew with each build: the suffixes of clones (".part.0",
/// ".constprop.0", ".isra.0", ".cold", ".lto_priv.0", ".llvm.123", "[clone …]") and the numbers of lambdas and unnamed types. Two builds
/// give the same function the same text; parts of one function get one text.
std::string matchName(std::string_view name);

/// The same with the numbers of lambdas and unnamed types, which stand for the same in one build: what matchName() may take together.
std::string buildMatchName(std::string_view name);

/// A module's file name without folders and without what stands behind ".so": "libfoo.so" for "/usr/lib/libfoo.so.1.2.3".
std::string moduleMatchName(std::string_view path);

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/module_colors.h"

#include <array>
#include <string_view>

namespace ui {

namespace {

constexpr std::array<std::string_view, 6> kSystemFolders{
    "/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/", "/usr/libexec/", "/usr/local/lib/"};

/// FNV-1a: the same module has the same tint in every session.
std::size_t stableHash(std::string_view text)
{
    std::uint32_t hash = 2166136261u;
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    return hash;
}

} // namespace

bool isSystemModule(const model::ProgramTables &tables, model::ModuleId module)
{
    const model::Module &found = tables.modules.at(module.index());
    if (found.kind != model::ModuleKind::File)
        return found.kind != model::ModuleKind::Jit;
    const std::string_view path = tables.text(found.path);
    for (const std::string_view folder : kSystemFolders) {
        if (path.starts_with(folder))
            return path.find(".so", path.rfind('/')) != std::string_view::npos; // else a program, as cc1plus is
    }
    return false;
}

ModuleTint::ModuleTint(const model::ProgramTables &tables, model::ModuleId module)
{
    if (!module.isValid() || isSystemModule(tables, module))
        return;
    const std::string_view path = tables.text(tables.modules.at(module.index()).path);
    m_index = static_cast<int>(stableHash(path.substr(path.rfind('/') + 1)) % Colors::kTintCount);
}

} // namespace ui

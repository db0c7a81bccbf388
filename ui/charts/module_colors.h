// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/tables/program_tables.h"
#include "ui/theme_colors.h"

#include <QColor>

namespace ui {

/// Whether a module belongs to the system rather than to the profiled program: the kernel, the vdso, and libraries below
/// the system's folders.
bool isSystemModule(const model::ProgramTables &tables, model::ModuleId module);

/// By what a module is told apart in flame graphs and trees: equal for the same file name in every session.
class ModuleTint
{
public:
    /// Grey: system libraries, and what is no module.
    ModuleTint() = default;
    ModuleTint(const model::ProgramTables &tables, model::ModuleId module);

    QColor color(const Colors &colors) const
    {
        return m_index < 0 ? colors.neutralTint() : colors.tint(static_cast<std::size_t>(m_index));
    }

private:
    int m_index = -1;
};

} // namespace ui

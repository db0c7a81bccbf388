// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/pages/cost_page.h"

namespace ui {

/// Where the CPU time goes.
class CpuPage : public CostPage
{
    Q_OBJECT

public:
    explicit CpuPage(Selection &selection, QWidget *parent = nullptr);

    QString key() const override { return QStringLiteral("cpu"); }
    QString title() const override { return tr("CPU"); }
    QString iconName() const override { return QStringLiteral("cpu"); }
    model::Trust subtitleTrust() const override;

protected:
    QString wholeText(const model::Snapshot &snapshot) const override;
    QString emptyText(const model::Snapshot &snapshot) const override;
    void writeStacks(std::ostream &out, const model::Snapshot &snapshot) const override;
};

} // namespace ui

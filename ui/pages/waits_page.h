// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/pages/cost_page.h"

namespace ui {

/// Where threads do not run, and what they wait for.
class WaitsPage : public CostPage
{
    Q_OBJECT

public:
    explicit WaitsPage(Selection &selection, QWidget *parent = nullptr);

    QString key() const override { return QStringLiteral("waits"); }
    QString title() const override { return tr("Waits"); }
    QString iconName() const override { return QStringLiteral("waits"); }

protected:
    QString wholeText(const model::Snapshot &snapshot) const override;
    QString emptyText(const model::Snapshot &snapshot) const override;
    void writeStacks(std::ostream &out, const model::Snapshot &snapshot) const override;
};

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/pages/cost_page.h"

namespace ui {

/// Which system calls are made, by whom, and how long they take.
class SystemCallsPage : public CostPage
{
    Q_OBJECT

public:
    explicit SystemCallsPage(Selection &selection, QWidget *parent = nullptr);

    QString key() const override { return QStringLiteral("system-calls"); }
    QString title() const override { return tr("System calls"); }
    QString iconName() const override { return QStringLiteral("calls"); }

protected:
    QString wholeText(const model::Snapshot &snapshot) const override;
    QString emptyText(const model::Snapshot &snapshot) const override;
    void writeStacks(std::ostream &out, const model::Snapshot &snapshot) const override;
};

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/pages/cost_page.h"

namespace ui {

/// Which stacks hold, held and churned the heap.
class HeapPage : public CostPage
{
    Q_OBJECT

public:
    explicit HeapPage(Selection &selection, QWidget *parent = nullptr);

    QString key() const override { return QStringLiteral("heap"); }
    QString title() const override { return tr("Heap"); }
    QString iconName() const override { return QStringLiteral("heap"); }

protected:
    QString wholeText(const model::Snapshot &snapshot) const override;
    QString emptyText(const model::Snapshot &snapshot) const override;
    void writeStacks(std::ostream &out, const model::Snapshot &snapshot) const override;

private:
    QString amountText(const model::Snapshot &snapshot) const;
};

} // namespace ui

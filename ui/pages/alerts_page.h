// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/pages/page.h"
#include "ui/selection.h"

class QTreeWidget;

namespace ui {

class Card;
class EmptyState;

/// Which alert rules fired, when, for how long, and on what values. A row selects its time.
class AlertsPage : public Page
{
    Q_OBJECT

public:
    explicit AlertsPage(Selection &selection, QWidget *parent = nullptr);

    QString key() const override { return QStringLiteral("alerts"); }
    QString title() const override { return tr("Alerts"); }
    QString iconName() const override { return QStringLiteral("warning"); }
    QString subtitle() const override;
    void setSnapshot(std::shared_ptr<const model::Snapshot> snapshot) override;
    std::vector<Export> exports() override;

Q_SIGNALS:
    /// How many alerts go on.
    void activeCounted(int count);

private:
    void showAlerts();
    void select(std::size_t alert);

    Selection &m_selection;
    std::shared_ptr<const model::Snapshot> m_snapshot;
    Card *m_card = nullptr;
    QTreeWidget *m_table = nullptr;
    EmptyState *m_empty = nullptr;
    std::size_t m_shown = 0; ///< rows whose columns were fitted
};

} // namespace ui

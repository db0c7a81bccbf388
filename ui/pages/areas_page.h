// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/pages/cost_page.h"

#include <optional>
#include <utility>

class QTreeWidget;
class QTreeWidgetItem;

namespace ui {

/// Memory beside malloc's: what the program maps itself and its own pools. A list of them, and of the chosen one the stacks.
class AreasPage : public CostPage
{
    Q_OBJECT

public:
    explicit AreasPage(Selection &selection, QWidget *parent = nullptr);

    QString key() const override { return QStringLiteral("areas"); }
    QString title() const override { return tr("Mappings, pools"); }
    QString iconName() const override { return QStringLiteral("areas"); }
    void setSnapshot(std::shared_ptr<const model::Snapshot> snapshot) override;
    std::vector<Export> exports() override;

protected:
    void resizeEvent(QResizeEvent *event) override;
    QString wholeText(const model::Snapshot &snapshot) const override;
    QString emptyText(const model::Snapshot &snapshot) const override;
    void writeStacks(std::ostream &out, const model::Snapshot &snapshot) const override;

private:
    /// All areas of a kind, or those of one name.
    using Choice = std::pair<model::AreaKind, std::optional<model::StringId>>;

    void setUpList();
    void fillList();
    void addRows(model::AreaKind kind, const QString &all);
    void addRow(const Choice &choice, const QString &name, const model::HeapCost &sum, QTreeWidgetItem *parent);
    void fitList();
    void choose(QTreeWidgetItem *row);
    void showChosen();

    std::shared_ptr<const model::Snapshot> m_raw;
    Choice m_chosen{model::AreaKind::Mapping, std::nullopt};
    bool m_isChosen = false; ///< by somebody; else the page takes what there is
    QTreeWidget *m_list = nullptr;
    Card *m_listCard = nullptr;
};

} // namespace ui

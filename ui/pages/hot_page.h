// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/hot_paths.h"
#include "ui/background_job.h"
#include "ui/pages/page.h"
#include "ui/selection.h"

#include <cstdint>
#include <map>
#include <optional>

class QBoxLayout;
class QButtonGroup;
class QSplitter;
class QStackedWidget;
class QTreeWidgetItem;

namespace ui {

class Card;
class ColumnsThatFit;
class EmptyState;
class NameNeedle;
class NotedTreeWidget;
class ThreadBox;

/// The ways on which most of a cost flows, and the functions by their own part of it, with the interval that sampling leaves and ties shown as
/// ties. By any cost, of the selected time; CPU time also by thread.
class HotPage : public Page
{
    Q_OBJECT

public:
    explicit HotPage(Selection &selection, QWidget *parent = nullptr);

    QString key() const override { return QStringLiteral("hot"); }
    QString title() const override { return tr("Hot paths"); }
    QString iconName() const override { return QStringLiteral("hot"); }
    QString subtitle() const override;
    void setSnapshot(std::shared_ptr<const model::Snapshot> snapshot) override;
    void takeKeys() override;
    bool listsFunctions() const override { return true; }
    bool isBusy() const override { return m_job.isRunning(); }
    std::vector<Export> exports() override;

    /// Shows another cost, as its button would.
    void showCost(model::CostKind kind);
    model::CostKind shownCost() const { return m_kind; }

protected:
    void resizeEvent(QResizeEvent *event) override;

private:
    static QString costLabel(model::CostKind kind);
    void setUpControls(QBoxLayout *column);
    void setUpTables(QBoxLayout *column);
    void chooseWhatIsThere();
    void rebuild();
    void show(model::HotSpots hot);
    void showPaths();
    void showFunctions();
    using NodeNames = std::map<std::uint32_t, QString>; ///< how functions on the paths read, by node
    NodeNames pathNames() const;
    void fillPath(QTreeWidgetItem &row, const model::HotPath &path, bool isTie, const NodeNames &names) const;
    void filterRows();
    QString missingWords(const NameNeedle &wanted) const;
    void applyFind();
    static bool findIn(QTreeWidgetItem &path, const NameNeedle &wanted);
    void inspect(const QTreeWidgetItem *row);
    void showOnItsPage(const QTreeWidgetItem *row);
    void showMenu(const QTreeWidgetItem *row, const QPoint &globalPosition);
    QString placeText(model::StringId file, std::uint32_t line) const;

    Selection &m_selection;
    BackgroundJob m_job;
    std::shared_ptr<const model::Snapshot> m_snapshot;
    std::shared_ptr<const model::Snapshot> m_shownSnapshot; ///< what m_hot was made from
    std::optional<model::HotSpots> m_hot;
    model::CostKind m_kind = model::CostKind::CpuTime;
    bool m_isChosen = false; ///< somebody chose the cost
    QButtonGroup *m_costButtons = nullptr;
    QBoxLayout *m_controls = nullptr; ///< two rows of buttons, or one where there is room
    ThreadBox *m_threads = nullptr;
    QStackedWidget *m_stack = nullptr;
    EmptyState *m_empty = nullptr;
    Card *m_pathCard = nullptr;
    Card *m_functionCard = nullptr;
    NotedTreeWidget *m_paths = nullptr;
    NotedTreeWidget *m_functions = nullptr;
    ColumnsThatFit *m_pathColumns = nullptr;
    ColumnsThatFit *m_functionColumns = nullptr;
};

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/pages/page.h"
#include "ui/selection.h"

#include <memory>
#include <vector>

class QLabel;
class QPushButton;
class QTreeWidget;
class QVBoxLayout;

namespace ui {

class Card;

/// What the last scans for lost memory found: classes, the stacks that lost most, and who holds the rest. A button for another scan
/// while recording.
class LostPage : public Page
{
    Q_OBJECT

public:
    explicit LostPage(Selection &selection, QWidget *parent = nullptr);

    QString key() const override { return QStringLiteral("lost"); }
    QString title() const override { return tr("Lost memory"); }
    QString iconName() const override { return QStringLiteral("lost"); }
    QString subtitle() const override;
    void setSnapshot(std::shared_ptr<const model::Snapshot> snapshot) override;
    bool choosesStacks() const override { return true; }
    std::vector<Export> exports() override;

    /// Whether what is recorded can be scanned now.
    static bool canScan(const model::Snapshot &snapshot);
    /// Asks for a scan, as its button does; nothing while one is made.
    void scan();
    /// The scan that was asked for has ended, or was refused.
    void setScanEnded();

Q_SIGNALS:
    /// Somebody wants the running program to be scanned.
    void scanWanted();

private:
    void setUpTop(QVBoxLayout *outer);
    void showScans();
    void updateButton();
    void addScan(const model::MemoryScan &scan);
    QWidget *newClasses(const model::MemoryScan &scan) const;
    QTreeWidget *newStacks(const model::MemoryScan &scan);
    QTreeWidget *newHolders(const model::MemoryScan &scan);
    QLabel *newGrowthLine(QTreeWidget *list, const model::MemoryScan &scan);
    void inspectOnActivation(QTreeWidget *list, model::ImageId image);

    Selection &m_selection;
    std::shared_ptr<const model::Snapshot> m_snapshot;
    std::vector<std::shared_ptr<const model::MemoryScan>> m_scans; ///< that are shown
    bool m_isScanning = false;
    QPushButton *m_scan = nullptr;
    QVBoxLayout *m_column = nullptr;
};

} // namespace ui

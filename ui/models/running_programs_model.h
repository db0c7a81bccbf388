// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/process_list.h"

#include <QAbstractTableModel>
#include <QSortFilterProxyModel>

#include <vector>

namespace ui {

/// Running programs as a table. Fetches and formats only; sort and filter through a proxy by Qt::UserRole (numbers) and text.
class RunningProgramsModel : public QAbstractTableModel
{
    Q_OBJECT

public:
    enum Column { Pid, Program, User, Cpu, Memory, Threads, Age, ColumnCount };

    using QAbstractTableModel::QAbstractTableModel;

    /// `nowWallNs`: CLOCK_REALTIME, to tell for how long they run.
    void setPrograms(std::vector<model::RunningProcess> programs, std::int64_t nowWallNs);
    const model::RunningProcess &at(int row) const { return m_programs.at(static_cast<std::size_t>(row)); }

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    QString cellText(const model::RunningProcess &program, int column) const;

    std::vector<model::RunningProcess> m_programs;
    std::int64_t m_nowWallNs = 0;
};

/// The programs that match a search, sorted by numbers rather than their text.
class RunningProgramsFilter : public QSortFilterProxyModel
{
    Q_OBJECT

public:
    explicit RunningProgramsFilter(RunningProgramsModel &programs, QObject *parent = nullptr);

    void setSearch(const QString &words);

protected:
    bool filterAcceptsRow(int row, const QModelIndex &parent) const override;

private:
    RunningProgramsModel &m_programs;
    std::string m_search;
};

} // namespace ui

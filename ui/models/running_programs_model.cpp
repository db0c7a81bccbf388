// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/running_programs_model.h"

#include "model/base/format_steady.h"
#include "model/base/format_units.h"
#include "ui/text.h"

namespace ui {

void RunningProgramsModel::setPrograms(std::vector<model::RunningProcess> programs, std::int64_t nowWallNs)
{
    beginResetModel();
    m_programs = std::move(programs);
    m_nowWallNs = nowWallNs;
    endResetModel();
}

int RunningProgramsModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_programs.size());
}

int RunningProgramsModel::columnCount(const QModelIndex &parent) const { return parent.isValid() ? 0 : ColumnCount; }

namespace {

/// The command line without the folder of its program: what tells programs apart comes first.
QString programText(const model::RunningProcess &program)
{
    const QString line = text(program.commandLine.empty() ? program.name : program.commandLine);
    const qsizetype end = line.indexOf(u' ');
    const qsizetype slash = line.lastIndexOf(u'/', (end < 0 ? line.size() : end) - 1);
    return line.startsWith(u'/') ? line.mid(slash + 1) : line;
}

} // namespace

QString RunningProgramsModel::cellText(const model::RunningProcess &program, int column) const
{
    switch (column) {
    case Pid:
        return QString::number(program.pid);
    case Program:
        return programText(program);
    case User:
        return text(program.user);
    case Cpu:
        return text(model::formatSteady(static_cast<double>(program.cpuMilliPercent) / 1000, model::Unit::Percent));
    case Memory:
        return text(model::formatSteady(static_cast<double>(program.rssBytes), model::Unit::Bytes));
    case Threads:
        return text(model::formatCount(program.threads));
    case Age:
        return text(model::formatDuration({m_nowWallNs - program.startWallNs}));
    default:
        return {};
    }
}

namespace {

QVariant sortValue(const model::RunningProcess &program, int column)
{
    switch (column) {
    case RunningProgramsModel::Pid:
        return program.pid;
    case RunningProgramsModel::Program:
        return text(program.name).toLower();
    case RunningProgramsModel::User:
        return text(program.user);
    case RunningProgramsModel::Cpu:
        return static_cast<qint64>(program.cpuMilliPercent);
    case RunningProgramsModel::Memory:
        return static_cast<qint64>(program.rssBytes);
    case RunningProgramsModel::Threads:
        return static_cast<qint64>(program.threads);
    case RunningProgramsModel::Age:
        return static_cast<qint64>(-program.startWallNs);
    default:
        return {};
    }
}

bool isText(int column) { return column == RunningProgramsModel::Program || column == RunningProgramsModel::User; }

} // namespace

QVariant RunningProgramsModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    const model::RunningProcess &program = at(index.row());
    if (role == Qt::ToolTipRole && index.column() == Program && !program.commandLine.empty())
        return text(program.commandLine);
    if (role == Qt::DisplayRole || role == Qt::ToolTipRole)
        return cellText(program, index.column());
    if (role == Qt::UserRole)
        return sortValue(program, index.column());
    if (role == Qt::TextAlignmentRole)
        return QVariant(isText(index.column()) ? Qt::AlignLeft | Qt::AlignVCenter : Qt::AlignRight | Qt::AlignVCenter);
    return {};
}

QVariant RunningProgramsModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant(isText(section) ? Qt::AlignLeft | Qt::AlignVCenter : Qt::AlignRight | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    switch (section) {
    case Pid:
        return tr("PID");
    case Program:
        return tr("Program");
    case User:
        return tr("User");
    case Cpu:
        return tr("CPU");
    case Memory:
        return tr("Memory");
    case Threads:
        return tr("Threads");
    case Age:
        return tr("Running for");
    default:
        return {};
    }
}

RunningProgramsFilter::RunningProgramsFilter(RunningProgramsModel &programs, QObject *parent)
    : QSortFilterProxyModel(parent)
    , m_programs(programs)
{
    setSourceModel(&programs);
    setSortRole(Qt::UserRole);
}

void RunningProgramsFilter::setSearch(const QString &words)
{
    m_search = words.toStdString();
    invalidateFilter();
}

bool RunningProgramsFilter::filterAcceptsRow(int row, const QModelIndex &) const
{
    return model::matchesSearch(m_programs.at(row), m_search);
}

} // namespace ui

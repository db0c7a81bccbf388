// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/cost_columns.h"

#include <QCoreApplication>

namespace ui {

namespace {

using model::CostKind;

QString tr(const char *text) { return QCoreApplication::translate("CostColumns", text); }

/// What stands beside the cost that a page is about.
std::vector<CostKind> companions(CostKind kind)
{
    switch (kind) {
    case CostKind::Live:
    case CostKind::LiveBlocks:
    case CostKind::Growth:
        return {CostKind::LiveBlocks, CostKind::Growth};
    case CostKind::Peak:
    case CostKind::PeakBlocks:
        return {CostKind::PeakBlocks, CostKind::Live};
    case CostKind::Allocated:
        return {CostKind::Allocations, CostKind::Live};
    case CostKind::Temporary:
    case CostKind::TemporaryBytes:
        return {CostKind::TemporaryBytes, CostKind::Allocations};
    case CostKind::Allocations:
    case CostKind::Frees:
        return {CostKind::Allocated, CostKind::Temporary};
    case CostKind::CpuTime:
    case CostKind::CpuSamples:
        return {CostKind::CpuSamples};
    case CostKind::SystemCalls:
    case CostKind::SystemCallErrors:
        return {CostKind::SystemCallTime, CostKind::SystemCallErrors};
    case CostKind::SystemCallTime:
    case CostKind::SystemCallBytes:
        return {CostKind::SystemCalls, CostKind::SystemCallErrors};
    default: // waits
        return {CostKind::WaitTime, CostKind::Waits};
    }
}

} // namespace

QString costText(std::int64_t value, model::Unit unit)
{
    return QString::fromStdString(model::formatValue(static_cast<double>(value), unit));
}

CostView costViewFor(model::CostKind kind)
{
    CostView view;
    view.kinds.push_back(kind);
    for (const CostKind companion : companions(kind)) {
        if (companion != kind)
            view.kinds.push_back(companion);
    }
    view.columns
        = {{0, CostPart::Total, false, true}, {0, CostPart::Total, true, false}, {0, CostPart::Self, false, false}};
    for (std::size_t i = 1; i < view.kinds.size(); ++i)
        view.columns.push_back({i, CostPart::Total, false, false});
    return view;
}

QString columnTitle(const CostView &view, const CostColumn &column)
{
    if (column.asShare)
        return tr("Share");
    if (column.part == CostPart::Self)
        return tr("Self");
    const CostKind kind = view.kinds.at(column.cost);
    switch (kind) { // on a page about system calls
    case CostKind::SystemCalls:
        return tr("Calls");
    case CostKind::SystemCallTime:
        return tr("Time");
    case CostKind::SystemCallErrors:
        return tr("Failed");
    case CostKind::SystemCallBytes:
        return tr("Bytes");
    default:
        break;
    }
    const std::string_view label = model::costInfo(kind).label;
    return QString::fromUtf8(label.data(), static_cast<qsizetype>(label.size()));
}

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/row_fit.h"

#include <QLayout>
#include <QWidget>

#include <algorithm>
#include <cstddef>
#include <map>

namespace ui {

namespace {

int wantedWidth(const QWidget &widget)
{
    return widget.isHidden() ? 0 : widget.sizeHint().expandedTo(widget.minimumSizeHint()).width();
}

/// Takes up to `missing` pixels from `widths`, from the greatest of those that have more than their least; returns what is still missing.
int takeFromWidest(
    int missing, const std::vector<std::size_t> &turn, const std::vector<GivingWidget> &parts, std::vector<int> &widths)
{
    for (; missing > 0; --missing) {
        std::size_t widest = widths.size();
        for (const std::size_t i : turn)
            if (widths[i] > parts[i].least && (widest == widths.size() || widths[i] > widths[widest]))
                widest = i;
        if (widest == widths.size())
            break;
        --widths[widest];
    }
    return missing;
}

} // namespace

int missingWidth(const QWidget &row, const std::vector<GivingWidget> &parts)
{
    int missing = row.layout()->sizeHint().width() - row.width();
    for (const GivingWidget &part : parts) {
        const int wanted = wantedWidth(*part.widget);
        missing += wanted - std::min(wanted, part.widget->maximumWidth());
    }
    return missing;
}

void fitRow(const QWidget &row, const std::vector<GivingWidget> &parts)
{
    std::vector<int> widths;
    std::map<int, std::vector<std::size_t>> turns;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        widths.push_back(wantedWidth(*parts[i].widget));
        turns[parts[i].turn].push_back(i);
    }
    int missing = missingWidth(row, parts);
    for (const auto &[number, turn] : turns)
        missing = takeFromWidest(missing, turn, parts, widths);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const bool isCut = widths[i] < wantedWidth(*parts[i].widget);
        parts[i].widget->setMaximumWidth(isCut && widths[i] < kLeastOfText ? 0 : isCut ? widths[i] : QWIDGETSIZE_MAX);
    }
}

} // namespace ui

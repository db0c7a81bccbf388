// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

class QWidget;

namespace ui {

/// A widget of a row that can show its text in less than its whole width.
struct GivingWidget
{
    QWidget *widget = nullptr;
    int least = 0; ///< px; below kLeastOfText it vanishes
    int turn = 0;  ///< who gives way first; those of one turn give together, the widest of them first
};

/// What is left of a line in less than so much says nothing.
inline constexpr int kLeastOfText = 48;

/// How many pixels `row`, laid out from left to right, lacks for what all in it would like to have; 0 or less: it has room.
int missingWidth(const QWidget &row, const std::vector<GivingWidget> &parts);

/// Sets the greatest width of each of `parts` so that the row fits: all have what they would like to where there is room.
void fitRow(const QWidget &row, const std::vector<GivingWidget> &parts);

} // namespace ui

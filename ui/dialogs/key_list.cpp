// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/dialogs/key_list.h"

#include "ui/theme.h"
#include "ui/widgets/labels.h"

#include <QCoreApplication>
#include <QDialog>
#include <QDialogButtonBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QVBoxLayout>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace ui {

namespace {

QString tr(const char *words) { return QCoreApplication::translate("KeyList", words); }

constexpr int kWordsWidth = 230;

/// A heading where the first is empty.
using Row = std::pair<QString, QString>;

std::array<Row, 31> rows()
{
    return {{{{}, tr("Everywhere")}, {tr("Alt+1 … Alt+9"), tr("One of the first nine pages")},
        {tr("Ctrl+PgUp, Ctrl+PgDn"), tr("The page above or below")},
        {tr("Ctrl+F"), tr("Find functions, in quotes just that name; Enter goes there, Esc forgets it")},
        {tr("Ctrl+O"), tr("Open a session")}, {tr("Ctrl+M"), tr("Mark this moment, while recording")},
        {tr("Ctrl+H"), tr("Hold the view while recording goes on")},
        {tr("Esc"),
            tr("Forget what was searched; then close the inspector; then one step back: the selected time, process or "
               "thread")},
        {tr("F1"), tr("This list")}, {{}, tr("Timeline and charts")}, {tr("Drag"), tr("Select a time, for all pages")},
        {tr("Wheel, + and −"), tr("Zoom at the pointer or the crosshair")},
        {tr("Shift+wheel, Ctrl+arrows"), tr("Earlier or later, when zoomed")},
        {tr("Left, Right"), tr("Timeline: move the selected time (Shift: its end); charts: the crosshair")},
        {tr("Double click, Home"), tr("The whole recording")},
        {tr("Right click"), tr("Timeline, charts with a PNG link: copy, save, show all")}, {{}, tr("Heat map")},
        {tr("Arrows"), tr("From cell to cell (Shift: by ten)")}, {tr("Enter"), tr("Select the time of the cell")},
        {{}, tr("Flame graphs")}, {tr("Click, arrows"), tr("Select a function and show its stack")},
        {tr("Double click, Enter"), tr("Zoom into it")},
        {tr("Esc, Backspace, back button"), tr("Back to the zoom before")}, {tr("Home"), tr("The whole graph")},
        {tr("Right click"), tr("Copy, find, zoom, callers")}, {{}, tr("Trees and tables")},
        {tr("Click on a heading"), tr("Sort by it")}, {tr("Right, Left"), tr("Open and close a row")},
        {tr("*"), tr("Open everything below a row")},
        {tr("Double click, Enter"), tr("In functions: who calls it; in a stack: its source")},
        {tr("Ctrl+C"), tr("Copy the cell")}}};
}

QGridLayout *newGrid(const std::vector<Row> &rows)
{
    auto *grid = new QGridLayout;
    grid->setHorizontalSpacing(24);
    grid->setVerticalSpacing(4);
    int line = 0;
    for (const auto &[key, words] : rows) {
        if (key.isEmpty()) {
            if (line > 0)
                grid->setRowMinimumHeight(line++, 8);
            grid->addWidget(newLabel(words, TextSize::Body, TextWeight::Strong), line++, 0, 1, 2);
            continue;
        }
        grid->addWidget(newLabel(key), line, 0, Qt::AlignTop);
        QLabel *what = newLabel(words, TextSize::Body, TextWeight::Normal, "muted");
        what->setWordWrap(true);
        // At one width, so that its height is known: a grid guesses that of wrapped text, and cuts off what it did not expect.
        what->setFixedWidth(kWordsWidth);
        what->setMinimumHeight(what->heightForWidth(kWordsWidth));
        grid->addWidget(what, line++, 1);
    }
    return grid;
}

} // namespace

void showKeys(QWidget *parent)
{
    QDialog dialog(parent);
    dialog.setWindowTitle(tr("Keys and gestures"));
    auto *column = new QVBoxLayout(&dialog);
    column->setContentsMargins(24, 20, 24, 16);
    // Two beside each other: one under the other they are higher than a small screen.
    auto *sides = new QHBoxLayout;
    sides->setSpacing(40);
    const auto all = rows();
    const auto half = std::find_if(
        all.begin() + 1, all.end(), [](const Row &row) { return row.first.isEmpty() && row.second == tr("Heat map"); });
    for (const auto &[from, to] : {std::pair(all.begin(), half), {half, all.end()}}) {
        auto *side = new QVBoxLayout;
        side->addLayout(newGrid({from, to}));
        side->addStretch(1);
        sides->addLayout(side);
    }
    column->addLayout(sides);
    column->addSpacing(12);
    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    QObject::connect(buttons, &QDialogButtonBox::rejected, &dialog, &QDialog::reject);
    column->addWidget(buttons);
    dialog.exec();
}

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/difference_flame_view.h"

#include "model/report/difference_words.h"
#include "ui/models/difference_columns.h"
#include "ui/text.h"
#include "ui/theme.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

namespace ui {

DifferenceFlameView::DifferenceFlameView(QWidget *parent)
    : FlameView(parent)
    , m_tree(std::make_shared<const model::DifferenceTree>())
{
    setAccessibleName(tr("Differential flame graph"));
}

void DifferenceFlameView::setTree(std::shared_ptr<const model::DifferenceTree> tree)
{
    const std::vector<QString> zoomed = pathOf(zoom());
    m_tree = std::move(tree);
    treeChanged(zoomed);
}

QColor DifferenceFlameView::colorOf(double shade, const Colors &colors)
{
    if (shade == 0)
        return colors.neutralTint();
    // The least change has a colour that is told from grey; text in Ink stays readable on the fullest.
    constexpr double kLeast = 0.18;
    constexpr double kMost = 0.5;
    const double strength = kLeast + (kMost - kLeast) * std::min(std::abs(shade), 1.0);
    return mixed(colors[shade > 0 ? Token::Danger : Token::Memory], colors[Token::Raised], strength);
}

FlameView::Place DifferenceFlameView::place(model::NodeId node) const
{
    const model::DifferenceNode &at = m_tree->node(node);
    return {at.parent, at.firstChild, at.childCount};
}

QString DifferenceFlameView::wholeName(model::NodeId node) const { return text(m_tree->name(node)); }

QColor DifferenceFlameView::fillOf(model::NodeId node) const
{
    return colorOf(model::differenceShade(m_tree->node(node).total), Colors::of(this));
}

model::FlameLayout DifferenceFlameView::layoutFor(const model::FlameOptions &options) const
{
    return model::flameLayout(*m_tree, options);
}

QString DifferenceFlameView::explanation(const model::FlameRect &rect) const
{
    if (rect.merged)
        return tr("%n more functions, too narrow to draw", nullptr, static_cast<int>(rect.merged));
    const auto unit = model::costInfo(m_tree->kind()).unit;
    const model::DifferenceNode &node = m_tree->node(rect.node);
    const auto row = [&](const QString &name, const model::Difference &cost) {
        QString words = tr("%1: %2 → %3   %4")
                            .arg(name, costWords(cost.a, unit), costWords(cost.b, unit), changeWords(cost, unit));
        if (cost.a != cost.b)
            words += tr(" (%1)").arg(text(model::relativeText(cost)));
        return words;
    };
    QString words = rect.node == model::DifferenceTree::root() ? tr("all") : text(m_tree->name(rect.node));
    if (rect.node != model::DifferenceTree::root())
        words += u'\n' + text(m_tree->moduleName(rect.node));
    words += u'\n' + row(tr("total"), node.total);
    if (node.self.a != 0 || node.self.b != 0)
        words += u'\n' + row(tr("self"), node.self);
    if (m_tree->certainty() == model::Certainty::Estimated) {
        const QString interval = text(model::relativeIntervalText(node.total, m_tree->certainty()));
        if (!interval.isEmpty())
            words += u'\n' + tr("95 % interval: %1").arg(interval);
        if (!node.total.isSignificant)
            words += u'\n' + tr("not more than sampling explains");
    } else if (m_tree->certainty() == model::Certainty::Unknown) {
        words += u'\n' + tr("not judged: %1").arg(text(model::whyNotJudged(m_tree->kind())));
    }
    return words;
}

DifferenceScale::DifferenceScale(QWidget *parent)
    : QWidget(parent)
{
    setFont(textFont(font(), TextSize::Caption));
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    setAccessibleName(tr("Scale: blue is less than before, red is more, grey is no significant change"));
    setToolTip(tr("%1; each function is as wide as the mean of both").arg(accessibleName()));
}

QSize DifferenceScale::sizeHint() const { return {180, fontMetrics().height() + 4}; }

void DifferenceScale::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    painter.setFont(font());
    const Colors &colors = Colors::of(this);
    const QString less = tr("half");
    const QString more = tr("twice");
    constexpr int kGap = 6;
    constexpr int kSteps = 11;
    const int left = fontMetrics().horizontalAdvance(less) + kGap;
    const int right = width() - fontMetrics().horizontalAdvance(more) - kGap;
    painter.setPen(colors[Token::InkMuted]);
    painter.drawText(rect(), Qt::AlignLeft | Qt::AlignVCenter, less);
    painter.drawText(rect(), Qt::AlignRight | Qt::AlignVCenter, more);
    for (int i = 0; i < kSteps; ++i) {
        const double shade = 2.0 * i / (kSteps - 1) - 1;
        const int from = left + (right - left) * i / kSteps;
        const int to = left + (right - left) * (i + 1) / kSteps;
        painter.fillRect(from, height() / 2 - 5, to - from, 10, DifferenceFlameView::colorOf(shade, colors));
    }
}

} // namespace ui

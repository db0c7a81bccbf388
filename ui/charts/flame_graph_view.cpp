// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/flame_graph_view.h"

#include "ui/text.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QScrollBar>
#include <QToolTip>

#include <algorithm>

namespace ui {

namespace {

constexpr int kRowHeight = 22;
constexpr int kTextMargin = 6;
constexpr float kLeastTextWidth = 26;
constexpr float kSharedWidth = 0.9F; ///< a row with a function this wide divides nothing yet
constexpr int kCallersInSight = 3;   ///< above the row where the graph divides

/// The node of `to` that is reached by the names of `from`'s path; the deepest that exists.
model::NodeId sameNode(const model::CallTree &from, model::NodeId node, const model::CallTree &to)
{
    std::vector<std::string> path;
    for (; node != model::CallTree::root(); node = from.node(node).parent)
        path.push_back(from.name(node));
    model::NodeId found = model::CallTree::root();
    for (auto name = path.rbegin(); name != path.rend(); ++name) {
        model::NodeId next;
        for (std::size_t row = 0; row < to.node(found).childCount && !next.isValid(); ++row) {
            if (const model::NodeId child = to.child(found, row); to.name(child) == *name)
                next = child;
        }
        if (!next.isValid())
            break;
        found = next;
    }
    return found;
}

} // namespace

FlameGraphView::FlameGraphView(QWidget *parent)
    : QAbstractScrollArea(parent)
    , m_tree(std::make_shared<const model::CallTree>())
{
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::StrongFocus);
    viewport()->setMouseTracking(true);
    setAccessibleName(tr("Flame graph"));
    verticalScrollBar()->setSingleStep(kRowHeight);
}

void FlameGraphView::setTree(std::shared_ptr<const model::CallTree> tree, std::size_t column)
{
    m_zoom = sameNode(*m_tree, m_zoom, *tree);
    m_selected = m_selected.isValid() ? sameNode(*m_tree, m_selected, *tree) : m_selected;
    m_tree = std::move(tree);
    m_column = column;
    findMatches();
    relayout();
}

void FlameGraphView::setSearch(const QString &needle)
{
    m_search = needle;
    findMatches();
    relayout();
}

void FlameGraphView::setSelected(model::NodeId node)
{
    m_selected = node;
    viewport()->update();
}

void FlameGraphView::zoomTo(model::NodeId node)
{
    if (node == m_zoom)
        return;
    m_zoom = node;
    m_matchedShare = matchedBelow(m_zoom);
    relayout();
    verticalScrollBar()->setValue(0);
    Q_EMIT zoomChanged(m_zoom);
}

void FlameGraphView::showBranching()
{
    m_wantsBranching = true;
    scrollToBranching();
}

void FlameGraphView::scrollToBranching()
{
    std::vector<float> widest(m_layout.rows + 1, 0);
    for (const model::FlameRect &rect : m_layout.rects)
        widest[rect.row] = std::max(widest[rect.row], rect.width);
    const auto shared = static_cast<float>(viewport()->width()) * kSharedWidth;
    const auto first = std::find_if(widest.begin(), widest.end(), [shared](float width) { return width < shared; });
    const auto row = static_cast<int>(first - widest.begin());
    const bool isInSight = row * kRowHeight < viewport()->height() / 2;
    verticalScrollBar()->setValue(isInSight ? 0 : (row - kCallersInSight) * kRowHeight);
}

QSize FlameGraphView::sizeHint() const { return {600, 12 * kRowHeight}; }

void FlameGraphView::findMatches()
{
    m_matches.clear();
    m_matchedShare = 0;
    if (m_search.isEmpty())
        return;
    m_matches.resize(m_tree->size());
    for (std::size_t i = 0; i < m_tree->size(); ++i)
        m_matches[i] = text(m_tree->name(model::NodeId(i))).contains(m_search, Qt::CaseInsensitive);
    m_matchedShare = matchedBelow(m_zoom);
}

double FlameGraphView::matchedBelow(model::NodeId node) const
{
    if (m_matches.empty() || m_tree->total(node, m_column) <= 0)
        return 0;
    std::int64_t matched = 0;
    std::vector<model::NodeId> open{node};
    while (!open.empty()) {
        const model::NodeId next = open.back();
        open.pop_back();
        if (m_matches[next.index()]) {
            matched += m_tree->total(next, m_column);
            continue;
        }
        for (std::size_t row = 0; row < m_tree->node(next).childCount; ++row)
            open.push_back(m_tree->child(next, row));
    }
    return static_cast<double>(matched) / static_cast<double>(m_tree->total(node, m_column));
}

void FlameGraphView::relayout()
{
    model::FlameOptions options;
    options.widthPx = viewport()->width();
    options.zoom = m_zoom;
    options.column = m_column;
    m_layout = model::flameLayout(*m_tree, options);
    m_looks = looksOf(m_layout);
    m_hovered.reset();
    const int contentHeight = static_cast<int>(m_layout.rows) * kRowHeight;
    verticalScrollBar()->setRange(0, std::max(0, contentHeight - viewport()->height()));
    verticalScrollBar()->setPageStep(viewport()->height());
    if (m_wantsBranching)
        scrollToBranching();
    viewport()->update();
}

std::vector<FlameGraphView::Look> FlameGraphView::looksOf(const model::FlameLayout &layout) const
{
    std::vector<Look> looks(layout.rects.size());
    const QFontMetrics metrics(font());
    for (std::size_t i = 0; i < layout.rects.size(); ++i) {
        const model::FlameRect &rect = layout.rects[i];
        Look &look = looks[i];
        look.isHit = rect.merged == 0 && !m_matches.empty() && m_matches[rect.node.index()];
        look.tint = rect.merged ? ModuleTint() : tintOf(rect.node);
        if (rect.width < kLeastTextWidth || rect.merged)
            continue;
        const QString name = rect.node == model::CallTree::root()
            ? tr("all")
            : text(model::shortFunctionName(m_tree->name(rect.node)));
        look.text = metrics.elidedText(name, Qt::ElideRight, static_cast<int>(rect.width) - 2 * kTextMargin);
        if (look.text.size() < 2)
            look.text.clear();
    }
    return looks;
}

ModuleTint FlameGraphView::tintOf(model::NodeId node) const
{
    const model::FunctionId function = m_tree->node(node).function;
    if (node == model::CallTree::root() || !function.isValid() || model::FunctionIndex::isEnd(function))
        return {};
    const model::FunctionIndex &functions = m_tree->functions();
    return {*functions.tables(), functions.function(function).module};
}

void FlameGraphView::paint(
    QPainter &painter, const model::FlameLayout &layout, const std::vector<Look> &looks, int top, int height) const
{
    const Colors &colors = Colors::of(this);
    for (std::size_t i = 0; i < layout.rects.size(); ++i) {
        const model::FlameRect &rect = layout.rects[i];
        const int y = static_cast<int>(rect.row) * kRowHeight - top;
        if (y + kRowHeight < 0 || y > height)
            continue;
        const QRectF box(rect.x, y, std::max(rect.width - 1.0f, 0.5f), kRowHeight - 1);
        const Look &look = looks[i];
        const bool isSelected = rect.merged == 0 && rect.node == m_selected;
        const bool isDimmed = !m_matches.empty() && !look.isHit;
        QColor fill = look.isHit ? colors[Token::Memory] : look.tint.color(colors);
        if (isSelected)
            fill = colors[Token::Accent];
        else if (m_hovered == i)
            fill = mixed(colors[Token::Accent], fill, 0.25);
        painter.fillRect(box, fill);
        if (look.text.isEmpty())
            continue;
        painter.setPen(colors[isSelected || look.isHit ? Token::OnAccent : isDimmed ? Token::InkMuted : Token::Ink]);
        painter.drawText(box.adjusted(kTextMargin, 0, -kTextMargin, 0), Qt::AlignVCenter | Qt::AlignLeft, look.text);
    }
}

void FlameGraphView::paintEvent(QPaintEvent *)
{
    QPainter painter(viewport());
    painter.setFont(font());
    painter.fillRect(viewport()->rect(), Colors::of(this)[Token::Raised]);
    if (m_tree->all(m_column) <= 0) {
        painter.setPen(Colors::of(this)[Token::InkMuted]);
        painter.drawText(viewport()->rect(), Qt::AlignCenter, tr("No stack has this cost in the selected time."));
        return;
    }
    m_wantsBranching = false; // from here on the reader scrolls
    paint(painter, m_layout, m_looks, verticalScrollBar()->value(), viewport()->height());
}

QImage FlameGraphView::image(int width) const
{
    model::FlameOptions options;
    options.widthPx = width;
    options.zoom = m_zoom;
    options.column = m_column;
    const model::FlameLayout layout = model::flameLayout(*m_tree, options);
    const int height = std::max(1, static_cast<int>(layout.rows)) * kRowHeight;
    QImage image(width, height, QImage::Format_RGB32);
    image.fill(Colors::of(this)[Token::Raised]);
    QPainter painter(&image);
    painter.setFont(font());
    paint(painter, layout, looksOf(layout), 0, height);
    return image;
}

std::optional<std::size_t> FlameGraphView::rectAt(const QPoint &position) const
{
    const int y = position.y() + verticalScrollBar()->value();
    if (y < 0)
        return std::nullopt;
    return m_layout.at(position.x(), static_cast<std::uint32_t>(y / kRowHeight));
}

QString FlameGraphView::explanation(const model::FlameRect &rect) const
{
    const auto unit = model::costInfo(m_tree->kinds().at(m_column)).unit;
    const auto value = [&](std::int64_t cost) { return text(model::formatValue(static_cast<double>(cost), unit)); };
    const QString share = text(model::formatShareOf(rect.total, m_tree->all(m_column)));
    if (rect.merged)
        return tr("%n more functions, too narrow to draw", nullptr, static_cast<int>(rect.merged)) + u'\n'
            + value(rect.total) + QStringLiteral(" · ") + share;
    QString words = rect.node == model::CallTree::root() ? tr("all") : text(m_tree->name(rect.node));
    const model::CallNode &node = m_tree->node(rect.node);
    if (node.function.isValid() && !model::FunctionIndex::isEnd(node.function))
        words += u'\n' + text(m_tree->functions().moduleName(node.function));
    if (node.isInlined)
        words += tr(" · inlined");
    if (node.recursion > 1)
        words += tr(" · recursive, %1 deep").arg(node.recursion);
    words += u'\n' + value(rect.total) + QStringLiteral(" · ") + share;
    if (const std::int64_t self = m_tree->self(rect.node, m_column))
        words += tr(" · self %1").arg(value(self));
    return words;
}

bool FlameGraphView::viewportEvent(QEvent *event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto *help = static_cast<QHelpEvent *>(event);
        if (const auto hit = rectAt(help->pos()))
            QToolTip::showText(help->globalPos(), explanation(m_layout.rects[*hit]), viewport());
        else
            QToolTip::hideText();
        return true;
    }
    if (event->type() == QEvent::Leave && m_hovered) {
        m_hovered.reset();
        viewport()->update();
    }
    return QAbstractScrollArea::viewportEvent(event);
}

void FlameGraphView::resizeEvent(QResizeEvent *event)
{
    QAbstractScrollArea::resizeEvent(event);
    relayout();
}

void FlameGraphView::mouseMoveEvent(QMouseEvent *event)
{
    const auto hit = rectAt(event->position().toPoint());
    if (hit == m_hovered)
        return;
    m_hovered = hit;
    viewport()->update();
    if (hit)
        QToolTip::showText(
            event->globalPosition().toPoint() + QPoint(0, 12), explanation(m_layout.rects[*hit]), viewport());
    else
        QToolTip::hideText();
}

void FlameGraphView::mousePressEvent(QMouseEvent *event)
{
    const auto hit = rectAt(event->position().toPoint());
    if (event->button() != Qt::LeftButton || !hit || m_layout.rects[*hit].merged)
        return;
    setSelected(m_layout.rects[*hit].node);
    Q_EMIT nodeSelected(m_selected);
}

void FlameGraphView::mouseDoubleClickEvent(QMouseEvent *event)
{
    if (const auto hit = rectAt(event->position().toPoint())) {
        zoomTo(m_layout.rects[*hit].node);
        Q_EMIT nodeActivated(m_zoom);
    }
}

void FlameGraphView::contextMenuEvent(QContextMenuEvent *event)
{
    const auto hit = rectAt(event->pos());
    if (!hit || m_layout.rects[*hit].merged)
        return;
    setSelected(m_layout.rects[*hit].node);
    Q_EMIT contextMenuRequested(m_selected, event->globalPos());
}

void FlameGraphView::step(int key)
{
    const model::NodeId at = m_selected.isValid() ? m_selected : m_zoom;
    const model::CallNode &node = m_tree->node(at);
    model::NodeId next = at;
    if (key == Qt::Key_Up && node.parent.isValid())
        next = node.parent;
    else if (key == Qt::Key_Down && node.childCount)
        next = m_tree->child(at, 0);
    else if (node.parent.isValid()) {
        const std::size_t row = m_tree->rowOf(at);
        if (key == Qt::Key_Left && row > 0)
            next = m_tree->child(node.parent, row - 1);
        else if (key == Qt::Key_Right && row + 1 < m_tree->node(node.parent).childCount)
            next = m_tree->child(node.parent, row + 1);
    }
    setSelected(next);
    Q_EMIT nodeSelected(next);
}

void FlameGraphView::keyPressEvent(QKeyEvent *event)
{
    switch (event->key()) {
    case Qt::Key_Up:
    case Qt::Key_Down:
    case Qt::Key_Left:
    case Qt::Key_Right:
        step(event->key());
        return;
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (m_selected.isValid())
            zoomTo(m_selected);
        return;
    case Qt::Key_Escape:
        if (m_zoom != model::CallTree::root()) {
            zoomTo(m_tree->node(m_zoom).parent);
            return;
        }
        break;
    default:
        break;
    }
    QAbstractScrollArea::keyPressEvent(event);
}

} // namespace ui

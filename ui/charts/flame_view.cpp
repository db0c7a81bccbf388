// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/flame_view.h"

#include "ui/charts/focus_ring.h"
#include "ui/models/name_needle.h"
#include "ui/text.h"

#include <QEvent>
#include <QPainter>
#include <QScrollBar>

#include <algorithm>

namespace ui {

namespace {

constexpr int kRowHeight = 22;
constexpr int kTextMargin = 6;
constexpr float kLeastTextWidth = 26;
constexpr float kSharedWidth = 0.9F; ///< a row with a function this wide divides nothing yet
constexpr int kCallersInSight = 3;   ///< above the row where the graph divides
constexpr int kCallersOfZoom = 2;    ///< above a zoomed function

const model::NodeId kRoot(0u);

} // namespace

FlameView::FlameView(QWidget *parent)
    : QAbstractScrollArea(parent)
{
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::StrongFocus);
    viewport()->setMouseTracking(true);
    setAccessibleName(tr("Flame graph"));
    verticalScrollBar()->setSingleStep(kRowHeight);
}

std::vector<QString> FlameView::pathOf(model::NodeId node) const
{
    std::vector<QString> path;
    for (; node.isValid() && node != kRoot; node = place(node).parent)
        path.push_back(wholeName(node));
    std::reverse(path.begin(), path.end());
    return path;
}

/// The node that is reached by these names; the deepest that exists.
model::NodeId FlameView::nodeAt(const std::vector<QString> &path) const
{
    model::NodeId found = kRoot;
    for (const QString &name : path) {
        model::NodeId next;
        const Place at = place(found);
        for (std::size_t row = 0; row < at.childCount && !next.isValid(); ++row)
            if (const model::NodeId child(at.firstChild.index() + row); wholeName(child) == name)
                next = child;
        if (!next.isValid())
            break;
        found = next;
    }
    return found;
}

void FlameView::treeChanged(const std::vector<QString> &zoomPath)
{
    m_wantedInSight = model::NodeId(); // of the tree before
    m_zoom = nodeAt(zoomPath);
    m_selected = m_selectedPath ? nodeAt(*m_selectedPath) : model::NodeId();
    if (m_selectedPath && pathOf(m_selected) != *m_selectedPath)
        m_selected = model::NodeId();
    findMatches();
    relayout();
}

void FlameView::setSearch(const QString &needle)
{
    m_search = needle;
    findMatches();
    relayout();
    const model::FlameRect *widest = nullptr;
    for (const model::FlameRect &rect : m_layout.rects)
        if (!m_matches.empty() && rect.merged == 0 && m_matches[rect.node.index()]
            && (widest == nullptr || rect.width > widest->width))
            widest = &rect;
    if (widest != nullptr)
        scrollTo(static_cast<int>(widest->row));
}

void FlameView::setSelected(model::NodeId node)
{
    m_selected = node;
    m_selectedPath = node.isValid() ? std::optional(pathOf(node)) : std::nullopt;
    viewport()->update();
}

void FlameView::showNode(model::NodeId node)
{
    setSelected(node);
    bringIntoSight(node);
}

void FlameView::bringIntoSight(model::NodeId node)
{
    m_wantedInSight = node;
    scrollToWanted();
}

void FlameView::scrollToWanted()
{
    for (const model::FlameRect &rect : m_layout.rects)
        if (m_wantedInSight.isValid() && rect.merged == 0 && rect.node == m_wantedInSight)
            scrollTo(static_cast<int>(rect.row));
}

void FlameView::zoomTo(model::NodeId node)
{
    if (node == m_zoom)
        return;
    m_zoomsBefore.push_back(pathOf(m_zoom));
    setZoom(node);
}

bool FlameView::isInZoom(model::NodeId node) const
{
    while (node.isValid() && node != m_zoom)
        node = place(node).parent;
    return node.isValid();
}

bool FlameView::zoomBack()
{
    if (m_zoom == kRoot)
        return false;
    const model::NodeId before = m_zoomsBefore.empty() ? kRoot : nodeAt(m_zoomsBefore.back());
    if (!m_zoomsBefore.empty())
        m_zoomsBefore.pop_back();
    setZoom(before == m_zoom ? kRoot : before);
    return true;
}

void FlameView::zoomOut()
{
    m_zoomsBefore.clear();
    if (m_zoom != kRoot)
        setZoom(kRoot);
}

void FlameView::setZoom(model::NodeId node)
{
    m_zoom = node;
    m_matchedShare = matchedBelow(m_zoom);
    relayout();
    if (m_zoom == kRoot)
        verticalScrollBar()->setValue(0);
    else
        scrollToZoom();
    Q_EMIT zoomChanged(m_zoom);
}

/// What a function called matters, not the callers that fill the rows above it.
void FlameView::scrollToZoom()
{
    int depth = 0;
    for (model::NodeId node = m_zoom; node.isValid() && node != kRoot; node = place(node).parent)
        ++depth;
    verticalScrollBar()->setValue((depth - kCallersOfZoom) * kRowHeight);
}

void FlameView::scrollTo(int row)
{
    const int top = verticalScrollBar()->value();
    const int y = row * kRowHeight;
    const int rowsInSight = viewport()->height() / kRowHeight;
    if (y < top || y + kRowHeight > top + viewport()->height())
        verticalScrollBar()->setValue((row - rowsInSight / 2) * kRowHeight); // whole rows
}

void FlameView::showBranching()
{
    m_wantsBranching = true;
    scrollToBranching();
}

void FlameView::scrollToBranching()
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

QSize FlameView::sizeHint() const { return {600, 12 * kRowHeight}; }

void FlameView::findMatches()
{
    m_matches.clear();
    m_matchedShare = 0;
    if (m_search.isEmpty())
        return;
    const NameNeedle needle(m_search);
    m_matches.resize(nodeCount());
    for (std::size_t i = 1; i < nodeCount(); ++i)
        m_matches[i] = needle.matches(wholeName(model::NodeId(i)));
    m_matchedShare = matchedBelow(m_zoom);
}

double FlameView::matchedBelow(model::NodeId node) const
{
    if (m_matches.empty() || total(node) <= 0)
        return 0;
    std::int64_t matched = 0;
    std::vector<model::NodeId> open{node};
    while (!open.empty()) {
        const model::NodeId next = open.back();
        open.pop_back();
        if (m_matches[next.index()]) {
            matched += total(next);
            continue;
        }
        const Place at = place(next);
        for (std::size_t row = 0; row < at.childCount; ++row)
            open.emplace_back(at.firstChild.index() + row);
    }
    return static_cast<double>(matched) / static_cast<double>(total(node));
}

void FlameView::relayout()
{
    model::FlameOptions options;
    options.widthPx = viewport()->width();
    options.zoom = m_zoom;
    m_layout = layoutFor(options);
    m_looks = looksOf(m_layout);
    m_hovered.reset();
    const int contentHeight = static_cast<int>(m_layout.rows) * kRowHeight;
    verticalScrollBar()->setRange(0, std::max(0, contentHeight - viewport()->height()));
    verticalScrollBar()->setPageStep(viewport()->height());
    if (m_wantsBranching)
        scrollToBranching();
    scrollToWanted();
    viewport()->update();
}

std::vector<FlameView::Look> FlameView::looksOf(const model::FlameLayout &layout) const
{
    std::vector<Look> looks(layout.rects.size());
    const QFontMetrics metrics(font());
    for (std::size_t i = 0; i < layout.rects.size(); ++i) {
        const model::FlameRect &rect = layout.rects[i];
        Look &look = looks[i];
        look.isHit = rect.merged == 0 && !m_matches.empty() && m_matches[rect.node.index()];
        look.fill = rect.merged ? Colors::of(this).neutralTint() : fillOf(rect.node);
        if (rect.width < kLeastTextWidth || rect.merged)
            continue;
        const QString name
            = rect.node == kRoot ? tr("all") : text(model::shortFunctionName(wholeName(rect.node).toStdString()));
        look.text = metrics.elidedText(name, Qt::ElideRight, static_cast<int>(rect.width) - 2 * kTextMargin);
        if (look.text.size() < 2)
            look.text.clear();
    }
    return looks;
}

void FlameView::paint(
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
        QColor fill = look.isHit ? colors[Token::Memory] : look.fill;
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

void FlameView::paintEvent(QPaintEvent *)
{
    QPainter painter(viewport());
    painter.setFont(font());
    painter.fillRect(viewport()->rect(), Colors::of(this)[Token::Raised]);
    if (nodeCount() == 0 || total(kRoot) <= 0) {
        painter.setPen(Colors::of(this)[Token::InkMuted]);
        painter.drawText(viewport()->rect(), Qt::AlignCenter, tr("No stack has this cost in the selected time."));
        return;
    }
    m_wantsBranching = false; // from here on the reader scrolls
    m_wantedInSight = model::NodeId();
    paint(painter, m_layout, m_looks, verticalScrollBar()->value(), viewport()->height());
    if (m_isReachedByKey)
        paintFocusRing(painter, viewport()->rect(), Colors::of(this));
}

QImage FlameView::image(int width) const
{
    model::FlameOptions options;
    options.widthPx = width;
    options.zoom = m_zoom;
    const model::FlameLayout layout = layoutFor(options);
    const int height = std::max(1, static_cast<int>(layout.rows)) * kRowHeight;
    QImage image(width, height, QImage::Format_RGB32);
    image.fill(Colors::of(this)[Token::Raised]);
    QPainter painter(&image);
    painter.setFont(font());
    paint(painter, layout, looksOf(layout), 0, height);
    return image;
}

std::optional<std::size_t> FlameView::rectAt(const QPoint &position) const
{
    const int y = position.y() + verticalScrollBar()->value();
    if (y < 0)
        return std::nullopt;
    return m_layout.at(position.x(), static_cast<std::uint32_t>(y / kRowHeight));
}

QString FlameView::explanationOf(model::NodeId node) const
{
    return explanation(model::FlameRect{.node = node, .total = total(node)});
}

/// Looks hold colours of the theme.
void FlameView::changeEvent(QEvent *event)
{
    QAbstractScrollArea::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) {
        m_looks = looksOf(m_layout);
        viewport()->update();
    }
}

void FlameView::resizeEvent(QResizeEvent *event)
{
    QAbstractScrollArea::resizeEvent(event);
    relayout();
}

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/layout_memory.h"

#include <QAbstractItemView>
#include <QEvent>
#include <QHeaderView>
#include <QSettings>
#include <QSplitter>

#include <algorithm>
#include <numeric>

namespace ui {

using namespace Qt::StringLiterals;

namespace {

constexpr int kMostPx = 20'000; ///< more is not a size that anybody dragged

/// A part of a key; what settings take for a level is replaced.
QString part(QString name)
{
    name.replace(u'/', u'_').replace(u'\\', u'_');
    return name.isEmpty() ? u"unnamed"_s : name;
}

/// The sizes as they were kept; empty unless there are `count` of them that make sense together.
QList<int> sizesOf(const QString &kept, qsizetype count)
{
    QList<int> sizes;
    for (const QString &word : kept.split(u' ', Qt::SkipEmptyParts)) {
        bool isNumber = false;
        const int size = word.toInt(&isNumber);
        if (!isNumber || size < 0 || size > kMostPx)
            return {};
        sizes << size;
    }
    return sizes.size() == count && std::accumulate(sizes.begin(), sizes.end(), 0) > 0 ? sizes : QList<int>();
}

bool stretches(const QSplitter *splitter, int index)
{
    const QSizePolicy policy = splitter->widget(index)->sizePolicy();
    return (splitter->orientation() == Qt::Horizontal ? policy.horizontalStretch() : policy.verticalStretch()) > 0;
}

/// Whether some parts have stretch, and others none: these keep their size in pixels.
bool hasFixedPart(const QSplitter *splitter)
{
    int stretching = 0;
    for (int i = 0; i < splitter->count(); ++i)
        stretching += stretches(splitter, i) ? 1 : 0;
    return 0 < stretching && stretching < splitter->count();
}

/// Gives the parts these sizes, and lets them keep their proportions or, where some parts have no stretch, these their size.
void setParts(QSplitter *splitter, QList<int> sizes)
{
    const bool isFixed = hasFixedPart(splitter);
    for (int i = 0; i < splitter->count(); ++i)
        if (!isFixed)
            splitter->setStretchFactor(i, 0); // with stretch, what was dragged would be lost
        else if (stretches(splitter, i))
            sizes[i] = 1; // has what is left: only so does a splitter take all that is missing from it
    splitter->setSizes(sizes);
}

QString columnName(const QHeaderView *header, int column)
{
    const QString title
        = header->model() ? header->model()->headerData(column, header->orientation()).toString() : QString();
    return title.isEmpty() ? u"column %1"_s.arg(column) : part(title);
}

/// One whose width follows from others is nobody's choice.
bool isChosenByHand(const QHeaderView *header, int column)
{
    return header->sectionResizeMode(column) == QHeaderView::Interactive
        && !(header->stretchLastSection() && header->visualIndex(column) == header->count() - 1);
}

} // namespace

LayoutMemory::LayoutMemory(QSettings &settings, QObject *parent)
    : QObject(parent)
    , m_settings(settings)
{
}

void LayoutMemory::follow(const QString &key, QWidget *page)
{
    const QString group = u"layout/"_s + part(key) + u'/';
    int number = 0;
    for (QSplitter *splitter : page->findChildren<QSplitter *>())
        followSplitter(group + u"splitter %1"_s.arg(number++), splitter);
    number = 0;
    for (QAbstractItemView *view : page->findChildren<QAbstractItemView *>()) {
        const QString own
            = view->accessibleName().isEmpty() ? u"table %1"_s.arg(number++) : part(view->accessibleName());
        for (QHeaderView *header : view->findChildren<QHeaderView *>(Qt::FindDirectChildrenOnly))
            if (header->orientation() == Qt::Horizontal)
                followHeader(group + own, header);
    }
}

void LayoutMemory::followOne(const QString &key, QSplitter *splitter)
{
    followSplitter(u"layout/"_s + part(key), splitter);
}

void LayoutMemory::followSplitter(const QString &key, QSplitter *splitter)
{
    if (const QList<int> sizes = sizesOf(m_settings.value(key).toString(), splitter->count()); !sizes.isEmpty())
        setParts(splitter, sizes);
    connect(splitter, &QSplitter::splitterMoved, this, [this, key, splitter] {
        const QList<int> sizes = splitter->sizes();
        setParts(splitter, sizes);
        QStringList words;
        for (const int size : sizes)
            words << QString::number(size);
        m_settings.setValue(key, words.join(u' '));
    });
}

void LayoutMemory::followHeader(const QString &key, QHeaderView *header)
{
    Columns &columns = m_columns[header];
    columns.key = key;
    m_settings.beginGroup(key);
    for (const QString &name : m_settings.childKeys()) {
        bool isNumber = false;
        const int width = m_settings.value(name).toInt(&isNumber);
        if (isNumber && width > 0 && width <= kMostPx)
            columns.widths.insert(name, width);
    }
    m_settings.endGroup();
    header->viewport()->installEventFilter(this);
    connect(header, &QHeaderView::sectionResized, this, [this, header](int column, int, int width) {
        if (m_dragged == header)
            takeWidth(header, column, width);
        else if (width > 0)
            applyTo(header, column);
    });
    connect(header, &QHeaderView::sectionCountChanged, this, [this, header] { applyTo(header); });
    connect(
        header, &QHeaderView::sectionHandleDoubleClicked, this, [this, header](int column) { forget(header, column); });
    connect(header, &QObject::destroyed, this, [this](const QObject *gone) { m_columns.remove(gone); });
    applyTo(header);
}

void LayoutMemory::takeWidth(QHeaderView *header, int column, int width)
{
    if (width <= 0 || m_isApplying || !isChosenByHand(header, column))
        return;
    Columns &columns = m_columns[header];
    const QString name = columnName(header, column);
    columns.widths.insert(name, width);
    m_settings.setValue(columns.key + u'/' + name, width);
}

void LayoutMemory::forget(QHeaderView *header, int column)
{
    Columns &columns = m_columns[header];
    const QString name = columnName(header, column);
    columns.widths.remove(name);
    m_settings.remove(columns.key + u'/' + name);
    m_dragged = nullptr;
}

void LayoutMemory::applyTo(QHeaderView *header)
{
    for (int column = 0; column < header->count(); ++column)
        applyTo(header, column);
}

void LayoutMemory::applyTo(QHeaderView *header, int column)
{
    if (m_isApplying || header->isSectionHidden(column) || !isChosenByHand(header, column))
        return;
    const Columns columns = m_columns.value(header);
    const auto kept = columns.widths.constFind(columnName(header, column));
    if (kept == columns.widths.constEnd())
        return;
    // A width from a large screen leaves the other columns in sight on a small one.
    const int room = header->viewport()->isVisible() ? header->viewport()->width() * 3 / 5 : kMostPx;
    const int width = std::clamp(*kept, header->minimumSectionSize(), std::max(room, header->minimumSectionSize()));
    m_isApplying = true;
    if (header->sectionSize(column) != width)
        header->resizeSection(column, width);
    m_isApplying = false;
}

bool LayoutMemory::eventFilter(QObject *watched, QEvent *event)
{
    auto *header = qobject_cast<QHeaderView *>(watched->parent());
    if (header == nullptr || !m_columns.contains(header))
        return false;
    switch (event->type()) {
    case QEvent::MouseButtonPress:
        m_dragged = header;
        break;
    case QEvent::MouseButtonRelease:
        m_dragged = nullptr;
        break;
    case QEvent::Show:
    case QEvent::Resize:
        applyTo(header);
        break;
    default:
        break;
    }
    return false;
}

} // namespace ui

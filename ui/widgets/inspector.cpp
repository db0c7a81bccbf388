// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/inspector.h"

#include "ui/text.h"
#include "ui/theme.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/status_line.h"

#include <QClipboard>
#include <QDesktopServices>
#include <QFileInfo>
#include <QFormLayout>
#include <QGuiApplication>
#include <QLabel>
#include <QListWidget>
#include <QPushButton>
#include <QUrl>
#include <QVBoxLayout>

namespace ui {

namespace {

constexpr int kMargin = 16;
constexpr int kUsualWidth = 280;

/// Lets a label show any function name: breaks it where C++ names can be broken.
QString breakable(QString name)
{
    const QChar zeroWidthSpace(0x200b);
    return name.replace(QStringLiteral("::"), QStringLiteral("::") + zeroWidthSpace)
        .replace(QStringLiteral(","), QStringLiteral(",") + zeroWidthSpace)
        .replace(QStringLiteral("<"), QStringLiteral("<") + zeroWidthSpace);
}

QString placeOf(const model::StackLine &line)
{
    QString place = text(model::shortPlace(line.file, line.line));
    if (place.isEmpty())
        place = text(line.moduleName);
    return line.isInlined ? place + QObject::tr(" · inlined") : place;
}

} // namespace

Inspector::Inspector(Selection &selection, QWidget *parent)
    : QWidget(parent)
    , m_selection(selection)
{
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(kMargin, kMargin, kMargin, kMargin);
    layout->setSpacing(8);
    setUpHead();
    setUpFrames();
    setUpActions();
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::Base);
    connect(&m_selection, &Selection::inspectedChanged, this, &Inspector::refresh);
    refresh();
}

QSize Inspector::sizeHint() const { return {kUsualWidth, QWidget::sizeHint().height()}; }

void Inspector::setUpHead()
{
    m_caption = newLabel({}, TextSize::Caption, TextWeight::Normal, "muted");
    m_caption->setWordWrap(true);
    m_caption->setTextFormat(Qt::PlainText);
    m_function = new QLabel(this);
    m_function->setFont(textFont(font(), TextSize::Body, TextWeight::Strong));
    m_function->setWordWrap(true);
    m_function->setTextFormat(Qt::PlainText);
    m_function->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_place = new QLabel(this);
    m_place->setFont(codeFont(font()));
    m_place->setProperty("tone", QStringLiteral("muted"));
    m_place->setTextFormat(Qt::PlainText);
    m_place->setWordWrap(true);
    for (QLabel *label : {m_caption, m_function, m_place}) { // a long name is broken, and widens nothing
        QSizePolicy policy = label->sizePolicy();
        policy.setHorizontalPolicy(QSizePolicy::Ignored);
        label->setSizePolicy(policy);
    }
    m_figures = new QFormLayout;
    m_figures->setHorizontalSpacing(kMargin);
    m_figures->setVerticalSpacing(4);
    auto *close = new QPushButton(tr("Close"), this);
    close->setProperty("kind", QStringLiteral("link"));
    close->setFont(textFont(font(), TextSize::Caption));
    connect(close, &QPushButton::clicked, this, [this] { m_selection.setInspected(std::nullopt); });
    auto *head = new QHBoxLayout;
    head->addWidget(m_caption, 1);
    head->addWidget(close);
    auto *box = static_cast<QVBoxLayout *>(layout());
    box->addLayout(head);
    box->addWidget(m_function);
    box->addWidget(m_place);
    box->addSpacing(4);
    box->addLayout(m_figures);
}

void Inspector::setUpFrames()
{
    m_framesCaption = newLabel({}, TextSize::Caption, TextWeight::Normal, "muted");
    layout()->addWidget(m_framesCaption);
    m_frames = new QListWidget(this);
    m_frames->setAccessibleName(tr("Frames of the selected stack"));
    m_frames->setSelectionMode(QAbstractItemView::SingleSelection);
    m_frames->setTextElideMode(Qt::ElideMiddle);
    m_frames->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    connect(m_frames, &QListWidget::currentRowChanged, this, [this](int row) {
        const auto line = static_cast<std::size_t>(row);
        m_open->setEnabled(row >= 0 && line < m_lines.size() && QFileInfo::exists(text(m_lines[line].file)));
    });
    connect(m_frames, &QListWidget::itemActivated, this, [this] {
        if (m_open->isEnabled())
            openSource();
    });
    layout()->addWidget(m_frames);
}

void Inspector::setUpActions()
{
    auto *row = new QHBoxLayout;
    m_copy = new QPushButton(tr("Copy stack"), this);
    m_open = new QPushButton(tr("Open source"), this);
    m_open->setToolTip(tr("Opens the selected frame's file, where it exists on this machine"));
    m_open->setEnabled(false);
    row->addWidget(m_copy);
    row->addWidget(m_open);
    row->addStretch();
    static_cast<QVBoxLayout *>(layout())->addLayout(row);
    connect(m_copy, &QPushButton::clicked, this, &Inspector::copyStack);
    connect(m_open, &QPushButton::clicked, this, &Inspector::openSource);
}

void Inspector::setSnapshot(std::shared_ptr<const model::Snapshot> snapshot)
{
    m_snapshot = std::move(snapshot);
    refresh();
}

void Inspector::showNothing()
{
    m_lines.clear();
    m_caption->setText(tr("Selected stack"));
    m_framesCaption->hide();
    m_function->setText(tr("Nothing selected"));
    m_place->setText(tr("Click a function in a table or graph."));
    m_frames->clear();
    m_copy->setEnabled(false);
    m_open->setEnabled(false);
}

void Inspector::refresh()
{
    const auto &inspected = m_selection.inspected();
    const bool isKnown = m_snapshot && inspected && inspected->stack.index() < m_snapshot->tables->stacks.size();
    m_frames->setVisible(isKnown);
    if (!isKnown) {
        showFigures({});
        showNothing();
        return;
    }
    const Inspected shown = inspect(*m_snapshot, *inspected);
    m_caption->setText(shown.caption);
    m_framesCaption->setText(shown.framesCaption);
    m_framesCaption->setVisible(!shown.framesCaption.isEmpty());
    showFigures(shown.figures);
    const bool isSame = shown.chosenLine == m_chosenLine && shown.lines.size() == m_lines.size()
        && std::equal(shown.lines.begin(), shown.lines.end(), m_lines.begin(),
            [](const auto &a, const auto &b) { return a.name == b.name && a.line == b.line; });
    if (isSame && m_frames->count())
        return;
    m_lines = shown.lines;
    m_chosenLine = shown.chosenLine;
    showFrames();
}

void Inspector::addFigure(const QString &label, const QString &value)
{
    auto *name = new QLabel(label, this);
    name->setProperty("tone", QStringLiteral("muted"));
    auto *shown = new QLabel(withWholeNumbers(value), this);
    shown->setWordWrap(true);
    m_figures->addRow(name, shown);
}

void Inspector::showFigures(const std::vector<InspectedFigure> &figures)
{
    while (m_figures->rowCount())
        m_figures->removeRow(0);
    for (const InspectedFigure &figure : figures)
        addFigure(figure.label, figure.value);
}

void Inspector::showFrames()
{
    m_frames->clear();
    for (std::size_t i = 0; i < m_lines.size(); ++i) {
        const model::StackLine &line = m_lines[i];
        auto *item = new QListWidgetItem(
            QStringLiteral("%1\n%2").arg(text(model::shortFunctionName(line.name)), placeOf(line)), m_frames);
        item->setToolTip(text(line.name) + u'\n' + text(line.modulePath)
            + (line.file.empty() ? QString() : u'\n' + text(line.file) + u':' + QString::number(line.line)));
    }
    const bool isEmpty = m_lines.empty();
    m_function->setText(
        isEmpty ? tr("All stacks") : breakable(text(model::shortFunctionName(m_lines[m_chosenLine].name))));
    m_place->setText(isEmpty ? QString() : placeOf(m_lines[m_chosenLine]));
    m_copy->setEnabled(!isEmpty);
    m_frames->setCurrentRow(isEmpty ? -1 : static_cast<int>(m_chosenLine));
}

QString Inspector::stackAsText() const
{
    QString all;
    for (std::size_t i = 0; i < m_lines.size(); ++i) {
        const model::StackLine &line = m_lines[i];
        all += QStringLiteral("#%1 %2").arg(i).arg(text(line.name));
        if (!line.file.empty())
            all += QStringLiteral(" at %1:%2").arg(text(line.file)).arg(line.line);
        if (!line.moduleName.empty())
            all += QStringLiteral(" (%1)").arg(text(line.moduleName));
        all += u'\n';
    }
    return all;
}

void Inspector::copyStack() const { QGuiApplication::clipboard()->setText(stackAsText()); }

void Inspector::openSource() const
{
    const int row = m_frames->currentRow();
    if (row < 0)
        return;
    const model::StackLine &line = m_lines[static_cast<std::size_t>(row)];
    const bool isAsked = QDesktopServices::openUrl(QUrl::fromLocalFile(text(line.file)));
    // Whether a program came is not told, so the place is said in any case.
    const QString place = QStringLiteral("%1:%2").arg(text(line.file)).arg(line.line);
    if (auto *status = window()->findChild<StatusLine *>())
        status->say((isAsked ? tr("Asked the desktop to open %1") : tr("No program opens %1")).arg(place), place);
}

} // namespace ui

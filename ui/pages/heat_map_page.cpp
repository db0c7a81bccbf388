// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/heat_map_page.h"

#include "model/base/format_units.h"
#include "model/report/csv_report.h"
#include "ui/charts/heat_map_view.h"
#include "ui/dialogs/save_export.h"
#include "ui/pages/page_text.h"
#include "ui/text.h"
#include "ui/widgets/card.h"
#include "ui/widgets/labels.h"

#include <QButtonGroup>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include <cmath>

namespace ui {

namespace {

constexpr QSize kExportSize(1600, 800);

model::TimeRange wholeTime(const model::Snapshot &snapshot)
{
    return {{0}, snapshot.tickEnds.empty() ? model::Timestamp{0} : snapshot.tickEnds.back()};
}

} // namespace

HeatMapPage::HeatMapPage(Selection &selection, QWidget *parent)
    : Page(parent)
    , m_selection(selection)
{
    auto *box = new QVBoxLayout(this);
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(8);
    setUpControls();
    auto *card = new Card({}, this);
    m_view = new HeatMapView(card);
    card->body()->addWidget(m_view);
    card->addMenuExport(QStringLiteral("PNG"), [this] { return pictureNamed(QStringLiteral("heat-map-chart")); });
    card->addMenuExport(QStringLiteral("CSV"), [this] { return tableNamed(QStringLiteral("heat-map-cells")); });
    card->setShowAll([this] { m_selection.setTime(std::nullopt); });
    box->addWidget(card, 1);
    setUpConnections();
}

void HeatMapPage::setUpControls()
{
    auto *row = new QHBoxLayout;
    auto *weights = new QButtonGroup(this);
    const auto add = [&](model::HeatWeight weight, const QString &label) {
        auto *button = new QPushButton(label, this);
        button->setCheckable(true);
        button->setChecked(weight == m_weight);
        weights->addButton(button);
        row->addWidget(button);
        connect(button, &QPushButton::clicked, this, [this, weight] { setWeight(weight); });
    };
    add(model::HeatWeight::Allocations, tr("Count"));
    add(model::HeatWeight::Bytes, tr("Bytes"));
    auto *hint = new ElidedLabel(this);
    hint->setText(tr("Drag to select a time for all pages; double click for everything."));
    hint->setToken(Token::InkMuted);
    hint->setElideMode(Qt::ElideRight);
    row->setSpacing(8);
    row->addSpacing(8);
    row->addWidget(hint, 1);
    for (const bool isTable : {false, true}) {
        QPushButton *save = newLinkButton(isTable ? tr("CSV") : tr("PNG"));
        row->addWidget(save);
        connect(save, &QPushButton::clicked, this, [this, isTable] {
            for (const Export &what : exports())
                if ((what.table != nullptr) == isTable)
                    saveExport(what, this);
        });
    }
    static_cast<QVBoxLayout *>(layout())->addLayout(row);
}

void HeatMapPage::setUpConnections()
{
    connect(m_view, &HeatMapView::timeSelected, &m_selection,
        [this](model::TimeRange range) { m_selection.setTime(range); });
    connect(m_view, &HeatMapView::timeSelectionCleared, &m_selection, [this] { m_selection.setTime(std::nullopt); });
    connect(m_view, &HeatMapView::resized, this, &HeatMapPage::refresh);
    connect(&m_selection, &Selection::changed, this,
        [this](const model::Selection &selection) { m_view->setSelectedTime(selection.time); });
}

void HeatMapPage::setSnapshot(std::shared_ptr<const model::Snapshot> snapshot)
{
    m_snapshot = std::move(snapshot);
    refresh();
    Q_EMIT subtitleChanged();
}

void HeatMapPage::setWeight(model::HeatWeight weight)
{
    m_weight = weight;
    refresh();
    Q_EMIT subtitleChanged();
}

void HeatMapPage::refresh()
{
    m_map = m_snapshot ? model::heatMap(*m_snapshot, wholeTime(*m_snapshot), m_weight, m_view->wantedColumns())
                       : model::HeatMap();
    m_view->setMap(
        m_map, m_snapshot ? m_snapshot->info.startWallNs : 0, m_snapshot ? m_snapshot->info.utcOffset : std::string());
    m_view->setSelectedTime(m_selection.current().time);
}

QString HeatMapPage::subtitle() const
{
    if (!m_snapshot)
        return {};
    const bool isBytes = m_weight == model::HeatWeight::Bytes;
    const auto amount = [isBytes](double sum) {
        return text(isBytes ? model::formatBytes(sum) : model::formatCount(std::llround(sum)));
    };
    QString much = amount(m_map.sum);
    if (m_snapshot->selection.time)
        much = tr("%1 of %2").arg(amount(model::heatMap(*m_snapshot, m_snapshot->span, m_weight, 1).sum), much);
    const QString what = isBytes       ? tr("%1 allocated")
        : std::llround(m_map.sum) == 1 ? tr("%1 allocation")
                                       : tr("%1 allocations");
    return tr("allocations by time and size, logarithmic · %1 · %2")
        .arg(what.arg(much), selectionText(*m_snapshot, ByThread::No));
}

std::vector<Export> HeatMapPage::exports()
{
    if (!m_snapshot || m_map.columns == 0)
        return {};
    return {{QStringLiteral("heat-map-chart"), tr("Heat map"), [this] { return m_view->image(kExportSize); }, {}},
        {QStringLiteral("heat-map-cells"), tr("Heat map cells"), {},
            [snapshot = m_snapshot, map = m_map](std::ostream &out) { model::writeHeatMapCsv(out, *snapshot, map); }}};
}

} // namespace ui

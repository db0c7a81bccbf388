// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/heat_map.h"
#include "ui/pages/page.h"
#include "ui/selection.h"

class QLabel;

namespace ui {

class HeatMapView;

/// Allocations by time and size over the whole recording; a drag selects the time for all pages.
class HeatMapPage : public Page
{
    Q_OBJECT

public:
    explicit HeatMapPage(Selection &selection, QWidget *parent = nullptr);

    QString key() const override { return QStringLiteral("heat-map"); }
    QString title() const override { return tr("Heat map"); }
    QString iconName() const override { return QStringLiteral("heat-map"); }
    QString subtitle() const override;
    void setSnapshot(std::shared_ptr<const model::Snapshot> snapshot) override;
    std::vector<Export> exports() override;

private:
    void setUpControls();
    void setUpConnections();
    void refresh();
    void setWeight(model::HeatWeight weight);

    Selection &m_selection;
    std::shared_ptr<const model::Snapshot> m_snapshot;
    model::HeatWeight m_weight = model::HeatWeight::Allocations;
    model::HeatMap m_map;
    HeatMapView *m_view = nullptr;
};

} // namespace ui

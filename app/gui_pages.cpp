// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/gui_pages.h"

#include "app/alert_file.h"
#include "ui/pages/advice_page.h"
#include "ui/pages/alerts_page.h"
#include "ui/pages/areas_page.h"
#include "ui/pages/capture_page.h"
#include "ui/pages/compare_page.h"
#include "ui/pages/cpu_page.h"
#include "ui/pages/forecast_page.h"
#include "ui/pages/heap_page.h"
#include "ui/pages/heat_map_page.h"
#include "ui/pages/hot_page.h"
#include "ui/pages/leaks_page.h"
#include "ui/pages/lost_page.h"
#include "ui/pages/overview_page.h"
#include "ui/pages/stability_page.h"
#include "ui/pages/system_calls_page.h"
#include "ui/pages/waits_page.h"
#include "ui/widgets/inspector.h"

namespace app {

void addPages(ui::MainWindow &window, ui::Selection &selection)
{
    auto *overview = new ui::OverviewPage(selection);
    window.addPage(overview);
    window.addPage(new ui::HeapPage(selection));
    window.addPage(new ui::HeatMapPage(selection));
    window.addPage(new ui::AreasPage(selection));
    window.addPage(new ui::LostPage(selection));
    window.addPage(new ui::CpuPage(selection));
    window.addPage(new ui::SystemCallsPage(selection));
    window.addPage(new ui::WaitsPage(selection));
    window.addPage(new ui::HotPage(selection));
    window.addPageRule();
    auto *leaks = new ui::LeaksPage(selection);
    window.addPage(leaks);
    auto *forecast = new ui::ForecastPage(selection);
    window.addPage(forecast);
    auto *stability = new ui::StabilityPage(selection);
    window.addPage(stability);
    window.setListed(stability->key(), false);
    auto *advice = new ui::AdvicePage(selection);
    window.addPage(advice);
    auto *alerts = new ui::AlertsPage(selection);
    if (const std::string rules = alertFilePath(); !rules.empty())
        alerts->setRuleAccess(alertFileAccess(rules));
    window.addPage(alerts);
    window.addPage(new ui::ComparePage(selection));
    window.addPageRule();
    window.addPage(new ui::CapturePage(selection));
    window.setInspector(new ui::Inspector(selection));
    QObject::connect(overview, &ui::OverviewPage::forecastWanted, forecast, &ui::ForecastPage::showQuantity);
    QObject::connect(stability, &ui::StabilityPage::hasTestChanged, &window,
        [&window, stability](bool hasTest) { window.setListed(stability->key(), hasTest); });
    QObject::connect(alerts, &ui::AlertsPage::activeCounted, &window,
        [&window](int count) { window.setBadge(QStringLiteral("alerts"), count); });
    QObject::connect(advice, &ui::AdvicePage::openCounted, &window,
        [&window](int count) { window.setBadge(QStringLiteral("advice"), count); });
    QObject::connect(leaks, &ui::LeaksPage::findingsCounted, &window,
        [&window](int count) { window.setBadge(QStringLiteral("leaks"), count); });
}

} // namespace app

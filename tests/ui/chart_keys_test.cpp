// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/snapshot_builder.h"
#include "ui/charts/chart_hover.h"
#include "ui/charts/heat_map_view.h"
#include "ui/charts/survival_chart.h"
#include "ui/charts/time_series_chart.h"
#include "ui/charts/timeline_view.h"
#include "ui/pages/heat_map_page.h"
#include "ui/pages/leaks_page.h"
#include "ui/pages/stability_page.h"
#include "ui/widgets/card.h"

#include <QClipboard>
#include <QContextMenuEvent>
#include <QGuiApplication>
#include <QMenu>
#include <QMouseEvent>
#include <QSignalSpy>
#include <QTest>
#include <QVBoxLayout>
#include <QWheelEvent>

#include <cmath>
#include <utility>

using namespace Qt::StringLiterals;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

model::Timestamp at(double seconds) { return {static_cast<std::int64_t>(seconds * 1e9)}; }

/// One line: 1 MiB for the first ten seconds, nothing for ten, 3 MiB for ten.
ui::ChartContent measured()
{
    ui::ChartContent content;
    content.unit = model::Unit::Bytes;
    content.range = {{}, at(30)};
    model::TimeSeries series;
    for (const int begin : {0, 20}) {
        std::vector<model::SeriesPoint> segment;
        for (int i = 0; i <= 10; ++i)
            segment.push_back({at(begin + i), begin == 0 ? 1048576.0 : 3145728.0});
        series.segments.push_back(std::move(segment));
    }
    content.lines.push_back({u"heap"_s, std::move(series), {ui::Token::Memory}});
    return content;
}

QString wordsAt(const ui::ChartContent &content, double seconds)
{
    QString words;
    const QWidget widget;
    for (const ui::HoverLine &line :
        ui::hoverLines(content, at(seconds), model::Duration{kSecond / 10}, ui::Colors::of(&widget)))
        words += line.label + u'=' + line.value + u';';
    return words;
}

std::shared_ptr<const model::Snapshot> recording()
{
    tests::SnapshotBuilder builder;
    builder.heap("main;malloc 64\n");
    builder.raw().info.duration = model::Duration{100 * kSecond};
    return std::make_shared<const model::Snapshot>(builder.build());
}

void move(QWidget &widget, QPoint place, Qt::MouseButtons held = Qt::NoButton)
{
    QMouseEvent event(QEvent::MouseMove, place, widget.mapToGlobal(place), Qt::NoButton, held, Qt::NoModifier);
    QCoreApplication::sendEvent(&widget, &event);
}

void wheel(QWidget &widget, QPoint place, QPoint notch, Qt::KeyboardModifiers modifiers = {})
{
    QWheelEvent event(place, widget.mapToGlobal(place), {}, notch, Qt::NoButton, modifiers, Qt::NoScrollPhase, false);
    QCoreApplication::sendEvent(&widget, &event);
}

/// The actions of the menu that a right click opens there; empty: none opened. `owner` has it.
QList<QAction *> rightClick(QWidget &widget, const QWidget &owner)
{
    const QPoint place = widget.rect().center();
    QContextMenuEvent event(QContextMenuEvent::Mouse, place, widget.mapToGlobal(place));
    QCoreApplication::sendEvent(&widget, &event);
    const QList<QMenu *> menus = owner.findChildren<QMenu *>(Qt::FindDirectChildrenOnly);
    return menus.isEmpty() ? QList<QAction *>() : menus.last()->actions();
}

QStringList namesOf(const QList<QAction *> &actions)
{
    QStringList names;
    for (const QAction *action : actions)
        names << action->text();
    return names;
}

} // namespace

class ChartKeysTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aRightClickOffersWhatTheLinksAndGesturesDo()
    {
        ui::Selection selection;
        ui::Card card(u"Heap"_s);
        auto *chart = new ui::TimeSeriesChart(selection, ui::ChartGestures::Select);
        card.body()->addWidget(chart);
        card.resize(400, 300);
        card.show();
        chart->setContent(measured(), {{}, at(30)});
        QVERIFY2(rightClick(*chart->viewport(), card).isEmpty(), "nothing can be saved");
        card.addExport(u"PNG"_s, [chart] {
            return ui::Export{u"heap"_s, u"Heap"_s, [chart] { return chart->picture(); }, {}};
        });
        card.addExport(u"CSV"_s, [] { return ui::Export(); });
        card.setShowAll([&selection] { selection.setTime(std::nullopt); });
        const QList<QAction *> actions = rightClick(*chart->viewport(), card);
        QCOMPARE(
            namesOf(actions), (QStringList{u"Copy image"_s, u"Export as PNG…"_s, u"Export as CSV…"_s, u"Show all"_s}));
        QGuiApplication::clipboard()->clear();
        actions.front()->trigger();
        QVERIFY(!QGuiApplication::clipboard()->image().isNull());
        selection.setTime(model::TimeRange{at(1), at(2)});
        actions.back()->trigger();
        QVERIFY(!selection.current().time);
    }

    void everyChartOfAPageHasThatMenu()
    {
        ui::Selection selection;
        const ui::LeaksPage leaks(selection);
        const ui::StabilityPage stability(selection);
        const ui::HeatMapPage sizes(selection);
        const auto lineChart = [](const QWidget &page, const QString &name) {
            QWidget *found = nullptr;
            for (const auto *chart : page.findChildren<ui::TimeSeriesChart *>())
                found = chart->accessibleName() == name ? chart->viewport() : found;
            return found;
        };
        const QStringList picture{u"Copy image"_s, u"Export as PNG…"_s};
        const QStringList table = picture + QStringList{u"Export as CSV…"_s};
        const QStringList all = table + QStringList{u"Show all"_s};
        const std::pair<QWidget *, QStringList> expected[]{
            {leaks.findChild<ui::SurvivalChart *>(), picture},
            {lineChart(leaks, u"Live bytes of the place over time"_s), all},
            {lineChart(stability, u"Memory over the test"_s), table}, // of the whole test always
            {lineChart(stability, u"Projected growth with its interval, checkpoint by checkpoint"_s), picture},
            {sizes.findChild<ui::HeatMapView *>(), all},
        };
        for (const auto &[chart, names] : expected) {
            const QWidget *card = chart;
            while (card != nullptr && qobject_cast<const ui::Card *>(card) == nullptr)
                card = card->parentWidget();
            QVERIFY(card != nullptr);
            QCOMPARE(namesOf(rightClick(*chart, *card)), names);
        }
    }

    void aRightClickOnTheTimelineShowsAll()
    {
        ui::Selection selection;
        ui::TimelineView timeline(selection);
        timeline.resize(600, 80);
        QVERIFY(rightClick(timeline, timeline).isEmpty());
        timeline.setSnapshot(recording());
        selection.setTime(model::TimeRange{at(1), at(2)});
        const QList<QAction *> actions = rightClick(timeline, timeline);
        QCOMPARE(namesOf(actions), (QStringList{u"Copy image"_s, u"Show all"_s}));
        actions.back()->trigger();
        QVERIFY(!selection.current().time);
        QVERIFY(!rightClick(timeline, timeline).back()->isEnabled());
    }

    void tellsNoValueInsideAGap()
    {
        const ui::ChartContent content = measured();
        QCOMPARE(wordsAt(content, 5.4), u"heap=1 MiB;"_s);
        QCOMPARE(wordsAt(content, 10.05), u"heap=1 MiB;"_s); // the pointer stands a little beside the end
        QCOMPARE(wordsAt(content, 15), u"no values here=;"_s);
        QCOMPARE(wordsAt(content, 25), u"heap=3 MiB;"_s);
    }

    void tellsTheForecastBehindTheEndOfHistory()
    {
        ui::ChartContent content = measured();
        content.now = at(30);
        content.range.end = at(50);
        constexpr double kMiB = 1048576;
        content.bands = {{at(30), 3 * kMiB, 3 * kMiB, 3 * kMiB, 3 * kMiB, 3 * kMiB},
            {at(50), 3 * kMiB, 5 * kMiB, 7 * kMiB, 9 * kMiB, 11 * kMiB}};
        QCOMPARE(wordsAt(content, 25), u"heap=3 MiB;"_s);
        QCOMPARE(wordsAt(content, 40), u"median forecast=5 MiB;50 %=4–6 MiB;90 %=3–7 MiB;"_s);
        QCOMPARE(wordsAt(content, 50.05), u"no values here=;"_s);
    }

    void arrowsMoveTheCrosshairOfAChart()
    {
        ui::Selection selection;
        ui::TimeSeriesChart chart(selection, ui::ChartGestures::Select);
        chart.resize(600, 200);
        chart.setContent(measured(), {{}, at(30)});
        QTest::keyClick(&chart, Qt::Key_Right);
        QVERIFY(selection.crosshair().has_value());
        const model::Timestamp first = *selection.crosshair();
        QTest::keyClick(&chart, Qt::Key_Left);
        QVERIFY(*selection.crosshair() < first);
        for (int i = 0; i < 20; ++i)
            QTest::keyClick(&chart, Qt::Key_Right, Qt::ShiftModifier);
        QCOMPARE(*selection.crosshair(), at(30)); // its end
        QVERIFY(!selection.current().time);
    }

    void keysZoomPanAndResetAChart()
    {
        ui::Selection selection;
        ui::TimeSeriesChart chart(selection, ui::ChartGestures::Select);
        chart.resize(600, 200);
        const model::TimeRange whole{{}, at(30)};
        ui::ChartContent content = measured();
        chart.setContent(content, whole);
        QTest::keyClick(&chart, Qt::Key_Plus);
        QVERIFY(selection.current().time.has_value());
        const model::TimeRange closer = *selection.current().time;
        QVERIFY(closer.length() < whole.length());
        content.range = closer; // as the next snapshot shows it
        chart.setContent(content, whole);
        QTest::keyClick(&chart, Qt::Key_Right, Qt::ControlModifier);
        QCOMPARE(selection.current().time->length(), closer.length());
        QVERIFY(closer.begin < selection.current().time->begin);
        QTest::keyClick(&chart, Qt::Key_Home);
        QVERIFY(!selection.current().time);
    }

    void aChartOfTheFutureLeavesTheSelectionAlone()
    {
        ui::Selection selection;
        ui::TimeSeriesChart chart(selection, ui::ChartGestures::HoverOnly);
        chart.resize(600, 200);
        chart.setContent(measured(), {{}, at(30)});
        for (const Qt::Key key : {Qt::Key_Plus, Qt::Key_Minus, Qt::Key_Home})
            QTest::keyClick(&chart, key);
        QTest::keyClick(&chart, Qt::Key_Right, Qt::ControlModifier);
        QVERIFY(!selection.current().time);
        QTest::keyClick(&chart, Qt::Key_Right);
        QVERIFY(selection.crosshair().has_value());
    }

    void anEdgeOfTheBrushIsDraggedToTheVeryBegin()
    {
        ui::Selection selection;
        ui::TimelineView timeline(selection);
        timeline.resize(1000, 100);
        timeline.setSnapshot(recording());
        QTest::mousePress(&timeline, Qt::LeftButton, {}, {600, 20});
        move(timeline, {400, 20}, Qt::LeftButton);
        move(timeline, {20, 20}, Qt::LeftButton); // beyond the tracks, in one go
        QTest::mouseRelease(&timeline, Qt::LeftButton, {}, {20, 20});
        QVERIFY(selection.current().time.has_value());
        QCOMPARE(selection.current().time->begin, model::Timestamp{});
    }

    /// A snapshot is of whole ticks: what is drawn and gripped is what the pages show.
    void theBrushLiesWhereTheSelectionReallyDoes()
    {
        ui::Selection selection;
        ui::TimelineView timeline(selection);
        timeline.resize(1000, 100);
        tests::SnapshotBuilder builder;
        builder.metric(model::Metric::Rss, {1, 2, 3, 2, 1, 2, 3, 2, 1, 2}); // a track, of the first ten seconds
        builder.raw().info.duration = model::Duration{100 * kSecond};
        model::Snapshot snapped = builder.build();
        timeline.setSnapshot(std::make_shared<const model::Snapshot>(snapped));
        const auto x = [](double second) { return static_cast<int>(std::lround(168 + 816 * second / 100)); };
        const auto colorAt = [&](double second) { return timeline.grab().toImage().pixel(x(second), 8); };
        const QRgb plain = colorAt(15);
        selection.setTime(model::TimeRange{at(19.5), at(40.2)});
        QCOMPARE(colorAt(15), plain); // the snapshot of it is still on its way
        snapped.selection.time = selection.current().time;
        snapped.span = {at(10), at(50)};
        timeline.setSnapshot(std::make_shared<const model::Snapshot>(snapped));
        QVERIFY(colorAt(15) != plain);
        QVERIFY(colorAt(45) != plain);
        QCOMPARE(colorAt(55), plain);
        move(timeline, {x(10), 20});
        QCOMPARE(timeline.cursor().shape(), Qt::SizeHorCursor);
        move(timeline, {x(19.5), 20});
        QCOMPARE(timeline.cursor().shape(), Qt::OpenHandCursor);
        // An edge that is dragged is where the pointer is.
        QTest::mousePress(&timeline, Qt::LeftButton, {}, {x(50), 20});
        move(timeline, {x(70.3), 20}, Qt::LeftButton);
        QVERIFY(std::abs(selection.current().time->end.seconds() - 70.3) < 0.2);
        QVERIFY(colorAt(68) != plain);
        QTest::mouseRelease(&timeline, Qt::LeftButton, {}, {x(70.3), 20});
    }

    void theTimelineIsZoomedAndPannedAndEscGoesBack()
    {
        ui::Selection selection;
        ui::TimelineView timeline(selection);
        timeline.resize(1000, 100);
        timeline.setSnapshot(recording());
        const auto middle = [&] { // of the tracks, as a time
            move(timeline, {576, 20});
            return selection.crosshair()->seconds();
        };
        const double whole = middle();
        for (int i = 0; i < 6; ++i)
            QTest::keyClick(&timeline, Qt::Key_Plus);
        QVERIFY(std::abs(middle() - whole) < 1);
        wheel(timeline, {576, 20}, {0, -120}, Qt::ShiftModifier);
        const double later = middle();
        QVERIFY2(later > whole + 1, qPrintable(QString::number(later)));
        QTest::keyClick(&timeline, Qt::Key_Left, Qt::ControlModifier);
        QVERIFY(middle() < later - 1);
        QTest::keyClick(&timeline, Qt::Key_Escape);
        QVERIFY(std::abs(middle() - whole) < 0.1);
        QVERIFY(!selection.current().time); // zooming selects nothing
    }

    void arrowsGoFromCellToCellAndEnterSelects()
    {
        ui::HeatMapView view;
        view.resize(600, 300);
        model::HeatMap map;
        map.range = {{}, at(10)};
        map.columns = 10;
        for (int i = 0; i <= 10; ++i)
            map.edges.push_back(at(i));
        map.rows = 4;
        map.cells.assign(40, 1.0);
        map.greatest = 1;
        view.setMap(map, 0, "+00:00");
        QSignalSpy selected(&view, &ui::HeatMapView::timeSelected);
        QTest::keyClick(&view, Qt::Key_Return);
        QCOMPARE(selected.size(), 0); // none is reached yet
        QTest::keyClick(&view, Qt::Key_Left, Qt::ShiftModifier);
        QTest::keyClick(&view, Qt::Key_Right);
        QTest::keyClick(&view, Qt::Key_Return);
        QCOMPARE(selected.size(), 1);
        const auto range = selected[0][0].value<model::TimeRange>();
        QCOMPARE(range, (model::TimeRange{at(1), at(2)}));
        // What is selected keeps the colours of the scale.
        const QPoint inside(view.width() / 3, view.height() / 2);
        const QRgb before = view.grab().toImage().pixel(inside);
        view.setSelectedTime(model::TimeRange{at(1), at(9)});
        QCOMPARE(view.grab().toImage().pixel(inside), before);
    }
};

QTEST_MAIN(ChartKeysTest)
#include "chart_keys_test.moc"

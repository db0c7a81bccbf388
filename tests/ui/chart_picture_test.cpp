// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/snapshot_builder.h"
#include "ui/charts/chart_hover.h"
#include "ui/charts/survival_chart.h"
#include "ui/charts/time_series_chart.h"
#include "ui/charts/timeline_view.h"

#include <QTest>

#include <cmath>

using namespace Qt::StringLiterals;

namespace {

/// A filled line at 2.2 MiB over 30 s, on an axis that ends at 3 MiB.
ui::ChartContent level()
{
    ui::ChartContent content;
    content.unit = model::Unit::Bytes;
    content.range = {{}, {30'000'000'000}};
    model::TimeSeries series;
    series.segments.emplace_back();
    for (std::int64_t i = 0; i <= 30; ++i)
        series.segments.back().push_back({{i * 1'000'000'000}, 2306867.0});
    content.lines.push_back({{}, std::move(series), {ui::Token::Memory}, ui::LineFill::Below});
    return content;
}

/// How many pixels of a part of the image are not `background`.
int painted(const QImage &image, QRect part, QRgb background)
{
    int count = 0;
    for (int y = part.top(); y <= part.bottom(); ++y)
        for (int x = part.left(); x <= part.right(); ++x)
            count += image.pixel(x, y) != background ? 1 : 0;
    return count;
}

QImage pictureOf(const ui::ChartContent &content)
{
    ui::Selection selection;
    ui::TimeSeriesChart chart(selection, ui::ChartGestures::Select);
    chart.resize(800, 300);
    chart.show();
    chart.setContent(content, content.range);
    return chart.picture();
}

} // namespace

class ChartPictureTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void pictureHoldsTheWholeChart_data()
    {
        QTest::addColumn<QSize>("size");
        QTest::newRow("as wide as on screen") << QSize(800, 300);
        QTest::newRow("narrow on screen") << QSize(320, 150);
    }

    void pictureHoldsTheWholeChart()
    {
        QFETCH(QSize, size);
        ui::Selection selection;
        ui::TimeSeriesChart chart(selection, ui::ChartGestures::Select);
        chart.resize(size);
        chart.show();
        chart.setContent(level(), {{}, {30'000'000'000}});
        const QImage picture = chart.picture();
        const QSize expected = size.expandedTo({720, 280}) * 2;
        QCOMPARE(picture.size(), expected);
        QCOMPARE(chart.size(), size);
        const QRgb background = ui::Colors::of(&chart)[ui::Token::Raised].rgb();
        const int w = picture.width(), h = picture.height();
        // The area reaches the right edge, begins at three quarters of the height, and ends above the clock.
        const QRect inside(w * 8 / 10, h * 5 / 10, w / 10, h / 5);
        QVERIFY(painted(picture, inside, background) > inside.width() * inside.height() * 9 / 10);
        const QRect above(w * 8 / 10, 0, w / 10, h / 5), over(w * 8 / 10, h * 4 / 10, w / 10, h / 20);
        QVERIFY(painted(picture, above, background) < above.width() * above.height() / 5);
        QVERIFY(painted(picture, over, background) > over.width() * over.height() * 9 / 10);
        QVERIFY(painted(picture, QRect(w / 2, h - 36, w / 2 - 1, 34), background) > 20);
        QCOMPARE(painted(picture, QRect(0, h - 2, w, 2), background), 0);
    }

    /// A recording of one tick is drawn over its whole length, not as a dot at the right edge.
    void oneTickFillsItsTime_data()
    {
        QTest::addColumn<bool>("isStacked");
        QTest::newRow("line") << false;
        QTest::newRow("areas") << true;
    }

    void oneTickFillsItsTime()
    {
        QFETCH(bool, isStacked);
        ui::ChartContent content = level();
        content.range.end = content.firstTick.emplace(model::Timestamp{30'000'000});
        content.lines[0].series.segments = {{{*content.firstTick, 2306867.0}}};
        content.stacking = isStacked ? ui::Stacking::Areas : ui::Stacking::Lines;
        const QImage picture = pictureOf(content);
        const QRgb background = ui::Colors::of(QPalette())[ui::Token::Raised].rgb();
        for (const double share : {0.2, 0.5, 0.8}) {
            const QRect part(static_cast<int>(picture.width() * share), picture.height() / 2, 40, picture.height() / 5);
            QVERIFY(painted(picture, part, background) > part.width() * part.height() * 9 / 10);
        }
    }

    /// A level that could not be read at the end of its process is drawn until then, and told there.
    void aLevelIsDrawnAsLongAsItsLineSays_data() { oneTickFillsItsTime_data(); }

    void aLevelIsDrawnAsLongAsItsLineSays()
    {
        QFETCH(bool, isStacked);
        ui::ChartContent content = level();
        content.lines[0].series.segments[0].resize(16); // 15 s of 30
        content.stacking = isStacked ? ui::Stacking::Areas : ui::Stacking::Lines;
        const model::Timestamp late{24'000'000'000};
        const auto filled = [&content] {
            const QImage picture = pictureOf(content);
            const QRect part(picture.width() * 8 / 10, picture.height() / 2, 40, picture.height() / 5);
            const QRgb background = ui::Colors::of(QPalette())[ui::Token::Raised].rgb();
            return painted(picture, part, background) > part.width() * part.height() * 9 / 10;
        };
        const auto told = [&] { return ui::hoverLines(content, late, {}, ui::Colors::of(QPalette())).front().value; };
        QVERIFY(!filled() && told().isEmpty());
        content.lines[0].drawnUntil = content.range.end;
        QVERIFY(filled());
        QCOMPARE(told(), u"2.2 MiB"_s);
    }

    /// Red is for what is wrong: a limit far above everything is named in the quiet colour.
    void distantLimitIsNoAlert_data()
    {
        QTest::addColumn<double>("limit");
        QTest::addColumn<bool>("isRed");
        QTest::newRow("near") << 2.6e6 << true;
        QTest::newRow("far") << 2.3e10 << false;
    }

    void distantLimitIsNoAlert()
    {
        QFETCH(double, limit);
        QFETCH(bool, isRed);
        ui::ChartContent content = level();
        content.limit = {limit, u"memory that the system has left"_s};
        const QImage picture = pictureOf(content);
        int red = 0;
        for (int y = 0; y < picture.height(); ++y)
            for (int x = 0; x < picture.width(); ++x) {
                const QColor color = picture.pixelColor(x, y);
                red += color.red() > color.green() + 60 && color.red() > color.blue() + 60 ? 1 : 0;
            }
        QCOMPARE(red > 20, isRed);
    }

    /// A mark near the right edge has its name on its left.
    void markAtTheEndIsNamed()
    {
        tests::SnapshotBuilder builder;
        builder.metric(model::Metric::Rss, {10, 20, 30, 40, 50, 60, 70, 80, 90, 100});
        builder.raw().info.duration = model::Duration::fromSeconds(10);
        const auto widest = [&builder](std::string_view name) {
            builder.raw().marks = {{{9'900'000'000}, model::MarkKind::User, std::string(name)}};
            ui::Selection selection;
            ui::TimelineView view(selection);
            view.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
            view.resize(900, view.sizeHint().height());
            const QImage image = view.grab().toImage();
            const QRgb background = ui::Colors::of(&view)[ui::Token::Raised].rgb();
            // The row of events is the one below the only track; what is left of the mark's dot.
            return painted(image, QRect(400, 36, 460, 16), background);
        };
        QVERIFY(widest("a request that never came to its end") > widest("") + 100);
    }

    /// The words "100 % live on" stand below the line where there is no room above it: nothing touches the upper edge.
    void survivalNamesItsEndInside()
    {
        ui::SurvivalChart chart;
        chart.resize(400, 170);
        chart.setContent({std::vector<double>(40, 1.0), 30, model::Duration::fromSeconds(11)});
        const QImage picture = chart.picture();
        const QRgb background = ui::Colors::of(&chart)[ui::Token::Raised].rgb();
        QCOMPARE(painted(picture, QRect(picture.width() / 2, 0, picture.width() / 2, 8), background), 0);
        const QRect below(picture.width() * 3 / 4, 26, picture.width() / 4, 24);
        QVERIFY(painted(picture, below, background) > 50);
    }
};

QTEST_MAIN(ChartPictureTest)
#include "chart_picture_test.moc"

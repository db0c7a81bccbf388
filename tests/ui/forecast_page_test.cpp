// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/snapshot_builder.h"
#include "ui/pages/forecast_page.h"
#include "ui/widgets/empty_state.h"

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QTest>

#include <algorithm>

using namespace Qt::StringLiterals;

class ForecastPageTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void itsFieldsStandBesideEachOtherInANarrowPage_data()
    {
        QTest::addColumn<int>("width");
        QTest::newRow("900 wide") << 670;
        QTest::newRow("1024 with inspector") << 530;
    }
    void itsFieldsStandBesideEachOtherInANarrowPage()
    {
        QFETCH(int, width);
        tests::SnapshotBuilder builder;
        builder.metric(model::Metric::Rss, {1 << 20, 2 << 20, 3 << 20, 4 << 20, 5 << 20, 6 << 20, 7 << 20, 8 << 20});
        ui::Selection selection;
        ui::ForecastPage page(selection);
        page.setFixedWidth(width); // as the window squeezes it
        page.setVisible(true);
        page.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        auto *limit = page.findChild<QLineEdit *>();
        limit->setText(u"many"_s);
        Q_EMIT limit->editingFinished();
        QCoreApplication::processEvents();
        const QLabel *name = nullptr;
        const QLabel *note = nullptr;
        for (const QLabel *label : page.findChildren<QLabel *>()) {
            name = label->buddy() == limit ? label : name;
            note = label->text().startsWith(u"not a number"_s) ? label : note;
        }
        QVERIFY(name && note);
        QVERIFY(page.findChild<QComboBox *>()->geometry().right() < name->geometry().left());
        QVERIFY(name->geometry().right() < limit->geometry().left());
        QVERIFY(note->geometry().top() > limit->geometry().bottom());
        QVERIFY(note->geometry().right() < width);
        QVERIFY(note->height() >= note->heightForWidth(note->width()));
    }

    void namesTheTimeThatItSpeaksFromWhereThatIsNotNow()
    {
        tests::SnapshotBuilder builder;
        builder.ticks(400, model::Duration::fromSeconds(1));
        std::vector<std::int64_t> values;
        for (int i = 0; i < 400; ++i)
            values.push_back((100 + i) << 20);
        builder.metric(model::Metric::Rss, values);
        const model::TimeRange some{{}, {300'000'000'000}};
        ui::Selection selection;
        ui::ForecastPage page(selection);
        const auto says = [&page](const QString &words) {
            for (const QLabel *label : page.findChildren<QLabel *>())
                if (label->text().startsWith(words))
                    return true;
            return false;
        };
        page.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        QTRY_VERIFY(says(u"Now, on the trend"_s));
        builder.raw().selection.time = some;
        builder.raw().span = some;
        page.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        QTRY_VERIFY(says(u"As of "_s));
        QVERIFY(says(u"At "_s) && !says(u"Now, on the trend"_s));
    }

    /// Nothing stays drawn of a process, or of a session, when another one without values is chosen.
    void saysWhyThereIsNothingInPlaceOfAChart()
    {
        tests::SnapshotBuilder builder;
        builder.metric(model::Metric::Rss, {1 << 20, 2 << 20, 3 << 20, 4 << 20, 5 << 20, 6 << 20, 7 << 20, 8 << 20});
        const model::ProcessId silent = builder.tables().addProcess({.pid = 200});
        ui::Selection selection;
        ui::ForecastPage page(selection);
        const auto *chart = page.findChild<ui::TimeSeriesChart *>();
        const auto *empty = page.findChild<ui::EmptyState *>();
        const auto saysEmpty = [&](const QString &words) {
            const QList<QLabel *> labels = empty->findChildren<QLabel *>();
            return empty->isVisibleTo(&page) && !chart->isVisibleTo(&page) && page.exports().empty()
                && std::any_of(
                    labels.begin(), labels.end(), [&](auto *label) { return label->text().contains(words); });
        };
        page.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        QTRY_VERIFY(!page.isBusy());
        QVERIFY(chart->isVisibleTo(&page) && !empty->isVisibleTo(&page) && !page.exports().empty());
        builder.raw().selection.process = silent;
        page.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        QTRY_VERIFY(saysEmpty(u"no values of “Resident memory”"_s));
        builder.raw().selection.process.reset();
        page.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        QTRY_VERIFY(chart->isVisibleTo(&page) && !empty->isVisibleTo(&page));
        tests::SnapshotBuilder bare;
        bare.raw().file = "bare.gprof-session";
        page.setSnapshot(std::make_shared<const model::Snapshot>(bare.build()));
        QVERIFY(!page.isBusy());
        QVERIFY(saysEmpty(u"some minutes of recorded metrics"_s));
    }
};

QTEST_MAIN(ForecastPageTest)
#include "forecast_page_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/difference_columns.h"
#include "ui/models/total_difference_model.h"
#include "ui/theme.h"
#include "ui/widgets/share_delegate.h"

#include <QApplication>
#include <QStandardItemModel>
#include <QTest>
#include <QTreeView>

#include <memory>
#include <utility>

using namespace Qt::StringLiterals;
using ui::DifferenceColumn;

namespace {

QString changeOf(double before, double after, model::Unit unit = model::Unit::Count)
{
    model::Difference difference;
    difference.a = before;
    difference.b = after;
    return ui::differenceData(difference, unit, model::Certainty::Exact, DifferenceColumn::Change, 0, Qt::DisplayRole)
        .toString();
}

/// Pixels in which red or blue prevails by far, as it does in no ink.
std::pair<int, int> redAndBlue(const QImage &image)
{
    constexpr int kFar = 90;
    std::pair<int, int> counts;
    for (int y = 0; y < image.height(); ++y)
        for (int x = 0; x < image.width(); ++x) {
            const QColor color = image.pixelColor(x, y);
            counts.first += color.red() - color.blue() > kFar && color.red() - color.green() > kFar ? 1 : 0;
            counts.second += color.blue() - color.red() > kFar ? 1 : 0;
        }
    return counts;
}

} // namespace

class DifferenceColumnsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void allChangesHaveTheTrueMinusSign()
    {
        QCOMPARE(changeOf(1669, 1000), u"−669"_s);
        QCOMPARE(changeOf(500.25, 15.1), u"−485"_s); // divided by work, so no whole number
        QCOMPARE(changeOf(15.1, 500.25), u"+485"_s);
        QCOMPARE(changeOf(2048, 1024, model::Unit::Bytes), u"−1 KiB"_s);
        QCOMPARE(changeOf(1, 1), u"0"_s);
    }

    void costsOfASecondDifferInHowTheyBegin()
    {
        auto compared = std::make_shared<model::ComparedSessions>();
        compared->normalisation.per = model::PerWork::Second;
        for (const model::ComparableCost &cost : model::comparableCostsOf("heap")) {
            compared->costs.push_back({});
            compared->costs.back().cost = cost;
            compared->costs.back().comparison.isPerWork = cost.key == "temporary" || cost.key == "temporary_bytes";
        }
        ui::TotalDifferenceModel model;
        model.setCompared(compared);
        QStringList shown;
        for (int row = 0; row < model.rowCount(); ++row)
            shown << model.index(row, ui::TotalDifferenceModel::CostColumn).data().toString();
        const auto row = static_cast<int>(shown.indexOf(u"Temporary bytes /s"_s));
        QVERIFY2(row >= 0 && shown.contains(u"Temporary allocations /s"_s), qPrintable(shown.join(u'|')));
        QVERIFY(shown.contains(u"Live at the end"_s)); // of a moment
        QCOMPARE(model.index(row, ui::TotalDifferenceModel::CostColumn).data(Qt::ToolTipRole).toString(),
            u"Temporary bytes per second"_s);
    }

    void aSelectedRowKeepsItsRedOrBlue_data()
    {
        QTest::addColumn<bool>("isDark");
        QTest::newRow("light") << false;
        QTest::newRow("dark") << true;
    }
    void aSelectedRowKeepsItsRedOrBlue()
    {
        QFETCH(bool, isDark);
        ui::Theme theme(*qApp);
        theme.setAppearance(isDark ? ui::Appearance::Dark : ui::Appearance::Light);
        QStandardItemModel model(2, 1);
        for (const int row : {0, 1}) {
            model.setData(model.index(row, 0), u"+888.88 %"_s);
            model.setData(model.index(row, 0), row == 0 ? 1 : -1, ui::ChangeRole);
        }
        QTreeView view;
        view.setItemDelegate(new ui::ShareDelegate(ui::Token::Danger, &view, ui::Token::Memory));
        view.setModel(&model);
        view.setRootIsDecorated(false);
        view.resize(300, 120);
        view.show();
        const auto colorsOf = [&](int row) {
            return redAndBlue(view.viewport()->grab(view.visualRect(model.index(row, 0))).toImage());
        };
        const auto more = colorsOf(0), less = colorsOf(1);
        QVERIFY(more.first > 20 && more.second == 0 && less.second > 20);
        view.setCurrentIndex(model.index(0, 0));
        QVERIFY(colorsOf(0).first > 10);
        view.setCurrentIndex(model.index(1, 0));
        QVERIFY(colorsOf(1).second > 10);
    }
};

QTEST_MAIN(DifferenceColumnsTest)
#include "difference_columns_test.moc"

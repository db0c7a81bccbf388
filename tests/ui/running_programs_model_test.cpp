// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/running_programs_model.h"

#include <QAbstractItemModelTester>
#include <QTest>

using namespace Qt::StringLiterals;

namespace {

std::vector<model::RunningProcess> programs()
{
    model::RunningProcess small;
    small.pid = 900;
    small.name = "small";
    small.commandLine = "small --port 8080";
    small.rssBytes = 1 << 20;
    model::RunningProcess large;
    large.pid = 1000;
    large.name = "large";
    large.commandLine = "large";
    large.rssBytes = 3ll << 30;
    return {small, large};
}

} // namespace

class RunningProgramsModelTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void isAProperModel();
    void sortsByNumbersNotByText();
    void figuresKeepTheirDigits();
    void searchFindsArgumentsAndPids();
    void beginsWithTheNameOfTheProgram();
};

void RunningProgramsModelTest::isAProperModel()
{
    ui::RunningProgramsModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    model.setPrograms(programs(), 0);
    QCOMPARE(model.rowCount(), 2);
    model.setPrograms({}, 0);
    QCOMPARE(model.rowCount(), 0);
}

void RunningProgramsModelTest::sortsByNumbersNotByText()
{
    ui::RunningProgramsModel model;
    ui::RunningProgramsFilter shown(model);
    model.setPrograms(programs(), 0);
    shown.sort(ui::RunningProgramsModel::Memory, Qt::DescendingOrder);
    QCOMPARE(shown.index(0, ui::RunningProgramsModel::Pid).data().toString(), u"1000"_s);
}

void RunningProgramsModelTest::figuresKeepTheirDigits()
{
    ui::RunningProgramsModel model;
    std::vector<model::RunningProcess> one = programs();
    one.resize(1);
    one.front().cpuMilliPercent = 1000;
    model.setPrograms(one, 0);
    QCOMPARE(model.index(0, ui::RunningProgramsModel::Cpu).data().toString(), u"1.0 %"_s);
    QCOMPARE(model.index(0, ui::RunningProgramsModel::Memory).data().toString(), u"1.00 MiB"_s);
}

void RunningProgramsModelTest::searchFindsArgumentsAndPids()
{
    ui::RunningProgramsModel model;
    ui::RunningProgramsFilter shown(model);
    model.setPrograms(programs(), 0);
    shown.setSearch(u"8080 SMALL"_s);
    QCOMPARE(shown.rowCount(), 1);
    shown.setSearch(u"1000"_s);
    QCOMPARE(shown.rowCount(), 1);
    shown.setSearch(u"neither"_s);
    QCOMPARE(shown.rowCount(), 0);
}

void RunningProgramsModelTest::beginsWithTheNameOfTheProgram()
{
    ui::RunningProgramsModel model;
    std::vector<model::RunningProcess> some = programs();
    some[0].commandLine = "/usr/lib/gcc/x86_64-linux-gnu/12/cc1 -o /tmp/a.s";
    some[1].commandLine = "bash /home/a/run";
    model.setPrograms(some, 0);
    const auto cell = [&](int row) { return model.index(row, ui::RunningProgramsModel::Program); };
    QCOMPARE(cell(0).data().toString(), u"cc1 -o /tmp/a.s"_s);
    QCOMPARE(cell(0).data(Qt::ToolTipRole).toString(), u"/usr/lib/gcc/x86_64-linux-gnu/12/cc1 -o /tmp/a.s"_s);
    QCOMPARE(cell(1).data().toString(), u"bash /home/a/run"_s);
}

QTEST_GUILESS_MAIN(RunningProgramsModelTest)
#include "running_programs_model_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/command_line.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <variant>

namespace {

using Arguments = std::vector<std::string>;

app::Command parse(const Arguments &arguments) { return app::parseCommandLine(arguments, "1.2.3"); }

template <typename Options> Options parsed(const Arguments &arguments)
{
    const app::Command command = parse(arguments);
    if (const auto *print = std::get_if<app::PrintAndExit>(&command))
        qWarning("%s", print->text.c_str());
    return std::get<Options>(command);
}

QString refusal(const Arguments &arguments, int exitCode)
{
    const app::Command command = parse(arguments);
    const auto *print = std::get_if<app::PrintAndExit>(&command);
    if (!print)
        return QStringLiteral("was understood");
    if (print->exitCode != exitCode)
        return QStringLiteral("exit code %1").arg(print->exitCode);
    return QString::fromStdString(print->text);
}

Arguments split(const QString &line)
{
    Arguments arguments;
    for (const QString &word : line.split(u' ', Qt::SkipEmptyParts))
        arguments.push_back(word.toStdString());
    return arguments;
}

} // namespace

class CommandLineTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void takesTheCommandBehindTheDashes_data();
    void takesTheCommandBehindTheDashes();
    void recordsWithTheDefaultsOfTheManual();
    void readsTheCaptureOptions();
    void attachesWithoutTheHeap();
    void examinesTheMachineOrAProcess();
    void namesWhatIsWrong_data();
    void namesWhatIsWrong();
    void takesAFileCalledAsAViewForASession();
    void joinsTheWordsOfAMark();
    void readsHowToScan();
    void readsStabilityTests();
    void explainsByAWordToo();
    void readsTheReportOptions();
    void readsTheOptionsOfFiles();
    void listsRecentSessions();
    void printsHelpAndVersionWithSuccess();
};

void CommandLineTest::takesTheCommandBehindTheDashes_data()
{
    QTest::addColumn<QString>("line");
    QTest::addColumn<QString>("command");
    QTest::newRow("dashes") << "record --heap off -- ls -l"
                            << "ls -l";
    QTest::newRow("without dashes") << "record --heap off ls -l --heap"
                                    << "ls -l --heap";
    QTest::newRow("help is the command's") << "record -- ls --help"
                                           << "ls --help";
    QTest::newRow("dashes of the command") << "record sh -c x -- y"
                                           << "sh -c x -- y";
    QTest::newRow("dashes twice") << "record -- sh -- y"
                                  << "sh -- y";
    QTest::newRow("like an option") << "record -- --odd"
                                    << "";
}

void CommandLineTest::takesTheCommandBehindTheDashes()
{
    QFETCH(QString, line);
    QFETCH(QString, command);
    if (command.isEmpty()) {
        QVERIFY(refusal(split(line), 125).contains(QStringLiteral("--odd")));
        return;
    }
    QVERIFY(parsed<app::RecordOptions>(split(line)).config.command == split(command));
}

void CommandLineTest::recordsWithTheDefaultsOfTheManual()
{
    const auto options = parsed<app::RecordOptions>({"record", "--", "ls"});
    QVERIFY(options.config.heap == model::HeapMode::Full);
    QCOMPARE(options.config.cpuHz, 199U);
    QCOMPARE(options.config.tick.ns, 1'000'000'000);
    QVERIFY(!options.config.duration);
    QVERIFY(!options.config.budget);
    QVERIFY(!options.config.attachPid);
    QVERIFY(!options.thenKill && !options.isQuiet && options.output.empty());
}

void CommandLineTest::readsTheCaptureOptions()
{
    const auto options = parsed<app::RecordOptions>(split(QStringLiteral(
        "record -o f --heap off --cpu off --tick 100 --duration 1h30m --budget 1.5MB/2d --then-kill -q -- ls")));
    QCOMPARE(options.output, std::string("f"));
    QVERIFY(options.config.heap == model::HeapMode::Off);
    QCOMPARE(options.config.cpuHz, 0U);
    QCOMPARE(options.config.tick.ns, 100'000'000);
    QCOMPARE(options.config.duration->ns, 5'400'000'000'000);
    QCOMPARE(options.config.budget->bytes, 1'500'000);
    QCOMPARE(options.config.budget->period.ns, 172'800'000'000'000);
    QVERIFY(options.thenKill && options.isQuiet);
    QVERIFY(options.config.children == model::ChildMode::Follow);
    QVERIFY(parsed<app::RecordOptions>(split(QStringLiteral("record --children ignore -- ls"))).config.children
        == model::ChildMode::Ignore);
    QVERIFY(options.config.whenFull == model::WhenFull::Wait);
    QVERIFY(parsed<app::RecordOptions>(split(QStringLiteral("record --when-full drop -- ls"))).config.whenFull
        == model::WhenFull::Drop);
    QCOMPARE(parsed<app::RecordOptions>(split(QStringLiteral("record --cpu 999 --tick 2s -- ls"))).config.cpuHz, 999U);
    const auto coarse = parsed<app::RecordOptions>(split(QStringLiteral("record --tick 60s -- ls"))).config;
    QCOMPARE(coarse.ageBucket.ns, coarse.tick.ns);
}

void CommandLineTest::attachesWithoutTheHeap()
{
    const auto options = parsed<app::RecordOptions>({"attach", "4711", "--duration", "90"});
    QCOMPARE(*options.config.attachPid, 4711);
    QVERIFY(options.config.heap == model::HeapMode::Off);
    QCOMPARE(options.config.duration->ns, 90'000'000'000);
    QVERIFY(parsed<app::RecordOptions>({"attach", "1", "--heap", "full"}).config.heap == model::HeapMode::Full);
}

void CommandLineTest::examinesTheMachineOrAProcess()
{
    QVERIFY(!parsed<app::DoctorOptions>({"doctor"}).pid);
    const auto options = parsed<app::DoctorOptions>({"doctor", "--json", "4711"});
    QCOMPARE(options.pid.value_or(0), 4711);
    QVERIFY(options.asJson);
}

void CommandLineTest::namesWhatIsWrong_data()
{
    QTest::addColumn<QString>("line");
    QTest::addColumn<int>("exitCode");
    QTest::addColumn<QString>("said");
    QTest::newRow("nothing") << "" << 2 << "Usage";
    QTest::newRow("no command") << "record" << 125 << "Which command";
    QTest::newRow("unknown option") << "record --foo -- ls" << 125 << "--foo";
    QTest::newRow("tick too short") << "record --tick 99 -- ls" << 125 << "100 to 60000";
    QTest::newRow("tick too long") << "record --tick 60001 -- ls" << 125 << "100 to 60000";
    QTest::newRow("bucket shorter than a tick")
        << "record --age-bucket 300ms -- ls" << 125 << "a tick lasts 1 s; make them shorter with --tick 300";
    QTest::newRow("cpu") << "record --cpu fast -- ls" << 125 << "--cpu fast";
    QTest::newRow("cpu too often") << "record --cpu 20001 -- ls" << 125 << "20000";
    QTest::newRow("heap") << "record --heap some -- ls" << 125 << "full, sampled";
    QTest::newRow("budget") << "record --heap auto=0% -- ls" << 125 << "percent of one core from 0.1";
    QTest::newRow("period") << "record --heap sampled=3 -- ls" << 125 << "bytes from 64";
    QTest::newRow("mode") << "ctl f mode some" << 2 << "full, sampled";
    QTest::newRow("duration") << "record --duration soon -- ls" << 125 << "soon";
    QTest::newRow("budget without a time") << "record --budget 200MB -- ls" << 125 << "200MB/48h";
    QTest::newRow("budget without bytes") << "record --budget x/48h -- ls" << 125 << "200MB/48h";
    QTest::newRow("tiny budget") << "record --budget 10KB/48h -- ls" << 125 << "1 MB at least";
    QTest::newRow("short budget") << "record --budget 10MB/5m -- ls" << 125 << "an hour is the shortest";
    QTest::newRow("budget of no time") << "record --budget 10MB/soon -- ls" << 125 << "not a length of time";
    QTest::newRow("no duration") << "record --duration 0s -- ls" << 125 << "longer than nothing";
    QTest::newRow("no pid") << "attach" << 125 << "genprof attach needs PID: The process\n\"genprof attach --help\"";
    QTest::newRow("pid") << "attach me" << 125 << "me";
    QTest::newRow("negative pid") << "attach 0" << 125 << "above 0";
    QTest::newRow("unknown command") << "recrod -- ls" << 2 << "did you mean \"record\"?";
    QTest::newRow("no word like it") << "zzz" << 2 << "There is no command \"zzz\"\n";
    QTest::newRow("ctl") << "ctl f dance" << 2 << "dance";
    QTest::newRow("empty mark") << "ctl f mark" << 2 << "needs a text";
    QTest::newRow("text") << "ctl f stop now" << 2 << "takes no text";
    QTest::newRow("view")
        << "report f --what all" << 2
        << "summary, metrics, heap, mappings, pools, cpu, syscalls, waits, leaks, growth, forecast, lost, verdict, "
           "advice, hot, alerts, losses";
    QTest::newRow("scan too often") << "record --scan-every 29s -- ls" << 125 << "30s or more";
    QTest::newRow("scan without a heap") << "record --heap off --scan-every 1m -- ls" << 125 << "--heap full";
    QTest::newRow("age of no scan") << "ctl f stop --min-age 1s" << 2 << "belong to scan alone";
    QTest::newRow("age") << "ctl f scan --min-age old" << 2 << "--min-age";
    QTest::newRow("cost") << "report f --cost most" << 2 << "live, live_blocks, growth, peak";
    QTest::newRow("format") << "report f --format xml" << 2 << "csv";
    QTest::newRow("collapsed") << "report f --format collapsed" << 2
                               << "heap, mappings, pools, cpu, syscalls and waits";
    QTest::newRow("no rows") << "report f --what heap --top 0" << 2 << "--top: \"0\" is no number of rows: 1 or more";
    QTest::newRow("less than no rows") << "compare a b --top -1" << 2 << "--top: \"-1\" is no number of rows";
    QTest::newRow("rows of a summary") << "report f --format json --top 3" << 2 << "--top has no effect here";
    QTest::newRow("rows of lines") << "report f --what heap --format collapsed --top 3" << 2 << "leave out --top";
    QTest::newRow("cost of cpu") << "report f --what cpu --cost peak" << 2 << "--cost peak has no effect here";
    QTest::newRow("cost of metrics") << "report f --what metrics --cost live" << 2
                                     << "--what heap, mappings, pools and hot";
    QTest::newRow("part of leaks") << "report f --what leaks --from 1s" << 2 << "leave out --from and --to";
    QTest::newRow("thread of heap") << "report f --what hot --cost live --thread 1" << 2
                                    << "goes with --what hot by a cost of CPU time";
    QTest::newRow("no number") << "doctor abc" << 2 << "pid: \"abc\" is no whole number\n\"genprof doctor --help\"";
    QTest::newRow("no session") << "report" << 2 << "genprof report needs FILE: The session\n\"genprof report --help\"";
    QTest::newRow("times") << "report f --from 10s --to 5s" << 2 << "after --from";
    QTest::newRow("view for a session") << "report forecast f.gprof-session" << 2
                                        << "Use \"genprof report --what forecast f.gprof-session\"";
    QTest::newRow("no view") << "report forcast f" << 2 << "not expected: f\n\"genprof report --help\"";
    QTest::newRow("view twice") << "report forecast f --what leaks" << 2 << "not expected: f\n";
    QTest::newRow("two sessions") << "report forecast f g" << 2 << "arguments were not expected";
}

void CommandLineTest::namesWhatIsWrong()
{
    QFETCH(QString, line);
    QFETCH(int, exitCode);
    QFETCH(QString, said);
    const QString text = refusal(split(line), exitCode);
    QVERIFY2(text.contains(said), qPrintable(text));
}

void CommandLineTest::takesAFileCalledAsAViewForASession()
{
    const QTemporaryDir folder;
    const QString before = QDir::currentPath();
    QVERIFY(QFile(folder.filePath(QStringLiteral("leaks"))).open(QIODevice::WriteOnly));
    QVERIFY(QDir::setCurrent(folder.path()));
    const QString text = refusal({"report", "leaks", "f"}, 2);
    const QString other = refusal({"report", "growth", "a file"}, 2);
    QVERIFY(QDir::setCurrent(before));
    QVERIFY2(text.contains(QStringLiteral("not expected: f\n")), qPrintable(text));
    QVERIFY2(other.contains(QStringLiteral("Use \"genprof report --what growth 'a file'\"")), qPrintable(other));
}

void CommandLineTest::joinsTheWordsOfAMark()
{
    const auto options = parsed<app::ControlOptions>({"ctl", "f", "mark", "cache", "is warm"});
    QVERIFY(options.request.command == capture::ControlCommand::Mark);
    QCOMPARE(options.request.text, std::string("cache is warm"));
}

void CommandLineTest::explainsByAWordToo()
{
    QVERIFY(refusal({"help"}, 0).contains(QStringLiteral("COMMAND")));
    QCOMPARE(refusal({"help", "soak"}, 0), refusal({"soak", "--help"}, 0));
    QVERIFY(refusal({"help", "soak"}, 0).contains(QStringLiteral("--stop-early")));
}

void CommandLineTest::readsStabilityTests()
{
    const auto usual = parsed<app::SoakOptions>(split(QStringLiteral("soak -- ./server --port 1")));
    QCOMPARE(usual.record.config.command, (Arguments{"./server", "--port", "1"}));
    QCOMPARE(usual.plan.length.ns, std::int64_t{48} * 3600 * 1'000'000'000);
    QCOMPARE(usual.plan.mostGrowth, 0.05);
    QVERIFY(usual.plan.stopEarly == model::StopEarly::Fail);
    QVERIFY(usual.record.config.heap == model::HeapMode::Full);
    QCOMPARE(usual.record.config.cpuHz, 0u);
    QCOMPARE(usual.record.config.tick, model::Duration::fromMs(1000));
    const auto full = parsed<app::SoakOptions>({"soak", "--for", "10m", "--limit", "0.5%", "--load", "a b", "--load",
        "c", "--checkpoint", "30s", "--stop-early", "both", "--period", "2m", "--attach", "12"});
    QCOMPARE(full.plan.length, model::Duration::fromMs(600'000));
    QCOMPARE(full.plan.mostGrowth, 0.005);
    QCOMPARE(full.plan.period, model::Duration::fromMs(120'000));
    QCOMPARE(usual.plan.period.ns, std::int64_t{0});
    QCOMPARE(full.loads, (Arguments{"a b", "c"}));
    QCOMPARE(full.plan.checkpoint, model::Duration::fromMs(30'000));
    QVERIFY(full.plan.stopEarly == model::StopEarly::Both);
    QCOMPARE(*full.record.config.attachPid, 12);
    QVERIFY(full.record.config.heap == model::HeapMode::Off);
    QCOMPARE(parsed<app::SoakOptions>(split(QStringLiteral("soak --resume x.gprof-session"))).resume,
        std::string("x.gprof-session"));
    for (const char *wrong :
        {"soak", "soak --for 1s -- a", "soak --limit -1% -- a", "soak --stop-early soon -- a", "soak --attach 3 -- a",
            "soak --resume x --for 1h", "soak --resume x -o y", "soak --tick 100 -- a", "soak --period 25h -- a",
            "soak --period 10m -- a", "soak --period 0 -- a", "soak --resume x --period 24h"})
        QVERIFY2(refusal(split(QString::fromLatin1(wrong)), 125) != QStringLiteral("was understood"), wrong);
}

void CommandLineTest::readsHowToScan()
{
    const auto plain = parsed<app::ControlOptions>({"ctl", "f", "scan"});
    QVERIFY(plain.request.command == capture::ControlCommand::Scan);
    QVERIFY(!plain.request.scan.isConfirmed);
    QCOMPARE(plain.request.scan.parameters.minAgeNs, 60'000'000'000);
    QCOMPARE(plain.request.scan.parameters.confirmAfterNs, 30'000'000'000);
    const auto chosen
        = parsed<app::ControlOptions>({"ctl", "f", "scan", "--confirm", "--confirm-after", "2m", "--min-age", "0s"});
    QVERIFY(chosen.request.scan.isConfirmed);
    QCOMPARE(chosen.request.scan.parameters.minAgeNs, 0);
    QCOMPARE(chosen.request.scan.parameters.confirmAfterNs, 120'000'000'000);
    const auto sent = capture::decodeRequest(capture::encode(chosen.request));
    QVERIFY(sent);
    QVERIFY(sent->scan.isConfirmed);
    QCOMPARE(sent->scan.parameters.minAgeNs, 0);
    QCOMPARE(sent->scan.parameters.confirmAfterNs, 120'000'000'000);
    const auto scheduled = parsed<app::RecordOptions>({"record", "--scan-every", "10m", "--", "ls"});
    QCOMPARE(scheduled.config.scanEvery->ns, 600'000'000'000);
}

void CommandLineTest::readsTheReportOptions()
{
    const auto options = parsed<app::ReportOptions>(split(QStringLiteral(
        "report f --what heap --cost peak --format json --from 1.5 --to 1m --process 7 --top 3 -o out")));
    QVERIFY(options.view == app::ReportView::Heap);
    QVERIFY(options.cost == model::CostKind::Peak);
    QVERIFY(options.format == app::ReportFormat::Json);
    QCOMPARE(options.from->ns, 1'500'000'000);
    QCOMPARE(options.to->ns, 60'000'000'000);
    QCOMPARE(*options.pid, 7);
    QCOMPARE(options.top, std::size_t{3});
    QCOMPARE(options.output, std::string("out"));
}

void CommandLineTest::readsTheOptionsOfFiles()
{
    const auto sql
        = parsed<app::SqlOptions>({"sql", "f", "SELECT 1", "--format", "json", "--rows", "0", "--timeout", "2s"});
    QCOMPARE(sql.sql, std::string("SELECT 1"));
    QVERIFY(sql.format == model::QueryFormat::Json && sql.rows == 0 && sql.time.ns == 2'000'000'000);
    QVERIFY(refusal({"sql", "f", "--format", "xml"}, 2).contains(QStringLiteral("table, csv, json")));
    const auto redact = parsed<app::RedactOptions>({"redact", "a", "b", "--keep-functions"});
    QVERIFY(redact.in == "a" && redact.out == "b" && redact.keepsFunctions);
    const auto record
        = parsed<app::RecordOptions>({"record", "--redact", "x", "--redact", "=y*", "--no-redact", "--", "ls"});
    QCOMPARE(record.secretPatterns, (Arguments{"x", "=y*"}));
    QVERIFY(record.keepsSecrets);
}

void CommandLineTest::listsRecentSessions()
{
    QCOMPARE(parsed<app::ListOptions>({"list"}).most, std::size_t{20});
    QCOMPARE(parsed<app::ListOptions>({"list", "--top", "3"}).most, std::size_t{3});
    const auto list = parsed<app::ListOptions>({"list", "/srv", "--search", "a b", "--format", "json"});
    QVERIFY(list.folder == "/srv" && list.search == "a b" && list.asJson);
    const auto tag = parsed<app::TagOptions>({"tag", "f", "a", "b", "--remove", "c"});
    QCOMPARE(tag.added, (Arguments{"a", "b"}));
    QCOMPARE(tag.removed, (Arguments{"c"}));
    QVERIFY(!tag.note && !tag.isNote);
    QCOMPARE(*parsed<app::TagOptions>({"note", "f", "two", "words"}).note, std::string("two words"));
    QVERIFY(parsed<app::TagOptions>({"note", "f", "--remove"}).note->empty());
    QVERIFY(!parsed<app::TagOptions>({"note", "f"}).note);
    const auto prune = parsed<app::PruneOptions>({"prune", "/srv", "--keep", "20", "--keep", "30d", "--keep", "5GiB"});
    QCOMPARE(prune.keep.count, std::int64_t{20});
    QCOMPARE(prune.keep.age.ns, std::int64_t{30} * 86'400'000'000'000);
    QCOMPARE(prune.keep.bytes, std::int64_t{5} << 30);
    QVERIFY(!prune.isConfirmed);
    QVERIFY(refusal({"prune", "/srv"}, 2).contains(QStringLiteral("--keep")));
    for (const char *bad : {"0", "-1", "x", "5 bananas", "99999999999TiB"})
        QVERIFY2(refusal({"prune", "/srv", "--keep", bad}, 2).contains(QStringLiteral("--keep")), bad);
    QVERIFY(refusal({"prune", "/srv", "--keep", "1", "--keep", "2"}, 2).contains(QStringLiteral("already")));
}

void CommandLineTest::printsHelpAndVersionWithSuccess()
{
    QVERIFY(refusal({"--help"}, 0).contains(QStringLiteral("genprof record -- ./server")));
    QVERIFY(refusal({"record", "--help"}, 0).contains(QStringLiteral("--then-kill")));
    QVERIFY(refusal({"record", "--children", "ignore", "--until-all-end", "--", "a"}, 125)
                .contains(QStringLiteral("leaves out")));
    // For people: nothing of how it is parsed, no examples of other commands, and no line that a terminal breaks.
    QVERIFY(
        refusal({"compare", "--help"}, 0)
            .startsWith(QStringLiteral(
                "What two recordings, or two windows of one, differ in\nUsage: genprof compare [OPTIONS] A [B]\n")));
    QVERIFY(!refusal({"doctor", "--help"}, 0).contains(QStringLiteral("Examples:")));
    for (const char *name :
        {"record", "attach", "soak", "report", "ctl", "gate", "list", "sql", "tag", "prune", "serve"}) {
        const QString help = refusal({name, "--help"}, 0);
        for (const char *internal : {"NONNEGATIVE", "Excludes", "INT in", "REQUIRED", "(1x)", "SUBCOMMAND"})
            QVERIFY2(!help.contains(QLatin1StringView(internal)), qPrintable(help));
        for (const QString &line : help.split(u'\n'))
            QVERIFY2(line.size() <= 80 || !line.startsWith(QStringLiteral("   ")), qPrintable(line));
    }
    QCOMPARE(refusal({"--version"}, 0), QStringLiteral("genprof 1.2.3\n"));
}

QTEST_GUILESS_MAIN(CommandLineTest)
#include "command_line_test.moc"

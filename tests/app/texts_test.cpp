// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/doctor.h"
#include "app/cli/sessions.h"
#include "app/closing_lines.h"
#include "app/duration_text.h"
#include "app/exit_code.h"
#include "app/report_output.h"
#include "app/session_name.h"
#include "app/status_line.h"
#include "app/terminal.h"
#include "model/report/text_table.h"
#include "model/tables/table_builder.h"

#include <QDir>
#include <QTemporaryDir>
#include <QTest>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>

namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

std::tm someTime()
{
    std::tm time{};
    time.tm_year = 126;
    time.tm_mon = 0;
    time.tm_mday = 31;
    time.tm_hour = 4;
    time.tm_min = 5;
    time.tm_sec = 6;
    return time;
}

std::string nameOf(const std::string &program)
{
    model::CaptureConfig config;
    config.command = {program};
    return app::defaultSessionName(config, {}, someTime());
}

/// A program that a process executed; `parent`: of whom it is a copy.
model::ProcessId addImage(model::TableBuilder &tables, const char *path, model::HeapState heap, const char *note,
    model::ProcessId parent = {})
{
    const model::ProcessId process = tables.addProcess(
        {.pid = static_cast<std::int32_t>(100 + tables.tables().processes.size()), .parent = parent});
    tables.addImage({.process = process,
        .epoch = 0,
        .executable = tables.string(path),
        .heap = heap,
        .heapNote = tables.string(note)});
    return process;
}

} // namespace

class TextsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsDurations_data();
    void readsDurations();
    void writesDurations();
    void namesASessionAfterItsProgramAndTime();
    void neverNamesASessionThatExists();
    void writesOffsetsWithTheirSign();
    void putsARecordingInOneLine();
    void saysAtTheEndWhoseHeapIsMissing();
    void saysNothingOfAHeapThatIsWhole();
    void callsCountsOfASampledHeapEstimates();
    void saysThatARecordingLastedTooLong();
    void leavesOutWhatIsNotKnown();
    void cutsLinesAtCharacters();
    void listsSessionsInNarrowTerminals();
    void saysWhatTheMachineAllowsInNarrowTerminals();
    void keepsAFileUntilTheNewOneIsWhole();
    void givesAReportTheRightsOfWhatItReplaces();
    void saysWhereNoReportCanBeWritten();
    void exitsAsTheCommandDid();
    void asksTheLocaleForUtf8_data();
    void asksTheLocaleForUtf8();
    void writesAsciiWhereAskedTo();
    void isAsWideAsColumnsSays();
};

void TextsTest::asksTheLocaleForUtf8_data()
{
    QTest::addColumn<QByteArray>("all");
    QTest::addColumn<QByteArray>("language");
    QTest::addColumn<bool>("hasUtf8");
    QTest::newRow("nothing set") << QByteArray() << QByteArray() << true;
    QTest::newRow("C") << QByteArray("C") << QByteArray("de_DE.UTF-8") << false;
    QTest::newRow("POSIX") << QByteArray() << QByteArray("POSIX") << false;
    QTest::newRow("UTF-8") << QByteArray("C.UTF-8") << QByteArray("C") << true;
    QTest::newRow("utf8") << QByteArray() << QByteArray("xx_YY.utf8") << true;
    QTest::newRow("not installed") << QByteArray() << QByteArray("xx_YY") << true;
}

void TextsTest::asksTheLocaleForUtf8()
{
    QFETCH(QByteArray, all);
    QFETCH(QByteArray, language);
    QFETCH(bool, hasUtf8);
    const QByteArray before[] = {qgetenv("LC_ALL"), qgetenv("LC_CTYPE"), qgetenv("LANG")};
    qputenv("LC_ALL", all);
    qputenv("LC_CTYPE", {});
    qputenv("LANG", language);
    const bool answer = app::localeHasUtf8();
    qputenv("LC_ALL", before[0]);
    qputenv("LC_CTYPE", before[1]);
    qputenv("LANG", before[2]);
    QCOMPARE(answer, hasUtf8);
}

void TextsTest::writesAsciiWhereAskedTo()
{
    QCOMPARE(app::asciiStandIns("showing 3 – 5 s · 2 × µs … ▁▄█ → ok"),
        std::string("showing 3 - 5 s | 2 x us ... _-# -> ok"));
    QCOMPARE(
        app::asciiStandIns("größe \xff\xc3"), std::string("gr??e ??")); // names of the program, and no UTF-8 at all
    QCOMPARE(app::asciiStandIns(""), std::string());
}

void TextsTest::isAsWideAsColumnsSays()
{
    if (::isatty(STDOUT_FILENO))
        QSKIP("standard output is a terminal, whose width counts");
    const QByteArray before = qgetenv("COLUMNS");
    for (const auto &[text, columns] : std::initializer_list<std::pair<const char *, std::size_t>>{
             {"132", 132}, {"", 0}, {"-5", 0}, {"12x", 0}, {"99999999", 10'000}}) {
        qputenv("COLUMNS", text);
        QCOMPARE(app::outputColumns(), columns);
        QCOMPARE(app::columnsOfReports(), columns < 40 ? 80 : columns);
    }
    before.isNull() ? qunsetenv("COLUMNS") : qputenv("COLUMNS", before);
}

void TextsTest::readsDurations_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<qint64>("ns"); // −1: refused
    QTest::newRow("seconds") << "90s" << qint64{90 * kSecondNs};
    QTest::newRow("milliseconds") << "250ms" << qint64{250'000'000};
    QTest::newRow("bare") << "5" << qint64{5 * kSecondNs};
    QTest::newRow("fraction") << "1.5h" << qint64{5400 * kSecondNs};
    QTest::newRow("compound") << "1h30m5s" << qint64{5405 * kSecondNs};
    QTest::newRow("days") << "2d" << qint64{172800 * kSecondNs};
    QTest::newRow("empty") << "" << qint64{-1};
    QTest::newRow("unit only") << "s" << qint64{-1};
    QTest::newRow("unknown unit") << "5 parsec" << qint64{-1};
    QTest::newRow("bare behind a unit") << "1h30" << qint64{-1};
    QTest::newRow("negative") << "-5s" << qint64{-1};
    QTest::newRow("not a number") << "nans" << qint64{-1};
    QTest::newRow("endless") << "infs" << qint64{-1};
    QTest::newRow("too long") << "99999999d" << qint64{-1};
}

void TextsTest::readsDurations()
{
    QFETCH(QString, text);
    QFETCH(qint64, ns);
    const auto duration = app::parseDuration(text.toStdString(), kSecondNs);
    QCOMPARE(duration ? qint64{duration->ns} : qint64{-1}, ns);
}

void TextsTest::writesDurations()
{
    QCOMPARE(app::durationText({5'000'000}), std::string("5 ms"));
    QCOMPARE(app::durationText({59'990'000'000}), std::string("59.9 s"));
    QCOMPARE(app::durationText({125 * kSecondNs}), std::string("2 min 5 s"));
    QCOMPARE(app::durationText({3720 * kSecondNs}), std::string("1 h 2 min"));
    QCOMPARE(app::clockText({65'900'000'000}), std::string("00:01:05"));
    QCOMPARE(app::clockText({(86400 + 7384) * kSecondNs}), std::string("1d 02:03:04"));
}

void TextsTest::namesASessionAfterItsProgramAndTime()
{
    QCOMPARE(nameOf("/usr/bin/python3"), std::string("python3-20260131-040506.gprof-session"));
    QCOMPARE(nameOf("./a b;rm"), std::string("a_b_rm-20260131-040506.gprof-session"));
    QCOMPARE(nameOf(".."), std::string("recording-20260131-040506.gprof-session"));
    model::CaptureConfig attached;
    attached.attachPid = 4711;
    QCOMPARE(app::defaultSessionName(attached, {}, someTime()), std::string("pid-4711-20260131-040506.gprof-session"));
    QCOMPARE(app::defaultSessionName(attached, "redis-server", someTime()),
        std::string("redis-server-20260131-040506.gprof-session"));
    attached.attachPid = ::getpid();
    QVERIFY(app::freeSessionName(attached).starts_with("texts_test-20"));
}

void TextsTest::neverNamesASessionThatExists()
{
    const QTemporaryDir directory;
    const std::string first = directory.filePath(QStringLiteral("a.gprof-session")).toStdString();
    const std::string second = directory.filePath(QStringLiteral("a-2.gprof-session")).toStdString();
    QCOMPARE(app::withoutClash(first), first);
    std::ofstream(first) << "x";
    QCOMPARE(app::withoutClash(first), second);
}

void TextsTest::writesOffsetsWithTheirSign()
{
    QCOMPARE(app::utcOffsetText(0), std::string("+00:00"));
    QCOMPARE(app::utcOffsetText(7200), std::string("+02:00"));
    QCOMPARE(app::utcOffsetText(-34200), std::string("-09:30"));
}

void TextsTest::putsARecordingInOneLine()
{
    capture::RecordingStatus status;
    status.durationNs = 12 * kSecondNs;
    status.processes = 1;
    status.rssBytes = 43'200'000;
    status.cpuMilliPercent = 95'600;
    status.heapTraced = true;
    status.liveBytes = 3 << 20;
    status.liveBytesChange = -(1 << 20);
    status.allocations = 1'200'000;
    status.samplesLost = 3;
    status.fileBytes = 12 << 10;
    QCOMPARE(app::statusLine(status, 100),
        std::string("● 00:00:12  rss 41.2 MiB  heap 3 MiB (−1 MiB)  cpu 96 %  1.2 M allocs  3 lost  12 KiB file"));
    QCOMPARE(app::statusLine(status, 82),
        std::string("● 00:00:12  rss 41.2 MiB  heap 3 MiB  cpu 96 %  1.2 M allocs  3 lost  12 KiB file"));
    QCOMPARE(app::statusLine(status, 79),
        std::string("● 00:00:12  rss 41.2 MiB  heap 3 MiB  cpu 96 %  3 lost  12 KiB file"));
    status.processes = 0; // nothing is there to be measured, which is not 0 B
    QCOMPARE(app::statusLine(status, 100), std::string("● 00:00:12  1.2 M allocs  3 lost  12 KiB file"));
    status.processes = 1;
    status.state = model::SessionState::Paused;
    status.trouble = "No space left on device";
    QVERIFY(app::statusLine(status, 100).find("NOT WRITTEN") != std::string::npos);
    QVERIFY(app::statusLine(status, 100).find("⏸") == 0);
}

void TextsTest::saysAtTheEndWhoseHeapIsMissing()
{
    using model::HeapState;
    capture::RecordingStatus status;
    status.durationNs = 2 * kSecondNs;
    status.heapTraced = true;
    status.allocations = 974;
    status.fileBytes = 272 << 10;
    model::TableBuilder tables;
    const model::ProcessId shell = addImage(tables, "/bin/bash", HeapState::Full, "");
    addImage(tables, "/bin/bash", HeapState::Inherited, "", shell); // a copy of it: no program more
    addImage(tables, "/srv/hot", HeapState::NotTraced, "its address space is limited (ulimit -v).");
    addImage(tables, "/bin/ls", HeapState::Attached, "since an attach at 0:01.");
    const std::string held = "2.0 s recorded, 974 allocations (heap of 2 of 3 programs) in s.gprof-session (272 KiB)";
    const std::string shows = "genprof report s.gprof-session prints it, genesis-profiler s.gprof-session shows it";
    QCOMPARE(app::closingLines(status, tables.tables(), {}, "s.gprof-session"),
        (std::vector<std::string>{"Heap of /srv/hot: its address space is limited (ulimit -v): its allocations are not "
                                  "(all) in the totals",
            held, shows}));
    const std::vector<std::string> notes{"Look: its address space is limited (ulimit -v). The rest is recorded"};
    QCOMPARE(
        app::closingLines(status, tables.tables(), notes, "s.gprof-session"), (std::vector<std::string>{held, shows}));

    for (const char *why : {"one", "two", "three", "four"})
        addImage(tables, "/bin/cat", HeapState::Dormant, why);
    const auto many = app::closingLines(status, tables.tables(), {}, "s.gprof-session");
    QCOMPARE(many.size(), std::size_t{6});
    QVERIFY2(many[3].find("others is missing for 2 more reasons") != std::string::npos, many[3].c_str());
    QVERIFY2(many[4].find("(heap of 2 of 7 programs)") != std::string::npos, many[4].c_str());
}

void TextsTest::saysNothingOfAHeapThatIsWhole()
{
    capture::RecordingStatus status;
    model::TableBuilder tables;
    addImage(tables, "/bin/true", model::HeapState::Off, "");
    QCOMPARE(app::closingLines(status, tables.tables(), {}, "s").front(), std::string("0 ms recorded in s (0 B)"));
    addImage(tables, "/bin/true", model::HeapState::Full, "");
    status.heapTraced = true;
    status.allocations = 1;
    status.cpuSamples = 2;
    QCOMPARE(app::closingLines(status, tables.tables(), {}, "s").front(),
        std::string("0 ms recorded, 1 allocation, 2 CPU samples in s (0 B)"));
}

/// Also of one that was recorded in full at first.
void TextsTest::callsCountsOfASampledHeapEstimates()
{
    model::TableBuilder tables;
    addImage(tables, "/bin/true", model::HeapState::Full, "");
    capture::StatusKeeper keeper;
    model::EventBatch batch;
    batch.heapTicks.push_back({.image = model::ImageId(0u), .allocations = 2'000, .frees = 1'000});
    batch.heapModes.push_back({.image = model::ImageId(0u), .periodBytes = 1});
    keeper.add(batch, tables.tables());
    QVERIFY2(app::recordedText(keeper.status(), {}).ends_with(" recorded, 2,000 allocations"),
        app::recordedText(keeper.status(), {}).c_str());
    batch.heapModes = {{.image = model::ImageId(0u), .periodBytes = 65536, .cause = model::HeapModeCause::Budget}};
    keeper.add(batch, tables.tables());
    batch.heapModes.clear();
    keeper.add(batch, tables.tables());
    QVERIFY2(app::recordedText(keeper.status(), {}).ends_with(" recorded, about 6,000 allocations"),
        app::recordedText(keeper.status(), {}).c_str());
    const std::string status = app::statusText(keeper.status());
    QVERIFY2(status.find("about 6,000 allocations, about 3,000 frees") != std::string::npos, status.c_str());
}

void TextsTest::saysThatARecordingLastedTooLong()
{
    capture::RecordingStatus status;
    const model::TableBuilder tables;
    const auto linesOf = [&](std::int64_t ms, std::optional<model::Duration> asked) {
        status.durationNs = ms * 1'000'000;
        return app::closingLines(status, tables.tables(), {}, "s", asked);
    };
    const auto asked = model::Duration::fromMs(1000);
    QCOMPARE(linesOf(13700, std::nullopt).size(), std::size_t{2});
    QCOMPARE(linesOf(900, asked).size(), std::size_t{2}); // the program ended
    QCOMPARE(linesOf(1100, asked).size(), std::size_t{2});
    QCOMPARE(linesOf(1101, asked).size(), std::size_t{3});
    QCOMPARE(linesOf(13700, asked).front(),
        std::string("The recording lasted 13.7 s, and 1.0 s was asked for: it could not be ended in time"));
}

void TextsTest::leavesOutWhatIsNotKnown()
{
    QCOMPARE(app::statusLine({}, 80), std::string("● 00:00:00  0 lost  0 B file"));
}

void TextsTest::cutsLinesAtCharacters()
{
    QCOMPARE(app::cutToColumns("●ab", 2), std::string("●a"));
    QCOMPARE(app::cutToColumns("ab●", 2), std::string("ab"));
    QCOMPARE(app::cutToColumns("ab●", 3), std::string("ab●"));
}

void TextsTest::keepsAFileUntilTheNewOneIsWhole()
{
    const QTemporaryDir folder;
    const std::string path = folder.filePath(QStringLiteral("report.txt")).toStdString();
    const auto write = [&](bool isWhole) {
        return app::writeOutput(path, app::Reader::Program, [&](std::ostream &out) {
            out << (isWhole ? "whole" : "half");
            if (!isWhole)
                out.setstate(std::ios::badbit); // as a full disk does
        });
    };
    QVERIFY(write(true));
    QVERIFY(!write(false));
    std::string text;
    std::getline(std::ifstream(path) >> std::ws, text);
    QCOMPARE(text, std::string("whole"));
    QCOMPARE(QDir(folder.path()).entryList(QDir::Files), QStringList(QStringLiteral("report.txt")));
}

void TextsTest::givesAReportTheRightsOfWhatItReplaces()
{
    const QTemporaryDir folder;
    const std::string path = folder.filePath(QStringLiteral("report.txt")).toStdString();
    const auto rightsOfReport = [&] {
        if (!app::writeOutput(path, app::Reader::Program, [](std::ostream &out) { out << "text"; }))
            return mode_t(0);
        struct stat status = {};
        return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777u : 0u;
    };
    const mode_t mask = ::umask(027);
    const mode_t ofNew = rightsOfReport();
    ::umask(mask);
    QCOMPARE(ofNew, mode_t(0640));
    QCOMPARE(::chmod(path.c_str(), 0604), 0);
    QCOMPARE(rightsOfReport(), mode_t(0604));
}

void TextsTest::saysWhereNoReportCanBeWritten()
{
    const QTemporaryDir folder;
    const std::string path = folder.filePath(QStringLiteral("none/report.txt")).toStdString();
    const auto done = app::writeOutput(path, app::Reader::Program, [](std::ostream &out) { out << "text"; });
    QVERIFY(!done);
    QCOMPARE(done.error().text(), "Cannot write " + path + ": No such file or directory");
}

void TextsTest::exitsAsTheCommandDid()
{
    QCOMPARE(app::exitCodeOf(W_EXITCODE(3, 0)), 3);
    QCOMPARE(app::exitCodeOf(W_EXITCODE(0, 9)), 137);
}

void TextsTest::listsSessionsInNarrowTerminals()
{
    model::SessionEntry entry;
    entry.path = "/tmp/a\xff\nb.gprof-session";
    entry.command = "./server --port 8080 --threads 16 --log /var/log/server.log";
    entry.duration = model::Duration::fromSeconds(2);
    entry.tags = {"nightly"};
    entry.state = model::SessionState::Complete;
    const std::string wide = app::listText(entry, 0);
    QCOMPARE(std::count(wide.begin(), wide.end(), '\n'), 1);
    QCOMPARE(app::listText(entry, 400), wide);
    QVERIFY(wide.find("/tmp/a\\xff\\x0ab.gprof-session") != std::string::npos);
    for (const std::size_t columns : {40, 60}) {
        const std::string narrow = app::listText(entry, columns);
        std::istringstream lines(narrow);
        for (std::string line; std::getline(lines, line);)
            QVERIFY2(model::textWidth(line) <= columns, line.c_str());
        QVERIFY(narrow.find("\n  /tmp/a\\xff\\x0ab.gprof-session\n  #nightly\n") != std::string::npos);
        QVERIFY(narrow.find("server.log\n") != std::string::npos);
    }
}

void TextsTest::saysWhatTheMachineAllowsInNarrowTerminals()
{
    model::Capabilities machine;
    machine.items.push_back({.id = "cpu",
        .label = "Hardware counters",
        .level = model::CapabilityLevel::Limited,
        .sentence = "No hardware counters here (most virtual machines have none): samples follow the CPU clock.",
        .remedy = "sudo sysctl kernel.perf_event_paranoid=1"});
    const std::string any = app::doctorText(machine, 0);
    QCOMPARE(any,
        std::string("~   Hardware counters      No hardware counters here (most virtual machines have none): samples "
                    "follow the CPU clock.\n                           → sudo sysctl "
                    "kernel.perf_event_paranoid=1\n"));
    for (const std::size_t columns : {40, 60, 80, 100}) {
        std::istringstream lines(app::doctorText(machine, columns));
        for (std::string line; std::getline(lines, line);)
            QVERIFY2(model::textWidth(line) <= columns, line.c_str());
    }
}

QTEST_GUILESS_MAIN(TextsTest)
#include "texts_test.moc"

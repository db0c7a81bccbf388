// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/alert_commands.h"
#include "app/alert_config.h"
#include "app/alert_desk.h"
#include "app/alert_file.h"
#include "app/amount_text.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>

using namespace app;
using model::AlertTest;

class AlertConfigTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void builtInRulesStandInAFileAsTheyAre()
    {
        const auto config = parseAlertConfig(alertFileText(model::defaultAlertRuleFile()), "made");
        QVERIFY2(config.has_value(), config ? "" : config.error().text().c_str());
        const std::vector<model::AlertRule> rules = model::defaultAlertRules();
        QCOMPARE(config->rules.size(), rules.size());
        for (std::size_t i = 0; i < rules.size(); ++i) {
            const model::AlertRule &read = config->rules[i];
            QCOMPARE(read.name, rules[i].name);
            QVERIFY(read.source == rules[i].source && read.test == rules[i].test);
            QCOMPARE(read.threshold, rules[i].threshold);
            QCOMPARE(read.holds.ns, rules[i].holds.ns);
            QCOMPARE(read.window.ns, rules[i].window.ns);
        }
    }

    void editsAFileOfRules()
    {
        QTemporaryDir folder;
        const std::string path = folder.filePath(QStringLiteral("new/alerts.toml")).toStdString();
        const model::AlertRuleAccess access = alertFileAccess(path);
        auto file = access.load(); // none is there
        QVERIFY(file.has_value() && *file == model::defaultAlertRuleFile());
        file->rules[0].isEnabled = false;
        file->rules[1].threshold = "75%";
        file->rules.push_back({.name = "quoted \"name\" \\",
            .source = "threads_count",
            .test = "above",
            .threshold = "500",
            .holds = "30s",
            .clearsAt = "450",
            .command = "echo 'a\nb'"});
        QVERIFY(access.check(*file).has_value());
        QVERIFY2(access.save(*file).has_value(), path.c_str());
        const auto again = access.load();
        QVERIFY2(again.has_value(), again ? "" : again.error().text().c_str());
        QVERIFY(*again == *file);
        const auto config = loadAlertConfig(path, {});
        QCOMPARE(config->rules.size(), std::size_t(5)); // four built-in ones that are on, and the new one
        QCOMPARE(config->rules.back().clearsAt.value(), 450.0);
        // What a recording would refuse is refused, with the same words, and the file stays.
        file->rules.back().clearsAt = "600";
        const auto refused = access.save(*file);
        QVERIFY(!refused.has_value());
        QVERIFY2(refused.error().text().find("it would end at 600, on the wrong side of 500") != std::string::npos,
            refused.error().text().c_str());
        QVERIFY(*access.load() == *again);
        // Rules that are off are checked all the same.
        file->rules.back().clearsAt.clear();
        file->rules[0].threshold = "much";
        QVERIFY(!access.check(*file).has_value());
        file->rules[0].threshold = "6%";
        QVERIFY(access.save(*file).has_value());
        QVERIFY(QFile::exists(QString::fromStdString(path + ".bak")));
    }

    void readsFilesThatPeopleWrote()
    {
        const auto file = parseAlertFile("notify = true\non_alert = \"log\"\non_resolve = \"log it\"\n[[alert]]\nname "
                                         "= \"CPU busy\"\nenabled = false\n"
                                         "[[alert]]\nname = \"memory grows\"\ngrows = 1048576\nwithin = \"2h\"\n",
            "rules.toml");
        QVERIFY2(file.has_value(), file ? "" : file.error().text().c_str());
        QVERIFY(file->notifies);
        QCOMPARE(file->command, std::string("log"));
        QCOMPARE(file->resolveCommand, std::string("log it"));
        QCOMPARE(parseAlertConfig(alertFileText(*file), "again")->resolveCommand, std::string("log it"));
        QCOMPARE(file->rules.size(), std::size_t(5));
        QCOMPARE(file->rules[0].threshold, std::string("1048576"));
        QVERIFY(!file->rules[2].isEnabled);
        QCOMPARE(file->rules[2].threshold, std::string("90%")); // as it is built in
        QVERIFY(!parseAlertFile("[[alert]]\nname = \"x\"\n", "rules.toml").has_value());
    }

    void readsRules()
    {
        const auto config = parseAlertConfig(R"(
on_alert = "page somebody"
notify = true
[[alert]]
name = "live heap"
source = "heap_live_bytes"
above = "1.5GiB"
clears_at = "1GiB"
holds = "30s"
[[alert]]
name = "memory grows"
grows = "10%"
within = "2h"
on_alert = "log it"
[[alert]]
name = "CPU busy"
enabled = false
[[alert]]
name = "threads"
source = "threads_count"
above = 500
[[alert]]
name = "busy machine"
above_of_cores = 75
)",
            "rules.toml");
        QVERIFY2(config.has_value(), config ? "" : config.error().text().c_str());
        QVERIFY(config->notifies);
        QCOMPARE(config->rules.size(), std::size_t(7)); // three built-in ones are left
        const auto find = [&](const char *name) {
            return *std::find_if(
                config->rules.begin(), config->rules.end(), [&](const auto &rule) { return rule.name == name; });
        };
        QCOMPARE(find("live heap").threshold, 1.5 * 1073741824);
        QCOMPARE(find("live heap").clearsAt.value(), 1073741824.0);
        QCOMPARE(find("live heap").holds.seconds(), 30.0);
        QCOMPARE(find("live heap").command, std::string("page somebody"));
        QCOMPARE(find("memory grows").test, AlertTest::GrowsPercent);
        QCOMPARE(find("memory grows").window.seconds(), 7200.0);
        QCOMPARE(find("memory grows").command, std::string("log it"));
        QCOMPARE(find("threads").threshold, 500.0);
        QVERIFY(find("busy machine").source == model::SeriesSource(model::CpuQuantity::Used));
    }

    void saysWhichLineIsWrong_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("said");
        const QByteArray rule = "[[alert]]\nname = \"x\"\n";
        QTest::newRow("no TOML") << QByteArray("[[alert\n") << QByteArray("f:1: ");
        QTest::newRow("unknown key") << rule + "abov = 3\n" << QByteArray("f:3: a rule has no key \"abov\"");
        QTest::newRow("unknown key of the file")
            << QByteArray("\nalarm = 3\n") << QByteArray("f:2: there is no key \"alarm\"");
        QTest::newRow("unknown source") << rule + "source = \"rss\"\nabove = 3\n"
                                        << QByteArray("f:3: there is no source \"rss\"");
        QTest::newRow("no amount") << rule + "above = \"3 apples\"\n" << QByteArray("f:3: above is a number of bytes");
        QTest::newRow("no condition") << rule << QByteArray("f:1: the rule has no condition");
        QTest::newRow("two conditions") << rule + "above = 3\nbelow = 2\n"
                                        << QByteArray("f:4: a rule has one condition");
        QTest::newRow("no name") << QByteArray("[[alert]]\nabove = 3\n") << QByteArray("f:1: a rule needs a name");
        QTest::newRow("twice") << rule + "above = 3\n" + rule + "above = 4\n"
                               << QByteArray("f:4: there is a rule \"x\" already");
        QTest::newRow("no window") << rule + "grows = \"5%\"\n" << QByteArray("f:1: growth is looked for within");
        QTest::newRow("not a list") << QByteArray("[alert]\nname = \"x\"\n") << QByteArray("f:1: alert is a list");
        QTest::newRow("wrong side") << rule + "above = 3\nclears_at = 4\n" << QByteArray("f:1: it would end at");
        QTest::newRow("above all of it") << rule + "above_of_limit = \"120%\"\n"
                                         << QByteArray("f:1: rss_bytes is never above 120 % of its limit");
        QTest::newRow("above all processors") << rule + "above_of_cores = 101\n"
                                              << QByteArray("f:1: cpu_percent is never above 101 % of all processors");
        QTest::newRow("no processors") << rule + "source = \"rss_bytes\"\nabove_of_cores = 101\n"
                                       << QByteArray("f:1: rss_bytes is no use of");
        QTest::newRow("grows by less than nothing") << rule + "grows = \"-5%\"\nwithin = \"1h\"\n"
                                                    << QByteArray("f:1: with a threshold of");
        QTest::newRow("below nothing") << rule + "above = -3\n" << QByteArray("f:1: the threshold is ");
        QTest::newRow("ends below nothing") << rule + "above = 3\nclears_at = -1\n"
                                            << QByteArray("f:1: it would never end: rss_bytes");
        QTest::newRow("no flag") << QByteArray("defaults = 1\n") << QByteArray("f:1: defaults is true or false");
    }
    void saysWhichLineIsWrong()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, said);
        const auto config = parseAlertConfig(text.toStdString(), "f");
        QVERIFY(!config);
        QVERIFY2(config.error().text().starts_with(said.toStdString()), config.error().text().c_str());
    }

    void tellsAllMistakes()
    {
        const auto config = parseAlertConfig(R"(defaults = 3
[[alert]]
name = "a"
abov = 3
holds = "long"
[[alert]]
name = "b"
source = "rss"
above = "x"
[[alert]]
name = "a"
grows = "5%"
[[alert]]
name = "c"
above = 5
below = 3
clears_at = "?"
[[alert]]
name = 7
enabled = false
[[alarm]]
)",
            "f");
        QVERIFY(!config);
        QStringList said;
        for (const QString &line : QString::fromStdString(config.error().text()).split(u'\n'))
            said.append(line.left(line.indexOf(u' ', line.indexOf(u' ') + 1)));
        const QStringList expected{QStringLiteral("f:1: defaults"), QStringLiteral("f:4: a"),
            QStringLiteral("f:5: holds"), QStringLiteral("f:8: there"), QStringLiteral("f:9: above"),
            QStringLiteral("f:10: there"), QStringLiteral("f:10: growth"), QStringLiteral("f:16: a"),
            QStringLiteral("f:17: clears_at"), QStringLiteral("f:19: name"), QStringLiteral("f:21: there")};
        QCOMPARE(said, expected);
    }

    void findsItsConfiguration()
    {
        const QTemporaryDir folder;
        qputenv("XDG_CONFIG_HOME", folder.path().toUtf8());
        QCOMPARE(loadAlertConfig("", "")->rules.size(), model::defaultAlertRules().size());
        QVERIFY(loadAlertConfig("off", "")->rules.empty());
        QVERIFY(!loadAlertConfig("/does/not/exist", ""));
        const auto ofFolder = loadAlertConfig(folder.path().toStdString(), "");
        QVERIFY(!ofFolder);
        QVERIFY2(ofFolder.error().text().find("Is a directory") != std::string::npos, ofFolder.error().text().c_str());
        QVERIFY(QDir(folder.path()).mkdir(QStringLiteral("genesis-profiler")));
        QFile file(folder.filePath(QStringLiteral("genesis-profiler/alerts.toml")));
        QVERIFY(file.open(QFile::WriteOnly));
        file.write("defaults = false\n");
        file.close();
        QVERIFY(loadAlertConfig("", "")->rules.empty());
        qputenv("GENPROF_ALERTS", "off");
        QVERIFY(loadAlertConfig("", "")->rules.empty());
        qunsetenv("GENPROF_ALERTS");
        file.remove();
        QCOMPARE(loadAlertConfig("", "do it")->rules.front().command, std::string("do it"));
        qputenv("GENPROF_ON_ALERT", "by environment");
        QCOMPARE(loadAlertConfig("", "")->rules.front().command, std::string("by environment"));
        qunsetenv("GENPROF_ON_ALERT");
    }

    void rulesKeepTheCommandThatTheyName()
    {
        const QTemporaryDir folder;
        QFile file(folder.filePath(QStringLiteral("rules.toml")));
        QVERIFY(file.open(QFile::WriteOnly));
        file.write("defaults = false\n[[alert]]\nname = \"a\"\nabove = 3\non_alert = \"page somebody\"\n"
                   "[[alert]]\nname = \"b\"\nabove = 3\n");
        file.close();
        const auto config = loadAlertConfig(file.fileName().toStdString(), "log it");
        QVERIFY2(config.has_value(), config ? "" : config.error().text().c_str());
        QCOMPARE(config->rules.at(0).command, std::string("page somebody"));
        QCOMPARE(config->rules.at(1).command, std::string("log it"));
    }

    void amounts()
    {
        QCOMPARE(parseAmount("512MiB", model::Unit::Bytes).value(), 536870912.0);
        QCOMPARE(parseAmount("1.5 K", model::Unit::Bytes).value(), 1536.0);
        QCOMPARE(parseAmount("2MB", model::Unit::Bytes).value(), 2e6);
        QCOMPARE(parseAmount("20MiB/h", model::Unit::BytesPerHour).value(), 20971520.0);
        QCOMPARE(parseAmount("80%", model::Unit::Percent).value(), 80.0);
        QCOMPARE(parseAmount("1h30m", model::Unit::Nanoseconds).value(), 5400e9);
        for (const char *text : {"", "x", "3 apples", "%", "1e400"})
            QVERIFY2(!parseAmount(text, model::Unit::Bytes), text);
    }

    void anAlertIsASentence()
    {
        model::AlertEvent alert{.rule = "cache", .condition = "live heap above 2 GiB for 30 s"};
        alert.value = 2.5 * (1 << 30);
        alert.worst = 3.0 * (1 << 30);
        alert.unit = model::Unit::Bytes;
        QCOMPARE(alertSentence(alert), std::string("Alert \"cache\": live heap above 2 GiB for 30 s (now 2.5 GiB)."));
        alert.ended = model::Timestamp{1};
        QCOMPARE(alertSentence(alert),
            std::string(
                "Alert \"cache\" is over: live heap above 2 GiB for 30 s (it was 2.5 GiB when that fired, 3 GiB "
                "at worst)."));
    }

    void commandsRunBesideTheRecording()
    {
        const QTemporaryDir folder;
        AlertCommands commands;
        const std::string file = folder.filePath(QStringLiteral("said")).toStdString();
        QVERIFY(commands.start(
            {"/bin/sh", "-c", "echo $GENPROF_ALERT_RULE > " + file}, {{"GENPROF_ALERT_RULE", "the rule"}}));
        // The text of a command may hold a token: its alert names it.
        QVERIFY(commands.start(
            {"/bin/sh", "-c", "exit 3 # https://hook?token=secret"}, {{"GENPROF_ALERT_RULE", "the rule"}}));
        // A program is named by itself, not by the text that it is given.
        QVERIFY(commands.start({"false", "memory grows (now 3 GiB)"}, {}));
        const auto missing = commands.start({"/does/not/exist", "--title", "memory grows"}, {});
        QVERIFY(!missing);
        QCOMPARE(missing.error().text(),
            std::string("Alert command \"/does/not/exist\" cannot be started: No such file or directory"));
        std::vector<std::string> said = commands.finish(model::Duration::fromMs(10'000));
        std::sort(said.begin(), said.end());
        QCOMPARE(said.size(), std::size_t(2));
        QCOMPARE(said[0], std::string("Alert command \"false\" ended with status 1"));
        QCOMPARE(said[1], std::string("The command of the alert \"the rule\" ended with status 3"));
        QFile written(QString::fromStdString(file));
        QVERIFY(written.open(QFile::ReadOnly));
        QCOMPARE(written.readAll(), QByteArray("the rule\n"));
    }

    void commandsThatHangDoNotHoldIt()
    {
        QElapsedTimer timer;
        timer.start();
        {
            AlertCommands commands;
            for (std::size_t i = 0; i < AlertCommands::kMost; ++i)
                QVERIFY(commands.start({"/bin/sh", "-c", "sleep 100"}, {}));
            QVERIFY(!commands.start({"/bin/sh", "-c", "true"}, {}));
            QVERIFY(commands.look().empty());
            QCOMPARE(commands.runningCount(), AlertCommands::kMost);
        }
        QVERIFY(timer.elapsed() < 20'000);
    }
};

QTEST_GUILESS_MAIN(AlertConfigTest)
#include "alert_config_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/command_line.h"

#include <QFile>
#include <QRegularExpression>
#include <QTest>

#include <variant>

using namespace Qt::StringLiterals;

namespace {

QString printed(const QStringList &words)
{
    std::vector<std::string> arguments;
    for (const QString &word : words)
        arguments.push_back(word.toStdString());
    const app::Command command = app::parseCommandLine(arguments, "1");
    const auto *print = std::get_if<app::PrintAndExit>(&command);
    return print ? QString::fromStdString(print->text) : QString();
}

/// Names of the commands that `--help` of these words lists.
QStringList commandsOf(QStringList words)
{
    words << u"--help"_s;
    QStringList names;
    bool isList = false;
    for (const QString &line : printed(words).split(u'\n')) {
        static const QRegularExpression kName(u"^  ([a-z]+)( |$)"_s);
        const auto match = kName.match(line);
        isList = line == "Subcommands:"_L1 || (isList && line.startsWith(u' '));
        if (isList && match.hasMatch())
            names << match.captured(1);
    }
    return names;
}

/// "--top", "-o" of each line of options; -h is everybody's.
QStringList optionsOf(QStringList words)
{
    words << u"--help"_s;
    QStringList options;
    for (const QString &line : printed(words).split(u'\n')) {
        if (!line.startsWith("  -"_L1))
            continue;
        for (const QString &name : line.trimmed().section(u' ', 0, 0).split(u','))
            if (name != "-h"_L1 && name != "--help"_L1)
                options << name;
    }
    return options;
}

} // namespace

/// The manual page against what the program says of itself.
class ManualTest : public QObject
{
    Q_OBJECT

private:
    QString m_page;

    /// The sections of these names, as they read.
    QString sections(const QStringList &names) const
    {
        QString text;
        for (const QString &section : m_page.split(u"\n.SH "_s))
            if (names.contains(section.section(u'\n', 0, 0)))
                text += section + u'\n';
        return text;
    }

    /// Where the options of a command are explained.
    static QStringList sectionsOf(const QString &command)
    {
        const QStringList recording{u"OPTIONS OF RECORD AND ATTACH"_s, u"PRIVACY"_s, u"MONITORING"_s};
        const QHash<QString, QStringList> special{{u"record"_s, recording}, {u"attach"_s, recording},
            {u"soak"_s, recording + QStringList{u"STABILITY TESTS"_s}},
            {u"ctl"_s, {u"LOST MEMORY"_s, u"OPTIONS OF CTL AND DOCTOR"_s}}, {u"report"_s, {u"OPTIONS OF REPORT"_s}},
            {u"compare"_s, {u"COMPARISON"_s}}, {u"gate"_s, {u"GATE"_s}}, {u"baseline"_s, {u"GATE"_s}},
            {u"follow"_s, {u"ANOTHER MACHINE"_s}}, {u"serve"_s, {u"MONITORING"_s}},
            {u"list"_s, {u"FOLDERS OF SESSIONS"_s}}, {u"tag"_s, {u"FOLDERS OF SESSIONS"_s}},
            {u"note"_s, {u"FOLDERS OF SESSIONS"_s}}, {u"prune"_s, {u"FOLDERS OF SESSIONS"_s}},
            {u"sql"_s, {u"OPTIONS OF SQL"_s}}, {u"redact"_s, {u"PRIVACY"_s}}, {u"seal"_s, {}}, {u"unseal"_s, {}},
            {u"doctor"_s, {u"OPTIONS OF CTL AND DOCTOR"_s}}};
        return special.value(command) + QStringList{u"SEALED SESSIONS"_s};
    }

private Q_SLOTS:
    void initTestCase()
    {
        QFile file(qEnvironmentVariable("GENESIS_SOURCE_DIR") + u"/resources/man/genprof.1"_s);
        QVERIFY(file.open(QIODevice::ReadOnly));
        m_page = QString::fromUtf8(file.readAll()).replace("\\-"_L1, "-"_L1);
    }

    void explainsEveryOption_data()
    {
        QTest::addColumn<QStringList>("words");
        const QStringList commands = commandsOf({});
        QVERIFY2(commands.size() > 15 && commands.contains(u"doctor"_s), qPrintable(commands.join(u' ')));
        for (const QString &command : commands) {
            QTest::newRow(qPrintable(command)) << QStringList{command};
            for (const QString &part : commandsOf({command}))
                QTest::newRow(qPrintable(command + u' ' + part)) << QStringList{command, part};
        }
    }
    void explainsEveryOption()
    {
        QFETCH(QStringList, words);
        const QString text = sections(sectionsOf(words.first()));
        QVERIFY(m_page.contains(u"genprof "_s + words.first()) || m_page.contains(u" | "_s + words.first()));
        for (const QString &option : optionsOf(words)) {
            const QRegularExpression whole(u"(?<![-a-z])"_s + QRegularExpression::escape(option) + u"(?![-a-z])"_s);
            QVERIFY2(text.contains(whole), qPrintable(words.join(u' ') + u' ' + option));
        }
    }

    /// The choices that a wrong word is answered with.
    void namesEveryChoice_data()
    {
        QTest::addColumn<QStringList>("words");
        QTest::addColumn<QString>("option");
        QTest::newRow("report --what") << QStringList{u"report"_s, u"f"_s} << u"--what"_s;
        QTest::newRow("report --format") << QStringList{u"report"_s, u"f"_s} << u"--format"_s;
        QTest::newRow("report --cost") << QStringList{u"report"_s, u"f"_s} << u"--cost"_s;
        QTest::newRow("compare --format") << QStringList{u"compare"_s, u"a"_s, u"b"_s} << u"--format"_s;
        QTest::newRow("sql --format") << QStringList{u"sql"_s, u"f"_s} << u"--format"_s;
        QTest::newRow("soak --stop-early") << QStringList{u"soak"_s, u"--attach"_s, u"1"_s} << u"--stop-early"_s;
    }
    void namesEveryChoice()
    {
        QFETCH(QStringList, words);
        QFETCH(QString, option);
        const QString text = sections(sectionsOf(words.first()));
        const QString said = printed(words + QStringList{option, u"?"_s});
        static const QRegularExpression kChoices(u"(?:possible are|there are) ([-a-z_, ]+)"_s);
        const QStringList choices = kChoices.match(said).captured(1).split(u", "_s, Qt::SkipEmptyParts);
        QVERIFY2(choices.size() >= 3, qPrintable(said));
        const qsizetype at = text.indexOf(option);
        QVERIFY(at >= 0);
        const QString entry = text.mid(at, text.indexOf(u"\n.TP"_s, at) - at);
        for (const QString &choice : choices)
            QVERIFY2(entry.contains(choice.trimmed()), qPrintable(option + u' ' + choice + u'\n' + entry));
    }

    /// A request that the page was typed with, not what a broken escape left of it.
    void isWellFormed()
    {
        static const QRegularExpression kRequest(u"^\\.(TH|SH|TP|B|I|BR|BI|RI|RB|IR|PP|br|nf|fi|\\\\\") ?"_s);
        static const QRegularExpression kControl(u"[\\x{00}-\\x{1f}]"_s); // a form feed was once the f of \fR
        int line = 0;
        for (const QString &text : m_page.split(u'\n')) {
            ++line;
            const QString where = QString::number(line) + u": "_s + text;
            if (text.startsWith(u'.'))
                QVERIFY2(kRequest.match(text).hasMatch() || text == ".br"_L1 || text == ".TP"_L1, qPrintable(where));
            QVERIFY2(!kControl.match(text).hasMatch(), qPrintable(where));
            QVERIFY2(
                text.count(u'"') % 2 == 0 || !text.startsWith(u'.') || text.startsWith(".\\\""_L1), qPrintable(where));
        }
    }
};

QTEST_GUILESS_MAIN(ManualTest)
#include "manual_test.moc"

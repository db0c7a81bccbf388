// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/redaction/secret_patterns.h"

#include <QElapsedTimer>
#include <QTest>

using model::SecretPatterns;

class SecretPatternsTest : public QObject
{
    Q_OBJECT

private:
    static QString joined(const std::vector<std::string> &arguments)
    {
        QString text;
        for (const std::string &argument : arguments)
            text += (text.isEmpty() ? QString() : QStringLiteral("|")) + QString::fromStdString(argument);
        return text;
    }

    static std::vector<std::string> split(const QString &text)
    {
        std::vector<std::string> arguments;
        for (const QString &argument : text.split(u'|'))
            arguments.push_back(argument.toStdString());
        return arguments;
    }

private Q_SLOTS:
    void hidesSecrets_data()
    {
        QTest::addColumn<QString>("arguments");
        QTest::addColumn<QString>("expected");
        const auto row = [](const char *arguments, const char *expected) {
            QTest::newRow(arguments) << QString::fromUtf8(arguments) << QString::fromUtf8(expected);
        };
        row("server|--password=hunter2 x|--port=80", "server|--password=***|--port=80");
        row("server|--password|hunter2|--port|80", "server|--password|***|--port|80");
        row("server|--password|--verbose", "server|--password|--verbose");
        row("env|TOKEN=abc|DB_PASSWORD=x|PATH=/bin|run", "env|TOKEN=***|DB_PASSWORD=***|PATH=/bin|run");
        row("env|apiKey=1|API-KEY=1|AWS_SECRET_ACCESS_KEY=a/b+c",
            "env|apiKey=***|API-KEY=***|AWS_SECRET_ACCESS_KEY=***");
        row("curl|-H|Authorization: Bearer abc.def|x", "curl|-H|Authorization: Bearer ***|x");
        row("curl|-H|X-Api-Key:abc", "curl|-H|X-Api-Key:***");
        row("curl|-u|joe:secret|https://joe:pw@host/p?token=abc&x=1",
            "curl|-u|joe:***|https://joe:***@host/p?token=***&x=1");
        row("curl|--user=joe:secret|-u|joe", "curl|--user=joe:***|-u|joe");
        row("git|clone|https://0123456789abcdef01@host/x|ssh://git@host/x",
            "git|clone|https://***@host/x|ssh://git@host/x");
        row("psql|postgresql://u:p@ss@db:5432/x", "psql|postgresql://u:***@db:5432/x");
        row("sh|-c|export TOKEN=abc; run --password hunter2 --out 'x y' && PGPASSWORD=\"a\" psql",
            "sh|-c|export TOKEN=***; run --password *** --out 'x y' && PGPASSWORD=\"***\" psql");
        row("aws|AKIAIOSFODNN7EXAMPLE|xAKIAIOSFODNN7EXAMPLE", "aws|***|xAKIAIOSFODNN7EXAMPLE");
        row("x|ghp_0123456789abcdefghijABCDEFGHIJ456789|--note=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdef",
            "x|***|--note=***");
        row("x|-----BEGIN RSA PRIVATE KEY-----abc-----END RSA PRIVATE KEY-----", "x|***-----END RSA PRIVATE KEY-----");
        row("redis-server|--requirepass|foobared|--port|6379", "redis-server|--requirepass|***|--port|6379");
        // What only looks like it
        row("sort|--key=2|--author=joe|--max-tokens=100|--tokenizer|x",
            "sort|--key=2|--author=joe|--max-tokens=100|--tokenizer|x");
        row("ls|-l|--passes=3|compass|a:b|C:\\x", "ls|-l|--passes=3|compass|a:b|C:\\x");
        row("ssh|-i|key.pem|user@host|skip-connection-timeout-please",
            "ssh|-i|key.pem|user@host|skip-connection-timeout-please");
    }
    void hidesSecrets()
    {
        QFETCH(QString, arguments);
        QFETCH(QString, expected);
        QCOMPARE(joined(SecretPatterns().redacted(split(arguments))), expected);
    }

    void hidesThemInQuotedCommandLines_data()
    {
        QTest::addColumn<QString>("line");
        QTest::addColumn<QString>("expected");
        const auto row = [](const char *line, const char *expected) {
            QTest::newRow(line) << QString::fromUtf8(line) << QString::fromUtf8(expected);
        };
        row("server --password hunter2 --port 80", "server --password *** --port 80");
        row("server '--password=a b' 'plain text'", "server --password=*** 'plain text'");
        row("curl -H 'Authorization: Bearer abc' x", "curl -H 'Authorization: Bearer ***' x");
        row("sh -c 'echo '\\''hi'\\''; TOKEN=x run'", "sh -c 'echo '\\''hi'\\''; TOKEN=*** run'");
        row("plain -x 'a'\\''b'", "plain -x 'a'\\''b'");
        row("", "");
    }
    void hidesThemInQuotedCommandLines()
    {
        QFETCH(QString, line);
        QFETCH(QString, expected);
        QCOMPARE(QString::fromStdString(SecretPatterns().redacted(line.toStdString())), expected);
    }

    void takesPatternsOfTheUser()
    {
        SecretPatterns patterns;
        QVERIFY(patterns.addLines("# ours\n\n  --license*\r\nX-Internal-??\n=corp_*\n"));
        QCOMPARE(
            joined(patterns.redacted(split(QStringLiteral("a|--licenseFile=x|x-internal-id:9|--id|corp_17|corps")))),
            QStringLiteral("a|--licenseFile=***|x-internal-id:***|--id|***|corps"));
        for (const char *bad : {"", "*", "--", "=", "=*", "a b", "a=b"}) {
            const auto added = patterns.add(bad);
            QVERIFY2(!added, bad);
            QVERIFY(added.error().text().find("write") != std::string::npos);
        }
    }

    void takesTimeInProportionToTheText()
    {
        SecretPatterns patterns;
        QVERIFY(patterns.add("=*a*a*a*b"));
        QElapsedTimer timer;
        timer.start();
        for (const char *piece : {"a", "://", "-", "=", "'", "eyJ", "x:", "--password ", "\\"}) {
            std::string text;
            while (text.size() < 200'000)
                text += piece;
            QVERIFY(patterns.redacted(std::string_view(text)).size() >= 3);
        }
        QVERIFY2(timer.elapsed() < 5000, qPrintable(QString::number(timer.elapsed())));
    }
};

QTEST_APPLESS_MAIN(SecretPatternsTest)
#include "secret_patterns_test.moc"

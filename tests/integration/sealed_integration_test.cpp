// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/genprof_runner.h"

#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QProcess>
#include <QScopeGuard>
#include <QTest>

#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

using tests::GenprofRunner;
using tests::Ran;

namespace {

constexpr const char *kPassphrase = "correct horse battery";

QStringList words(const char *line) { return QString::fromUtf8(line).split(u' '); }

} // namespace

/// Sealed sessions through the programs, as a user has them.
class SealedIntegrationTest : public QObject
{
    Q_OBJECT

private:
    const GenprofRunner m_runner;

    /// Files below the folder, the list of sessions among them, in which `text` stands.
    QStringList filesWith(const QByteArray &text) const
    {
        QStringList found;
        QDirIterator files(m_runner.path({}), QDir::Files, QDirIterator::Subdirectories);
        while (files.hasNext()) {
            QFile file(files.next());
            if (file.open(QIODevice::ReadOnly) && file.readAll().contains(text))
                found << file.fileName();
        }
        return found;
    }

    /// Runs genprof with the passphrase on descriptor 7.
    Ran withPassphrase(const QStringList &arguments, const QByteArray &passphrase = kPassphrase) const
    {
        return m_runner.run(QStringLiteral("sh"),
            QStringList{QStringLiteral("-c"), QStringLiteral("exec 7<&0 0</dev/null; exec \"$0\" \"$@\""),
                GenprofRunner::program()}
                + arguments + words("--passphrase-fd 7"),
            passphrase + "\n");
    }

private Q_SLOTS:
    void recordsWithNothingInClear()
    {
        // The command searches the folder itself, while it is recorded; its own arguments and functions are what must not be found.
        const QString search = QStringLiteral(
            "ls -l /proc/self/fd; for i in 1 2 3 4 5 6; do sleep 0.1; grep -rl zebra-argument \"$1\"; grep -rl "
            "accept_mmap \"$1\";"
            " grep -rlE 'SQLite format|CREATE TABLE' \"$1\" | grep -v sessions.db; done; ls \"$1\"; echo end");
        const Ran ran = m_runner.run(QStringLiteral("sh"),
            {QStringLiteral("-c"),
                QStringLiteral("exec 7<&0 0</dev/null; exec \"$0\" record --seal --passphrase-fd 7 -q --tick 100 -o "
                               "\"$1\" -- sh -c \"$2\" "
                               "zebra-argument \"$3\""),
                GenprofRunner::program(), m_runner.session(), search, m_runner.path({})},
            QByteArray(kPassphrase) + "\n");
        QVERIFY2(ran.exitCode == 0, ran.err.constData());
        QVERIFY2(ran.out.endsWith("end\n"), ran.out.constData());
        const QByteArray listed = ran.out.mid(ran.out.indexOf("\ntotal") + 1);
        QVERIFY2(!ran.out.contains("7 -> "), "the command has the passphrase's descriptor");
        QVERIFY2(!listed.contains(m_runner.path({}).toUtf8() + "/"), listed.constData());
        QVERIFY2(ran.out.contains("test.gprof-session-wal"), "there was no log to search");
        QCOMPARE(filesWith("zebra-argument"), QStringList());
        QCOMPARE(filesWith("CREATE TABLE tick"), QStringList());
    }

    void opensWithThePassphraseAlone()
    {
        const Ran report = withPassphrase(
            {QStringLiteral("report"), m_runner.session(), QStringLiteral("--format"), QStringLiteral("json")});
        QVERIFY2(report.exitCode == 0, report.err.constData());
        QVERIFY2(report.out.contains("zebra-argument"), report.out.constData());
        const Ran sql = withPassphrase({QStringLiteral("sql"), m_runner.session(),
            QStringLiteral("SELECT state FROM v_session"), QStringLiteral("--format"), QStringLiteral("csv")});
        QCOMPARE(sql.out, QByteArray("state\ncomplete\n"));
        const Ran wrong = withPassphrase({QStringLiteral("report"), m_runner.session()}, "incorrect");
        QCOMPARE(wrong.exitCode, 1);
        QVERIFY2(wrong.err.contains("wrong passphrase"), wrong.err.constData());
        const Ran none = m_runner.run(QStringLiteral("setsid"),
            {QStringLiteral("-w"), GenprofRunner::program(), QStringLiteral("report"), m_runner.session()});
        QCOMPARE(none.exitCode, 1);
        QVERIFY2(none.err.contains("--passphrase-fd N or --passphrase-keyring NAME"), none.err.constData());
        const Ran list = m_runner.genprof({QStringLiteral("list"), m_runner.path({})});
        QVERIFY2(list.out.contains("(sealed)") && !list.out.contains("zebra"), list.out.constData());
        const Ran opened = withPassphrase({QStringLiteral("list"), m_runner.path({})});
        QVERIFY2(opened.out.contains("zebra-argument") || opened.out.contains("sh -c ls -l"), opened.out.constData());
        const Ran others = withPassphrase({QStringLiteral("list"), m_runner.path({})}, "incorrect");
        QVERIFY2(others.out.contains("(sealed)") && others.err.contains("1 sealed with another passphrase"),
            (others.out + others.err).constData());
    }

    void comparesWithOnePassphraseForBoth()
    {
        const QString copy = m_runner.path(QStringLiteral("copy"));
        QVERIFY(QFile::copy(m_runner.session(), copy));
        const Ran files = withPassphrase({QStringLiteral("compare"), m_runner.session(), copy});
        QVERIFY2(files.exitCode == 0, files.err.constData());
        const Ran windows = withPassphrase(QStringList{QStringLiteral("compare"), m_runner.session()}
            + words("--from 0s --to 0.3s --from 0.3s --to 1h"));
        QVERIFY2(windows.exitCode == 0, windows.err.constData());
        QVERIFY(QFile::remove(copy));
    }

    void leavesNothingInClearWhenItDies()
    {
        // Both crash in the middle of a recording, in a folder in which a core dump would be made.
        const auto crash = [this](const QString &folder, const QStringList &options) {
            QDir().mkpath(folder);
            return m_runner.run(QStringLiteral("python3"),
                QStringList{QStringLiteral("-c"),
                    QStringLiteral(
                        "import os, resource, signal, subprocess, sys, time\n"
                        "os.chdir(sys.argv[1])\n"
                        "resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)\n"
                        "r, w = os.pipe()\n"
                        "os.write(w, b'correct horse battery\\n'); os.close(w); os.set_inheritable(r, True)\n"
                        "fd = str(r)\n"
                        "for s in ('ASAN_OPTIONS', 'TSAN_OPTIONS'): # a sanitizer would end it in another way\n"
                        "    os.environ[s] = os.environ.get(s, '') + ':handle_segv=0'\n"
                        "p = subprocess.Popen([a.replace('FD', fd) for a in sys.argv[2:]], close_fds=False)\n"
                        "for i in range(600):\n"
                        "    time.sleep(0.1)\n"
                        "    if os.path.exists('started'): break\n"
                        "time.sleep(0.5)\n"
                        "os.kill(p.pid, signal.SIGSEGV)\n"
                        "status = os.waitpid(p.pid, 0)[1]\n"
                        "print('signal', os.WTERMSIG(status), 'core', os.WCOREDUMP(status))\n"),
                    folder, GenprofRunner::program(), QStringLiteral("record"), QStringLiteral("-q"),
                    QStringLiteral("--tick"), QStringLiteral("100"), QStringLiteral("-o"), QStringLiteral("s")}
                    + options
                    + QStringList{QStringLiteral("--"), QStringLiteral("sh"), QStringLiteral("-c"),
                        QStringLiteral("touch started; sleep 3"), QStringLiteral("giraffe-argument")});
        };
        const QString sealed = m_runner.path(QStringLiteral("dies-sealed")),
                      plain = m_runner.path(QStringLiteral("dies"));
        const Ran died = crash(sealed, words("--seal --passphrase-fd FD"));
        QVERIFY2(died.out.contains("signal 11 core False"), (died.out + died.err).constData());
        QVERIFY(QFile::exists(sealed + QStringLiteral("/s-wal")));
        QCOMPARE(filesWith("giraffe-argument"), QStringList());
        QCOMPARE(filesWith("correct horse"), QStringList());
        const Ran report = withPassphrase({QStringLiteral("report"), sealed + QStringLiteral("/s")});
        QVERIFY2(report.out.contains("giraffe-argument"), (report.out + report.err).constData());
        // What this test would see if it were otherwise.
        const Ran plainly = crash(plain, {});
        QVERIFY2(plainly.out.contains("signal 11"), (plainly.out + plainly.err).constData());
        QVERIFY(!filesWith("giraffe-argument").isEmpty());
        if (!plainly.out.contains("core True"))
            QSKIP("this system makes no core dumps, so that there was none says nothing");
    }

    /// What is asked of a running recording needs the passphrase too, to its end.
    void scansARunningRecording()
    {
        const QString session = m_runner.path(QStringLiteral("running.gprof-session"));
        QProcess recorder;
        recorder.start(QStringLiteral("sh"),
            {QStringLiteral("-c"),
                QStringLiteral("exec 7<&0 0</dev/null; exec \"$0\" record --seal --passphrase-fd 7 -q --cpu off -o "
                               "\"$1\" -- python3 -c 'import time; print(\"here\", flush=True); time.sleep(60)'"),
                GenprofRunner::program(), session});
        recorder.write(QByteArray(kPassphrase) + '\n');
        recorder.closeWriteChannel();
        QVERIFY(tests::readUntil(recorder, "here").contains("here"));
        Ran scan;
        // It may listen a moment after the command began.
        QTRY_VERIFY_WITH_TIMEOUT(
            (scan = withPassphrase({QStringLiteral("ctl"), session, QStringLiteral("scan")})).exitCode == 0
                || scan.err.contains("sealed"),
            20'000);
        QVERIFY2(scan.exitCode == 0 && !scan.out.isEmpty(), (scan.out + scan.err).constData());
        QCOMPARE(withPassphrase({QStringLiteral("ctl"), session, QStringLiteral("stop")}).exitCode, 0);
        recorder.kill();
        recorder.waitForFinished();
    }

    /// Whether it is tagged "keep" is sealed.
    void prunesNoSealedSession()
    {
        const QString folder = m_runner.path(QStringLiteral("kept"));
        const QString session = folder + QStringLiteral("/a.gprof-session");
        QVERIFY(QDir().mkpath(folder) && QFile::copy(m_runner.session(), session));
        QVERIFY(QFile::copy(session, folder + QStringLiteral("/b.gprof-session")));
        QCOMPARE(withPassphrase({QStringLiteral("tag"), session, QStringLiteral("keep")}).exitCode, 0);
        const Ran ran = m_runner.genprof(
            {QStringLiteral("prune"), folder, QStringLiteral("--keep"), QStringLiteral("1"), QStringLiteral("--yes")});
        QCOMPARE(ran.exitCode, 0);
        QVERIFY(QFile::exists(session) && QFile::exists(folder + QStringLiteral("/b.gprof-session")));
        QVERIFY2(ran.err.contains("1 sealed session is beyond what the limits keep"), ran.err.constData());
    }

    void sealsAndUnsealsCopies()
    {
        const QString plain = m_runner.path(QStringLiteral("plain")), again = m_runner.path(QStringLiteral("again"));
        const Ran unsealed = withPassphrase({QStringLiteral("unseal"), m_runner.session(), plain});
        QVERIFY2(unsealed.exitCode == 0, unsealed.err.constData());
        QVERIFY(filesWith("zebra-argument") == QStringList{plain});
        const Ran sealed = withPassphrase({QStringLiteral("seal"), plain, again}, "another one");
        QVERIFY2(sealed.exitCode == 0, sealed.err.constData());
        QVERIFY(filesWith("zebra-argument") == QStringList{plain});
        QVERIFY(withPassphrase(
            {QStringLiteral("report"), again, QStringLiteral("--format"), QStringLiteral("json")}, "another one")
                    .out.contains("zebra-argument"));
        QFile file(again);
        QVERIFY(file.open(QIODevice::ReadWrite) && file.seek(20'000));
        const QByteArray byte = file.peek(1);
        QVERIFY(file.write(QByteArray(1, static_cast<char>(byte[0] ^ 1))) == 1);
        file.close();
        const Ran altered = withPassphrase({QStringLiteral("report"), again}, "another one");
        QVERIFY2(altered.err.contains("damaged or was altered"), altered.err.constData());
        QVERIFY(!altered.err.contains("wrong passphrase"));
    }

    void takesThePassphraseFromTheKeyring()
    {
        // Every user has a keyring that a program without a login session can write.
        const QByteArray name = "genesis-profiler-test-" + QByteArray::number(::getpid());
        const long key = ::syscall(
            SYS_add_key, "user", name.constData(), kPassphrase, std::strlen(kPassphrase), KEY_SPEC_USER_KEYRING);
        if (key < 0)
            QSKIP(std::strerror(errno)); // the kernel has no keyrings, or a container's filter forbids them
        const auto takenAway = qScopeGuard([key] { ::syscall(SYS_keyctl, KEYCTL_UNLINK, key, KEY_SPEC_USER_KEYRING); });
        const Ran report
            = m_runner.genprof({QStringLiteral("report"), m_runner.session(), QStringLiteral("--passphrase-keyring"),
                QString::fromUtf8(name), QStringLiteral("--format"), QStringLiteral("json")});
        QVERIFY2(report.out.contains("zebra-argument"), report.err.constData());
        const Ran missing = m_runner.genprof({QStringLiteral("report"), m_runner.session(),
            QStringLiteral("--passphrase-keyring"), QStringLiteral("genesis-profiler-no-such-key")});
        QVERIFY2(missing.err.contains("keyctl padd user"), missing.err.constData());
    }
};

QTEST_GUILESS_MAIN(SealedIntegrationTest)
#include "sealed_integration_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/program_kind.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

using capture::heapObstacle;
using capture::ProgramFormat;
using capture::programKind;

namespace {

std::string builtTarget(const char *name)
{
    return qgetenv("GENESIS_BUILD_DIR").toStdString() + "/tests/targets/" + name;
}

bool says(const std::string &sentence, const char *word) { return sentence.find(word) != std::string::npos; }

} // namespace

class ProgramKindTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_directory;

    std::string copyOf(const char *source, const char *name)
    {
        const QString copy = m_directory.filePath(QString::fromLatin1(name));
        return QFile::copy(QString::fromLatin1(source), copy) ? copy.toStdString() : std::string();
    }
    std::string made(const char *name, const QByteArray &content)
    {
        QFile file(m_directory.filePath(QString::fromLatin1(name)));
        return file.open(QIODevice::WriteOnly) && file.write(content) == content.size() ? file.fileName().toStdString()
                                                                                        : std::string();
    }

private Q_SLOTS:
    void ordinaryProgramCanBeTraced()
    {
        const auto kind = programKind("/usr/bin/env");
        QCOMPARE(kind.format, ProgramFormat::Elf);
        QVERIFY(says(kind.interpreter, "ld-linux"));
        QCOMPARE(kind.libraries, std::vector<std::string>{"libc.so.6"});
        QCOMPARE(heapObstacle("/usr/bin/env"), std::string());
    }

    void staticProgramCannot()
    {
        const std::string path = builtTarget("static_program");
        QCOMPARE(programKind(path).interpreter, std::string());
        QVERIFY(says(heapObstacle(path), "statically linked"));
        QVERIFY(says(heapObstacle(path), path.c_str()));
    }

    void scriptIsJudgedByItsInterpreter()
    {
        QCOMPARE(heapObstacle(made("good", "#! /bin/sh -e\n")), std::string());
        QVERIFY(says(heapObstacle(made("bad", ("#!" + builtTarget("static_program") + " x\n").c_str())), "statically"));
        QCOMPARE(programKind(made("spaced", "#!  /bin/sh \n")).interpreter, std::string("/bin/sh"));
    }

    void scriptThatRunsItselfEnds()
    {
        const std::string path = m_directory.filePath(QStringLiteral("loop")).toStdString();
        made("loop", ("#!" + path + '\n').c_str());
        QCOMPARE(heapObstacle(path), std::string());
    }

    void loaderOfMuslIsNamed()
    {
        QFile file(QString::fromStdString(copyOf("/usr/bin/env", "musl")));
        QVERIFY(file.open(QIODevice::ReadWrite));
        QByteArray content = file.readAll();
        const auto at = content.indexOf("/lib64/ld-linux-x86-64.so.2");
        QVERIFY(at > 0);
        content.replace(at, 27, QByteArray("/lib/ld-musl-x86_64.so.1").leftJustified(27, '\0'));
        QVERIFY(file.seek(0) && file.write(content) == content.size());
        file.close();
        QVERIFY(says(heapObstacle(file.fileName().toStdString()), "musl"));
    }

    void otherMachineIsRefused()
    {
        QFile file(QString::fromStdString(copyOf("/usr/bin/env", "arm")));
        QVERIFY(file.open(QIODevice::ReadWrite));
        QVERIFY(file.seek(offsetof(Elf64_Ehdr, e_machine)));
        QVERIFY(file.putChar(static_cast<char>(EM_AARCH64)));
        file.close();
        QVERIFY(says(heapObstacle(file.fileName().toStdString()), "64-bit x86"));
    }

    void addressSanitizerIsRefused()
    {
        const std::string path = builtTarget("sanitized_program");
        QVERIFY(programKind(path).hasAddressSanitizer);
        QVERIFY(says(heapObstacle(path), "AddressSanitizer"));
    }

    void setUserIdOfAnotherIsRefused()
    {
        if (::geteuid() != 0)
            QSKIP("Only root can make a program that runs as somebody else");
        const std::string path = copyOf("/usr/bin/env", "setuid");
        QCOMPARE(::chown(path.c_str(), 1, 1), 0);
        QCOMPARE(::chmod(path.c_str(), 04755), 0);
        QVERIFY(says(heapObstacle(path), "set-user-id"));
    }

    void whatIsNoProgramIsLeftToTheKernel()
    {
        QCOMPARE(programKind("/no/such/file").format, ProgramFormat::Missing);
        QCOMPARE(programKind("/usr").format, ProgramFormat::Missing);
        QCOMPARE(programKind(made("empty", "")).format, ProgramFormat::Other);
        QCOMPARE(heapObstacle("/no/such/file"), std::string());
    }

    void everyPrefixOfAProgramIsReadWithoutHarm()
    {
        QFile file(QStringLiteral("/usr/bin/env"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray whole = file.readAll();
        for (qsizetype size = 0; size < whole.size(); size += size < 1024 ? 61 : 4093)
            QVERIFY(programKind(made("prefix", whole.left(size))).format != ProgramFormat::Missing);
    }
};

QTEST_GUILESS_MAIN(ProgramKindTest)
#include "program_kind_test.moc"

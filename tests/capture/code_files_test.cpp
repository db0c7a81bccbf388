// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/code_files.h"
#include "capture/symbols/elf_file.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <unistd.h>

#include <set>
#include <vector>

using namespace capture;

namespace {

PerfMapping mappingOf(const QString &path)
{
    PerfMapping mapping;
    mapping.bytes = 4096;
    mapping.isExecutable = true;
    mapping.path = path.toStdString();
    mapping.buildId = buildIdOfFile(mapping.path);
    return mapping;
}

} // namespace

class CodeFilesTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_directory;
    QString copyOf(const char *name, int number) const
    {
        const QString copy = m_directory.filePath(QString::fromLatin1(name) + QString::number(number));
        QFile::copy(
            qEnvironmentVariable("GENESIS_BUILD_DIR") + QStringLiteral("/tests/targets/") + QString::fromLatin1(name),
            copy);
        return copy;
    }

private Q_SLOTS:
    void copiesOfABuildShareItsTables()
    {
        model::TableBuilder tables;
        CodeFiles files(tables);
        std::size_t bytes = 0;
        std::set<ElfTables *> read;
        for (int i = 0; i < 20; ++i) {
            CodeFile &file = files.fileOf(mappingOf(copyOf("cpu_mix", i)), getpid());
            read.insert(files.tablesOf(file, getpid()));
            bytes = i == 0 ? files.tableBytes() : bytes;
        }
        QCOMPARE(read.size(), std::size_t{1});
        QVERIFY(*read.begin());
        QVERIFY(bytes > 0);
        QCOMPARE(files.tableBytes(), bytes);
    }

    void tablesThatFindNoRoomAreReadAgain()
    {
        model::TableBuilder tables;
        CodeFiles files(tables, 1);
        CodeFile &first = files.fileOf(mappingOf(copyOf("cpu_mix", 100)), getpid());
        CodeFile &second = files.fileOf(mappingOf(copyOf("cpu_kernel", 100)), getpid());
        for (int round = 0; round < 3; ++round) {
            QVERIFY(files.tablesOf(first, getpid()));
            QVERIFY(!second.tables());
            QCOMPARE(files.tableBytes(), first.tables()->bytes());
            QVERIFY(files.tablesOf(second, getpid()));
            QVERIFY(!first.tables());
            QCOMPARE(files.tableBytes(), second.tables()->bytes());
        }
        QVERIFY(first.build != second.build);
    }

    void whatWasUsedLastIsKept()
    {
        model::TableBuilder tables;
        CodeFiles measured(tables);
        std::vector<PerfMapping> mappings;
        for (const char *name : {"cpu_mix", "cpu_kernel", "cpu_threads"}) {
            mappings.push_back(mappingOf(copyOf(name, 200)));
            QVERIFY(measured.tablesOf(measured.fileOf(mappings.back(), getpid()), getpid()));
        }
        CodeFiles files(tables, measured.tableBytes() - 1);
        CodeFile &first = files.fileOf(mappings[0], getpid());
        CodeFile &second = files.fileOf(mappings[1], getpid());
        files.tablesOf(first, getpid());
        files.tablesOf(second, getpid());
        files.tablesOf(first, getpid());
        QVERIFY(files.tablesOf(files.fileOf(mappings[2], getpid()), getpid()));
        QVERIFY(first.tables());
        QVERIFY(!second.tables());
    }

    void generatedCodeOfAllInodesIsOneFile()
    {
        model::TableBuilder tables;
        CodeFiles files(tables);
        PerfMapping mapping;
        mapping.path = "/memfd:doublemapper";
        mapping.inode = 1;
        CodeFile &first = files.fileOf(mapping, getpid());
        mapping.inode = 2;
        QCOMPARE(&files.fileOf(mapping, getpid()), &first);
        QCOMPARE(first.kind, model::ModuleKind::Anonymous);
    }
};

QTEST_GUILESS_MAIN(CodeFilesTest)
#include "code_files_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/module_names.h"
#include "capture/perf/address_space.h"
#include "capture/perf/kernel_symbols.h"
#include "capture/proc/memory_maps.h"
#include "capture/symbols/jit_names.h"
#include "capture/symbols/mapped_file.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

using namespace capture;

namespace {

void append(const QString &path, const char *text)
{
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly | QIODevice::Append));
    file.write(text);
}

} // namespace

class PerfNamesTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void findsGeneratedCodeByItsList()
    {
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("perf.map"));
        append(path, "1000 20 first function\n2000 10 second\nnonsense\n3000 0 empty\nffffffffffffffff 20 wraps\n");
        JitNames names(getpid(), path.toStdString());
        QVERIFY(names.refresh());
        QCOMPARE(names.size(), std::size_t{2});
        QCOMPARE(names.find(0x1000), std::string_view("first function"));
        QCOMPARE(names.find(0x101f), std::string_view("first function"));
        QCOMPARE(names.find(0x1020), std::string_view());
        QCOMPARE(names.find(0xfff), std::string_view());
        QCOMPARE(names.find(0x2008), std::string_view("second"));
    }

    void readsWhatIsAddedAndWaitsForWholeLines()
    {
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("perf.map"));
        JitNames names(getpid(), path.toStdString());
        append(path, "1000 20 one\n2000 10 tw");
        QVERIFY(names.refresh());
        QCOMPARE(names.find(0x2000), std::string_view());
        append(path, "o\n");
        QVERIFY(names.refresh());
        QCOMPARE(names.find(0x2000), std::string_view("two"));
        QVERIFY(!names.refresh());
    }

    void readsAListThatIsWrittenWhenItsProcessEnds()
    {
        int ends[2];
        QCOMPARE(::pipe(ends), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            char byte;
            ::_exit(::read(ends[0], &byte, 1) == 1 ? 0 : 1);
        }
        JitNames names(child);
        const QString path = QStringLiteral("/tmp/perf-%1.map").arg(child);
        append(path, "0x0000000000001000 0x0000000000000020 written late\n");
        QCOMPARE(::write(ends[1], "x", 1), 1);
        int status = -1;
        QCOMPARE(::waitpid(child, &status, 0), child);
        const bool isRead = names.refresh();
        QFile::remove(path);
        QVERIFY(isRead);
        QCOMPARE(names.find(0x1010), std::string_view("written late"));
        ::close(ends[0]);
        ::close(ends[1]);
    }

    void takesTheLastOfOverlappingEntries()
    {
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("perf.map"));
        append(path, "1000 100 old\n1080 100 new\n");
        JitNames names(getpid(), path.toStdString());
        QVERIFY(names.refresh());
        QCOMPARE(names.find(0x107f), std::string_view("old"));
        QCOMPARE(names.find(0x1080), std::string_view("new"));
    }

    /// An earlier process of the same pid has left its names behind.
    void forgetsAFileThatIsBegunAnew_data()
    {
        QTest::addColumn<bool>("isReplaced");
        QTest::newRow("cut off") << false;
        QTest::newRow("another file") << true;
    }
    void forgetsAFileThatIsBegunAnew()
    {
        QFETCH(bool, isReplaced);
        const QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("perf.map"));
        append(path, "1000 20 of an earlier process\n3000 20 likewise\n");
        JitNames names(getpid(), path.toStdString());
        QVERIFY(names.refresh());
        if (isReplaced) {
            const QString other = folder.filePath(QStringLiteral("other"));
            append(other, "1000 20 own name\n2000 20 another name of its own\n");
            QVERIFY(QFile::remove(path) && QFile::rename(other, path));
        } else {
            QVERIFY(QFile::resize(path, 0));
            QVERIFY(!names.refresh());
            append(path, "1000 20 own name\n2000 20 another name of its own\n");
        }
        QVERIFY(names.refresh());
        QCOMPARE(names.find(0x1000), std::string_view("own name"));
        QCOMPARE(names.find(0x2000), std::string_view("another name of its own"));
        QCOMPARE(names.find(0x3000), std::string_view());
    }

    void findsKernelFunctions()
    {
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("kallsyms"));
        append(path,
            "0000000000000000 A fixed_percpu_data\nffffffff81000000 T _text\nffffffff81000000 t alias\n"
            "ffffffff81000100 t do_work\nffffffff81000180 d data\nffffffffc0000000 t ext4_read\t[ext4]\n");
        QVERIFY(KernelSymbols::areVisible(qPrintable(path)));
        const KernelSymbols symbols = KernelSymbols::read(qPrintable(path));
        QCOMPARE(symbols.find(0xffffffff81000010), std::string_view("_text"));
        QCOMPARE(symbols.find(0xffffffff81000190), std::string_view("do_work"));
        QCOMPARE(symbols.find(0xffffffffc0000001), std::string_view("ext4_read [ext4]"));
        QCOMPARE(symbols.find(0x1000), std::string_view());
    }

    void seesWhenTheKernelHidesItsAddresses()
    {
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("kallsyms"));
        append(path, "0000000000000000 T _text\n0000000000000000 T start\n");
        QVERIFY(!KernelSymbols::areVisible(qPrintable(path)));
        QCOMPARE(KernelSymbols::read(qPrintable(path)).size(), std::size_t{0});
    }

    void newMappingsReplaceWhatTheyOverlap()
    {
        CodeFile first, second;
        AddressSpace space;
        space.add({0x1000, 0x5000, 0x100000, &first});
        space.add({0x2000, 0x3000, 0, &second});
        QCOMPARE(space.size(), std::size_t{3});
        QCOMPARE(space.find(0x1fff)->file, &first);
        QCOMPARE(space.find(0x2000)->file, &second);
        QCOMPARE(space.find(0x3000)->file, &first);
        QCOMPARE(space.find(0x3000)->fileOffset, 0x102000U);
        QVERIFY(!space.find(0x5000));
        QVERIFY(!space.find(0xfff));
        space.add({0, 0x10000, 0, &second});
        QCOMPARE(space.size(), std::size_t{1});
    }

    void listsTheCodeOfARunningProcess()
    {
        const std::vector<PerfMapping> mappings = readCodeMappings(getpid());
        const auto here = reinterpret_cast<std::uint64_t>(&append);
        const auto found = std::find_if(mappings.begin(), mappings.end(),
            [&](const PerfMapping &mapping) { return here >= mapping.begin && here - mapping.begin < mapping.bytes; });
        QVERIFY(found != mappings.end());
        QVERIFY(found->path.ends_with("perf_names_test"));
        QVERIFY(found->inode != 0);
    }

    /// The kernel writes a newline in a path as "\\012" there, and everything else, backslashes too, as it is.
    void readsPathsWithLineBreaksAsTheyAre_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("beside"); ///< another file, of the name that was meant by the other reading
        QTest::newRow("a newline") << "a\nb" << QString();
        QTest::newRow("digits behind a backslash") << "a\\101b"
                                                   << "aAb";
        QTest::newRow("a blank's digits") << "a\\040b" << QString();
        QTest::newRow("what stands for a newline") << "a\\012b" << QString();
        QTest::newRow("a newline, the other beside") << "a\nb"
                                                     << "a\\012b";
        QTest::newRow("what stands for a newline, the other beside") << "a\\012b"
                                                                     << "a\nb";
    }
    void readsPathsWithLineBreaksAsTheyAre()
    {
        QFETCH(const QString, name);
        QFETCH(const QString, beside);
        const QTemporaryDir folder;
        const std::string path = folder.filePath(name).toStdString();
        QVERIFY(QFile::copy(QStringLiteral("/proc/self/exe"), QString::fromStdString(path)));
        if (!beside.isEmpty())
            QVERIFY(QFile::copy(QStringLiteral("/proc/self/exe"), folder.filePath(beside)));
        const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        void *code = ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
        ::close(fd);
        QVERIFY(code != MAP_FAILED);
        const auto mappings = readCodeMappings(getpid());
        const auto isIt = [&](const auto &mapping) { return mapping.path == path; };
        const bool isSampled = std::any_of(mappings.begin(), mappings.end(), isIt);
        const auto heapName = ModuleNames(getpid()).nameOf(reinterpret_cast<std::uintptr_t>(code), path, "");
        const auto copies = mappedCopies(getpid(), path);
        const auto all = readMaps(getpid());
        ::munmap(code, 4096);
        QCOMPARE(std::count_if(all.begin(), all.end(), isIt), 1);
        QVERIFY(isSampled);
        QCOMPARE(heapName.path, path);
        QCOMPARE(copies.size(), std::size_t{1});
    }
};

QTEST_APPLESS_MAIN(PerfNamesTest)
#include "perf_names_test.moc"

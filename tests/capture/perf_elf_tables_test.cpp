// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/elf_tables.h"
#include "capture/perf/perf_event.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <dlfcn.h>
#include <fcntl.h>

#include <algorithm>
#include <cstring>

using namespace capture;

namespace {

model::Result<std::unique_ptr<ElfTables>> read(const QString &path)
{
    const PerfDescriptor fd(open(qPrintable(path), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0)
        return model::systemError(path.toStdString(), errno);
    return ElfTables::fromFile(fd.get());
}

QString libraryOf(const char *symbol)
{
    Dl_info info = {};
    void *address = dlsym(RTLD_DEFAULT, symbol);
    return address && dladdr(address, &info) != 0 ? QString::fromLocal8Bit(info.dli_fname) : QString();
}

QString compilerProper()
{
    const QDir gcc(QStringLiteral("/usr/lib/gcc/x86_64-linux-gnu"));
    for (const QString &version : gcc.entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
        if (QFile::exists(gcc.filePath(version + QStringLiteral("/cc1plus"))))
            return gcc.filePath(version + QStringLiteral("/cc1plus"));
    }
    return {};
}

} // namespace

class PerfElfTablesTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void understandsEveryFunctionOfRealPrograms_data()
    {
        QTest::addColumn<QString>("path");
        QTest::addColumn<int>("leastFunctions");
        QTest::newRow("libc") << libraryOf("strtod") << 2000;
        QTest::newRow("libstdc++") << libraryOf("_ZNSt9exceptionD1Ev") << 4000;
        QTest::newRow("python3") << QStringLiteral("/usr/bin/python3") << 5000;
        QTest::newRow("cc1plus") << compilerProper() << 40000;
    }
    void understandsEveryFunctionOfRealPrograms()
    {
        QFETCH(QString, path);
        QFETCH(int, leastFunctions);
        if (path.isEmpty() || !QFile::exists(path))
            QSKIP("this program is not installed");
        auto tables = read(path);
        QVERIFY2(tables.has_value(), tables ? "" : tables.error().text().c_str());
        const unwind::Section frames = (*tables)->tables().frames;
        int functions = 0, complex = 0;
        unwind::FrameEntry entry, found;
        for (std::size_t offset = 0; offset < frames.size;) {
            const unwind::FindResult result = unwind::readEntry(frames, offset, entry);
            QVERIFY(result != unwind::FindResult::Damaged);
            if (result != unwind::FindResult::Found || entry.end == entry.begin)
                continue;
            ++functions;
            for (const std::uint64_t pc : {entry.begin, entry.begin + (entry.end - entry.begin) / 2, entry.end - 1}) {
                const unwind::FrameRule rule = (*tables)->rule(pc);
                QVERIFY2(rule.kind() != unwind::RuleKind::Bad && rule.kind() != unwind::RuleKind::NoInfo,
                    qPrintable(QString::number(pc, 16)));
                complex += rule.kind() == unwind::RuleKind::Complex;
            }
            QCOMPARE(unwind::findEntry((*tables)->tables(), entry.begin, found), unwind::FindResult::Found);
            QCOMPARE(found.begin, entry.begin);
        }
        QVERIFY2(functions >= leastFunctions, qPrintable(QString::number(functions)));
        // The word has room for what compilers emit; the rest is signal frames and hand-written assembly.
        QVERIFY2(complex <= functions / 100 + 5, qPrintable(QString::number(complex)));
    }

    void placesCodeWhereTheFileSays()
    {
        const QString path = libraryOf("strtod");
        auto tables = read(path);
        QVERIFY(tables.has_value());
        Dl_info info = {};
        void *address = dlsym(RTLD_DEFAULT, "strtod");
        QVERIFY(dladdr(address, &info) != 0);
        const std::uint64_t linked
            = reinterpret_cast<std::uint64_t>(address) - reinterpret_cast<std::uint64_t>(info.dli_fbase);
        // Find the offset in the file that is linked there by the mapping that holds it.
        QFile maps(QStringLiteral("/proc/self/maps"));
        QVERIFY(maps.open(QIODevice::ReadOnly));
        bool isFound = false;
        for (const QByteArray &line : maps.readAll().split('\n')) {
            unsigned long begin = 0, end = 0, offset = 0;
            if (std::sscanf(line.constData(), "%lx-%lx %*s %lx", &begin, &end, &offset) != 3
                || reinterpret_cast<std::uint64_t>(address) < begin || reinterpret_cast<std::uint64_t>(address) >= end)
                continue;
            isFound = true;
            QCOMPARE(
                (*tables)->addressOf(reinterpret_cast<std::uint64_t>(address) - begin + offset).value_or(0), linked);
        }
        QVERIFY(isFound);
        QVERIFY(!(*tables)->addressOf(~std::uint64_t{0} >> 1));
    }

    void readsTheBuildId()
    {
        auto tables = read(libraryOf("strtod"));
        QVERIFY(tables.has_value());
        QCOMPARE((*tables)->buildId().size(), std::size_t{40});
    }

    void readsTheKernelsPage()
    {
        const auto tables = ElfTables::fromOwnVdso();
        if (!tables)
            QSKIP("this kernel gives no vdso");
        unwind::FrameEntry entry;
        std::size_t offset = 0;
        unwind::FindResult result = unwind::FindResult::NotCovered;
        while (result != unwind::FindResult::Found && offset < tables->tables().frames.size)
            result = unwind::readEntry(tables->tables().frames, offset, entry);
        QCOMPARE(result, unwind::FindResult::Found);
        QCOMPARE(tables->rule(entry.begin).cfaOffset(), 8);
    }

    void saysWhatIsWrongWithAFile()
    {
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("x"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("#!/bin/sh\nexit 0\n");
        file.close();
        const auto script = read(path);
        QVERIFY(!script);
        QCOMPARE(script.error().text(), std::string("not an ELF file"));
        QVERIFY(!read(folder.path()));
    }

    void survivesFilesThatAreCutOff()
    {
        QFile program(libraryOf("_ZNSt9exceptionD1Ev"));
        QVERIFY(program.open(QIODevice::ReadOnly));
        const QByteArray bytes = program.readAll();
        QTemporaryDir folder;
        for (const qsizetype size :
            {qsizetype{0}, qsizetype{63}, qsizetype{64}, qsizetype{500}, bytes.size() / 2, bytes.size() - 1000}) {
            const QString path = folder.filePath(QString::number(size));
            QFile file(path);
            QVERIFY(file.open(QIODevice::WriteOnly));
            file.write(bytes.left(size));
            file.close();
            auto tables = read(path);
            if (tables)
                QVERIFY((*tables)->rule(0x1000).kind() != unwind::RuleKind::Empty);
        }
    }

    void findsTheBottomsOfGosStacks_data()
    {
        QTest::addColumn<quint64>("text");
        QTest::newRow("linked at an address") << quint64{0x401000};
        QTest::newRow("position-independent") << quint64{0};
    }
    void findsTheBottomsOfGosStacks()
    {
        QFETCH(quint64, text);
        const std::string names = std::string("main.main\0runtime.goexit\0runtime.goexit0\0", 42);
        constexpr std::uint64_t kNames = 72, kFunctions = 128;
        std::vector<std::uint8_t> table(kFunctions + 3 * 8 + 4 + 3 * 8);
        const auto put32 = [&](std::size_t at, std::uint32_t value) { std::memcpy(&table.at(at), &value, 4); };
        const auto put64 = [&](std::size_t at, std::uint64_t value) { std::memcpy(&table.at(at), &value, 8); };
        put32(0, 0xfffffff1);
        table[7] = 8;
        put64(8, 3);
        put64(24, text);
        put64(32, kNames);
        put64(64, kFunctions);
        std::copy(names.begin(), names.end(), table.begin() + kNames);
        const std::uint32_t nameAt[] = {0, 10, 25};
        for (std::uint32_t i = 0; i < 3; ++i) {
            put32(kFunctions + i * 8, 0x100 * i);
            put32(kFunctions + i * 8 + 4, 28 + i * 8);
            put32(kFunctions + 28 + i * 8 + 4, nameAt[i]);
        }
        put32(kFunctions + 24, 0x300);
        const auto bottoms = goStackBottoms(table, 0x1000);
        QCOMPARE(bottoms.size(), std::size_t{1});
        const std::uint64_t base = text != 0 ? text : 0x1000;
        QCOMPARE(bottoms[0].begin, base + 0x100);
        QCOMPARE(bottoms[0].end, base + 0x200);
        for (std::size_t bytes = 0; bytes < table.size(); ++bytes) // whatever is missing
            goStackBottoms(
                std::vector<std::uint8_t>(table.begin(), table.begin() + static_cast<std::ptrdiff_t>(bytes)), 0);
    }
};

QTEST_APPLESS_MAIN(PerfElfTablesTest)
#include "perf_elf_tables_test.moc"

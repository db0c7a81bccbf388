// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/symbols/symbolizer.h"
#include "capture/symbols/variable_names.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <dlfcn.h>
#include <elf.h>
#include <gelf.h>
#include <link.h>
#include <poll.h>
#include <sys/auxv.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <set>

using capture::ElfFile;
using capture::ElfImage;
using capture::ImageQuery;
using capture::SourceFrame;
using capture::Symbolizer;
using model::FrameKind;
using model::FrameSymbols;
using model::ModuleKind;

namespace {

struct Span
{
    std::uint64_t begin = 0;
    std::uint64_t size = 0;
};

QString target(const char *name)
{
    return qEnvironmentVariable("GENESIS_BUILD_DIR") + QStringLiteral("/tests/targets/") + QString::fromLatin1(name);
}

/// The function whose linkage name contains `part`, from the file's own symbols.
Span functionIn(const QString &path, const char *part)
{
    const auto file = ElfFile::open(path.toStdString());
    if (!file)
        return {};
    for (Elf_Scn *section = nullptr; (section = elf_nextscn(file->elf.get(), section));) {
        GElf_Shdr header;
        gelf_getshdr(section, &header);
        if (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM)
            continue;
        GElf_Sym symbol;
        for (int i = 0; gelf_getsym(elf_getdata(section, nullptr), i, &symbol); ++i) {
            const char *name = elf_strptr(file->elf.get(), header.sh_link, symbol.st_name);
            if (name && std::string_view(name).find(part) != std::string_view::npos && symbol.st_size > 0)
                return {symbol.st_value, symbol.st_size};
        }
    }
    return {};
}

/// The line of the sample that ends in "line: <mark>".
std::uint32_t lineOf(const char *mark)
{
    std::ifstream source(qEnvironmentVariable("GENESIS_SOURCE_DIR").toStdString() + "/tests/targets/inline_sample.cpp");
    std::uint32_t number = 0;
    for (std::string line; std::getline(source, line);) {
        ++number;
        if (line.ends_with(std::string("// line: ") + mark))
            return number;
    }
    return 0;
}

ImageQuery queryFor(const QString &path)
{
    ImageQuery query;
    query.path = path.toStdString();
    query.roots = {std::string()};
    return query;
}

/// Functions with lines at every address of a span, one text for each different stack: "inner:12<outer:30".
std::set<std::string> chainsIn(const QString &path, Span span)
{
    const auto image = ElfImage::open(queryFor(path));
    std::set<std::string> chains;
    std::vector<SourceFrame> frames;
    for (std::uint64_t address = span.begin; address < span.begin + span.size; ++address) {
        if (image->find(address, frames) != FrameSymbols::State::Resolved)
            continue;
        std::string chain;
        for (const SourceFrame &frame : frames)
            chain += (chain.empty() ? "" : "<") + frame.function + ':' + std::to_string(frame.line);
        chains.insert(chain);
    }
    return chains;
}

bool run(const char *program, const QStringList &arguments)
{
    return QProcess::execute(QString::fromLatin1(program), arguments) == 0;
}

/// Requests one frame in a thread of its own and waits for it.
struct Resolved
{
    FrameSymbols::State state = FrameSymbols::State::Pending;
    std::string function;
};
Resolved resolve(std::string_view path, std::string_view buildId, ModuleKind kind, std::uint64_t address)
{
    model::TableBuilder tables;
    const auto frame = tables.frame(tables.module(path, buildId, kind), address, FrameKind::Exact);
    Symbolizer symbolizer;
    symbolizer.finish(tables, {}, [](std::size_t, std::size_t) { return true; });
    const auto lines = tables.tables().linesOf(frame);
    return {tables.tables().symbols[frame.index()].state,
        lines.size() == 0 ? std::string() : tables.tables().text((lines.end() - 1)->function)};
}

} // namespace

class SymbolizerTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_directory;
    QString copyOf(const char *name, const char *as)
    {
        const QString copy = m_directory.filePath(QString::fromLatin1(as));
        QFile::remove(copy);
        return QFile::copy(target(name), copy) ? copy : QString();
    }

private Q_SLOTS:
    void inlinedFunctionsAndLinesAreFound_data()
    {
        QTest::addColumn<QString>("program");
        QTest::newRow("position independent") << target("inline_sample");
        QTest::newRow("fixed address, DWARF 4") << target("inline_sample_fixed");
        QTest::newRow("split DWARF") << target("inline_sample_split");
        QTest::newRow("clang") << target("inline_sample_clang");
    }
    void inlinedFunctionsAndLinesAreFound()
    {
        QFETCH(QString, program);
        if (!QFile::exists(program))
            QSKIP("No second compiler on this machine");
        const Span span = functionIn(program, "outermost");
        QVERIFY(span.size > 0);
        const auto chains = chainsIn(program, span);
        const std::string whole = "sample::innermost(int const volatile*):" + std::to_string(lineOf("innermost"))
            + "<sample::middle(int const volatile*):" + std::to_string(lineOf("middle"))
            + "<sample::Widget::outermost(int const volatile*) const:" + std::to_string(lineOf("outermost"));
        std::string all;
        for (const std::string &chain : chains)
            all += chain + '\n';
        QVERIFY2(chains.contains(whole), all.c_str());
        for (const std::string &chain : chains)
            QVERIFY2(
                chain.find("sample::Widget::outermost(int const volatile*) const:") != std::string::npos, all.c_str());
    }

    void splitUnitsAreOpenedWhenAnAddressFallsIntoThem()
    {
        const QString unit = target("CMakeFiles/inline_sample_split.dir/inline_sample.cpp.dwo");
        QVERIFY(QFile::exists(unit));
        const capture::FileDescriptor watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
        QVERIFY(::inotify_add_watch(watch.get(), unit.toUtf8().constData(), IN_OPEN) >= 0);
        const auto wasOpened = [&] {
            inotify_event event;
            return ::read(watch.get(), &event, sizeof event) > 0;
        };
        const QString program = target("inline_sample_split");
        const Span span = functionIn(program, "outermost");
        const auto image = ElfImage::open(queryFor(program));
        QVERIFY(!wasOpened());
        std::vector<SourceFrame> frames;
        QCOMPARE(image->find(span.begin, frames), FrameSymbols::State::Resolved);
        QVERIFY(wasOpened());
    }

    void functionsOfAnUnnamedNamespaceHaveTheirScope()
    {
        const QString program = target("inline_sample");
        for (const std::string &chain : chainsIn(program, functionIn(program, "hiddenFunction")))
            QVERIFY2(chain.starts_with("sample::(anonymous namespace)::hiddenFunction"), chain.c_str());
    }

    void functionsInsideFunctionsAreFound()
    {
        const QString program = target("inline_sample");
        const auto chains = chainsIn(program, functionIn(program, "ZZ4main"));
        std::string all;
        for (const std::string &chain : chains)
            all += chain + '\n';
        const std::string inner
            = "sample::innermost(int const volatile*):" + std::to_string(lineOf("innermost")) + "<main::{lambda";
        QVERIFY2(all.find(inner) != std::string::npos, all.c_str());
        // GCC may have made a copy of it for a constant argument: "operator()(…) const [clone .constprop.0]:44".
        QVERIFY2(all.find(':' + std::to_string(lineOf("lambda")) + '\n') != std::string::npos, all.c_str());
        QVERIFY2(all.find("operator()(int const volatile*) const") != std::string::npos, all.c_str());
        for (const std::string &chain : chainsIn(program, functionIn(program, "twoLambdas")))
            all += chain + '\n';
        for (const char *lambda : {"{lambda#1}::operator()", "{lambda#2}::operator()"}) // inlined, with no symbol
            QVERIFY(all.find("sample::twoLambdas(int const volatile*)::" + std::string(lambda)) != std::string::npos);
    }

    void filesAreNamedByTheirWholePath()
    {
        const auto image = ElfImage::open(queryFor(target("inline_sample")));
        std::vector<SourceFrame> frames;
        QCOMPARE(
            image->find(functionIn(target("inline_sample"), "outermost").begin, frames), FrameSymbols::State::Resolved);
        QCOMPARE(frames.back().file,
            qEnvironmentVariable("GENESIS_SOURCE_DIR").toStdString() + "/tests/targets/inline_sample.cpp");
    }

    void withoutDebugInformationSymbolsRemain()
    {
        const QString copy = copyOf("inline_sample", "symbols_only");
        const Span span = functionIn(copy, "outermost");
        QVERIFY(run("strip", {QStringLiteral("--strip-debug"), copy}));
        const auto chains = chainsIn(copy, span);
        QCOMPARE(chains, std::set<std::string>{"sample::Widget::outermost(int const volatile*) const:0"});
    }

    void functionsOfAStrippedFileAreToldByTheirBegin()
    {
        const QString copy = copyOf("inline_sample", "stripped");
        const Span span = functionIn(copy, "outermost");
        QVERIFY(run("strip", {copy}));
        const auto image = ElfImage::open(queryFor(copy));
        const std::string begin = "stripped+0x" + QString::number(span.begin, 16).toStdString();
        for (const std::uint64_t address : {span.begin, span.begin + 1, span.begin + span.size - 1}) {
            std::vector<SourceFrame> frames;
            QCOMPARE(image->find(address, frames), FrameSymbols::State::NoSymbol);
            QCOMPARE(frames.size(), std::size_t{1});
            QCOMPARE(frames.front().function, begin);
        }
        std::vector<SourceFrame> none;
        QCOMPARE(image->find(0xffffffff0000, none), FrameSymbols::State::NoSymbol);
        QVERIFY(none.empty());
    }

    void separateDebugFileIsFound_data()
    {
        QTest::addColumn<QString>("place");
        QTest::newRow("beside") << QStringLiteral("linked.debug");
        QTest::newRow("in .debug") << QStringLiteral(".debug/linked.debug");
        QTest::newRow("below the root") << QStringLiteral("root%1/linked.debug").arg(m_directory.path());
        QTest::newRow("below the root, with usr") << QStringLiteral("root/usr%1/linked.debug").arg(m_directory.path());
        QTest::newRow("by build-id") << QStringLiteral("root/.build-id/%1.debug");
    }
    void separateDebugFileIsFound()
    {
        QFETCH(QString, place);
        const QString program = copyOf("inline_sample", "linked");
        const std::string id = capture::buildIdOfFile(program.toStdString());
        QCOMPARE(id.size(), std::size_t{40});
        if (place.contains(QLatin1String("%1")))
            place = place.arg(QString::fromStdString(id.substr(0, 2) + '/' + id.substr(2)));
        const Span span = functionIn(program, "outermost");
        const QString debug = m_directory.filePath(QStringLiteral("linked.debug"));
        QVERIFY(run("objcopy", {QStringLiteral("--only-keep-debug"), program, debug}));
        QVERIFY(
            run("objcopy", {QStringLiteral("--strip-all"), QStringLiteral("--add-gnu-debuglink=") + debug, program}));
        const QString moved = m_directory.filePath(place);
        QVERIFY(QDir().mkpath(QFileInfo(moved).path()));
        QVERIFY(moved == debug || (QFile::remove(moved), QFile::rename(debug, moved)));
        ImageQuery query = queryFor(program);
        query.debugRoot = m_directory.filePath(QStringLiteral("root")).toStdString();
        std::vector<SourceFrame> frames;
        const auto state = ElfImage::open(query)->find(span.begin, frames);
        QVERIFY(QFile::remove(moved));
        QCOMPARE(state, FrameSymbols::State::Resolved);
        QVERIFY(frames.size() >= 1 && frames.back().line > 0);
    }

    void debugFileOfAnotherBuildIsNotUsed()
    {
        const QString program = copyOf("inline_sample", "other");
        const Span span = functionIn(program, "outermost");
        const QString wrong = m_directory.filePath(QStringLiteral("other.debug"));
        QVERIFY(run("objcopy", {QStringLiteral("--only-keep-debug"), target("inline_sample_fixed"), wrong}));
        QVERIFY(
            run("objcopy", {QStringLiteral("--strip-all"), QStringLiteral("--add-gnu-debuglink=") + wrong, program}));
        std::vector<SourceFrame> frames;
        QCOMPARE(ElfImage::open(queryFor(program))->find(span.begin, frames), FrameSymbols::State::NoSymbol);
    }

    void libraryWithDynamicSymbolsOnlyNamesItsFunctions()
    {
        Dl_info info{};
        link_map *map = nullptr;
        QVERIFY(::dladdr1(reinterpret_cast<void *>(&::qsort), &info, reinterpret_cast<void **>(&map), RTLD_DL_LINKMAP)
            != 0);
        const auto address = reinterpret_cast<std::uint64_t>(info.dli_saddr) - map->l_addr;
        const Resolved found
            = resolve(info.dli_fname, capture::buildIdOfFile(info.dli_fname), ModuleKind::File, address + 3);
        QCOMPARE(found.state, FrameSymbols::State::Resolved);
        QVERIFY2(found.function.find("qsort") != std::string::npos, found.function.c_str());
    }

    void vdsoIsReadFromMemory()
    {
        const auto *header = reinterpret_cast<const char *>(::getauxval(AT_SYSINFO_EHDR));
        QVERIFY(header);
        capture::SymbolTable symbols;
        elf_version(EV_CURRENT);
        std::uint64_t found = 0;
        const Resolved none = resolve("[vdso]", "", ModuleKind::Vdso, 0x10);
        QCOMPARE(none.state, FrameSymbols::State::NoSymbol); // in its headers there is no function
        for (std::uint64_t address = 0x400; address < 0x2000 && found == 0; address += 16)
            found = resolve("[vdso]", "", ModuleKind::Vdso, address).function.find("gettime") != std::string::npos
                ? address
                : 0;
        QVERIFY(found != 0);
    }

    void symbolsWithoutSizeEndWhereTheirCodeDoes_data()
    {
        QTest::addColumn<QString>("label");
        QTest::addColumn<int>("offset");
        QTest::addColumn<QString>("inWhole");
        QTest::addColumn<QString>("inStripped");
        const auto row
            = [](const char *name, const char *label, int offset, const char *inWhole, const char *inStripped) {
                  QTest::newRow(name) << QString::fromLatin1(label) << offset << QString::fromLatin1(inWhole)
                                      << QString::fromLatin1(inStripped);
              };
        row("near the next", "label_first", 31, "label_first", "label_first");
        row("its begin", "label_last", 0, "label_last", "label_last");
        row("far behind", "label_last", 19'000, "label_last", "");
        row("before a function", "label_before", 31, "label_before", "label_before");
        row("in a function behind", "label_before", 40, "", "");
        row("within a function", "label_inside", 20, "label_inside", "label_inside");
        row("behind its function", "label_inside", 40, "", "");
    }
    void symbolsWithoutSizeEndWhereTheirCodeDoes()
    {
        QFETCH(QString, label);
        QFETCH(int, offset);
        QFETCH(QString, inWhole);
        QFETCH(QString, inStripped);
        for (const char *kind : {"whole", "stripped"}) {
            const QString path = target("asm_labels_") + QString::fromLatin1(kind) + QStringLiteral(".so");
            void *library = ::dlopen(qPrintable(path), RTLD_NOW);
            QVERIFY2(library, ::dlerror());
            Dl_info info;
            void *at = ::dlsym(library, qPrintable(label));
            QVERIFY(at && ::dladdr(at, &info) != 0);
            const auto inFile = reinterpret_cast<std::uint64_t>(at) - reinterpret_cast<std::uint64_t>(info.dli_fbase);
            const Resolved found
                = resolve(path.toStdString(), "", ModuleKind::File, inFile + static_cast<std::uint64_t>(offset));
            const bool isNamed = found.state == FrameSymbols::State::Resolved;
            QCOMPARE(
                isNamed ? QString::fromStdString(found.function) : QString(), kind[0] == 'w' ? inWhole : inStripped);
            ::dlclose(library);
        }
    }

    void whatCannotBeResolvedSaysWhy()
    {
        QCOMPARE(resolve("/no/such/file.so", "", ModuleKind::File, 16).state, FrameSymbols::State::NoFile);
        const std::string sample = target("inline_sample").toStdString();
        QCOMPARE(resolve(sample, "0123456789abcdef0123456789abcdef01234567", ModuleKind::File, 16).state,
            FrameSymbols::State::FileChanged);
        QCOMPARE(resolve(sample, "", ModuleKind::File, 0xffffffff0000).state, FrameSymbols::State::NoSymbol);
        QCOMPARE(resolve("[anon]", "", ModuleKind::Anonymous, 16).state, FrameSymbols::State::NoSymbol);
    }

    void copiesOfAFileAreOpenOnce()
    {
        model::TableBuilder tables;
        const Span span = functionIn(target("inline_sample"), "outermost");
        std::vector<model::FrameId> frames;
        for (const char *as : {"copy1", "copy2", "copy3"}) {
            const std::string path = copyOf("inline_sample", as).toStdString();
            const auto module = tables.module(path, capture::buildIdOfFile(path), ModuleKind::File);
            frames.push_back(tables.frame(module, span.begin, FrameKind::Exact));
        }
        QVERIFY(run("strip", {copyOf("inline_sample", "bare")})); // the same build, but with less to tell
        const std::string bare = m_directory.filePath(QStringLiteral("bare")).toStdString();
        const auto module = tables.module(bare, capture::buildIdOfFile(bare), ModuleKind::File);
        const auto nameless = tables.frame(module, span.begin, FrameKind::Exact);
        Symbolizer symbolizer;
        symbolizer.finish(tables, {}, [](std::size_t, std::size_t) { return true; });
        for (const model::FrameId frame : frames)
            QCOMPARE(tables.tables().symbols[frame.index()].state, FrameSymbols::State::Resolved);
        QCOMPARE(tables.tables().symbols[nameless.index()].state, FrameSymbols::State::NoSymbol);
        QCOMPARE(symbolizer.openImages(), std::size_t{2});
    }

    void returnAddressIsLookedUpInTheCall()
    {
        const QString program = target("inline_sample");
        const Span span = functionIn(program, "outermost");
        model::TableBuilder tables;
        const auto module = tables.module(program.toStdString(), "", ModuleKind::File);
        const auto after = tables.frame(module, span.begin + span.size, FrameKind::ReturnAddress);
        Symbolizer symbolizer;
        symbolizer.finish(tables, {}, [](std::size_t, std::size_t) { return true; });
        const auto lines = tables.tables().linesOf(after);
        QVERIFY(lines.size() > 0);
        QVERIFY(tables.tables().text((lines.end() - 1)->function).find("outermost") != std::string::npos);
    }

    void returnAddressAtTheBeginOfAFunctionIsThatFunction()
    {
        // As of a signal's return and a context's start: the byte before is in no function.
        const QString program = target("inline_sample");
        const Span span = functionIn(program, "_start");
        const auto image = ElfImage::open(queryFor(program));
        std::vector<SourceFrame> frames;
        QVERIFY(span.size > 0);
        QVERIFY(image->find(span.begin - 1, frames) != FrameSymbols::State::Resolved);
        QCOMPARE(image->findCaller(span.begin, frames), FrameSymbols::State::Resolved);
        QCOMPARE(frames.back().function, "_start");
        QVERIFY(image->findCaller(span.begin - 4, frames) != FrameSymbols::State::Resolved);
    }

    void moreFramesThanTheQueueTakesAreAllAnswered()
    {
        model::TableBuilder tables;
        const auto module = tables.module(target("inline_sample").toStdString(), "", ModuleKind::File);
        constexpr std::size_t kFrames = 40'000;
        for (std::size_t i = 0; i < kFrames; ++i)
            tables.frame(module, 0x1000 + i % 4096 + (i / 4096) * 0x100000, FrameKind::Exact);
        Symbolizer symbolizer;
        std::size_t lastDone = 0;
        symbolizer.finish(tables, {}, [&](std::size_t done, std::size_t total) {
            lastDone = done;
            return total == kFrames;
        });
        QCOMPARE(lastDone, kFrames);
        for (const FrameSymbols &symbols : tables.tables().symbols)
            QVERIFY(symbols.state != FrameSymbols::State::Pending);
    }

    void namesArriveWhileRecording()
    {
        const QString program = target("inline_sample");
        model::TableBuilder tables;
        Symbolizer symbolizer;
        const auto frame = tables.frame(tables.module(program.toStdString(), "", ModuleKind::File),
            functionIn(program, "outermost").begin, FrameKind::Exact);
        symbolizer.request(tables, {::getpid()});
        pollfd entry{symbolizer.descriptor(), POLLIN, 0};
        QCOMPARE(::poll(&entry, 1, 10'000), 1);
        QCOMPARE(symbolizer.apply(tables), std::size_t{1});
        QCOMPARE(tables.tables().symbols[frame.index()].state, FrameSymbols::State::Resolved);
        QCOMPARE(tables.takeNewSymbols(), std::vector<model::FrameId>{frame});
        symbolizer.request(tables, {});
        QCOMPARE(symbolizer.apply(tables), std::size_t{0});
    }

    void finishCanBeGivenUp()
    {
        model::TableBuilder tables;
        tables.frame(
            tables.module(target("inline_sample").toStdString(), "", ModuleKind::File), 0x1000, FrameKind::Exact);
        Symbolizer symbolizer;
        int calls = 0;
        symbolizer.finish(tables, {}, [&](std::size_t, std::size_t) { return ++calls > 1; });
        QVERIFY(calls <= 1);
    }

    void everyPrefixOfAFileIsReadWithoutHarm()
    {
        QFile file(target("inline_sample"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray whole = file.readAll();
        const Span span = functionIn(target("inline_sample"), "outermost");
        const QString path = m_directory.filePath(QStringLiteral("prefix"));
        std::vector<SourceFrame> frames;
        for (qsizetype size = 0; size < whole.size(); size += whole.size() / 60) {
            QFile prefix(path);
            QVERIFY(prefix.open(QIODevice::WriteOnly) && prefix.write(whole.left(size)) == size);
            prefix.close();
            QVERIFY(ElfImage::open(queryFor(path))->find(span.begin, frames) != FrameSymbols::State::Pending);
            struct stat status = {};
            QCOMPARE(::stat(path.toStdString().c_str(), &status), 0);
            static_cast<void>(capture::VariableNames().of(path.toStdString(), status.st_ino, 0x4000));
        }
    }
};

QTEST_GUILESS_MAIN(SymbolizerTest)
#include "symbolizer_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
// Programs whose files are replaced while they run: what is under their names then says nothing about them.
#include "capture/heap/module_names.h"
#include "capture/perf/address_space.h"
#include "capture/symbols/elf_file.h"
#include "capture/symbols/symbolizer.h"
#include "tests/capture/attached_program.h"

#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <gelf.h>

#include <algorithm>

using namespace capture;
using State = model::FrameSymbols::State;

namespace {

enum class NoteState : std::uint8_t { Kept, Removed };

std::uint64_t entryOf(const QString &path)
{
    const auto file = ElfFile::open(path.toStdString());
    GElf_Ehdr header;
    return file && gelf_getehdr(file->elf.get(), &header) ? header.e_entry : 0;
}

State stateOf(model::TableBuilder &tables, model::ModuleId module, std::uint64_t address, std::int32_t pid)
{
    const model::FrameId frame = tables.frame(module, address, model::FrameKind::Exact);
    Symbolizer symbolizer;
    symbolizer.finish(tables, {pid}, [](std::size_t, std::size_t) { return true; });
    return tables.tables().symbols[frame.index()].state;
}

} // namespace

class ReplacedFileTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_directory;
    QString m_path; ///< of the program that runs

    QString put(const char *name, NoteState ids) const
    {
        QFile::remove(m_path);
        QFile::copy(AttachedProgram::target(name), m_path);
        if (ids == NoteState::Removed)
            QProcess::execute(QStringLiteral("objcopy"),
                {QStringLiteral("--remove-section"), QStringLiteral(".note.gnu.build-id"), m_path});
        return m_path;
    }
    std::string buildId() const { return buildIdOfFile(m_path.toStdString()); }
    PerfMapping mapping(std::int32_t pid) const
    {
        for (const PerfMapping &candidate : readCodeMappings(pid))
            if (candidate.path == m_path.toStdString())
                return candidate;
        return {};
    }
    /// Where the file of the program is mapped from.
    std::uint64_t begin(std::int32_t pid) const
    {
        const PerfMapping code = mapping(pid);
        return code.begin - code.fileOffset;
    }

private Q_SLOTS:
    void init() { m_path = m_directory.filePath(QStringLiteral("app")); }

    void samplesAreOfTheBuildThatRuns()
    {
        put("attach_waits", NoteState::Kept);
        const std::string loaded = buildId();
        const std::uint64_t entry = entryOf(m_path);
        model::TableBuilder tables;
        CodeFiles files(tables);
        AttachedProgram program(m_path, {QStringLiteral("read")});
        put("attach_busy_now", NoteState::Kept);
        QVERIFY(buildId() != loaded);

        CodeFile &file = files.fileOf(mapping(program.pid()), program.pid());
        const model::ModuleId module = files.moduleOf(file, program.pid());
        QCOMPARE(tables.tables().text(tables.tables().modules[module.index()].path), m_path.toStdString());
        QCOMPARE(tables.tables().text(tables.tables().modules[module.index()].buildId), loaded);
        QVERIFY(files.tablesOf(file, program.pid()));
        // The program itself can be opened for as long as it runs.
        QCOMPARE(stateOf(tables, module, entry, program.pid()), State::Resolved);
        QCOMPARE(stateOf(tables, module, entry + 1, 0), State::FileChanged);
    }

    void blocksAreOfTheBuildThatTheTracerSaw()
    {
        put("attach_waits", NoteState::Kept);
        const std::string loaded = buildId();
        AttachedProgram program(m_path, {QStringLiteral("read")});
        put("attach_busy_now", NoteState::Kept);
        ModuleNames names(program.pid());
        const ModuleNames::Name name = names.nameOf(begin(program.pid()), {}, loaded);
        QCOMPARE(name.path, m_path.toStdString());
        QCOMPARE(name.buildId, loaded);
    }

    void withoutBuildIdsNothingIsNamedByTheOtherFile()
    {
        put("attach_waits", NoteState::Removed);
        QCOMPARE(buildId(), std::string());
        const std::uint64_t entry = entryOf(m_path);
        AttachedProgram program(m_path, {QStringLiteral("read")});
        {
            model::TableBuilder tables;
            CodeFiles files(tables);
            const PerfMapping code = mapping(program.pid());
            const model::ModuleId module = files.moduleOf(files.fileOf(code, program.pid()), program.pid());
            QCOMPARE(stateOf(tables, module, entry, program.pid()), State::Resolved); // it is still there
            QCOMPARE(ModuleNames(program.pid()).nameOf(begin(program.pid()), {}, {}).path, m_path.toStdString());
        }
        put("attach_busy_now", NoteState::Removed);
        model::TableBuilder tables;
        CodeFiles files(tables);
        const model::ModuleId module
            = files.moduleOf(files.fileOf(mapping(program.pid()), program.pid()), program.pid());
        QCOMPARE(stateOf(tables, module, entry, program.pid()), State::FileChanged);
        const ModuleNames::Name name = ModuleNames(program.pid()).nameOf(begin(program.pid()), {}, {});
        QCOMPARE(
            stateOf(tables, tables.module(name.path, name.buildId, model::ModuleKind::File), entry + 1, program.pid()),
            State::FileChanged);
    }
};

QTEST_GUILESS_MAIN(ReplacedFileTest)
#include "replaced_file_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
// Reads from the tracer's file what decides whether it can be loaded into other people's programs.
#include "capture/wire/attach.h"
#include "capture/wire/snapshot.h"

#include <QFile>
#include <QtTest>

#include <elf.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

/// The dynamic part of an ELF file in memory.
class ElfFile
{
public:
    explicit ElfFile(QByteArray bytes)
        : m_bytes(std::move(bytes))
    {
        for (unsigned i = 0; i < header().e_shnum; ++i) {
            if (section(i).sh_type == SHT_DYNAMIC)
                m_dynamic = i;
            else if (section(i).sh_type == SHT_GNU_verneed)
                m_versions = i;
            else if (section(i).sh_type == SHT_DYNSYM)
                m_symbols = i;
        }
    }

    std::vector<std::string> needed() const
    {
        std::vector<std::string> names;
        forEach<Elf64_Dyn>(m_dynamic, [&](const Elf64_Dyn &entry) {
            if (entry.d_tag == DT_NEEDED)
                names.push_back(text(section(m_dynamic).sh_link, entry.d_un.d_val));
        });
        return names;
    }

    /// "file:version" for every version that is needed.
    std::vector<std::string> versions() const
    {
        std::vector<std::string> names;
        if (m_versions == 0)
            return names;
        const Elf64_Shdr &table = section(m_versions);
        std::uint64_t at = table.sh_offset;
        for (unsigned i = 0; i < table.sh_info; ++i) {
            const auto &file = this->at<Elf64_Verneed>(at);
            std::uint64_t entry = at + file.vn_aux;
            for (unsigned k = 0; k < file.vn_cnt; ++k) {
                const auto &version = this->at<Elf64_Vernaux>(entry);
                names.push_back(text(table.sh_link, file.vn_file) + ":" + text(table.sh_link, version.vna_name));
                entry += version.vna_next;
            }
            at += file.vn_next;
        }
        return names;
    }

    std::vector<std::string> exportedNames() const
    {
        std::vector<std::string> names;
        forEach<Elf64_Sym>(m_symbols, [&](const Elf64_Sym &symbol) {
            if (symbol.st_shndx != SHN_UNDEF)
                names.push_back(text(section(m_symbols).sh_link, symbol.st_name));
        });
        std::sort(names.begin(), names.end());
        return names;
    }

    std::uint64_t tlsBytes() const
    {
        for (unsigned i = 0; i < header().e_phnum; ++i) {
            const auto &segment = at<Elf64_Phdr>(header().e_phoff + i * sizeof(Elf64_Phdr));
            if (segment.p_type == PT_TLS)
                return segment.p_memsz;
        }
        return 0;
    }

    bool hasTag(std::int64_t tag) const
    {
        bool isThere = false;
        forEach<Elf64_Dyn>(m_dynamic, [&](const Elf64_Dyn &entry) { isThere = isThere || entry.d_tag == tag; });
        return isThere;
    }

private:
    template <typename T> const T &at(std::uint64_t offset) const
    {
        return *reinterpret_cast<const T *>(m_bytes.constData() + offset);
    }
    const Elf64_Ehdr &header() const { return at<Elf64_Ehdr>(0); }
    const Elf64_Shdr &section(unsigned i) const { return at<Elf64_Shdr>(header().e_shoff + i * sizeof(Elf64_Shdr)); }
    std::string text(unsigned table, std::uint64_t offset) const
    {
        return m_bytes.constData() + section(table).sh_offset + offset;
    }
    template <typename T, typename Visit> void forEach(unsigned i, Visit visit) const
    {
        for (std::uint64_t k = 0; k < section(i).sh_size / sizeof(T); ++k)
            visit(at<T>(section(i).sh_offset + k * sizeof(T)));
    }

    QByteArray m_bytes;
    unsigned m_dynamic = 0, m_versions = 0, m_symbols = 0;
};

ElfFile tracer()
{
    QFile file(qEnvironmentVariable("GENESIS_BUILD_DIR") + QStringLiteral("/" GENESIS_TRACER_PATH));
    if (!file.open(QIODevice::ReadOnly))
        qFatal("cannot read %s", qPrintable(file.fileName()));
    return ElfFile(file.readAll());
}

} // namespace

class TracerElfTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void needsTheCLibraryAlone() { QCOMPARE(tracer().needed(), std::vector<std::string>{"libc.so.6"}); }

    /// Libraries that the hook of dlopen opens in the program's place must not be looked for along a path of ours.
    void hasNoPathOfItsOwn()
    {
        QVERIFY(!tracer().hasTag(DT_RPATH));
        QVERIFY(!tracer().hasTag(DT_RUNPATH));
    }

    void needsNoVersionAboveGlibc217()
    {
        const auto versions = tracer().versions();
        QVERIFY(!versions.empty());
        for (const std::string &version : versions) {
            int major = 0, minor = 0;
            QVERIFY2(std::sscanf(version.c_str(), "libc.so.6:GLIBC_%d.%d", &major, &minor) == 2, version.c_str());
            QVERIFY2(major == 2 && minor <= 17, version.c_str());
        }
    }

    void exportsTheHooksAndWhatAnAttachCalls()
    {
        std::vector<std::string> hooks{
            capture::wire::kCommandFunction, capture::wire::kLockedFunction, capture::wire::kSnapshotFunction};
#define HOOK(result, name, parameters) hooks.emplace_back(#name);
#define HOOK_OPTIONAL HOOK
#include "capture/tracer/hooked_functions.def"
#undef HOOK_OPTIONAL
#undef HOOK
        hooks.emplace_back("genesis_profiler_join"); // of genesis_profiler.h
        std::sort(hooks.begin(), hooks.end());
        QCOMPARE(tracer().exportedNames(), hooks);
    }

    void usesFewWordsOfStaticTls()
    {
        QVERIFY(tracer().hasTag(DT_FLAGS));
        QCOMPARE(tracer().tlsBytes(), std::uint64_t{56});
    }
};

QTEST_GUILESS_MAIN(TracerElfTest)
#include "tracer_elf_test.moc"

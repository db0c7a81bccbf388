// SPDX-License-Identifier: GPL-3.0-or-later
// Everything that reads the kernel's text files, on damaged ones: it ends, stays within its text, and says nothing that cannot be. A process
// chooses its name, its arguments and the names of its files, so what stands in there is anybody's.
#include "capture/proc/cgroup.h"
#include "capture/proc/memory_maps.h"
#include "capture/proc/octal_escapes.h"
#include "capture/proc/proc_reader.h"
#include "capture/proc/process_reading.h"
#include "capture/proc/smaps.h"
#include "tests/support/fuzz_rounds.h"

#include <QTest>

#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace capture;

namespace {

constexpr unsigned kRounds = 4000; ///< of each file; about a second in all

/// A copy with nothing behind its last byte, so that a sanitizer sees any read beyond it.
class ExactText
{
public:
    explicit ExactText(const std::string &text)
        : m_bytes(new char[text.size()])
        , m_size(text.size())
    {
        std::copy(text.begin(), text.end(), m_bytes.get());
    }
    std::string_view view() const { return {m_bytes.get(), m_size}; }

private:
    std::unique_ptr<char[]> m_bytes;
    std::size_t m_size;
};

/// Damages of the kinds that hurt parsers: bytes, numbers out of range, lines cut, doubled, joined, and separators within names.
std::string damaged(std::string text, std::mt19937_64 &random)
{
    static const std::vector<std::string> kPieces{"", "\n", " ", ")", " (", ":", "-", "\\", "\\012", "\\777", "kB",
        "max", "0::", "18446744073709551616", "-9223372036854775808", "9223372036854775807", "ffffffffffffffff", "0x",
        "\t", " (deleted)", std::string(1, '\0'), "\xff\xfe", std::string(5000, '9'), std::string(300, '/')};
    const std::size_t changes = 1 + random() % 6;
    for (std::size_t i = 0; i < changes; ++i) {
        const std::size_t at = random() % (text.size() + 1);
        switch (random() % 5) {
        case 0:
            text = text.substr(0, at);
            break;
        case 1:
            if (at < text.size())
                text[at] = static_cast<char>(random());
            break;
        case 2:
            text.insert(at, kPieces[random() % kPieces.size()]);
            break;
        case 3:
            text.erase(at, random() % 40);
            break;
        default:
            text.insert(at, text.substr(random() % (text.size() + 1), random() % 200));
        }
        if (text.size() > 60'000)
            text.resize(60'000);
    }
    return text;
}

std::string ownFile(const char *name)
{
    return readProcFile(std::string("/proc/self/") + name).value_or(std::string());
}

void checkMapping(const MemoryMapping &mapping)
{
    QVERIFY(mapping.begin <= mapping.end);
    QVERIFY(mapping.path.size() <= 60'000);
}

} // namespace

class ProcFuzzTest : public QObject
{
    Q_OBJECT

    /// Calls `parse` with damaged copies of `text`.
    template <typename Parse> static void fuzz(const std::string &text, Parse parse)
    {
        QVERIFY(!text.empty());
        parse(ExactText(text).view());
        std::mt19937_64 random(20261125);
        const unsigned rounds = tests::fuzzRounds(kRounds);
        for (unsigned round = 0; round < rounds && !QTest::currentTestFailed(); ++round)
            parse(ExactText(damaged(text.substr(0, 8000), random)).view());
    }

private Q_SLOTS:
    void maps()
    {
        fuzz(ownFile("maps"), [](std::string_view text) {
            const auto all = parseMaps(text, 50);
            QVERIFY(all.size() <= 50);
            for (const MemoryMapping &mapping : all)
                checkMapping(mapping);
        });
    }
    void smaps()
    {
        fuzz(ownFile("smaps"), [](std::string_view text) {
            const auto all = parseSmaps(text, 50);
            QVERIFY(all.size() <= 50);
            for (const MappingUse &use : all) {
                checkMapping(use.mapping);
                QVERIFY(use.residentBytes >= 0 && use.proportionalBytes >= 0 && use.privateBytes >= 0);
                QVERIFY(use.anonymousBytes >= 0 && use.swappedBytes >= 0);
            }
        });
    }
    void fieldsInKilobytes()
    {
        const std::string text = ownFile("smaps_rollup") + readProcFile("/proc/meminfo").value_or(std::string());
        fuzz(text, [](std::string_view damagedText) {
            for (const char *name : {"Pss", "Rss", "MemAvailable", "SwapPss", "", ":"})
                if (const auto bytes = kilobyteField(damagedText, name))
                    QVERIFY(*bytes >= 0 && *bytes % 1024 == 0);
        });
    }
    void stat()
    {
        const auto check = [](std::string_view text) {
            if (const auto read = parseStat(text))
                QVERIFY(read->pid >= 0 && read->startTicks >= 0 && read->userTicks >= 0 && read->threads >= 0);
        };
        fuzz(ownFile("stat"), check);
        fuzz("77 (a) b) (c\n) R 1 77 77 0 -1 4194304 9 0 3 0 5 6 0 0 20 0 2 0 1234 4096000 250 18446744073709551615 1 "
             "1 0 0 0\n",
            check);
    }
    void status()
    {
        fuzz(ownFile("status"), [](std::string_view text) {
            const StatusReading read = parseStatus(text);
            for (const auto &bytes : {read.residentBytes, read.anonymousBytes, read.fileBytes, read.sharedBytes,
                     read.swapBytes, read.virtualBytes})
                QVERIFY(!bytes || *bytes >= 0);
            QVERIFY(read.voluntarySwitches >= 0 && read.involuntarySwitches >= 0);
            QVERIFY(read.name.empty()
                || (read.name.data() >= text.data()
                    && read.name.data() + read.name.size() <= text.data() + text.size()));
        });
    }
    void ioAndLimits()
    {
        fuzz("rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 5\nwrite_bytes: 6\ncancelled_write_bytes: 7\n",
            [](std::string_view text) {
                if (const auto read = parseIo(text))
                    QVERIFY(read->readBytes >= 0 && read->writtenBytes >= 0);
            });
        fuzz(ownFile("limits"), [](std::string_view text) {
            if (const auto limit = parseLimits(text).addressSpaceBytes)
                QVERIFY(*limit >= 0);
        });
    }
    void controlGroups()
    {
        fuzz(
            ownFile("mountinfo"), [](std::string_view text) { QVERIFY(cgroupMountPoint(text).size() <= text.size()); });
        fuzz("12:cpu:/a\n0::/user.slice/app\n",
            [](std::string_view text) { QVERIFY(cgroupPath(text).size() <= text.size()); });
        fuzz("some avg10=1.25 avg60=0.50 avg300=0.00 total=5\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1\n",
            [](std::string_view text) {
                if (const auto share = pressureMilliPercent(text))
                    QVERIFY(*share >= 0);
            });
        fuzz("4096000\n", [](std::string_view text) {
            if (const auto limit = cgroupLimitBytes(text))
                QVERIFY(*limit >= 0);
        });
    }
    void commandLinesAndEscapes()
    {
        fuzz(std::string("/usr/bin/a b\0--it's\0\n\0", 22), [](std::string_view text) {
            QVERIFY(quotedCommandLine(text).size() <= 4 * text.size() + 4 * 60'000);
            QVERIFY(withoutOctalEscapes(text).size() <= text.size());
        });
    }
};

QTEST_GUILESS_MAIN(ProcFuzzTest)
#include "proc_fuzz_test.moc"

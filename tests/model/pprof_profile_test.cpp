// SPDX-License-Identifier: GPL-3.0-or-later
// What pprofProfile() writes, read back by a reader of protocol buffers that knows nothing of how it was written.
#include "model/report/pprof_profile.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

using namespace model;
using tests::SnapshotBuilder;

namespace {

/// A message: its fields by number, each as often as it is there.
struct Message
{
    std::multimap<std::uint64_t, std::uint64_t> numbers;
    std::multimap<std::uint64_t, std::string> texts;
    bool isWhole = true;

    explicit Message(const std::string &bytes)
    {
        for (std::size_t at = 0; at < bytes.size();) {
            const std::uint64_t key = varint(bytes, at);
            if ((key & 7) == 0) {
                numbers.emplace(key >> 3, varint(bytes, at));
            } else if ((key & 7) == 2) {
                const std::uint64_t size = varint(bytes, at);
                isWhole = isWhole && size <= bytes.size() - at;
                texts.emplace(key >> 3, bytes.substr(at, size));
                at += size;
            } else {
                isWhole = false;
                return;
            }
        }
    }
    static std::uint64_t varint(const std::string &bytes, std::size_t &at)
    {
        std::uint64_t value = 0;
        for (int shift = 0; at < bytes.size(); shift += 7) {
            const auto byte = static_cast<unsigned char>(bytes[at++]);
            value |= std::uint64_t{byte & 0x7fU} << shift;
            if (byte < 0x80)
                break;
        }
        return value;
    }
    std::uint64_t number(std::uint64_t field) const
    {
        const auto found = numbers.find(field);
        return found == numbers.end() ? 0 : found->second;
    }
    std::vector<Message> messages(std::uint64_t field) const
    {
        std::vector<Message> all;
        for (auto [at, end] = texts.equal_range(field); at != end; ++at)
            all.emplace_back(at->second);
        return all;
    }
    std::vector<std::uint64_t> packed(std::uint64_t field) const
    {
        std::vector<std::uint64_t> all;
        for (auto [each, end] = texts.equal_range(field); each != end; ++each)
            for (std::size_t at = 0; at < each->second.size();)
                all.push_back(varint(each->second, at));
        return all;
    }
};

/// A profile as people see it.
struct Profile
{
    Message message;
    std::vector<std::string> strings;
    std::map<std::uint64_t, std::string> locations; ///< "f<g@file:line": what is inlined first
    std::map<std::uint64_t, std::uint64_t> addresses;
    std::vector<std::string> types;

    explicit Profile(const std::string &bytes)
        : message(bytes)
    {
        for (auto [at, end] = message.texts.equal_range(6); at != end; ++at)
            strings.push_back(at->second);
        std::map<std::uint64_t, Message> functions;
        for (const Message &function : message.messages(5))
            functions.emplace(function.number(1), function);
        for (const Message &location : message.messages(4)) {
            std::string &text = locations[location.number(1)];
            addresses[location.number(1)] = location.number(3);
            for (const Message &line : location.messages(4)) {
                const Message &function = functions.at(line.number(1));
                text += (text.empty() ? "" : "<") + string(function.number(2));
                if (line.number(2) != 0)
                    text += '@' + string(function.number(4)) + ':' + std::to_string(line.number(2));
            }
        }
        for (const Message &type : message.messages(1))
            types.push_back(string(type.number(1)) + '/' + string(type.number(2)));
    }
    std::string string(std::uint64_t id) const { return strings.at(id); }

    /// A sample a line, in alphabetical order: its stack, leaf first, its values, its labels.
    std::vector<std::string> samples() const
    {
        std::vector<std::string> all;
        for (const Message &sample : message.messages(2)) {
            std::string text;
            for (const std::uint64_t id : sample.packed(1))
                text += (text.empty() ? "" : ";") + locations.at(id);
            for (const std::uint64_t value : sample.packed(2))
                text += ' ' + std::to_string(value);
            for (const Message &label : sample.messages(3))
                text += ' ' + string(label.number(1)) + '='
                    + (label.number(2) != 0 ? string(label.number(2)) : std::to_string(label.number(3)));
            all.push_back(text);
        }
        std::sort(all.begin(), all.end());
        return all;
    }
};

} // namespace

class PprofProfileTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void writesTheHeap()
    {
        SnapshotBuilder builder;
        builder.heap("main@main.cpp:3;parse@parse.cpp:12|trim@trim.cpp:4;libc.so.6!malloc 64\n"
                     "main@main.cpp:3;parse@parse.cpp:12|trim@trim.cpp:4;libc.so.6!malloc 64 temporary\n"
                     "[stack cut off];main@main.cpp:9 1000\n");
        builder.raw().losses.push_back({LossKind::EventsDropped, {}, 7, "", {}});
        builder.raw().losses.push_back({LossKind::EventsDropped, {}, 5, "", {}});
        const Snapshot snapshot = builder.build();
        const Profile profile(pprofProfile(snapshot, CostKind::Live));
        QVERIFY(profile.message.isWhole);
        QCOMPARE(profile.strings.at(0), std::string());
        QCOMPARE(profile.types,
            (std::vector<std::string>{"alloc_objects/count", "alloc_space/bytes", "inuse_objects/count",
                "inuse_space/bytes", "peak_objects/count", "peak_space/bytes", "temporary_objects/count",
                "temporary_space/bytes"}));
        QCOMPARE(profile.string(profile.message.number(14)), std::string("inuse_space"));
        const std::vector<std::string> samples = profile.samples();
        QCOMPARE(samples.size(), std::size_t{2});
        QCOMPARE(
            samples[0], std::string("main@main.cpp:9;[stack cut off] 1 1000 1 1000 1 1000 0 0 process=app pid=100"));
        QCOMPARE(samples[1],
            std::string("malloc;trim@trim.cpp:4<parse@parse.cpp:12;main@main.cpp:3 2 128 1 64 1 64 1 64 process=app "
                        "pid=100"));
        std::vector<std::string> comments;
        for (auto [at, end] = profile.message.numbers.equal_range(13); at != end; ++at)
            comments.push_back(profile.string(at->second));
        QCOMPARE(comments.size(), std::size_t{2});
        QCOMPARE(comments[1], std::string("Heap events dropped: 12"));
        for (const Message &mapping : profile.message.messages(3)) // so nobody looks for the programs
            QCOMPARE(mapping.number(7), std::uint64_t{1});
    }

    void writesCpuTimeByThread()
    {
        SnapshotBuilder builder;
        builder.cpu("main@main.cpp:3;parse@parse.cpp:14 150\nmain@main.cpp:9 50\n");
        builder.raw().info.config.cpuHz = 200;
        const Snapshot snapshot = builder.build();
        const Profile profile(pprofProfile(snapshot, CostKind::CpuTime));
        QCOMPARE(profile.types, (std::vector<std::string>{"samples/count", "cpu/nanoseconds"}));
        QCOMPARE(profile.message.number(12), std::uint64_t{5'000'000});
        QCOMPARE(profile.message.number(10), static_cast<std::uint64_t>(snapshot.span.end.ns - snapshot.span.begin.ns));
        const std::vector<std::string> samples = profile.samples();
        QCOMPARE(samples.size(), std::size_t{2});
        QVERIFY2(samples[0].starts_with("main@main.cpp:9 50 250000000 "), samples[0].c_str());
        QVERIFY2(samples[0].find(" tid=100") != std::string::npos, samples[0].c_str());
        QVERIFY2(samples[1].starts_with("parse@parse.cpp:14;main@main.cpp:3 150 750000000 "), samples[1].c_str());
    }

    void showsTheCostThatIsAskedFor()
    {
        SnapshotBuilder builder;
        builder.heap("main 64\nmain 64 temporary\n");
        const Snapshot snapshot = builder.build();
        const Profile frees(pprofProfile(snapshot, CostKind::Frees));
        QCOMPARE(frees.types.back(), std::string("frees/count"));
        QCOMPARE(frees.string(frees.message.number(14)), std::string("frees"));
        QVERIFY(frees.samples().at(0).starts_with("main 2 128 1 64 1 64 1 64 1 "));
        const Profile nothing(pprofProfile(snapshot, CostKind::WaitTime));
        QCOMPARE(nothing.samples().size(), std::size_t{0});
        QCOMPARE(nothing.types, (std::vector<std::string>{"waits/count", "wait/nanoseconds", "blocked/nanoseconds"}));
    }

    /// Files and functions may be called by any bytes; readers of protocol buffers refuse strings that are no UTF-8.
    void stringsAreUtf8()
    {
        SnapshotBuilder builder;
        builder.heap("main@gr\xc3\xbcn.cpp:3;li\xff"
                     "b.so!caf\xe9 8\n");
        const Profile profile(pprofProfile(builder.build(), CostKind::Live));
        for (const std::string &text : profile.strings)
            QVERIFY2(QString::fromUtf8(text).toStdString() == text
                    && !QString::fromUtf8(text).contains(QChar::ReplacementCharacter),
                text.c_str());
        QVERIFY(std::ranges::count(profile.strings, "caf\\xe9") == 1);
        QVERIFY(std::ranges::count(profile.strings, "gr\xc3\xbcn.cpp") == 1);
    }

    void namesCallsRatherThanWhereTheyReturnTo()
    {
        SnapshotBuilder builder;
        builder.heap("main;+0x40 8\n");
        const Snapshot snapshot = builder.build();
        const Profile profile(pprofProfile(snapshot, CostKind::Live));
        const Frame *frame = nullptr;
        for (const Frame &each : snapshot.tables->frames)
            if (each.address == 0x40)
                frame = &each;
        QVERIFY(frame != nullptr && frame->kind == FrameKind::ReturnAddress);
        bool isThere = false;
        for (const auto &[id, address] : profile.addresses)
            isThere = isThere || address == 0x3f;
        QVERIFY(isThere);
    }
};

QTEST_APPLESS_MAIN(PprofProfileTest)
#include "pprof_profile_test.moc"

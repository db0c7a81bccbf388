// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/pprof_profile.h"

#include "model/aggregate/function_index.h"
#include "model/base/utf8.h"
#include "model/report/proto_writer.h"
#include "model/report/session_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace model {

namespace {

// Numbers of fields, as in profile.proto.
namespace profile {
constexpr std::uint32_t kSampleType = 1, kSample = 2, kMapping = 3, kLocation = 4, kFunction = 5, kString = 6,
                        kTimeNs = 9, kDurationNs = 10, kPeriodType = 11, kPeriod = 12, kComment = 13,
                        kDefaultSampleType = 14;
}
namespace valueType {
constexpr std::uint32_t kType = 1, kUnit = 2;
}
namespace sample {
constexpr std::uint32_t kLocations = 1, kValues = 2, kLabel = 3;
}
namespace label {
constexpr std::uint32_t kKey = 1, kText = 2, kNumber = 3;
}
namespace mapping {
constexpr std::uint32_t kId = 1, kLimit = 3, kFile = 5, kBuildId = 6, kHasFunctions = 7, kHasFiles = 8, kHasLines = 9,
                        kHasInlined = 10;
}
namespace location {
constexpr std::uint32_t kId = 1, kMapping = 2, kAddress = 3, kLine = 4;
}
namespace line {
constexpr std::uint32_t kFunction = 1, kLine = 2;
}
namespace function {
constexpr std::uint32_t kId = 1, kName = 2, kSystemName = 3, kFile = 4;
}

/// A cost as pprof names it.
struct Value
{
    CostKind kind;
    std::string_view type;
};
constexpr std::array kHeapValues{Value{CostKind::Allocations, "alloc_objects"},
    Value{CostKind::Allocated, "alloc_space"}, Value{CostKind::LiveBlocks, "inuse_objects"},
    Value{CostKind::Live, "inuse_space"}, Value{CostKind::PeakBlocks, "peak_objects"},
    Value{CostKind::Peak, "peak_space"}, Value{CostKind::Temporary, "temporary_objects"},
    Value{CostKind::TemporaryBytes, "temporary_space"}};
constexpr std::array kCpuValues{Value{CostKind::CpuSamples, "samples"}, Value{CostKind::CpuTime, "cpu"}};
constexpr std::array kCallValues{Value{CostKind::SystemCalls, "syscalls"},
    Value{CostKind::SystemCallTime, "syscall_time"}, Value{CostKind::SystemCallErrors, "syscall_errors"},
    Value{CostKind::SystemCallBytes, "syscall_bytes"}};
constexpr std::array kWaitValues{
    Value{CostKind::Waits, "waits"}, Value{CostKind::WaitTime, "wait"}, Value{CostKind::Blocked, "blocked"}};

std::vector<Value> valuesOf(CostKind shown)
{
    std::vector<Value> values;
    const auto take = [&values](const auto &all) { values.assign(all.begin(), all.end()); };
    switch (costInfo(shown).source) {
    case CostSource::Heap:
        take(kHeapValues);
        break;
    case CostSource::Cpu:
        take(kCpuValues);
        break;
    case CostSource::SystemCall:
        take(kCallValues);
        break;
    case CostSource::Wait:
        take(kWaitValues);
        break;
    }
    if (std::ranges::none_of(values, [shown](const Value &value) { return value.kind == shown; }))
        values.push_back({shown, costInfo(shown).key});
    return values;
}

std::string_view pprofUnit(CostKind kind)
{
    switch (costInfo(kind).unit) {
    case Unit::Bytes:
        return "bytes";
    case Unit::Nanoseconds:
        return "nanoseconds";
    default:
        return "count";
    }
}

/// One profile while it is written: what samples refer to is added when it is first needed.
class Writer
{
public:
    Writer(const Snapshot &snapshot, std::vector<Value> values)
        : m_snapshot(snapshot)
        , m_tables(*snapshot.tables)
        , m_values(std::move(values))
        , m_index(snapshot.tables)
        , m_locations(m_tables.frames.size(), 0)
        , m_mappings(m_tables.modules.size())
    {
        text({}); // the first one has to be empty
    }

    template <typename Row> void addSamples(const std::vector<Row> &rows)
    {
        for (const Row &row : rows) {
            std::vector<std::int64_t> costs;
            for (const Value &value : m_values)
                costs.push_back(costOf(row, value.kind));
            if (std::ranges::all_of(costs, [](std::int64_t cost) { return cost == 0; }))
                continue;
            ProtoWriter sample;
            sample.numbers<std::uint64_t>(sample::kLocations, locationsOf(row.stack));
            sample.numbers<std::int64_t>(sample::kValues, costs);
            if constexpr (requires { row.thread; })
                addThread(sample, row.thread);
            addProcess(sample, row.image);
            m_profile.message(profile::kSample, sample);
        }
    }

    std::string finished(CostKind shown)
    {
        for (const Value &value : m_values) {
            ProtoWriter type;
            type.number(valueType::kType, text(value.type));
            type.number(valueType::kUnit, text(pprofUnit(value.kind)));
            m_profile.message(profile::kSampleType, type);
            if (value.kind == shown)
                m_profile.number(profile::kDefaultSampleType, text(value.type));
        }
        const std::size_t main = mainModule();
        if (main < m_mappings.size())
            addMapping(main); // the first one is what readers call the profile after
        for (std::size_t module = 0; module < m_mappings.size(); ++module)
            if (m_mappings[module] && module != main)
                addMapping(module);
        m_profile.number(profile::kTimeNs, m_snapshot.info.startWallNs + m_snapshot.span.begin.ns);
        m_profile.number(profile::kDurationNs, m_snapshot.span.end.ns - m_snapshot.span.begin.ns);
        addPeriod(costInfo(shown).source);
        addComments();
        for (const std::string &each : m_texts)
            m_profile.bytes(profile::kString, each);
        return m_profile.encoded();
    }

private:
    /// What is known of the locations of a module.
    struct Mapping
    {
        std::uint64_t limit = 0;
        bool hasFiles = false;
        bool hasInlined = false;
    };

    std::int64_t text(std::string_view text)
    {
        const auto [found, isNew] = m_textIds.try_emplace(std::string(text), static_cast<std::int64_t>(m_texts.size()));
        if (isNew)
            m_texts.push_back(withBytesShown(text)); // of other bytes no string of a protocol buffer may be made
        return found->second;
    }

    /// Of a stack, leaf first. One that is not whole ends in what says so.
    const std::vector<std::uint64_t> &locationsOf(StackId stack)
    {
        m_stack.clear();
        for (; !isRoot(stack); stack = m_tables.stacks.at(stack.index()).parent)
            m_stack.push_back(locationOf(m_tables.stacks.at(stack.index()).frame));
        if (const auto end = static_cast<StackEnd>(stack.value); end != StackEnd::ReachedStart)
            m_stack.push_back(pseudoLocation(stackEndText(end)));
        else if (m_stack.empty())
            m_stack.push_back(pseudoLocation("[no stack]"));
        return m_stack;
    }

    std::uint64_t locationOf(FrameId id)
    {
        std::uint64_t &known = m_locations.at(id.index());
        if (known != 0)
            return known;
        known = ++m_lastLocation;
        const Frame &frame = m_tables.frames.at(id.index());
        const std::uint64_t address
            = frame.address - (frame.kind == FrameKind::ReturnAddress && frame.address > 0 ? 1 : 0);
        ProtoWriter location;
        location.number(location::kId, static_cast<std::int64_t>(known));
        location.number(location::kAddress, static_cast<std::int64_t>(address));
        const FunctionIndex::Range places = m_index.placesOf(id);
        if (frame.module.isValid()) {
            std::optional<Mapping> &mapping = m_mappings.at(frame.module.index());
            if (!mapping)
                mapping = Mapping();
            mapping->limit = std::max(mapping->limit, address + 1);
            mapping->hasInlined = mapping->hasInlined || places.count > 1;
            mapping->hasFiles = mapping->hasFiles || m_index.place(places.first).line > 0;
            location.number(location::kMapping, static_cast<std::int64_t>(frame.module.index()) + 1);
        }
        for (std::uint32_t i = places.count; i-- > 0;) {
            const FunctionPlace &place = m_index.place(places.first + i);
            ProtoWriter line;
            line.number(line::kFunction, functionOf(m_index.name(place.function), m_tables.text(place.file)));
            line.number(line::kLine, place.line);
            location.message(location::kLine, line);
        }
        m_profile.message(profile::kLocation, location);
        return known;
    }

    /// A location that stands for no code.
    std::uint64_t pseudoLocation(std::string_view name)
    {
        std::uint64_t &known = m_pseudoLocations[std::string(name)];
        if (known == 0) {
            known = ++m_lastLocation;
            ProtoWriter line;
            line.number(line::kFunction, functionOf(std::string(name), {}));
            ProtoWriter location;
            location.number(location::kId, static_cast<std::int64_t>(known));
            location.message(location::kLine, line);
            m_profile.message(profile::kLocation, location);
        }
        return known;
    }

    std::int64_t functionOf(const std::string &name, const std::string &file)
    {
        const auto [found, isNew]
            = m_functions.try_emplace(name + '\0' + file, static_cast<std::int64_t>(m_functions.size()) + 1);
        if (isNew) {
            ProtoWriter function;
            function.number(function::kId, found->second);
            function.number(function::kName, text(name));
            function.number(function::kSystemName, text(name));
            function.number(function::kFile, text(file));
            m_profile.message(profile::kFunction, function);
        }
        return found->second;
    }

    /// The module of the first program that anything stands in; behind the last one if there is none.
    std::size_t mainModule() const
    {
        for (const Image &image : m_tables.images)
            for (std::size_t module = 0; module < m_mappings.size(); ++module)
                if (m_mappings[module]
                    && m_tables.text(m_tables.modules[module].path) == m_tables.text(image.executable))
                    return module;
        return m_mappings.size();
    }

    void addMapping(std::size_t module)
    {
        const Module &of = m_tables.modules[module];
        const Mapping &known = *m_mappings[module];
        ProtoWriter mapping;
        mapping.number(mapping::kId, static_cast<std::int64_t>(module) + 1);
        mapping.number(mapping::kLimit, static_cast<std::int64_t>(known.limit));
        mapping.number(mapping::kFile, text(m_tables.text(of.path)));
        mapping.number(mapping::kBuildId, text(m_tables.text(of.buildId)));
        mapping.flag(mapping::kHasFunctions, true);
        mapping.flag(mapping::kHasFiles, known.hasFiles);
        mapping.flag(mapping::kHasLines, known.hasFiles);
        mapping.flag(mapping::kHasInlined, known.hasInlined);
        m_profile.message(profile::kMapping, mapping);
    }

    void addLabel(ProtoWriter &sample, std::string_view key, std::string_view value)
    {
        ProtoWriter label;
        label.number(label::kKey, text(key));
        label.number(label::kText, text(value));
        sample.message(sample::kLabel, label);
    }
    void addLabel(ProtoWriter &sample, std::string_view key, std::int64_t value)
    {
        ProtoWriter label;
        label.number(label::kKey, text(key));
        label.number(label::kNumber, value);
        sample.message(sample::kLabel, label);
    }
    void addThread(ProtoWriter &sample, ThreadId id)
    {
        if (!id.isValid())
            return;
        const Thread &thread = m_tables.threads.at(id.index());
        if (const std::string &name = m_tables.text(thread.name); !name.empty())
            addLabel(sample, "thread", name);
        addLabel(sample, "tid", thread.tid);
    }
    void addProcess(ProtoWriter &sample, ImageId id)
    {
        if (!id.isValid())
            return;
        if (const std::string program = programOf(m_snapshot, id); !program.empty())
            addLabel(sample, "process", program);
        addLabel(sample, "pid", pidOf(m_snapshot, id));
    }

    /// One sample for so much of what.
    void addPeriod(CostSource source)
    {
        const CaptureConfig &config = m_snapshot.info.config;
        ProtoWriter type;
        if (source == CostSource::Heap) {
            type.number(valueType::kType, text("space"));
            type.number(valueType::kUnit, text("bytes"));
            m_profile.number(profile::kPeriod, config.heap == HeapMode::Sampled ? config.heapPeriodBytes : 1);
        } else if (source == CostSource::Cpu && config.cpuHz > 0) {
            type.number(valueType::kType, text("cpu"));
            type.number(valueType::kUnit, text("nanoseconds"));
            m_profile.number(profile::kPeriod, 1'000'000'000 / std::int64_t{config.cpuHz});
        } else {
            return;
        }
        m_profile.message(profile::kPeriodType, type);
    }

    void addComments()
    {
        const auto add = [this](const std::string &comment) { m_profile.element(profile::kComment, text(comment)); };
        add("Recorded by Genesis Profiler: " + commandText(m_snapshot));
        const auto counts = lossCounts(m_snapshot);
        for (std::size_t kind = 0; kind < counts.size(); ++kind)
            if (counts[kind] > 0)
                add(fmt::format("{}: {}", lossLabel(static_cast<LossKind>(kind)), counts[kind]));
        if (!m_snapshot.damage.empty())
            add(m_snapshot.damage);
    }

    const Snapshot &m_snapshot;
    const ProgramTables &m_tables;
    std::vector<Value> m_values;
    FunctionIndex m_index;
    ProtoWriter m_profile;
    std::vector<std::string> m_texts;
    std::unordered_map<std::string, std::int64_t> m_textIds;
    std::vector<std::uint64_t> m_locations; ///< by frame; 0: not yet written
    std::uint64_t m_lastLocation = 0;
    std::unordered_map<std::string, std::uint64_t> m_pseudoLocations;
    std::unordered_map<std::string, std::int64_t> m_functions; ///< by name and file
    std::vector<std::optional<Mapping>> m_mappings;            ///< by module; none: nothing stands in it
    std::vector<std::uint64_t> m_stack;
};

} // namespace

std::string pprofProfile(const Snapshot &snapshot, CostKind shown)
{
    Writer writer(snapshot, valuesOf(shown));
    switch (costInfo(shown).source) {
    case CostSource::Heap:
        writer.addSamples(snapshot.heap);
        break;
    case CostSource::Cpu:
        writer.addSamples(snapshot.cpu);
        break;
    case CostSource::SystemCall:
    case CostSource::Wait:
        writer.addSamples(snapshot.activities);
        break;
    }
    return writer.finished(shown);
}

} // namespace model

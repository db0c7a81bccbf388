// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/info_rows.h"

#include "storage/damage.h"

#include <limits>
#include <map>

namespace storage {

namespace {

using model::Result;
using model::SessionInfo;

constexpr int kLongestText = 4 * 1024 * 1024;        ///< an argument can be that long (execve(2): 128 KiB by default)
constexpr std::int64_t kMostText = 16 * 1024 * 1024; ///< of all arguments: more than the kernel takes

constexpr const char *kInsert = "INSERT OR REPLACE INTO session (key, value) VALUES (?, ?)";

/// Writes rows of `session` until the first failure, which it keeps.
class InfoWriter
{
public:
    explicit InfoWriter(Statement &statement)
        : m_statement(statement)
    {
    }

    template <typename Value> InfoWriter &put(std::string_view key, const Value &value)
    {
        if (m_done)
            m_done = m_statement.run(key, value);
        return *this;
    }

    Result<void> done() const { return m_done; }

private:
    Statement &m_statement;
    Result<void> m_done;
};

/// The rows of `session`: numbers and texts by key.
class InfoValues
{
public:
    void add(const Statement &row)
    {
        const std::string key(row.text(0));
        if (row.isInteger(1))
            m_numbers[key] = row.integer(1);
        else if (!row.isNull(1))
            m_texts[key] = std::string(row.text(1));
    }

    std::optional<std::int64_t> number(const std::string &key, std::int64_t least = 0,
        std::int64_t most = std::numeric_limits<std::int64_t>::max()) const
    {
        const auto found = m_numbers.find(key);
        if (found == m_numbers.end() || found->second < least || found->second > most)
            return std::nullopt;
        return found->second;
    }

    template <typename Number> void take(const std::string &key, Number &target, std::int64_t least = 0) const
    {
        if (const auto value = number(key, least, static_cast<std::int64_t>(std::numeric_limits<Number>::max())))
            target = static_cast<Number>(*value);
    }

    template <typename Enum> void takeEnum(const std::string &key, Enum &target, Enum last) const
    {
        if (const auto value = number(key, 0, static_cast<std::int64_t>(last)))
            target = static_cast<Enum>(*value);
    }

    void take(const std::string &key, std::string &target) const
    {
        if (const auto found = m_texts.find(key); found != m_texts.end())
            target = found->second;
    }

private:
    std::map<std::string, std::int64_t> m_numbers;
    std::map<std::string, std::string> m_texts;
};

constexpr std::int64_t kLongestNs = std::int64_t{1} << 60; ///< 36 years

void takeConfig(const InfoValues &values, model::CaptureConfig &config)
{
    values.takeEnum("heap_mode", config.heap, model::HeapMode::Auto);
    if (const auto budget = values.number("heap_budget_millipercent", 1, std::int64_t{1} << 30))
        config.heapBudgetMilliPercent = *budget;
    if (const auto period = values.number("heap_period_bytes", 1, std::int64_t{1} << 50))
        config.heapPeriodBytes = *period;
    values.takeEnum("child_mode", config.children, model::ChildMode::Ignore);
    values.takeEnum("when_full", config.whenFull, model::WhenFull::Drop);
    values.take("cpu_hz", config.cpuHz);
    config.systemCalls = values.number("system_calls").value_or(0) != 0;
    config.waits = values.number("waits").value_or(0) != 0;
    if (const auto tick = values.number("tick_ns", 1, kLongestNs))
        config.tick = {*tick};
    if (const auto bucket = values.number("age_bucket_ns", 1, kLongestNs))
        config.ageBucket = {*bucket};
    if (const auto limit = values.number("duration_limit_ns", 0, kLongestNs))
        config.duration = model::Duration{*limit};
    const auto bytes = values.number("budget_bytes", 1, std::int64_t{1} << 50);
    const auto period = values.number("budget_period_ns", 1, kLongestNs);
    if (bytes && period)
        config.budget = model::ByteBudget{*bytes, {*period}};
    if (const auto every = values.number("scan_every_ns", 1, kLongestNs))
        config.scanEvery = model::Duration{*every};
    values.take("working_directory", config.workingDirectory);
    if (const auto pid = values.number("attach_pid", 1, std::numeric_limits<std::int32_t>::max()))
        config.attachPid = static_cast<std::int32_t>(*pid);
}

SessionInfo toInfo(const InfoValues &values)
{
    SessionInfo info;
    takeConfig(values, info.config);
    values.takeEnum("state", info.state, model::SessionState::Complete);
    values.take("start_wall_ns", info.startWallNs);
    values.take("utc_offset", info.utcOffset);
    if (const auto duration = values.number("duration_ns", 0, kLongestNs))
        info.duration = {*duration};
    values.take("host", info.host);
    values.take("kernel", info.kernel);
    values.take("cpu_count", info.cpuCount);
    values.take("page_bytes", info.pageBytes, 1);
    values.take("recorder_version", info.recorderVersion);
    values.take("recorder_pid", info.recorderPid);
    values.take("control_address", info.controlAddress);
    values.take("cpu_event", info.cpuEvent);
    values.take("cpu_note", info.cpuNote);
    values.take("cpu_missing", info.cpuMissing);
    values.take("activity_note", info.activityNote);
    values.take("disk", info.disk);
    if (const auto status = values.number("exit_status", 0, 0xffff))
        info.exitStatus = static_cast<int>(*status);
    values.take("end_reason", info.endReason);
    if (const auto from = values.number("unwritten_from_ns", 0, kLongestNs)) {
        info.unwritten = model::Unwritten{.from = {*from}};
        if (const auto length = values.number("unwritten_ns", 0, kLongestNs))
            info.unwritten->length = {*length};
        values.take("unwritten_heap_events", info.unwritten->heapEvents);
        values.take("unwritten_cpu_samples", info.unwritten->cpuSamples);
        values.take("unwritten_reason", info.unwritten->reason);
    }
    if (const auto texts = values.number(std::string(kRedactedKey)))
        info.redaction = model::Redaction{*texts, values.number(std::string(kRedactedKeepsKey)).value_or(0) != 0};
    return info;
}

/// What is kept in memory only may yet be written, and is not missing then.
Result<void> writeUnwritten(Database &database, Statement &insert, const std::optional<model::Unwritten> &unwritten)
{
    if (!unwritten)
        return database.execute("DELETE FROM session WHERE key GLOB 'unwritten_*'");
    return InfoWriter(insert)
        .put("unwritten_from_ns", unwritten->from.ns)
        .put("unwritten_ns", unwritten->length.ns)
        .put("unwritten_heap_events", unwritten->heapEvents)
        .put("unwritten_cpu_samples", unwritten->cpuSamples)
        .put("unwritten_reason", unwritten->reason)
        .done();
}

Result<std::vector<std::string>> readArguments(Database &database)
{
    const LengthLimit limit(database, kLongestText);
    auto rows = database.prepare("SELECT value FROM argument ORDER BY position LIMIT 100000");
    if (!rows)
        return rows.error();
    std::vector<std::string> arguments;
    std::int64_t bytes = 0;
    for (;;) {
        const auto row = rows->step();
        if (!row)
            return row.error();
        bytes += *row ? rows->textBytes() : 0;
        if (!*row || bytes > kMostText)
            return arguments;
        arguments.emplace_back(rows->text(0));
    }
}

} // namespace

Result<void> writeInfo(Database &database, const SessionInfo &info)
{
    auto insert = database.prepare(kInsert);
    if (!insert)
        return insert.error();
    const model::CaptureConfig &config = info.config;
    InfoWriter writer(*insert);
    writer.put("heap_mode", static_cast<int>(config.heap))
        .put("heap_period_bytes", config.heapPeriodBytes)
        .put("heap_budget_millipercent", config.heapBudgetMilliPercent)
        .put("child_mode", static_cast<int>(config.children))
        .put("when_full", static_cast<int>(config.whenFull))
        .put("cpu_hz", config.cpuHz)
        .put("system_calls", config.systemCalls ? 1 : 0)
        .put("waits", config.waits ? 1 : 0)
        .put("tick_ns", config.tick.ns)
        .put("age_bucket_ns", config.ageBucket.ns)
        .put("working_directory", config.workingDirectory)
        .put("attach_pid", config.attachPid)
        .put("state", static_cast<int>(info.state))
        .put("start_wall_ns", info.startWallNs)
        .put("utc_offset", info.utcOffset)
        .put("duration_ns", info.duration.ns)
        .put("host", info.host)
        .put("kernel", info.kernel)
        .put("cpu_count", info.cpuCount)
        .put("page_bytes", info.pageBytes)
        .put("recorder_version", info.recorderVersion)
        .put("recorder_pid", info.recorderPid)
        .put("control_address", info.controlAddress)
        .put("cpu_event", info.cpuEvent)
        .put("cpu_note", info.cpuNote)
        .put("cpu_missing", info.cpuMissing)
        .put("activity_note", info.activityNote)
        .put("exit_status", info.exitStatus)
        .put("end_reason", info.endReason);
    if (config.scanEvery)
        writer.put("scan_every_ns", config.scanEvery->ns);
    if (config.duration)
        writer.put("duration_limit_ns", config.duration->ns);
    if (config.budget)
        writer.put("budget_bytes", config.budget->bytes).put("budget_period_ns", config.budget->period.ns);
    if (!writer.done())
        return writer.done();
    return writeUnwritten(database, *insert, info.unwritten);
}

Result<void> writeArguments(Database &database, const std::vector<std::string> &command)
{
    if (auto done = database.execute("DELETE FROM argument"); !done)
        return done;
    auto insert = database.prepare("INSERT INTO argument (position, value) VALUES (?, ?)");
    if (!insert)
        return insert.error();
    for (std::size_t i = 0; i < command.size(); ++i)
        if (auto done = insert->run(i, std::string_view(command[i])); !done)
            return done;
    return {};
}

Result<void> writeSessionValue(Database &database, std::string_view key, std::int64_t value)
{
    auto insert = database.prepare(kInsert);
    if (!insert)
        return insert.error();
    return insert->run(key, value);
}

Result<StoredInfo> readInfo(Database &database)
{
    const LengthLimit limit(database, kLongestText);
    auto rows = database.prepare("SELECT key, value FROM session LIMIT 1000");
    if (!rows)
        return rows.error();
    InfoValues values;
    std::int64_t bytes = 0;
    for (;;) {
        const auto row = rows->step();
        if (!row)
            return row.error();
        bytes += *row ? rows->textBytes() : 0;
        if (!*row || bytes > kMostText)
            break;
        values.add(*rows);
    }
    StoredInfo stored{toInfo(values), values.number("uuid").value_or(0), values.number("revision").value_or(0),
        values.number(std::string(kBucketRatesKey)).value_or(0) != 0};
    auto arguments = readArguments(database);
    if (arguments)
        stored.info.config.command = std::move(*arguments);
    return stored;
}

} // namespace storage

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <linux/perf_event.h>

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

/// Hand-made perf records, laid out as the kernel writes them for the recorder's events.
class PerfBytes
{
public:
    PerfBytes(std::uint32_t type, std::uint16_t misc) { add(perf_event_header{.type = type, .misc = misc, .size = 0}); }
    template <typename T> PerfBytes &add(T value)
    {
        const std::size_t begin = m_bytes.size();
        m_bytes.resize(begin + sizeof(value));
        std::memcpy(m_bytes.data() + begin, &value, sizeof(value));
        return *this;
    }
    PerfBytes &text(std::string_view value)
    {
        m_bytes.insert(m_bytes.end(), value.begin(), value.end());
        m_bytes.resize((m_bytes.size() / 8 + 1) * 8);
        return *this;
    }
    /// What sample_id_all puts at the end of a record that is no sample.
    PerfBytes &trailer(std::int32_t pid, std::int32_t tid, std::uint64_t timeNs, std::uint32_t cpu)
    {
        return add(pid).add(tid).add(timeNs).add(cpu).add(std::uint32_t{0});
    }
    /// The whole record.
    std::vector<std::uint8_t> bytes() const
    {
        std::vector<std::uint8_t> result = m_bytes;
        const auto size = static_cast<std::uint16_t>(result.size());
        std::memcpy(result.data() + offsetof(perf_event_header, size), &size, sizeof(size));
        return result;
    }

    /// A sample up to the call chain: 0x401000, process 10, thread 11, time 5000, CPU 1, period 7.
    static PerfBytes sampleHead(std::uint16_t misc = PERF_RECORD_MISC_USER)
    {
        PerfBytes record(PERF_RECORD_SAMPLE, misc);
        record.add(std::uint64_t{0x401000}).add(std::int32_t{10}).add(std::int32_t{11}).add(std::uint64_t{5000});
        record.add(std::uint32_t{1}).add(std::uint32_t{0}).add(std::uint64_t{7});
        return record;
    }
    /// Registers 100, 101 … in the kernel's order, of a 64-bit program.
    PerfBytes &registers()
    {
        add(std::uint64_t{PERF_SAMPLE_REGS_ABI_64});
        for (std::uint64_t i = 0; i < 17; ++i)
            add(100 + i);
        return *this;
    }

private:
    std::vector<std::uint8_t> m_bytes;
};

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/unwind/eh_frame.h"

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <vector>

/// Hand-made .eh_frame sections: one common entry, then frame descriptions, and the sorted index of them.
class CfiBytes
{
public:
    using Bytes = std::vector<std::uint8_t>;
    static constexpr std::uint64_t kFramesAddress = 0x10000, kHeaderAddress = 0x20000;

    /// `augmentation` begins with "zR" (pc-relative 32-bit addresses); "zRS" makes signal frames.
    explicit CfiBytes(const char *augmentation = "zR", Bytes instructions = {0x0c, 7, 8, 0x90, 1})
    {
        Bytes body = {1};
        body.insert(body.end(), augmentation, augmentation + std::strlen(augmentation) + 1);
        append(body, {1, 0x78, 16, 1, 0x1b}); // code alignment 1, data alignment -8, return address, pcrel sdata4
        body.insert(body.end(), instructions.begin(), instructions.end());
        addRecord(0, body);
    }

    /// A function [begin, begin + size) with these instructions. Add in ascending order.
    void addFunction(std::uint64_t begin, std::uint32_t size, const Bytes &instructions)
    {
        const std::uint64_t record = kFramesAddress + m_frames.size();
        Bytes body;
        append32(body, static_cast<std::uint32_t>(begin - (record + 8)));
        append32(body, size);
        body.push_back(0);
        body.insert(body.end(), instructions.begin(), instructions.end());
        append32(m_rows, static_cast<std::uint32_t>(begin - kHeaderAddress));
        append32(m_rows, static_cast<std::uint32_t>(record - kHeaderAddress));
        ++m_rowCount;
        addRecord(static_cast<std::uint32_t>(m_frames.size() + 4), body);
    }

    /// The tables, with or without the index. Valid while this lives and is not added to.
    capture::unwind::EhFrameTables tables(bool hasIndex = true)
    {
        capture::unwind::EhFrameTables tables;
        tables.frames = {m_frames.data(), m_frames.size(), kFramesAddress};
        if (!hasIndex)
            return tables;
        m_header = {1, 0x1b, 0x03, 0x3b};
        append32(m_header, static_cast<std::uint32_t>(kFramesAddress - (kHeaderAddress + 4)));
        append32(m_header, m_rowCount);
        m_header.insert(m_header.end(), m_rows.begin(), m_rows.end());
        tables.header = {m_header.data(), m_header.size(), kHeaderAddress};
        return tables;
    }

    Bytes &frames() { return m_frames; }
    Bytes &header() { return m_header; }

    static void append32(Bytes &bytes, std::uint32_t value)
    {
        const auto *raw = reinterpret_cast<const std::uint8_t *>(&value);
        bytes.insert(bytes.end(), raw, raw + 4);
    }
    static void append(Bytes &bytes, std::initializer_list<std::uint8_t> more)
    {
        bytes.insert(bytes.end(), more.begin(), more.end());
    }

private:
    void addRecord(std::uint32_t id, Bytes body)
    {
        while ((body.size() + 4) % 8 != 0)
            body.push_back(0);
        append32(m_frames, static_cast<std::uint32_t>(body.size() + 4));
        append32(m_frames, id);
        m_frames.insert(m_frames.end(), body.begin(), body.end());
    }

    Bytes m_frames, m_header, m_rows;
    std::uint32_t m_rowCount = 0;
};

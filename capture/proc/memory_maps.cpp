// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/memory_maps.h"

#include "capture/proc/maps_path.h"
#include "capture/proc/proc_reader.h"

#include <charconv>

namespace capture {

namespace {

constexpr std::string_view kDeleted = " (deleted)";
constexpr std::size_t kPermissions = 4;

/// Takes a number and the character that ends it off the front of `text`.
template <typename Number> bool takeNumber(std::string_view &text, int base, char endedBy, Number &number)
{
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    const auto length = static_cast<std::size_t>(end - text.data());
    if (error != std::errc() || length >= text.size() || text[length] != endedBy)
        return false;
    text.remove_prefix(length + 1);
    return true;
}

bool takePermissions(std::string_view &text, MemoryMapping &mapping)
{
    if (text.size() <= kPermissions || text[kPermissions] != ' ')
        return false;
    mapping.isReadable = text[0] == 'r';
    mapping.isWritable = text[1] == 'w';
    mapping.isExecutable = text[2] == 'x';
    mapping.isShared = text[3] == 's';
    text.remove_prefix(kPermissions + 1);
    return true;
}

} // namespace

std::optional<MemoryMapping> parseMapping(std::string_view line, const std::string *root)
{
    MemoryMapping mapping;
    // The inode may end the line: a blank after it is then missing in text that was trimmed.
    std::string padded;
    if (line.find(' ') != std::string_view::npos && line.back() != ' ') {
        padded = std::string(line) + ' ';
        line = padded;
    }
    if (!takeNumber(line, 16, '-', mapping.begin) || !takeNumber(line, 16, ' ', mapping.end)
        || !takePermissions(line, mapping) || !takeNumber(line, 16, ' ', mapping.fileOffset)
        || !takeNumber(line, 16, ':', mapping.deviceMajor) || !takeNumber(line, 16, ' ', mapping.deviceMinor)
        || !takeNumber(line, 10, ' ', mapping.inode) || mapping.begin >= mapping.end)
        return std::nullopt;
    // What is left is the path, which may hold blanks, and may begin and end with them.
    const std::size_t begin = line.find_first_not_of(' ');
    if (begin == std::string_view::npos)
        return mapping;
    line.remove_prefix(begin);
    if (!padded.empty())
        line.remove_suffix(1);
    if (line.front() == '/' && line.ends_with(kDeleted)) {
        mapping.isDeleted = true;
        line.remove_suffix(kDeleted.size());
    }
    mapping.path = root ? mappedPath(line, {mapping.deviceMajor, mapping.deviceMinor, mapping.inode}, *root)
                        : withNewlines(line);
    return mapping;
}

std::vector<MemoryMapping> parseMaps(std::string_view text, std::size_t most, const std::string *root)
{
    std::vector<MemoryMapping> mappings;
    while (!text.empty() && mappings.size() < most) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (auto mapping = parseMapping(text.substr(0, end), root))
            mappings.push_back(std::move(*mapping));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return mappings;
}

std::vector<MemoryMapping> readMaps(std::int32_t pid, const std::string &procRoot)
{
    constexpr std::size_t kMostBytes = 256u << 20; // a million mappings
    const std::string process = procRoot + '/' + std::to_string(pid), root = process + "/root";
    const auto text = readProcFile(process + "/maps", kMostBytes);
    return text ? parseMaps(*text, kMostMappings, &root) : std::vector<MemoryMapping>();
}

} // namespace capture

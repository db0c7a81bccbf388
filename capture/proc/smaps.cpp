// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/smaps.h"

#include "capture/proc/proc_reader.h"

namespace capture {

namespace {

void addField(MappingUse &use, std::string_view name, std::int64_t bytes)
{
    if (name == "Rss")
        use.residentBytes += bytes;
    else if (name == "Private_Hugetlb" || name == "Shared_Hugetlb")
        use.residentBytes += bytes; // Rss leaves them out
    else if (name == "Pss")
        use.proportionalBytes = bytes;
    else if (name == "Private_Clean" || name == "Private_Dirty")
        use.privateBytes += bytes;
    else if (name == "Anonymous")
        use.anonymousBytes = bytes;
    else if (name == "Swap")
        use.swappedBytes = bytes;
}

/// Field names begin with a capital; a mapping begins with the hexadecimal digits of its address, in small letters.
bool isField(std::string_view line) { return !line.empty() && line.front() >= 'A' && line.front() <= 'Z'; }

} // namespace

std::vector<MappingUse> parseSmaps(std::string_view text, std::size_t most)
{
    constexpr std::int64_t kMostKilobytes = std::int64_t{1} << 50;
    std::vector<MappingUse> uses;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const std::size_t colon = line.find(':');
        if (isField(line) && colon != std::string_view::npos && !uses.empty()) {
            const std::int64_t kilobytes = parseNumber(line.substr(colon + 1)).value_or(0);
            if (kilobytes >= 0 && kilobytes < kMostKilobytes)
                addField(uses.back(), line.substr(0, colon), kilobytes * 1024);
        } else if (auto mapping = parseMapping(line)) {
            if (uses.size() == most)
                break;
            uses.push_back({std::move(*mapping)});
        }
    }
    return uses;
}

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/scan_reading.h"

namespace model {

ScanLimits scanLimits(std::string_view text)
{
    constexpr std::string_view kBetween = ". ";
    ScanLimits parts;
    while (!text.empty()) {
        const std::size_t end = text.find(kBetween);
        const std::string_view sentence = text.substr(0, end);
        const bool isReading = sentence.starts_with(kReadFromCopy) || sentence.starts_with(kReadWhileStopped);
        std::string &part = isReading ? parts.reading : parts.limits;
        part += part.empty() ? "" : kBetween;
        part += sentence;
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + kBetween.size());
    }
    return parts;
}

} // namespace model

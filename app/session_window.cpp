// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/session_window.h"

#include "storage/session_reader.h"

#include <fmt/format.h>

namespace app {

model::Result<std::shared_ptr<const model::Snapshot>> readWindow(const std::string &file,
    const storage::SealKeyPointer &key, std::optional<model::Duration> from, std::optional<model::Duration> to)
{
    auto reader = storage::SessionReader::open(file, key);
    if (!reader)
        return reader.error();
    if (const auto polled = reader->poll(); !polled)
        return polled.error();
    auto snapshot = reader->snapshot({});
    if (!snapshot || (!from && !to))
        return snapshot;
    const model::TimeRange whole = (*snapshot)->span;
    model::Selection selection;
    selection.time
        = model::TimeRange{from ? model::Timestamp{from->ns} : whole.begin, to ? model::Timestamp{to->ns} : whole.end};
    if (!selection.time->intersects(whole))
        return model::Error(
            fmt::format("{}: Nothing was recorded at that time; the recording goes from {:.1f} s to {:.1f} s", file,
                whole.begin.seconds(), whole.end.seconds()));
    return reader->snapshot(selection);
}

} // namespace app

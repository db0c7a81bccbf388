// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/session_sink.h"

#include <sys/stat.h>

#include <utility>

namespace app {

namespace {

std::int64_t fileBytes(const std::string &path)
{
    struct stat status
    {
    };
    return ::stat(path.c_str(), &status) == 0 ? status.st_size : 0;
}

} // namespace

SessionSink::SessionSink(storage::SessionWriter writer)
    : m_writer(std::move(writer))
{
}

model::Result<void> SessionSink::write(const model::EventBatch &batch, model::TableBuilder &tables)
{
    return m_writer.write(batch, tables);
}

void SessionSink::expectEnd() { m_writer.expectEnd(); }

model::Result<void> SessionSink::updateInfo(const model::SessionInfo &info) { return m_writer.updateInfo(info); }

model::Result<void> SessionSink::finish(const model::SessionInfo &info) { return m_writer.finish(info); }

std::int64_t SessionSink::storedBytes() const
{
    return fileBytes(m_writer.path()) + fileBytes(m_writer.path() + "-wal");
}

} // namespace app

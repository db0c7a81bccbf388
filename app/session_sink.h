// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/recording/batch_sink.h"
#include "storage/session_writer.h"

namespace app {

/// Puts a recording's batches into a session file. Capture thread.
class SessionSink final : public capture::BatchSink
{
public:
    explicit SessionSink(storage::SessionWriter writer);

    model::Result<void> write(const model::EventBatch &batch, model::TableBuilder &tables) override;
    void expectEnd() override;
    model::Result<void> updateInfo(const model::SessionInfo &info) override;
    model::Result<void> finish(const model::SessionInfo &info) override;
    std::int64_t storedBytes() const override;

private:
    storage::SessionWriter m_writer;
};

} // namespace app

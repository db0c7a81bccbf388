// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"

#include <string>
#include <utility>

namespace storage {

/// A session file that is being made: mode 0600, removed with its side files unless it is kept.
class NewFile
{
public:
    /// Makes an empty file, which must not exist yet.
    static model::Result<NewFile> make(const std::string &path);

    NewFile(NewFile &&other) noexcept
        : m_path(std::exchange(other.m_path, {}))
    {
    }
    NewFile &operator=(NewFile &&) = delete;
    ~NewFile();

    /// It is whole: makes it durable, and leaves it where it is.
    model::Result<void> keep();

    /// Leaves it where it is as it is.
    void release() { m_path.clear(); }

private:
    explicit NewFile(std::string path)
        : m_path(std::move(path))
    {
    }

    std::string m_path;
};

} // namespace storage

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

    /// Makes an empty file in the folder of `path`, under a name that nobody else has.
    static model::Result<NewFile> makeNextTo(const std::string &path);

    NewFile(NewFile &&other) noexcept
        : m_path(std::exchange(other.m_path, {}))
    {
    }
    NewFile &operator=(NewFile &&) = delete;
    ~NewFile();

    const std::string &path() const { return m_path; }

    /// It is whole: makes it durable, and leaves it where it is.
    model::Result<void> keep();

    /// It is whole: makes it durable, and gives it the place of `path`, which is lost.
    model::Result<void> replace(const std::string &path);

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

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"

#include <optional>
#include <string>
#include <utility>

namespace storage {

/// A file that is being made, removed with its side files unless it is kept.
class NewFile
{
public:
    /// Who may read and write it: the user alone (mode 0600), or who may use what it will replace, and where that is nothing, any new file.
    enum class Rights { Private, AsReplaced };

    /// Makes an empty file of mode 0600, which must not exist yet.
    static model::Result<NewFile> make(const std::string &path);

    /// Makes an empty file of mode 0600 in the folder of `path`, under a name that nobody else has.
    static model::Result<NewFile> makeNextTo(const std::string &path);

    /// The same; where none can be made, errno says why.
    static std::optional<NewFile> tryNextTo(const std::string &path, Rights rights);

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

    /// It is whole: gives it the place of `path`, which is lost, durable or not. False where that fails; errno says why.
    [[nodiscard]] bool takePlaceOf(const std::string &path);

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

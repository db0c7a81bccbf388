// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/maps_path.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace capture {

namespace {

constexpr std::string_view kNewline = "\\012";

enum class Found { No, Other, Same };

Found find(std::string path, const FileNumbers &file)
{
    constexpr std::string_view kDeleted = " (deleted)";
    if (path.ends_with(kDeleted))
        path.resize(path.size() - kDeleted.size());
    struct stat status = {};
    if (::stat(path.c_str(), &status) != 0)
        return Found::No;
    const bool isSame = file.inode != 0 && status.st_ino == file.inode && major(status.st_dev) == file.major
        && minor(status.st_dev) == file.minor;
    return isSame ? Found::Same : Found::Other;
}

} // namespace

std::string withNewlines(std::string_view written)
{
    std::string path;
    path.reserve(written.size());
    while (true) {
        const std::size_t at = written.find(kNewline);
        path += written.substr(0, at);
        if (at == std::string_view::npos)
            return path;
        path += '\n';
        written.remove_prefix(at + kNewline.size());
    }
}

std::string mappedPath(std::string_view written, const FileNumbers &file, const std::string &root)
{
    std::string path = withNewlines(written);
    if (path.size() == written.size() || !written.starts_with('/'))
        return path;
    const std::string asWritten(written);
    for (const std::string &below : {root, std::string()}) {
        const Found broken = find(below + path, file), whole = find(below + asWritten, file);
        if (broken != whole)
            return broken > whole ? path : asWritten;
    }
    return path;
}

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/executable_search.h"

#include <sys/stat.h>
#include <unistd.h>

namespace capture {

std::vector<std::string> executableCandidates(std::string_view program, std::string_view searchPath)
{
    if (program.empty())
        return {};
    if (program.find('/') != std::string_view::npos)
        return {std::string(program)};
    std::vector<std::string> candidates;
    for (std::size_t begin = 0; begin <= searchPath.size();) {
        const std::size_t end = std::min(searchPath.find(':', begin), searchPath.size());
        const std::string_view directory = searchPath.substr(begin, end - begin);
        candidates.push_back(
            directory.empty() ? "./" + std::string(program) : std::string(directory) + '/' + std::string(program));
        begin = end + 1;
    }
    return candidates;
}

std::string findExecutable(std::string_view program, std::string_view searchPath, std::string_view workingDirectory)
{
    for (const std::string &candidate : executableCandidates(program, searchPath)) {
        const bool isRelative = candidate.front() != '/';
        std::string file
            = isRelative && !workingDirectory.empty() ? std::string(workingDirectory) + '/' + candidate : candidate;
        struct stat status = {};
        if (::stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(file.c_str(), X_OK) == 0)
            return file;
    }
    return {};
}

} // namespace capture

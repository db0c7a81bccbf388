// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/symbols/mapped_file.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace capture {

namespace {

constexpr std::string_view kDeleted = " (deleted)";
constexpr std::size_t kPage = 4096;

struct MapsLine
{
    unsigned long begin = 0, end = 0;
    FileNumbers file;
    std::string_view path; ///< of the line that was parsed
};

bool parse(const std::string &line, MapsLine &parsed)
{
    unsigned long inode = 0;
    int pathAt = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx %*s %*x %x:%x %lu %n", &parsed.begin, &parsed.end, &parsed.file.major,
            &parsed.file.minor, &inode, &pathAt)
        != 5)
        return false;
    parsed.file.inode = inode;
    parsed.path = std::string_view(line).substr(static_cast<std::size_t>(pathAt));
    return true;
}

/// What the kernel says of a mapping of the open file.
FileNumbers numbersWhenMapped(int fd)
{
    void *place = ::mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, fd, 0);
    if (place == MAP_FAILED)
        return {};
    const auto address = reinterpret_cast<unsigned long>(place);
    FileNumbers numbers;
    std::ifstream maps("/proc/self/maps");
    MapsLine parsed;
    for (std::string line; std::getline(maps, line);) {
        if (parse(line, parsed) && address >= parsed.begin && address < parsed.end) {
            numbers = parsed.file;
            break;
        }
    }
    ::munmap(place, kPage);
    return numbers;
}

bool isSame(const FileNumbers &a, const FileNumbers &b)
{
    return a.major == b.major && a.minor == b.minor && a.inode == b.inode;
}

} // namespace

bool isMarkedDeleted(std::string_view path) { return path.ends_with(kDeleted); }

std::string withoutDeletedMark(std::string path)
{
    if (isMarkedDeleted(path))
        path.resize(path.size() - kDeleted.size());
    return path;
}

std::string withDeletedMark(std::string path) { return path.append(kDeleted); }

bool isMappedFile(int fd, const FileNumbers &mapped)
{
    struct stat status = {};
    if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    const FileNumbers numbers{major(status.st_dev), minor(status.st_dev), status.st_ino};
    return mapped.inode == 0 || isSame(numbers, mapped) || isSame(numbersWhenMapped(fd), mapped);
}

std::vector<std::string> mappedCopies(std::int32_t pid, const std::string &path)
{
    const std::string process = "/proc/" + std::to_string(pid);
    std::vector<std::string> copies;
    std::error_code error;
    if (withoutDeletedMark(std::filesystem::read_symlink(process + "/exe", error).string()) == path)
        copies.push_back(process + "/exe");
    std::ifstream maps(process + "/maps");
    MapsLine parsed;
    FileNumbers last;
    for (std::string line; std::getline(maps, line);) {
        if (!parse(line, parsed) || isSame(parsed.file, last)
            || withoutDeletedMark(mappedPath(parsed.path, parsed.file, process + "/root")) != path)
            continue; // all mappings of a file lead to the same one
        last = parsed.file;
        char range[64];
        std::snprintf(range, sizeof range, "/map_files/%lx-%lx", parsed.begin, parsed.end);
        copies.push_back(process + range);
    }
    return copies;
}

} // namespace capture

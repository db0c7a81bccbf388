// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/symbols/elf_file.h"

#include "capture/symbols/build_id.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string_view>
#include <vector>

namespace capture {

namespace {

/// Larger files are mapped, smaller ones read: a mapped file that is cut off by its owner would kill the recorder (SIGBUS).
constexpr off_t kMostReadBytes = 64 << 20;

/// The checksum that a debug link carries (CRC-32 as in zlib).
std::uint32_t checksumOf(int fd)
{
    constexpr std::uint32_t polynomial = 0xedb88320u;
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit)
            value = (value >> 1) ^ ((value & 1) != 0 ? polynomial : 0);
        table[i] = value;
    }
    std::uint32_t sum = 0xffffffffu;
    std::vector<unsigned char> buffer(1 << 16);
    off_t offset = 0;
    for (ssize_t got = 0; (got = ::pread(fd, buffer.data(), buffer.size(), offset)) > 0; offset += got) {
        for (ssize_t i = 0; i < got; ++i)
            sum = table[(sum ^ buffer[static_cast<std::size_t>(i)]) & 0xff] ^ (sum >> 8);
    }
    return ~sum;
}

/// Where a file named by a debug link may lie, in the order GDB looks. Distributions disagree on whether /usr is part of
/// the path below the debug root.
std::vector<std::string> linkCandidates(const std::string &path, const std::string &link, const std::string &debugRoot)
{
    const std::string directory = path.substr(0, path.rfind('/'));
    std::vector<std::string> candidates{
        directory + '/' + link, directory + "/.debug/" + link, debugRoot + directory + '/' + link};
    constexpr std::string_view usr = "/usr";
    if (directory.starts_with("/usr/"))
        candidates.push_back(debugRoot + directory.substr(usr.size()) + '/' + link);
    else
        candidates.push_back(debugRoot + "/usr" + directory + '/' + link);
    return candidates;
}

} // namespace

std::optional<ElfFile> ElfFile::open(const std::string &path)
{
    elf_version(EV_CURRENT);
    ElfFile file;
    file.path = path;
    file.fd.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status = {};
    if (!file.fd.isOpen() || ::fstat(file.fd.get(), &status) != 0 || !S_ISREG(status.st_mode))
        return std::nullopt;
    const Elf_Cmd command = status.st_size > kMostReadBytes ? ELF_C_READ_MMAP : ELF_C_READ;
    file.elf.reset(elf_begin(file.fd.get(), command, nullptr));
    if (!file.elf || elf_kind(file.elf.get()) != ELF_K_ELF)
        return std::nullopt;
    return file;
}

std::string buildIdOf(Elf *elf)
{
    const void *bytes = nullptr;
    const ssize_t length = dwelf_elf_gnu_build_id(elf, &bytes);
    return length > 0 ? hexOf({static_cast<const std::uint8_t *>(bytes), static_cast<std::size_t>(length)})
                      : std::string();
}

std::string buildIdOfFile(const std::string &path)
{
    const auto file = ElfFile::open(path);
    return file ? buildIdOf(file->elf.get()) : std::string();
}

std::optional<ElfFile> debugFileOfBuildId(const std::string &buildId, const std::string &debugRoot)
{
    constexpr std::size_t kLeastDigits = 4;
    if (buildId.size() < kLeastDigits)
        return std::nullopt;
    auto file = ElfFile::open(debugRoot + "/.build-id/" + buildId.substr(0, 2) + '/' + buildId.substr(2) + ".debug");
    if (!file || buildIdOf(file->elf.get()) != buildId)
        return std::nullopt;
    return file;
}

std::optional<ElfFile> findDebugFile(
    Elf *file, const std::string &path, const std::string &buildId, const std::string &debugRoot)
{
    if (auto found = debugFileOfBuildId(buildId, debugRoot))
        return found;
    GElf_Word wanted = 0;
    const char *link = dwelf_elf_gnu_debuglink(file, &wanted);
    if (!link || *link == '\0' || std::string_view(link).find('/') != std::string_view::npos)
        return std::nullopt;
    for (const std::string &candidate : linkCandidates(path, link, debugRoot)) {
        auto found = candidate == path ? std::nullopt : ElfFile::open(candidate);
        if (!found)
            continue;
        const std::string foundId = buildIdOf(found->elf.get());
        const bool isRight
            = foundId.empty() || buildId.empty() ? checksumOf(found->fd.get()) == wanted : foundId == buildId;
        if (isRight)
            return found;
    }
    return std::nullopt;
}

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/soak_resume.h"

#include "storage/session_reader.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>

namespace app {

namespace {

namespace fs = std::filesystem;

constexpr const char *kEnding = ".gprof-session";
constexpr int kMostParts = 10'000;

bool exists(const std::string &path)
{
    std::error_code ignored;
    return fs::exists(path, ignored);
}

std::string partPath(const std::string &path, int part)
{
    const bool hasEnding = path.ends_with(kEnding);
    const std::string stem = hasEnding ? path.substr(0, path.size() - std::char_traits<char>::length(kEnding)) : path;
    return fmt::format("{}.part{}{}", stem, part, hasEnding ? kEnding : "");
}

/// The number of the next part; the ones before are there.
int nextPart(const std::string &path)
{
    int part = 1;
    while (part < kMostParts && exists(partPath(path, part)))
        ++part;
    return part;
}

model::Result<std::optional<BrokenSoak>> readOne(const std::string &path, const PassphraseSource &passphrase)
{
    const auto key = keyOf(path, passphrase);
    if (!key)
        return key.error();
    auto reader = storage::SessionReader::open(path, *key);
    if (!reader)
        return reader.error();
    const auto snapshot = reader->snapshot({});
    if (!snapshot)
        return snapshot.error();
    const model::SessionState state = (*snapshot)->info.state;
    if (state != model::SessionState::Complete && state != model::SessionState::Unfinished)
        return model::Error(path + " is being recorded right now; a test goes on once that has ended");
    if (!(*snapshot)->soak || !(*snapshot)->soak->plan || (*snapshot)->soak->legs.empty())
        return std::optional<BrokenSoak>();
    return std::optional(BrokenSoak{path, *(*snapshot)->soak, (*snapshot)->info, *key != nullptr});
}

} // namespace

model::Result<BrokenSoak> readBrokenSoak(const std::string &path, const PassphraseSource &passphrase)
{
    const int parts = nextPart(path) - 1;
    if (exists(path)) {
        auto read = readOne(path, passphrase);
        if (!read)
            return read.error();
        if (*read)
            return std::move(**read);
    }
    for (int part = parts; part > 0; --part) {
        auto read = readOne(partPath(path, part), passphrase);
        if (!read)
            return read.error();
        if (*read)
            return std::move(**read);
    }
    if (!exists(path))
        return model::systemError("Cannot open " + path, ENOENT, "name the session of a test that was broken off");
    return model::Error(path + " holds no stability test; only sessions of genprof soak can be resumed");
}

model::Result<void> moveAside(const std::string &path, BrokenSoak &soak)
{
    const std::string aside = partPath(path, nextPart(path));
    const std::string log = path + "-wal";
    if (exists(path)) {
        // The log gets its second name before the file moves: at no moment one is without the other.
        if (exists(log) && ::link(log.c_str(), (aside + "-wal").c_str()) != 0 && errno != EEXIST
            && std::rename(log.c_str(), (aside + "-wal").c_str()) != 0)
            return model::systemError(
                "Cannot move " + log, errno, "is there room, and the right to write in the folder?");
        if (std::rename(path.c_str(), aside.c_str()) != 0)
            return model::systemError(
                "Cannot move " + path, errno, "is there room, and the right to write in the folder?");
        if (soak.file == path)
            soak.file = aside;
    }
    std::error_code ignored;
    for (const char *ending : {"-wal", "-shm"})
        fs::remove(path + ending, ignored);
    for (model::SoakLeg &leg : soak.record.legs)
        if (leg.file.empty())
            leg.file = fs::path(soak.file).filename().string();
    return {};
}

} // namespace app

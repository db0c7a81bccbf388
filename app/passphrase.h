// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "storage/seal/seal_key.h"

#include <array>
#include <optional>
#include <string>

namespace app {

/// Where a passphrase comes from; never the command line, which everybody can read. Neither set: the terminal is asked, without echo.
struct PassphraseSource
{
    std::optional<int> fd; ///< its first line; read once and closed
    std::string keyring;   ///< description of a key of type "user" in the kernel's keyrings (keyctl(1))
};

/// Whether one is given without asking.
bool isGiven(const PassphraseSource &source);

/// Reads a passphrase; `prompt` is what a terminal shows. Fails with a sentence that says how to give one. Signals that end the program do so while
/// it asks, once the terminal shows again what is typed; so ask before they are watched for. From then on this process leaves no core dump.
model::Result<storage::SecretText> readPassphrase(const PassphraseSource &source, const std::string &prompt);

/// A key for new sealed files; a terminal is asked twice. From then on this process leaves no core dump.
model::Result<storage::SealKeyPointer> newSealKey(const PassphraseSource &source);

/// The key of the session at `path`: none where it is not sealed; a terminal may try three times. From then on this process leaves no
/// core dump.
model::Result<storage::SealKeyPointer> keyOf(const std::string &path, const PassphraseSource &source);

/// The keys of two sessions, in their order. A passphrase that is given is read once, for both; a terminal is asked once for each file.
model::Result<std::array<storage::SealKeyPointer, 2>> keysOf(
    const std::array<std::string, 2> &paths, const PassphraseSource &source);

} // namespace app

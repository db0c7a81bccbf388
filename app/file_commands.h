// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"

#include <memory>
#include <optional>

namespace CLI {
class App;
}

namespace app {

/// Declares --passphrase-fd and --passphrase-keyring, which write to `source`.
void addPassphraseOptions(CLI::App &command, PassphraseSource &source);

/// Declares how an HTTP API is protected, for `serve` and for recordings: --token-file, --open-metrics, --tls-cert, --tls-key.
void addServeOptions(CLI::App &command, ServeOptions &options);

/// The part of genprof's command line that is about session files: it declares these commands, and turns what was typed into a Command. Lives
/// as long as the parser that it was added to.
class FileCommands
{
public:
    explicit FileCommands(CLI::App &app);
    FileCommands(const FileCommands &) = delete;
    FileCommands &operator=(const FileCommands &) = delete;
    ~FileCommands();

    /// What was asked for, or what is wrong with it; nothing when it was none of these commands.
    std::optional<Command> parsed() const;

private:
    struct Typed;
    std::unique_ptr<Typed> m_typed;
};

} // namespace app

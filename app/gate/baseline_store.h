// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/check_options.h"
#include "app/gate/gate_run.h"
#include "model/gate/baseline.h"

#include <string>
#include <vector>

namespace app {

/// The baselines of a folder: NAME.baseline, what counts now, and NAME.history, a line for each that ever counted.
class BaselineStore
{
public:
    /// `name` is a plain name, or the path of a file that ends in .baseline, which then says the folder too. Fails for other names.
    static model::Result<BaselineStore> open(const std::string &folder, const std::string &name);

    const std::string &name() const { return m_name; }
    std::string file() const { return m_folder + '/' + m_name + ".baseline"; }

    model::Result<model::Baseline> load() const;
    /// Replaces the baseline, and adds it to the history.
    model::Result<void> save(const model::Baseline &baseline) const;
    /// No entries where there is none yet.
    model::Result<model::History> history() const;
    model::Result<void> remove() const;

    /// The names of a folder's baselines, sorted; none where it does not exist.
    static std::vector<std::string> list(const std::string &folder);

private:
    std::string historyFile() const { return m_folder + '/' + m_name + ".history"; }
    std::string m_folder;
    std::string m_name;
};

/// What a measured version is as a baseline, with its origin from the options, CI's variables, or git.
model::Baseline baselineOf(
    const VersionRuns &version, const BaselineOptions &options, const std::vector<std::string> &command);

/// This machine's class: what times and counts may depend on. "x86_64, glibc 2.36, 2 × Intel(R) Xeon(R)".
std::string machineClass();

} // namespace app

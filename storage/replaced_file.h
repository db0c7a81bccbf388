// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"

#include <functional>
#include <string>

namespace storage {

/// Changes a file that nobody writes in one step: a copy next to it is changed and takes its place, so that whoever is killed meanwhile, or loses
/// power, leaves the old file or the new one, whole. Of several at once each sees what those before it did. A symbolic link stays one; mode
/// stays, owner and group where the user may give the file to them. Needs room for the copy. `change` gets the copy's path. Not for a file that this
/// process has open through SQLite, whose locks on it would go.
model::Result<void> replaceFile(
    const std::string &path, const std::function<model::Result<void>(const std::string &)> &change);

} // namespace storage

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"

#include <string>
#include <string_view>

namespace app {

/// The secret that a client of the HTTP API has to know: "Authorization: Bearer TOKEN".
class ApiToken
{
public:
    /// The first line of `file`, which must be at least 16 characters, and a regular file of this user or root that its owner alone can read.
    /// Where there is no such file, one with 32 random bytes is made. Never waits. Fails with a sentence.
    static model::Result<ApiToken> load(const std::string &file);
    /// "api-token" in the configuration folder (XDG_CONFIG_HOME/genesis-profiler). Fails where there is no home.
    static model::Result<std::string> defaultFile();

    /// Whether the value of an Authorization header holds the token; takes as long for any guess of the same length.
    bool isIn(std::string_view authorization) const;

private:
    explicit ApiToken(std::string text)
        : m_text(std::move(text))
    {
    }

    std::string m_text;
};

} // namespace app

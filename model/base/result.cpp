// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/base/result.h"

#include <system_error>

namespace model {

std::string errnoText(int errnoValue) { return std::generic_category().message(errnoValue); }

Error systemError(std::string_view what, int errnoValue, std::string_view hint)
{
    std::string text = std::string(what) + ": " + errnoText(errnoValue);
    if (!hint.empty())
        text += "; " + std::string(hint);
    return Error(std::move(text));
}

} // namespace model

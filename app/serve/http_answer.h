// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/serve/session_service.h"

#include <httplib.h>

#include <memory>

namespace app {

/// What becomes of the connection when the answer is written.
enum class AfterAnswer { Keep, End };

/// Makes `reply` the answer to `request`. `held` lives until its last byte is written or the connection is given up: the library tells that only of
/// bodies that it asks for in pieces, and it compresses none of these, so that is done here where the client wants it.
void setAnswer(const httplib::Request &request, httplib::Response &response, ServiceReply reply,
    std::shared_ptr<const void> held, AfterAnswer after = AfterAnswer::Keep);

} // namespace app

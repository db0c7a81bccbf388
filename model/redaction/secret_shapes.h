// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace model {

/// `text` with what stands between "//" and "@" of its URLs masked: the password, or all of it where there is no colon and it looks like a
/// key (16 characters or more).
std::string maskUrlPasswords(std::string_view text);

/// `text` with keys masked that are known by their shape: AWS, GitHub, GitLab, Slack, Google, Stripe, npm, OpenAI, Hugging Face, SendGrid,
/// JSON web tokens, and private keys in PEM.
std::string maskKnownShapes(std::string_view text);

/// The text in single quotes, as a shell reads it back.
std::string quotedForShell(std::string_view text);

} // namespace model

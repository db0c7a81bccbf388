// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace capture {

/// While it exists the calling thread has its turn before others of a busy machine, as far as it may ask for that: a thread of a target whose
/// ring is full stands still until somebody reads it. To be destroyed by the thread that made it.
class Precedence
{
public:
    Precedence();
    ~Precedence();
    Precedence(const Precedence &) = delete;
    Precedence &operator=(const Precedence &) = delete;

private:
    int m_before = 0; ///< its niceness
    bool m_isGranted = false;
};

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/precedence.h"

#include <sys/resource.h>
#include <unistd.h>

#include <initializer_list>

namespace capture {

Precedence::Precedence()
{
    const auto self = static_cast<id_t>(::gettid());
    m_before = ::getpriority(PRIO_PROCESS, self);
    for (const int nicer : {10, 5, 1}) { // RLIMIT_NICE may grant a part
        m_isGranted = ::setpriority(PRIO_PROCESS, self, m_before - nicer) == 0;
        if (m_isGranted)
            return;
    }
}

Precedence::~Precedence()
{
    if (m_isGranted)
        ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), m_before);
}

} // namespace capture

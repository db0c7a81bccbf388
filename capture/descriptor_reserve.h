// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"

#include <fcntl.h>

#include <cerrno>
#include <cstddef>
#include <vector>

namespace capture {

/// Keeps a few descriptors for the moment in which there are no others: without one, a listener can neither take a connection nor turn it
/// away, and stays readable for ever. One thread's; another one may snatch what was let go.
class DescriptorReserve
{
public:
    explicit DescriptorReserve(std::size_t count)
        : m_held(count)
    {
        regain();
    }

    /// Whether a call that failed with this errno value wanted a descriptor.
    static bool wasShort(int error) { return error == EMFILE || error == ENFILE; }

    /// Closes them all, so that as many can be opened.
    void release()
    {
        for (FileDescriptor &held : m_held)
            held.reset();
    }

    /// Opens those anew that are not held. False if not all could be had; to be tried again later.
    bool regain()
    {
        bool isWhole = true;
        for (FileDescriptor &held : m_held) {
            if (!held.isOpen())
                held.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
            isWhole = isWhole && held.isOpen();
        }
        return isWhole;
    }

private:
    std::vector<FileDescriptor> m_held;
};

} // namespace capture

// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace capture::tracer {

/// The two environment variables by which the recorder reaches what its target executes: where it is met, and what the loader is to preload.
/// Both are changed in place, as the process got them and as it would hand them on, so nothing is allocated and no variable comes or goes.
class OwnVariables
{
public:
    /// The value of wire::kRendezvousVariable as this image was started with; what the program did to `environ` since is
    /// of no interest, and `environ` may not be set yet. Null if it is not there.
    static const char *rendezvous();

    /// What the image that executed this one wrote by setRestrictions(); 0 if nothing.
    static std::uint32_t restrictions();
    /// Notes in the rendezvous variable what new images must not ask of the kernel: bits of Ask.
    static void setRestrictions(std::uint32_t forbidden);

    /// Takes this library out of LD_PRELOAD: the loader of a new image would not find it, and says so on stderr.
    static void stopPreloading();
};

} // namespace capture::tracer

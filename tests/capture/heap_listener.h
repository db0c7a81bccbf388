// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/heap/image_channel.h"
#include "capture/heap/rendezvous_server.h"

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

/// The receiving side of heap tracing without processes and sessions: runs programs under the tracer and keeps what each of
/// their images did.
class HeapListener
{
public:
    /// What an image did, as far as its stacks allow to tell apart.
    struct ImageResult
    {
        std::int32_t pid = 0;
        capture::wire::Origin origin = capture::wire::Origin::Exec;
        std::string executable;
        model::HeapCounts program; ///< by stacks whose leaf is the program's own code
        model::HeapCounts total;
        model::HeapLevel live;
        model::HeapLevel peak;
        model::HeapLevel peakOfRows; ///< the sum of the peak's parts
        capture::PairingLosses pairing;
        capture::TargetLosses losses;
        std::uint64_t badRecords = 0;
        std::map<std::uint32_t, std::int64_t> ends;  ///< allocations by how their stack ended
        std::map<std::string, std::int64_t> modules; ///< allocations by the file name of the module that called
        std::map<std::string, std::set<std::string>> buildIds; ///< of those modules, as the tracer tells them
        std::vector<std::string> threadNames;
        std::string failure;
    };
    struct Run
    {
        int status = -1; ///< as waitpid gives it
        std::string output;
        std::vector<ImageResult> images; ///< in the order of their arrival
    };

    /// `samplePeriodBytes` 0: every event.
    explicit HeapListener(std::uint64_t samplePeriodBytes = 0);
    ~HeapListener();

    /// What happens once the program has written a line.
    enum class AfterLine : std::uint8_t {
        Nothing,
        Kill,   ///< SIGKILL to the program
        Freeze, ///< the listener reads no more rings, as if it were stopped
    };

    /// Runs a program to its end. `addressSpaceBytes`: its RLIMIT_AS, 0: none.
    Run run(const std::vector<std::string> &command, AfterLine afterLine = AfterLine::Nothing,
        std::uint64_t addressSpaceBytes = 0);

    /// The listener's address, for a tracer that is not started by run().
    std::string address() const { return m_server->address(); }
    /// What the images did whose programs are still running or have ended since the last call.
    std::vector<ImageResult> takeImages();

private:
    struct Image;
    void drainUntil(const std::stop_token &stop);
    ImageResult resultOf(Image &image);

    std::mutex m_mutex; ///< guards the images and m_isFrozen
    capture::RecorderClock m_clock{0};
    std::vector<std::unique_ptr<Image>> m_images;
    bool m_isFrozen = false;
    std::unique_ptr<capture::RendezvousServer> m_server;
    std::jthread m_thread;
};

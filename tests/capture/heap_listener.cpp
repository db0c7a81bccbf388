// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/capture/heap_listener.h"

#include "capture/symbols/build_id.h"

#include <QtGlobal>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>

using namespace capture;

struct HeapListener::Image
{
    explicit Image(Arrival from)
        : channel(std::move(from.memory), from.pid, from.sharesPids)
        , arrival(std::move(from))
    {
    }
    ImageChannel channel;
    Arrival arrival;
    std::string failure;
    bool hasEnded = false;
};

HeapListener::HeapListener(std::uint64_t samplePeriodBytes)
{
    auto server = RendezvousServer::start(m_clock.kind(), samplePeriodBytes,
        {[this](Arrival arrival) {
             if (!arrival.memory)
                 qFatal("%s", arrival.failure.c_str());
             const std::lock_guard lock(m_mutex);
             for (const auto &image : m_images)
                 if (image->arrival.pid == arrival.pid && !image->hasEnded) {
                     image->channel.drain(m_clock, true);
                     image->hasEnded = true;
                 }
             m_images.push_back(std::make_unique<Image>(std::move(arrival)));
         },
            [this](std::uint64_t arrival, const std::string &reason) {
                const std::lock_guard lock(m_mutex);
                for (const auto &image : m_images)
                    if (image->arrival.number == arrival)
                        image->failure = reason;
            }});
    if (!server)
        qFatal("%s", server.error().text().c_str());
    m_server = std::move(*server);
    m_thread = std::jthread([this](const std::stop_token &stop) { drainUntil(stop); });
}

HeapListener::~HeapListener() { m_server.reset(); }

void HeapListener::drainUntil(const std::stop_token &stop)
{
    for (unsigned round = 0; !stop.stop_requested(); ++round) {
        {
            const std::lock_guard lock(m_mutex);
            m_clock.sync();
            for (const auto &image : m_images) {
                if (image->hasEnded || m_isFrozen)
                    continue;
                image->channel.drain(m_clock, false);
                image->channel.provide(round % 64 == 0, m_clock);
            }
        }
        ::usleep(300);
    }
}

HeapListener::Run HeapListener::run(
    const std::vector<std::string> &command, AfterLine afterLine, std::uint64_t addressSpaceBytes)
{
    int output[2];
    if (::pipe(output) != 0)
        return {};
    const std::string preload
        = std::string("LD_PRELOAD=") + std::getenv("GENESIS_BUILD_DIR") + "/" + GENESIS_TRACER_PATH;
    const std::string address = std::string(wire::kRendezvousVariable) + "=" + m_server->address();
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(output[1], 1);
        ::close(output[0]);
        ::close(output[1]);
        for (const std::string &variable : {preload, address})
            ::putenv(::strdup(variable.c_str()));
        const rlimit limit{addressSpaceBytes, addressSpaceBytes};
        if (addressSpaceBytes != 0)
            ::setrlimit(RLIMIT_AS, &limit);
        std::vector<char *> arguments;
        for (const std::string &argument : command)
            arguments.push_back(const_cast<char *>(argument.c_str()));
        arguments.push_back(nullptr);
        ::execvp(arguments[0], arguments.data());
        ::_exit(127);
    }
    ::close(output[1]);
    Run run;
    char buffer[4096];
    for (ssize_t count; (count = ::read(output[0], buffer, sizeof buffer)) > 0;) {
        run.output.append(buffer, static_cast<std::size_t>(count));
        if (run.output.find('\n') == std::string::npos)
            continue;
        const std::lock_guard lock(m_mutex);
        m_isFrozen = afterLine == AfterLine::Freeze;
        if (afterLine == AfterLine::Kill)
            ::kill(child, SIGKILL);
    }
    ::close(output[0]);
    ::waitpid(child, &run.status, 0);
    m_server->waitUntilIdle();
    const std::lock_guard lock(m_mutex);
    m_clock.sync();
    for (const auto &image : m_images)
        run.images.push_back(resultOf(*image));
    m_images.clear();
    return run;
}

std::vector<HeapListener::ImageResult> HeapListener::takeImages()
{
    m_server->waitUntilIdle();
    const std::lock_guard lock(m_mutex);
    m_clock.sync();
    std::vector<ImageResult> results;
    for (const auto &image : m_images)
        results.push_back(resultOf(*image));
    m_images.clear();
    return results;
}

HeapListener::ImageResult HeapListener::resultOf(Image &image)
{
    if (!image.hasEnded)
        image.channel.drain(m_clock, true);
    ImageResult result;
    result.pid = image.arrival.pid;
    result.origin = image.arrival.origin;
    result.executable = image.arrival.executable;
    result.failure = image.failure;
    const wire::MemoryView view = image.channel.memory().view();
    const model::HeapTickCounts tick = image.channel.pairing().ledger().takeTick();
    for (const auto &[node, counts, sampling] : tick.rows) {
        result.total += counts;
        std::uint32_t root = node;
        while (root >= wire::kRootNodes)
            root = view.node(root).parent;
        result.ends[root] += counts.allocations;
        const std::uint32_t module = node >= wire::kRootNodes ? view.node(node).module : wire::kNoModule;
        if (module == wire::kNoModule)
            continue;
        const wire::ModuleRecord &record = view.module(module);
        const std::string path(view.paths() + record.pathOffset, record.pathBytes);
        const std::string name = path.substr(path.rfind('/') + 1);
        result.modules[name] += counts.allocations;
        std::uint8_t id[wire::kMostBuildIdBytes];
        const std::uint32_t idBytes = wire::copyBuildId(record, id);
        result.buildIds[name].insert(hexOf({id, idBytes}));
        if (path.empty())
            result.program += counts;
    }
    for (const auto &[node, level] : tick.peakRows) {
        result.peakOfRows.bytes += level.bytes;
        result.peakOfRows.blocks += level.blocks;
    }
    result.live = tick.live;
    result.peak = tick.peak;
    result.pairing = image.channel.pairing().takeLosses();
    result.losses = image.channel.losses();
    result.badRecords = image.channel.takeBadRecords();
    for (const RingThread &thread : image.channel.takeNewThreads())
        result.threadNames.push_back(thread.name);
    return result;
}

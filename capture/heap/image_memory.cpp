// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/image_memory.h"

#include "model/base/format_units.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <climits>
#include <cstring>
#include <new>

namespace capture {

namespace {

constexpr std::uint32_t kFirstSlots = 4;
constexpr std::uint32_t kFirstNodes = 8192; ///< 128 KiB
constexpr std::uint32_t kWaitLimitMs = 10000;

/// Buckets of the set of sampled blocks: for 32,768 blocks at 256 KiB and more (8 GiB live), up to 524,288 at the shortest periods, and so
/// that half of it is enough for what is expected.
std::uint64_t bucketsFor(std::uint64_t samplePeriodBytes, std::uint64_t expected)
{
    constexpr std::uint64_t kKiB = 1024;
    const std::uint64_t least = samplePeriodBytes >= 256 * kKiB ? 1U << 12
        : samplePeriodBytes >= 32 * kKiB                        ? 1U << 14
                                                                : wire::kMostSampledBuckets;
    return std::clamp(std::bit_ceil(2 * expected / wire::SampledBlocks::kBucketSize), least, wire::kMostSampledBuckets);
}

std::uint64_t pageAligned(std::uint64_t bytes) { return (bytes + 4095) & ~std::uint64_t{4095}; }

/// Raises the limit of the size of files (RLIMIT_FSIZE), as far as that is allowed, while it lives: memory is no file that somebody meant to
/// limit. Of the whole process.
class FileSizeAllowance
{
public:
    explicit FileSizeAllowance(rlim_t bytes)
    {
        if (::getrlimit(RLIMIT_FSIZE, &m_before) != 0 || m_before.rlim_cur >= bytes)
            return;
        const rlimit wanted{bytes, std::max(m_before.rlim_max, bytes)};
        m_isRaised = ::setrlimit(RLIMIT_FSIZE, &wanted) == 0;
        m_isEnough = m_isRaised;
    }
    ~FileSizeAllowance()
    {
        if (m_isRaised)
            ::setrlimit(RLIMIT_FSIZE, &m_before);
    }
    FileSizeAllowance(const FileSizeAllowance &) = delete;
    FileSizeAllowance &operator=(const FileSizeAllowance &) = delete;

    bool isEnough() const { return m_isEnough; }
    double limitBytes() const { return static_cast<double>(m_before.rlim_cur); }

private:
    rlimit m_before{RLIM_INFINITY, RLIM_INFINITY};
    bool m_isRaised = false;
    bool m_isEnough = true;
};

} // namespace

model::Result<std::unique_ptr<ImageMemory>> ImageMemory::create(
    wire::Clock clock, std::uint32_t recorderPid, std::uint64_t samplePeriodBytes)
{
    const int descriptor = ::memfd_create(wire::kMemoryName, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor < 0)
        return model::systemError("the recorder could make no shared memory for heap tracing", errno,
            errno == EMFILE
                ? "it may open no more files, and each traced process takes two: raise the recorder's limit (ulimit -n)"
                : "");
    const FileSizeAllowance allowance(wire::kMemoryBytes);
    if (!allowance.isEnough()) {
        ::close(descriptor);
        return model::Error(fmt::format("the recorder may make no file, and no shared memory either, of more than {}, "
                                        "and heap tracing takes {} of it: "
                                        "raise its limit (ulimit -f {}), or lift it",
            model::formatBytes(allowance.limitBytes()), model::formatBytes(wire::kMemoryBytes),
            wire::kMemoryBytes / 1024 + 1));
    }
    if (::ftruncate(descriptor, static_cast<off_t>(wire::kMemoryBytes)) != 0
        || ::fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        const int error = errno;
        ::close(descriptor);
        return model::systemError("cannot size the shared memory for heap tracing", error);
    }
    void *base = ::mmap(nullptr, wire::kMemoryBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, descriptor, 0);
    if (base == MAP_FAILED) {
        const int error = errno;
        ::close(descriptor);
        return model::systemError("cannot map the shared memory for heap tracing", error,
            fmt::format("the recorder needs {} MiB of address space for each traced process (not that much memory): "
                        "see ulimit -v",
                (wire::kMemoryBytes >> 20) + 1));
    }
    std::unique_ptr<ImageMemory> memory(new ImageMemory(descriptor, static_cast<unsigned char *>(base)));
    // The header and the module table; slots, nodes and rings as they are needed.
    if (!memory->commit(0, wire::kSlotsOffset)
        || !memory->commit(wire::kModulesOffset, wire::kNodesOffset - wire::kModulesOffset))
        return model::systemError("cannot allocate the shared memory for heap tracing", errno);
    auto &header = *new (base) wire::Header{};
    header.magic = wire::kMagic;
    header.version = wire::kVersion;
    header.recorderPid = recorderPid;
    header.clock = clock;
    header.waitLimitMs = kWaitLimitMs;
    header.heartbeat = 1;
    header.usedNodes = wire::kRootNodes;
    header.mallocModule = wire::kNoModule;
    memory->commitNodes();
    const bool hasSet = samplePeriodBytes == 0 || memory->provideSampledBlocks(samplePeriodBytes, 0);
    memory->giveOrder(samplePeriodBytes, samplePeriodBytes == 0);
    if (!hasSet || memory->m_committedNodes == 0 || !memory->addSlots(kFirstSlots))
        return model::systemError("cannot allocate the rings for heap tracing", errno);
    return memory;
}

ImageMemory::ImageMemory(int descriptor, unsigned char *base)
    : m_descriptor(descriptor)
    , m_view{base}
{
}

ImageMemory::~ImageMemory()
{
    ::munmap(m_view.base, wire::kMemoryBytes);
    // Who still maps it, a target that goes on or a child that it forked, need not keep the memory: nobody reads it any more.
    ::fallocate(m_descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(wire::kNodesOffset),
        static_cast<off_t>(wire::kMemoryBytes - wire::kNodesOffset));
    ::close(m_descriptor);
}

bool ImageMemory::commit(std::uint64_t offset, std::uint64_t bytes)
{
    return ::fallocate(m_descriptor, 0, static_cast<off_t>(offset), static_cast<off_t>(bytes)) == 0;
}

bool ImageMemory::addSlots(std::uint32_t count)
{
    for (; count > 0; --count) {
        if (m_slots >= wire::kMaxThreads)
            return false;
        constexpr std::uint32_t kSlotsPerPage = 4096 / sizeof(wire::ThreadSlot);
        if (m_slots % kSlotsPerPage == 0 && !commit(wire::kSlotsOffset + m_slots * sizeof(wire::ThreadSlot), 4096))
            return false;
        const std::uint64_t ring = takeRing(wire::kFirstRingRecords);
        if (ring == 0)
            return false;
        wire::ThreadSlot &slot = m_view.slot(m_slots);
        slot.ringOffset = ring;
        slot.ringRecords = wire::kFirstRingRecords;
        slot.ringBase = 0;
        slot.state.store(wire::SlotState::Free, std::memory_order_release);
        m_firstRings.push_back(ring);
        m_view.header().readySlots.store(++m_slots, std::memory_order_release);
    }
    return true;
}

std::uint64_t ImageMemory::takeRing(std::uint32_t records)
{
    const auto it = std::find_if(
        m_freeRings.begin(), m_freeRings.end(), [=](const FreeRing &ring) { return ring.records == records; });
    if (it != m_freeRings.end()) {
        const std::uint64_t offset = it->offset;
        m_freeRings.erase(it);
        return offset;
    }
    const std::uint64_t bytes = pageAligned(std::uint64_t{records} * sizeof(wire::Record));
    if (m_ringsEnd + bytes > wire::kSampledOffset || !commit(m_ringsEnd, bytes))
        return 0;
    const std::uint64_t offset = m_ringsEnd;
    m_ringsEnd += bytes;
    return offset;
}

void ImageMemory::giveRingBack(std::uint64_t offset, std::uint32_t records)
{
    m_freeRings.push_back({offset, records});
}

bool ImageMemory::commitNodes()
{
    // At least as many ahead as are in use, so that a target which finds new stacks at full speed seldom waits.
    wire::Header &header = m_view.header();
    const std::uint32_t used = std::min(header.usedNodes.load(std::memory_order_relaxed), wire::kMaxNodes);
    if (m_committedNodes == wire::kMaxNodes || m_committedNodes > used + used / 2 + kFirstNodes / 2)
        return true;
    const std::uint32_t wanted = std::min(wire::kMaxNodes, 2 * used + kFirstNodes);
    const std::uint64_t begin = std::uint64_t{m_committedNodes} * sizeof(wire::Node);
    const std::uint64_t end = pageAligned(std::uint64_t{wanted} * sizeof(wire::Node));
    if (!commit(wire::kNodesOffset + begin, end - begin))
        return false;
    m_committedNodes = static_cast<std::uint32_t>(std::min<std::uint64_t>(wire::kMaxNodes, end / sizeof(wire::Node)));
    header.committedNodes.store(m_committedNodes, std::memory_order_release);
    return true;
}

bool ImageMemory::provideSampledBlocks(std::uint64_t samplePeriodBytes, std::uint64_t expected)
{
    if (!hasRoomForSamples(samplePeriodBytes, expected))
        return false;
    if (m_sampledBlocks.capacity() != 0)
        return true;
    const std::uint64_t buckets = bucketsFor(samplePeriodBytes, expected);
    if (!commit(wire::kSampledOffset, (1U << wire::kSampledCounterBits) + buckets * wire::kSampledBucketBytes))
        return false;
    m_sampledBlocks = wire::SampledBlocks(m_view, buckets);
    m_view.header().sampledBuckets.store(buckets, std::memory_order_release);
    return true;
}

bool ImageMemory::hasRoomForSamples(std::uint64_t samplePeriodBytes, std::uint64_t expected) const
{
    const std::uint64_t made = m_sampledBlocks.capacity();
    return expected <= kMostExpected
        && (made == 0 || made >= bucketsFor(samplePeriodBytes, expected) * wire::SampledBlocks::kBucketSize);
}

void ImageMemory::answer(std::uint32_t question, wire::ScopeVerdict verdict, std::string_view text)
{
    wire::Header &header = m_view.header();
    if (!m_hasAnswerMemory && !text.empty())
        m_hasAnswerMemory = commit(wire::kAnswerOffset, wire::kMostAnswerBytes);
    const std::size_t bytes
        = m_hasAnswerMemory ? std::min<std::size_t>(text.size(), wire::kMostAnswerBytes) : std::size_t{0};
    if (bytes > 0)
        std::memcpy(m_view.answer(), text.data(), bytes);
    header.answerBytes.store(static_cast<std::uint32_t>(bytes), std::memory_order_relaxed);
    header.verdict.store(verdict, std::memory_order_relaxed);
    header.answered.store(question, std::memory_order_release);
    ::syscall(SYS_futex, &header.answered, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

std::uint32_t ImageMemory::giveOrder(std::uint64_t samplePeriodBytes, bool tellsAllFrees)
{
    const std::uint32_t number = m_nextOrder++;
    wire::Header &header = m_view.header();
    header.orders[number % wire::kOrders] = {samplePeriodBytes, tellsAllFrees ? 1U : 0U, 0};
    if (!m_isStopped)
        header.order.store(wire::orderWord(number), std::memory_order_release);
    return number;
}

void ImageMemory::stop()
{
    m_isStopped = true;
    m_view.header().order.store(wire::kStopped, std::memory_order_release);
}

} // namespace capture

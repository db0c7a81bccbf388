// SPDX-License-Identifier: MIT
#pragma once

#include "capture/tracer/frame_read.h"
#include "capture/tracer/frame_step.h"
#include "capture/tracer/path_hash.h"
#include "capture/tracer/recent_walks.h"
#include "capture/unwind/unwinder.h"

#include <cstddef>
#include <cstdint>

namespace capture::tracer {

/// A thread's last stack, kept frame by frame, so that the next one costs only the frames that differ from it. Where a stack was known at once
/// (RecentWalks), what is kept is an older one's part above it: of a kept frame holds only that, while its words stand, its node is right.
///
/// A frame is the address its pc was read from (`slot`), that pc, hashes of its path, and its stack-tree node once somebody has asked for it: where a
/// path's hash says which node it leads to, those on the way are not touched. A walk from the leaf with call-frame
/// rules goes on until it *lands* on a kept frame: one at the same slot, whose pc stands there still. What lies above a landing follows from
/// words of memory alone, each at an address that is known: the return addresses, and of frames whose CFA is taken from rbp the word rbp was
/// restored from (or rbp itself at the landing). Those words are compared before the walk begins, from the root down to where the stack now
/// ends; where one of them changed, that frame and all further down cannot be landed on. So a kept stack is never trusted, and nothing
/// needs to be told when frames return, throw or jump. Frames that need more than rsp and rbp (signal frames, expressions) are not kept at all.
///
/// Most stacks differ from the last one in where some functions were called from, not in where their frames lie. So before any rule is asked, the words
/// at the kept places are read, and the path and the distances of its frames looked up together, as one hash (the *shape*): was it walked before, then
/// each pc gave that distance to the next one, and would again. A shape that is wrong, made of words that are no return addresses, or old ones,
/// was never walked: it has a frame whose distance is not what follows from its pc. Frames whose size does not follow from their pc have no distance
/// in a shape, so none of these is taken for known.
///
/// One thread's; no heap, no lock. Untouched pages cost nothing, so the room for frames is generous. forget() before the first use.
class IncrementalStack
{
public:
    static constexpr std::uint32_t kMostFrames = 4095; ///< with its root, what a session takes
    /// capture() says: take the plain walk instead (other stack, unusual rule, too deep).
    static constexpr std::uint32_t kNeedsPlainWalk = 0xffffffff;

    /// Forgets the kept stack: code may have been unmapped, or nodes mean something else.
    void forget()
    {
        m_end = kFirst;
        m_pathsEnd = kFirst;
        m_checks = 0;
        m_isRefused = false;
        for (std::uint32_t i = 0; i < kFirst; ++i)
            m_words[i] = {kNoSlot, 0};
        m_recent.forget();
    }

    /// The node of the stack that begins with `caller`, whose pc was read at `caller.sp - 8`; kNeedsPlainWalk if it cannot be said.
    ///
    /// `rules.step(returnAddress, lead)` gives the FrameStep of a frame, `rules.fromRsp(returnAddress)` its `fromRsp`,
    /// `rules.packed(returnAddress)` its `packed()` or something larger, and `rules.rule(pc)` its rule; `stack` is the readable part of the thread's
    /// stack; `nodes.leaf(shape)` gives the node of a path by its shape if it is known at once, or 0; `nodes.setLeaf(shape, node)` has it
    /// known; by the hash of its path alone (PathHash) `nodes.find(hash, isIt)` gives the one of which isIt(node) holds, or 0, and `nodes.prefetch(hash)` says that it will be asked; `nodes.add(parent, pc, hash)` adds one, and returns
    /// `parent` where it is refused; `nodes.isOf(node, pc)` and `nodes.parent(node)` read it. Roots are numbered as unwind::EndState.
    template <typename Rules, typename Nodes>
    [[gnu::always_inline]] inline std::uint32_t capture(
        const unwind::NarrowFrame &caller, Rules rules, unwind::OwnStack stack, Nodes nodes);

    /// Where, in the kept stack, the frames below `address` meet those above it: the slot of the last one above (~0: there is none), and of the first
    /// one below (0: none).
    struct Crossing
    {
        std::uint64_t above, below;
    };
    Crossing crossing(std::uint64_t address) const
    {
        const Word *const above = keptAbove(address), *const below = above + 1;
        return {above->address, below < m_words + m_end ? below->address : 0};
    }
    /// Of the kept stack, if it has frames: whether it is whole.
    bool isWhole() const { return m_nodes[kFirst - 1] == static_cast<std::uint32_t>(unwind::EndState::ReachedStart); }

    /// Room for the addresses of a plain walk, which is not made while capture() runs: programs may have little memory for us.
    std::uint64_t *plainWalk() { return m_plainWalk; }

    /// Frames walked by rules so far, for tests and benchmarks.
    std::uint64_t walkedFrames() const { return m_walked; }

private:
    /// Kept frames stand from here on; before them are two that lie above every stack, so that a search for a slot always ends.
    static constexpr std::uint32_t kFirst = 2;
    static constexpr std::uint64_t kNoSlot = ~std::uint64_t{0};
    /// One for each frame and some more: nearly all that are kept with rbp have one.
    static constexpr std::uint32_t kMostChecks = kMostFrames + 64;
    /// Of a node, above every number: the way from its frame to the root depends on what rbp is there.
    static constexpr std::uint32_t kNeedsBp = std::uint32_t{1} << 31;

    using Word = StackWord;
    /// The same, for a step from the kept frame `depth` to its caller that reads more than a return address.
    struct Check
    {
        Word word;
        std::uint32_t depth;
    };
    /// What lies above the frames that were walked.
    struct Landing
    {
        std::uint32_t frame; ///< the kept frame; kFirst - 1: none, but the end of the stack
        bool needsBp;
        std::uint64_t bp;
    };
    Landing atEnd(unwind::StepResult result)
    {
        const auto root = static_cast<std::uint32_t>(unwind::endOf(result));
        m_nodes[kFirst - 1] = root;
        m_shapes[kFirst - 1] = PathHash::ofRoot(root);
        m_paths[kFirst - 1] = PathHash::ofRoot(root);
        return {kFirst - 1, false, 0};
    }
    /// How a walk came to its landing.
    struct Way
    {
        std::uint32_t frames = 0;            ///< of m_walk
        RecentWalks::Walk *recent = nullptr; ///< the place of those that began where it did; null: none may be taken in
        bool isRead = false;                 ///< m_reads says what the steps read; false: nothing that matters
        bool isByFrames = false;             ///< captureByFrames() made it
    };

    const Word *keptAbove(std::uint64_t slot) const;
    const Word *verified(const Word *last);
    static std::uint64_t readWord(const std::uint64_t &address);
    bool isRight(std::uint32_t frame, std::uint64_t bp) const
    {
        return (m_nodes[frame] & kNeedsBp) == 0 || m_bps[frame] == bp;
    }
    template <typename Rules, typename Nodes>
    [[gnu::noinline]] std::uint32_t captureByFrames(const unwind::NarrowFrame &caller, const Word *limit,
        RecentWalks::Walk *recent, Rules rules, unwind::OwnStack stack, Nodes nodes);
    template <typename Rules, typename Nodes>
    [[gnu::noinline]] std::uint32_t captureByAll(const unwind::NarrowFrame &caller, const Word *limit,
        RecentWalks::Walk *recent, Rules rules, unwind::OwnStack stack, Nodes nodes);
    bool isKnown(const RecentWalks::Walk &walk, const Word *limit, std::uint64_t bp) const;
    void remember(RecentWalks::Walk &walk, std::uint32_t landing) const;
    template <typename Nodes> std::uint32_t captureByPlaces(const Word *leaf, const Word *limit, Nodes nodes);
    void leaveFrom(std::uint32_t frame);
    bool isSized(std::uint32_t frame, std::uint32_t walked, Way way) const;
    template <typename Nodes> std::uint32_t keep(Landing at, Way way, Nodes nodes);
    template <typename Nodes> std::uint32_t nodeOf(std::uint32_t frame, Nodes nodes);
    template <typename Nodes> [[gnu::noinline]] std::uint32_t find(std::uint32_t frame, Nodes nodes);
    template <typename Nodes> std::uint32_t firstKnownUpFrom(std::uint32_t frame, Nodes nodes);
    template <typename Nodes> std::uint32_t lastKnownDownTo(std::uint32_t frame, Nodes nodes);
    template <typename Nodes> bool isNodeOf(std::uint32_t frame, std::uint32_t node, Nodes nodes) const;
    std::uint32_t knownNode(std::uint32_t frame) const { return m_nodes[frame] & ~kNeedsBp; }
    void keepReads(Landing at, std::uint32_t walked);
    void keepFrames(Landing at, std::uint32_t walked);

    std::uint32_t m_end = kFirst; ///< behind the last kept frame
    std::uint32_t m_checks
        = 0; ///< of m_check, by rising depth; those of m_end and more are left over, until the next keep()
    std::uint64_t m_walked = 0;
    std::uint32_t m_pathsEnd = kFirst;  ///< behind the last of m_paths that is the kept frame's
    bool m_isRefused = false;           ///< by the tree, the last node that it was to add
    Word m_words[kFirst + kMostFrames]; ///< root first: slot and pc
    /// Of their paths with the distances of the frames: PathHash::extended() by both. Before the first, at kFirst - 1, stands the root's; and its node.
    std::uint64_t m_shapes[kFirst + kMostFrames];
    /// Of their paths alone, before m_pathsEnd: the tree is asked by them, which is seldom.
    std::uint64_t m_paths[kFirst + kMostFrames];
    /// Their nodes, 0 where nobody has asked yet, with kNeedsBp where the way from there to the root depends on rbp.
    std::uint32_t m_nodes[kFirst + kMostFrames];
    std::uint64_t m_bps[kFirst + kMostFrames]; ///< what rbp has to be there
    Check m_check[kMostChecks + 1];
    RecentWalks m_recent;
    union {
        Word m_walk[kMostFrames]; ///< the frames that were walked, leaf first: slot and pc
        std::uint64_t m_plainWalk[kMostFrames];
    };
    FrameRead m_reads[kMostFrames]; ///< and what their steps read
};

/// A load that the compiler takes for what it is, even where it knows what is to be read: the processor then need not wait for how that
/// became known.
[[gnu::always_inline]] inline std::uint64_t IncrementalStack::readWord(const std::uint64_t &address)
{
    std::uint64_t value;
    asm("mov %1, %0" : "=r"(value) : "m"(address));
    return value;
}

/// The last kept frame, from the root, that lies at `slot` or above it; or what stands before the first one.
inline const IncrementalStack::Word *IncrementalStack::keptAbove(std::uint64_t slot) const
{
    const Word *at = m_words + m_end - 1;
    while (at->address < slot)
        --at;
    return at;
}

/// Behind the last frame, from the root to `last`, that may be landed on: their ways to the root read what they read before. What lies
/// further down than `last` has been left, and need not even be readable any more.
[[gnu::always_inline]] inline const IncrementalStack::Word *IncrementalStack::verified(const Word *last)
{
    const Word *limit = m_words + kFirst;
    for (; limit + 3 <= last; limit += 4) {
        if (!limit[0].isThere())
            break;
        if (!limit[1].isThere()) {
            limit += 1;
            break;
        }
        if (!limit[2].isThere()) {
            limit += 2;
            break;
        }
        if (!limit[3].isThere()) {
            limit += 3;
            break;
        }
    }
    while (limit <= last && limit->isThere())
        ++limit;
    const auto end = static_cast<std::uint32_t>(limit - m_words);
    m_check[m_checks].depth = ~std::uint32_t{0}; // so that the search ends
    for (const Check *check = m_check; check->depth < end; ++check)
        if (!check->word.isThere())
            return m_words + check->depth;
    return limit;
}

template <typename Rules, typename Nodes>
[[gnu::always_inline]] inline std::uint32_t IncrementalStack::capture(
    const unwind::NarrowFrame &caller, Rules rules, unwind::OwnStack stack, Nodes nodes)
{
    // Nearly always the frames that differ take their callers from rsp, and so does the one they are landed on: then what rbp holds is
    // nobody's concern. All else is walked once more, with it.
    const std::uint64_t last = stack.high - 8;
    std::uint64_t pc = caller.pc, slot = caller.sp - 8;
    const Word *at = keptAbove(slot);
    const Word *const limit = verified(at);
    const auto nearest = static_cast<std::uint32_t>(at - m_words);
    if (at < limit && at->address == slot && isRight(nearest, caller.bp)) {
        // The kept stack, or one that called it.
        m_end = nearest + 1;
        return nodeOf(nearest, nodes);
    }
    if (at->address == slot) {
        const std::uint32_t known = captureByPlaces(at, limit, nodes);
        if (known != 0)
            return known;
    }
    RecentWalks::Walk *const recent = m_recent.at(pc, slot);
    if (recent != nullptr && recent->beganAt(pc, slot) && isKnown(*recent, limit, caller.bp)) {
        m_recent.noteKnown();
        if (m_end > nearest + 1)
            m_end = nearest + 1; // what lies further down has been left
        return recent->leaf & ~kNeedsBp;
    }
    for (Word *walked = m_walk; walked != m_walk + kMostFrames;) {
        const std::uint64_t next = slot + rules.fromRsp(pc);
        if (next > last) [[unlikely]]
            break;
        *walked++ = {slot, pc};
        // Where the kept stack has a frame at that very place, its own copy of the address is read from: the processor need not wait
        // for the rule that led there.
        if (at[-1].address == next) [[likely]] {
            --at;
            slot = readWord(at->address);
        } else {
            while (at->address < next)
                --at;
            slot = next;
        }
        pc = *reinterpret_cast<const std::uint64_t *>(slot); // 0 has no step either
        if (at < limit && at->address == slot) {
            const auto frame = static_cast<std::uint32_t>(at - m_words);
            if ((m_nodes[frame] & kNeedsBp) == 0) [[likely]]
                return keep({frame, false, 0}, {static_cast<std::uint32_t>(walked - m_walk), recent}, nodes);
            break;
        }
    }
    return captureByFrames(caller, limit, recent, rules, stack, nodes);
}

/// The frames from the `frame`th on, down to the leaf, are no longer those that were kept.
[[gnu::always_inline]] inline void IncrementalStack::leaveFrom(std::uint32_t frame)
{
    while (m_checks > 0 && m_check[m_checks - 1].depth >= frame)
        --m_checks;
    if (m_pathsEnd > frame)
        m_pathsEnd = frame;
}

/// The stack of which the frames lie where those of the kept one do, down to `leaf`, if one like that was walked before; 0 if not. What was kept
/// from `limit` on is left either way.
template <typename Nodes>
[[gnu::always_inline]] inline std::uint32_t IncrementalStack::captureByPlaces(
    const Word *leaf, const Word *limit, Nodes nodes)
{
    const auto first = static_cast<std::uint32_t>(limit - m_words);
    if (first == kFirst || (m_nodes[first - 1] & kNeedsBp) != 0)
        return 0; // where the walk has to go to the end of the stack, or rbp matters
    std::uint64_t shape = m_shapes[first - 1], above = m_words[first - 1].address;
    std::uint64_t *kept = m_shapes + first;
    std::uint32_t *node = m_nodes + first;
    for (Word *frame = m_words + first; frame <= leaf; ++frame, ++kept, ++node) {
        const std::uint64_t slot = frame->address, pc = readWord(*reinterpret_cast<const std::uint64_t *>(slot));
        shape = PathHash::extended(shape, pc, above - slot);
        frame->value = pc;
        *kept = shape;
        *node = 0;
        above = slot;
    }
    leaveFrom(first);
    const std::uint32_t known = nodes.leaf(shape);
    node[-1] = known;
    m_end = known != 0 ? static_cast<std::uint32_t>(leaf - m_words) + 1 : first;
    return known;
}

/// Whether the size of a frame that was walked, the `walked`th from the leaf, which is to be kept as `frame`, followed from its pc alone.
[[gnu::always_inline]] inline bool IncrementalStack::isSized(std::uint32_t frame, std::uint32_t walked, Way way) const
{
    if (way.isByFrames)
        return !m_reads[walked].usesBp;
    return !way.isRead || (frame != kFirst && !m_reads[walked].usesBp && m_reads[walked].cfaFrom == 0);
}

/// Keeps what was walked above the landing, and returns the leaf's node.
template <typename Nodes>
[[gnu::always_inline]] inline std::uint32_t IncrementalStack::keep(Landing at, Way way, Nodes nodes)
{
    const std::uint32_t leaf = at.frame + way.frames;
    if (leaf >= kFirst + kMostFrames) [[unlikely]]
        return kNeedsPlainWalk;
    m_end = leaf + 1;
    if (way.frames == 0)
        return nodeOf(leaf, nodes);
    m_walked += way.frames;
    leaveFrom(at.frame + 1);
    std::uint64_t shape = m_shapes[at.frame], above = m_words[at.frame].address;
    const Word *walked = m_walk + way.frames;
    for (std::uint32_t frame = at.frame; frame < leaf;) {
        --walked;
        ++frame;
        const bool sized = isSized(frame, static_cast<std::uint32_t>(walked - m_walk), way);
        shape = PathHash::extended(shape, walked->value, sized ? above - walked->address : 0);
        above = walked->address;
        m_words[frame].address = walked->address;
        m_words[frame].value = walked->value;
        m_shapes[frame] = shape;
        m_nodes[frame] = 0;
    }
    const std::uint32_t known = nodes.leaf(shape);
    m_nodes[leaf] = known;
    if (way.isByFrames)
        keepFrames(at, way.frames);
    else if (way.isRead) [[unlikely]]
        keepReads(at, way.frames);
    if (known == 0) [[unlikely]]
        return find(leaf, nodes);
    if (way.recent != nullptr && m_end == leaf + 1 && way.recent->isWorth(shape))
        remember(*way.recent, at.frame);
    return known;
}

/// The node of a kept frame.
template <typename Nodes>
[[gnu::always_inline]] inline std::uint32_t IncrementalStack::nodeOf(std::uint32_t frame, Nodes nodes)
{
    const std::uint32_t node = knownNode(frame);
    return node != 0 ? node : find(frame, nodes);
}

/// The same of one that nobody has asked for yet: what the tree knows; below that frames are new to it.
template <typename Nodes> std::uint32_t IncrementalStack::find(std::uint32_t frame, Nodes nodes)
{
    for (; m_pathsEnd <= frame; ++m_pathsEnd)
        m_paths[m_pathsEnd] = PathHash::extended(m_paths[m_pathsEnd - 1], m_words[m_pathsEnd].value);
    std::uint32_t at = m_isRefused ? lastKnownDownTo(frame, nodes) : firstKnownUpFrom(frame, nodes);
    std::uint32_t node = knownNode(at);
    m_isRefused = false;
    while (at < frame) {
        ++at;
        const std::uint32_t added = nodes.add(node, m_words[at].value, m_paths[at]);
        if (added == node) [[unlikely]] {
            m_isRefused = true;
            return node; // the tree is full, and the stack ends at its deepest known ancestor
        }
        node = added;
        m_nodes[at] |= node;
    }
    nodes.setLeaf(m_shapes[frame], node);
    return node;
}

/// The first kept frame, up from one whose node is not known yet, that the tree knows, or what stands before them all. Its node and those above it
/// are known then.
template <typename Nodes> std::uint32_t IncrementalStack::firstKnownUpFrom(std::uint32_t frame, Nodes nodes)
{
    // Each may be a miss of all caches: together they wait but once.
    for (std::uint32_t unknown = frame; unknown >= kFirst && knownNode(unknown) == 0; --unknown)
        nodes.prefetch(m_paths[unknown]);
    std::uint32_t at = frame;
    for (; at >= kFirst && knownNode(at) == 0; --at) {
        std::uint32_t each = nodes.find(m_paths[at], [&](std::uint32_t one) { return isNodeOf(at, one, nodes); });
        if (each == 0)
            continue;
        for (std::uint32_t above = at; above >= kFirst && knownNode(above) == 0; --above) {
            m_nodes[above] |= each;
            each = nodes.parent(each);
        }
        break;
    }
    return at;
}

/// The same from the known ones down, up to the first that the tree does not know: where it takes in no more, most of those below are unknown too,
/// and to ask for all of them each time would take long.
template <typename Nodes> std::uint32_t IncrementalStack::lastKnownDownTo(std::uint32_t frame, Nodes nodes)
{
    // But for the leaf, which mostly is known if it was ever made.
    const std::uint32_t known
        = nodes.find(m_paths[frame], [&](std::uint32_t one) { return isNodeOf(frame, one, nodes); });
    if (known != 0) {
        m_nodes[frame] |= known;
        return frame;
    }
    std::uint32_t at = frame;
    while (at >= kFirst && knownNode(at) == 0)
        --at;
    for (; at < frame; ++at) {
        const std::uint32_t below = at + 1;
        const std::uint32_t found
            = nodes.find(m_paths[below], [&](std::uint32_t one) { return isNodeOf(below, one, nodes); });
        if (found == 0)
            break;
        m_nodes[below] |= found;
    }
    return at;
}

/// Whether a node is that of a kept frame: of the same frames, up to one whose node is known for the same, or to the root. A node that two threads
/// have made at once is another than the known one.
template <typename Nodes> bool IncrementalStack::isNodeOf(std::uint32_t frame, std::uint32_t node, Nodes nodes) const
{
    for (;; --frame) {
        if (!nodes.isOf(node, m_words[frame].value))
            return false;
        node = nodes.parent(node);
        if (frame == kFirst)
            return node == m_nodes[kFirst - 1];
        if (node != 0 && node == knownNode(frame - 1))
            return true;
    }
}

/// Whether this walk would be made again just so, beginning with `bp`: over the same words, to the same landing, of the kept frames before
/// `limit`. Nothing needs to be kept of it then: the landing is.
[[gnu::always_inline]] inline bool IncrementalStack::isKnown(
    const RecentWalks::Walk &walk, const Word *limit, std::uint64_t bp) const
{
    const Word *const landing = m_words + walk.frame;
    return landing < limit && landing->address == walk.landing && m_shapes[walk.frame] == walk.landingShape
        && isRight(walk.frame, walk.landingBp) && ((walk.leaf & kNeedsBp) == 0 || walk.bp == bp) && walk.isSame();
}

/// Takes in what has just been walked from a landing and kept, if there is room for all that it read.
[[gnu::noinline]] inline void IncrementalStack::remember(RecentWalks::Walk &walk, std::uint32_t landing) const
{
    const std::uint32_t leaf = m_end - 1, frames = leaf - landing;
    if (landing < kFirst)
        return; // it went to the end of the stack, or is not kept whole
    std::uint32_t firstCheck = m_checks;
    while (firstCheck > 0 && m_check[firstCheck - 1].depth > landing)
        --firstCheck;
    if (frames + m_checks - firstCheck > RecentWalks::kMostWords)
        return;
    walk.pc = m_words[leaf].value;
    walk.slot = m_words[leaf].address;
    walk.bp = m_bps[leaf];
    walk.landing = m_words[landing].address;
    walk.landingBp = m_bps[landing];
    walk.frame = landing;
    walk.landingShape = m_shapes[landing];
    walk.leaf = m_nodes[leaf];
    walk.count = 0;
    bool isWhole = true;
    for (std::uint32_t frame = leaf; frame > landing; --frame)
        isWhole = isWhole && walk.add(m_words[frame]);
    for (std::uint32_t i = firstCheck; i < m_checks; ++i)
        isWhole = isWhole && walk.add(m_check[i].word);
    if (!isWhole)
        walk.slot = 0;
}

} // namespace capture::tracer

#include "capture/tracer/incremental_stack_walks.h"

// SPDX-License-Identifier: GPL-3.0-or-later
// Stacks of a made-up program, which calls, returns, jumps out of many frames at once and leaves behind what it had written: what the incremental
// stack says of each against the frames that the program knows it is in.
#include "capture/tracer/incremental_stack.h"
#include "capture/tracer/leaf_table.h"

#include <QtTest>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

using namespace capture;
using capture::tracer::FrameStep;
using capture::tracer::IncrementalStack;
using capture::tracer::LeafTable;

namespace {

/// What a function does with rbp.
enum class Habit : std::uint8_t {
    LeavesRbp,   ///< its frame's size follows from its pc
    SavesRbp,    ///< the same, and it keeps data in rbp
    FramesByRbp, ///< its frame is as large as it likes, and ends where rbp points to
    Generated,   ///< the same, and no rule says so
    Bare,        ///< no rule either, and rbp may be anything
};

struct Function
{
    Habit habit;
    std::uint64_t words; ///< of its frame
};

constexpr std::uint64_t kFirstPc = 0x400000, kSites = 4;
constexpr std::uint64_t kMain = 0; ///< nothing called it

/// The functions; call sites, of which each function has kSites, are told by the return address.
struct Code
{
    std::vector<Function> functions;
    static std::uint64_t pcOf(std::uint64_t function, std::uint64_t site)
    {
        return kFirstPc + (function * kSites + site) * 16;
    }
    static std::uint64_t functionAt(std::uint64_t returnAddress) { return (returnAddress - kFirstPc) / 16 / kSites; }
    /// Return addresses in code without a rule that were taken for what they are.
    mutable std::set<std::uint64_t> known;
    /// Of what a frame pointer leads to, which may be any number: nothing is learnt where its chain ends.
    bool isCode(std::uint64_t returnAddress, unwind::Lead lead) const
    {
        if (returnAddress < kFirstPc || returnAddress % 16 != 0 || functionAt(returnAddress) >= functions.size())
            return false;
        if (rule(returnAddress - 1).kind() != unwind::RuleKind::NoInfo || known.contains(returnAddress))
            return true;
        return lead != unwind::Lead::Break && known.insert(returnAddress).second;
    }

    unwind::FrameRule rule(std::uint64_t pc) const
    {
        const std::uint64_t function = functionAt(pc + 1);
        if (function >= functions.size() || functions[function].habit >= Habit::Generated)
            return unwind::FrameRule::ofKind(unwind::RuleKind::NoInfo);
        if (function == kMain)
            return unwind::FrameRule::ofKind(unwind::RuleKind::EndOfStack);
        const Function &it = functions[function];
        unwind::FrameRule rule;
        if (it.habit == Habit::FramesByRbp)
            rule.setCfa(unwind::RuleKind::Register, unwind::reg::kRbp, 16);
        else
            rule.setCfa(unwind::RuleKind::Register, unwind::reg::kRsp,
                static_cast<std::int64_t>((it.words + (it.habit == Habit::SavesRbp ? 1 : 0)) * 8) + 8);
        if (it.habit != Habit::LeavesRbp)
            rule.setSavedAt(unwind::FrameRule::Rbp, -16);
        return rule;
    }
};

struct Rules
{
    const Code &code;
    FrameStep step(std::uint64_t returnAddress, unwind::Lead lead) const
    {
        const unwind::FrameRule rule = code.rule(returnAddress - 1);
        return rule.kind() == unwind::RuleKind::NoInfo && isCode(returnAddress, lead) ? FrameStep::byFramePointer()
                                                                                      : FrameStep::of(rule);
    }
    bool isCode(std::uint64_t returnAddress, unwind::Lead lead) const { return code.isCode(returnAddress, lead); }
    bool row(std::uint64_t, unwind::CfiRow &, unwind::Section &) const { return false; }
    std::uint64_t fromRsp(std::uint64_t returnAddress) const { return step(returnAddress, unwind::Lead::Rule).fromRsp; }
    std::uint64_t packed(std::uint64_t returnAddress) const
    {
        const unwind::FrameRule rule = code.rule(returnAddress - 1);
        return rule.kind() == unwind::RuleKind::NoInfo ? FrameStep::kNotPacked : FrameStep::of(rule).packed();
    }
    unwind::FrameRule rule(std::uint64_t pc) const { return code.rule(pc); }
};

/// The stack tree.
struct Tree
{
    std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint32_t> children;
    std::vector<std::pair<std::uint32_t, std::uint64_t>> nodes{16}; ///< parent and address; the roots first
    std::multimap<std::uint64_t, std::uint32_t> byHash; ///< by so little of it that other paths have the same
    std::set<std::uint32_t> added;
    std::size_t addedTwice = 0;
    std::size_t looks = 0; ///< for a node by its hash
    std::unique_ptr<LeafTable::Entry[]> leafEntries
        = std::make_unique<LeafTable::Entry[]>(LeafTable::kBytes / sizeof(LeafTable::Entry));
    LeafTable leaves;

    Tree() { leaves.assign(leafEntries.get()); }
    std::size_t most = SIZE_MAX;

    std::uint32_t child(std::uint32_t parent, std::uint64_t address)
    {
        const auto found = children.find({parent, address});
        if (found != children.end())
            return found->second;
        if (nodes.size() >= most)
            return parent;
        nodes.emplace_back(parent, address);
        return children[{parent, address}] = static_cast<std::uint32_t>(nodes.size() - 1);
    }
};

struct Nodes
{
    static constexpr std::uint64_t kHashes = 64;
    Tree &tree;
    std::uint32_t leaf(std::uint64_t pathHash) const { return tree.leaves.find(pathHash, 0); }
    void setLeaf(std::uint64_t pathHash, std::uint32_t node) const { tree.leaves.set(pathHash, 0, node); }
    void prefetch(std::uint64_t) const { }
    template <typename IsIt> std::uint32_t find(std::uint64_t pathHash, IsIt isIt) const
    {
        ++tree.looks;
        const auto [first, last] = tree.byHash.equal_range(pathHash % kHashes);
        const auto found = std::find_if(first, last, [&](const auto &each) { return isIt(each.second); });
        return found != last ? found->second : 0;
    }
    std::uint32_t add(std::uint32_t parent, std::uint64_t address, std::uint64_t pathHash) const
    {
        const std::uint32_t node = tree.child(parent, address);
        if (node != parent) {
            tree.byHash.emplace(pathHash % kHashes, node);
            tree.addedTwice += tree.added.insert(node).second ? 0 : 1;
        }
        return node;
    }
    bool isOf(std::uint32_t node, std::uint64_t address) const { return tree.nodes[node].second == address; }
    std::uint32_t parent(std::uint32_t node) const { return tree.nodes[node].first; }
};

/// A processor with one stack, which runs `code`.
class Machine
{
public:
    Machine(Code &code, std::uint64_t seed)
        : m_code(code)
        , m_random(seed)
        , m_memory(1 << 14)
        , m_sp(end() - 64)
    {
        m_frames.push_back({kMain, m_sp, 0, 0});
    }

    /// Does the same as any other time with this seed, from frames that are the same.
    void run(std::uint64_t seed, int steps, const auto &allocate)
    {
        m_random.seed(seed);
        for (int i = 0; i < steps; ++i) {
            const std::uint64_t what = m_random() % 16;
            if (what < 6 && m_frames.size() < 60)
                call(1 + m_random() % (m_code.functions.size() - 2), m_random() % kSites);
            else if (what < 9 && m_frames.size() > 1)
                leaveTo(m_frames.size() - 1);
            else if (what == 9 && m_frames.size() > 1)
                leaveTo(1 + m_random() % (m_frames.size() - 1)); // an exception, or a longjmp
            else if (what == 10 && m_frames.back().function != kMain && isFree())
                m_bp = data();
            else if (what == 11)
                scribble();
            allocate(m_random() % kSites);
        }
    }
    void leaveTo(std::size_t frames)
    {
        while (m_frames.size() > frames) {
            m_sp = m_frames.back().sp;
            m_bp = m_frames.back().bp;
            m_frames.pop_back();
        }
    }

    /// As a hook sees it that is called from `site`.
    unwind::NarrowFrame callFrom(std::uint64_t site)
    {
        const std::uint64_t pc = Code::pcOf(m_frames.back().function, site);
        word(m_sp - 8) = pc;
        return {pc, m_sp, m_bp};
    }
    unwind::OwnStack stack() const { return {reinterpret_cast<std::uint64_t>(m_memory.data()), end()}; }
    /// The walk that begins in a hook which is called from `site`, in no way incremental.
    unwind::StackWalk plainWalk(std::uint64_t site, std::vector<std::uint64_t> &pcs)
    {
        const unwind::NarrowFrame caller = callFrom(site);
        unwind::Registers registers;
        registers.set(unwind::reg::kReturnAddress, Code::pcOf(m_code.functions.size() - 1, 0));
        registers.set(unwind::reg::kRsp, caller.sp - 8 - 8 * m_code.functions.back().words);
        registers.set(unwind::reg::kRbp, caller.bp);
        Rules rules{m_code};
        pcs.resize(100);
        const unwind::StackWalk walk = unwind::unwind(registers, rules, stack(), pcs.data(), pcs.size());
        pcs.resize(walk.count);
        pcs.erase(pcs.begin()); // the hook itself
        return walk;
    }
    /// Return addresses, leaf first.
    std::vector<std::uint64_t> truth(std::uint64_t site) const
    {
        std::vector<std::uint64_t> pcs{Code::pcOf(m_frames.back().function, site)};
        for (std::size_t i = m_frames.size() - 1; i > 0; --i)
            pcs.push_back(Code::pcOf(m_frames[i - 1].function, m_frames[i].site));
        return pcs;
    }

private:
    struct Frame
    {
        std::uint64_t function;
        std::uint64_t sp, bp; ///< of its caller
        std::uint64_t site;   ///< where that called it
    };
    std::uint64_t end() const { return reinterpret_cast<std::uint64_t>(m_memory.data() + m_memory.size()); }
    static std::uint64_t &word(std::uint64_t address) { return *reinterpret_cast<std::uint64_t *>(address); }
    bool isFree() const
    {
        const Habit habit = m_code.functions[m_frames.back().function].habit;
        return habit == Habit::SavesRbp || habit == Habit::Bare;
    }
    static bool framesByRbp(Habit habit) { return habit == Habit::FramesByRbp || habit == Habit::Generated; }
    /// What a function that keeps data in rbp keeps there: a number, or where on the stack some of it is.
    std::uint64_t data() { return m_random() % 3 == 0 ? m_sp + m_random() % 40 * 8 : m_random(); }

    void call(std::uint64_t function, std::uint64_t site)
    {
        m_frames.push_back({function, m_sp, m_bp, site});
        m_sp -= 8;
        word(m_sp) = Code::pcOf(m_frames[m_frames.size() - 2].function, site);
        const Function &it = m_code.functions[function];
        if (it.habit != Habit::LeavesRbp) {
            m_sp -= 8;
            word(m_sp) = m_bp;
            m_bp = framesByRbp(it.habit) ? m_sp : data();
        }
        m_sp -= 8 * (framesByRbp(it.habit) ? it.words + m_random() % 3 * 2 : it.words);
    }
    /// Writes over what has been left: anything, or what looks like a return address.
    void scribble()
    {
        for (int i = 0; i < 8; ++i)
            word(m_sp - 16 - m_random() % 400 * 8) = m_random() % 2 == 0
                ? m_random()
                : Code::pcOf(m_random() % m_code.functions.size(), m_random() % kSites);
    }

    Code &m_code;
    std::mt19937_64 m_random;
    std::vector<std::uint64_t> m_memory;
    std::uint64_t m_sp;
    std::uint64_t m_bp = 0;
    std::vector<Frame> m_frames;
};

} // namespace

class IncrementalStackTest : public QObject
{
    Q_OBJECT

    /// Frames that the leaf stack does not share with the one before, from the root.
    static std::size_t differing(const std::vector<std::uint64_t> &a, const std::vector<std::uint64_t> &before)
    {
        std::size_t common = 0;
        while (common < std::min(a.size(), before.size())
            && a[a.size() - 1 - common] == before[before.size() - 1 - common])
            ++common;
        return a.size() - common;
    }

    /// The node of a stack, from the root.
    static std::uint32_t nodeIn(Tree &tree, std::initializer_list<std::uint64_t> pcs)
    {
        auto node = static_cast<std::uint32_t>(unwind::EndState::ReachedStart);
        for (const std::uint64_t pc : pcs)
            node = tree.child(node, pc);
        return node;
    }

private Q_SLOTS:
    void saysWhereTheProgramIs_data()
    {
        QTest::addColumn<QList<int>>("habits"); // how many functions of each
        QTest::newRow("frames of known size") << QList<int>{9, 0, 0};
        QTest::newRow("that keep data in rbp") << QList<int>{4, 6, 0};
        QTest::newRow("by rbp") << QList<int>{0, 0, 9};
        QTest::newRow("by rbp, or leave it alone") << QList<int>{5, 0, 5};
        QTest::newRow("all kinds") << QList<int>{4, 4, 4};
        QTest::newRow("generated code") << QList<int>{3, 3, 2, 4};
        QTest::newRow("code that no rule covers and nobody can follow") << QList<int>{3, 2, 2, 2, 2};
    }
    void saysWhereTheProgramIs()
    {
        QFETCH(QList<int>, habits);
        Code code{{{Habit::LeavesRbp, 4}}};
        for (int habit = 0; habit < habits.size(); ++habit)
            for (int i = 0; i < habits[habit]; ++i)
                code.functions.push_back({static_cast<Habit>(habit), static_cast<std::uint64_t>(2 + i % 3 * 2)});
        code.functions.push_back({Habit::LeavesRbp, 0}); // the hook, which is not called by chance
        const bool isKnown = habits.size() <= static_cast<int>(Habit::Bare);
        Machine machine(code, 1);
        Tree tree;
        const auto last = std::make_unique<IncrementalStack>();
        last->forget();
        std::vector<std::uint64_t> before;
        std::set<unwind::EndState> ends;
        std::uint64_t frames = 0, different = 0, wrong = 0, plain = 0, events = 0;
        const auto allocate = [&](std::uint64_t site) {
            std::vector<std::uint64_t> pcs;
            const unwind::StackWalk walk = machine.plainWalk(site, pcs);
            wrong += isKnown && pcs != machine.truth(site) ? 1 : 0;
            ends.insert(walk.end);
            ++events;
            auto truth = static_cast<std::uint32_t>(walk.end);
            for (auto pc = pcs.rbegin(); pc != pcs.rend(); ++pc)
                truth = tree.child(truth, *pc);
            const std::uint32_t node = last->capture(machine.callFrom(site), Rules{code}, machine.stack(), Nodes{tree});
            const bool isLeftToPlainWalk = node == IncrementalStack::kNeedsPlainWalk;
            plain += isLeftToPlainWalk ? 1 : 0;
            wrong += node != truth && !isLeftToPlainWalk ? 1 : 0;
            frames += pcs.size();
            different += differing(pcs, before);
            before = pcs;
        };
        std::mt19937_64 random(7);
        for (int round = 0; round < 100; ++round) {
            // As in a loop, mostly what was done before, from where that was done.
            const std::size_t depth = 1 + random() % 8;
            const std::uint64_t seed = random() % 6;
            for (int again = 0; again < 80; ++again) {
                machine.leaveTo(depth);
                machine.run(random() % 25 == 0 ? random() : seed, 12, allocate);
            }
            if (round % 30 == 29)
                last->forget();
        }
        QCOMPARE(wrong, std::uint64_t{0});
        QVERIFY2(plain <= (isKnown ? 0 : events / 1000), qPrintable(QString::number(plain)));
        QCOMPARE(tree.addedTwice, std::size_t{0});
        QCOMPARE(ends.contains(unwind::EndState::ReachedStart), true);
        QCOMPARE(ends.contains(unwind::EndState::NoUnwindInfo), !isKnown);
        qInfo("%llu frames, %llu not those of the stack before, %llu walked", static_cast<unsigned long long>(frames),
            static_cast<unsigned long long>(different), static_cast<unsigned long long>(last->walkedFrames()));
        // Walks that were known were not made.
        QVERIFY(last->walkedFrames() < different * 3 / 4);
    }

    void comparesFramePointersToo_data()
    {
        QTest::addColumn<bool>("isSeenBefore"); // the frame that the walk begins in
        QTest::newRow("where nothing is walked") << true;
        QTest::newRow("where a walk lands") << false;
    }
    void comparesFramePointersToo()
    {
        QFETCH(bool, isSeenBefore);
        // main, first, one, two: each but main with a frame pointer. Then main, first, more, one, two, where the return addresses of the first
        // time stand where they stood, and one's frame alone lies elsewhere.
        constexpr std::uint64_t kFirst = 1, kOne = 2, kTwo = 3, kMore = 4;
        Code code{{{Habit::LeavesRbp, 4}}};
        for (int i = 0; i < 5; ++i)
            code.functions.push_back({Habit::FramesByRbp, 4});
        std::vector<std::uint64_t> memory(64);
        const auto addressOf = [&](std::size_t word) { return reinterpret_cast<std::uint64_t>(&memory[word]); };
        const auto enter = [&](std::size_t slot, std::uint64_t caller, std::uint64_t callersRbp) {
            memory[slot] = Code::pcOf(caller, 0);
            memory[slot - 1] = callersRbp;
            return addressOf(slot - 1); // rbp now
        };
        Tree tree;
        const auto last = std::make_unique<IncrementalStack>();
        last->forget();
        const auto capture = [&](std::size_t slot, std::uint64_t function, std::uint64_t site, std::uint64_t rbp) {
            memory[slot] = Code::pcOf(function, site);
            return last->capture(
                {memory[slot], addressOf(slot + 1), rbp}, Rules{code}, {addressOf(0), addressOf(63) + 8}, Nodes{tree});
        };
        const auto nodeOf = [&](std::initializer_list<std::uint64_t> pcs) { return nodeIn(tree, pcs); };
        const std::uint64_t inMain = Code::pcOf(kMain, 0), inFirst = Code::pcOf(kFirst, 0),
                            inMore = Code::pcOf(kMore, 0);
        const std::uint64_t inOne = Code::pcOf(kOne, 0), inTwo = Code::pcOf(kTwo, 0);
        const std::uint64_t elsewhereInTwo = Code::pcOf(kTwo, 1);
        const std::uint64_t first = enter(60, kMain, 1);
        std::uint64_t rbp = enter(50, kFirst, first);
        QCOMPARE(capture(30, kOne, 1, rbp), nodeOf({inMain, inFirst, Code::pcOf(kOne, 1)}));
        rbp = enter(20, kOne, rbp);
        QCOMPARE(capture(10, kTwo, 0, rbp), nodeOf({inMain, inFirst, inOne, inTwo}));
        QCOMPARE(capture(10, kTwo, 1, rbp), nodeOf({inMain, inFirst, inOne, elsewhereInTwo}));
        rbp = enter(20, kOne, enter(40, kMore, enter(50, kFirst, first)));
        QCOMPARE(capture(10, kTwo, isSeenBefore ? 1 : 0, rbp),
            nodeOf({inMain, inFirst, inMore, inOne, isSeenBefore ? elsewhereInTwo : inTwo}));
    }

    void forgetsPlacesThatWereNotTheStacks()
    {
        // main, three times small, leaf. Then main, big, leaf: big holds two of the return addresses that the first left behind.
        constexpr std::uint64_t kSmall = 1, kBig = 2, kLeaf = 3;
        const Code code{{{Habit::LeavesRbp, 4}, {Habit::LeavesRbp, 4}, {Habit::LeavesRbp, 14}, {Habit::LeavesRbp, 4}}};
        std::vector<std::uint64_t> memory(64);
        const auto addressOf = [&](std::size_t word) { return reinterpret_cast<std::uint64_t>(&memory[word]); };
        Tree tree;
        const auto last = std::make_unique<IncrementalStack>();
        last->forget();
        const auto capture = [&](std::initializer_list<std::pair<std::size_t, std::uint64_t>> frames) {
            for (const auto &[slot, pc] : frames)
                memory[slot] = pc;
            const unwind::OwnStack stack{addressOf(0), addressOf(63) + 8};
            return last->capture({memory[10], addressOf(11), 0}, Rules{code}, stack, Nodes{tree});
        };
        const auto nodeOf = [&](std::initializer_list<std::uint64_t> pcs) { return nodeIn(tree, pcs); };
        const std::uint64_t inMain = Code::pcOf(kMain, 0), inSmall = Code::pcOf(kSmall, 0), inBig = Code::pcOf(kBig, 0);
        const std::uint64_t inLeaf = Code::pcOf(kLeaf, 0), elsewhereInLeaf = Code::pcOf(kLeaf, 1);
        for (std::uint64_t round = 0; round < 8; ++round) {
            const std::uint64_t once = Code::pcOf(kSmall, round / 4), other = Code::pcOf(kSmall, round % 4);
            QCOMPARE(capture({{30, inMain}, {25, once}, {20, other}, {15, inSmall}, {10, inLeaf}}),
                nodeOf({inMain, once, other, inSmall, inLeaf}));
            for (int again = 0; again < 2; ++again)
                QCOMPARE(capture({{15, inBig}, {10, elsewhereInLeaf}}), nodeOf({inMain, inBig, elsewhereInLeaf}));
        }
        // Other call sites at the same places: a path that was walked before is known without a walk.
        const std::uint64_t elsewhereInSmall = Code::pcOf(kSmall, 1);
        const auto other = nodeOf({inMain, inSmall, elsewhereInSmall, inSmall, inLeaf});
        for (std::uint64_t round = 0, walked = 0; round < 3; ++round, walked = last->walkedFrames()) {
            QCOMPARE(capture({{25, inSmall}, {20, elsewhereInSmall}, {15, inSmall}, {10, inLeaf}}), other);
            QCOMPARE(capture({{20, inSmall}}), nodeOf({inMain, inSmall, inSmall, inSmall, inLeaf}));
            if (round > 0)
                QCOMPARE(last->walkedFrames(), walked);
        }
    }

    void endsWhereTheTreeIsFull()
    {
        Code code{{{Habit::LeavesRbp, 4}, {Habit::LeavesRbp, 2}, {Habit::FramesByRbp, 4}, {Habit::LeavesRbp, 0}}};
        Machine machine(code, 1);
        Tree tree;
        const auto last = std::make_unique<IncrementalStack>();
        last->forget();
        tree.most = 60;
        std::uint64_t wrong = 0, cut = 0, events = 0;
        const auto allocate = [&](std::uint64_t site) {
            ++events;
            const std::vector<std::uint64_t> pcs = machine.truth(site);
            const std::uint32_t node = last->capture(machine.callFrom(site), Rules{code}, machine.stack(), Nodes{tree});
            auto truth = static_cast<std::uint32_t>(unwind::EndState::ReachedStart);
            for (auto pc = pcs.rbegin(); pc != pcs.rend(); ++pc) {
                const std::uint32_t next = tree.child(truth, *pc);
                if (next == truth) {
                    ++cut;
                    break;
                }
                truth = next;
            }
            wrong += node != truth ? 1 : 0;
        };
        for (std::uint64_t i = 0; i < 500; ++i) {
            machine.leaveTo(1);
            machine.run(i % 5, 30, allocate);
        }
        QCOMPARE(wrong, std::uint64_t{0});
        QVERIFY(cut > 100);
        qInfo("%zu looks of %llu events in a tree that is full", tree.looks, static_cast<unsigned long long>(events));
        QVERIFY(tree.looks < events); // of many frames that it does not know, each time only the first is asked for
        // There is room again: what was cut is not held on to.
        tree.most = SIZE_MAX;
        cut = 0;
        for (std::uint64_t i = 0; i < 500; ++i) {
            machine.leaveTo(1);
            machine.run(i % 5, 30, allocate);
        }
        QCOMPARE(wrong, std::uint64_t{0});
        QCOMPARE(cut, std::uint64_t{0});
    }
};

QTEST_APPLESS_MAIN(IncrementalStackTest)
#include "incremental_stack_test.moc"

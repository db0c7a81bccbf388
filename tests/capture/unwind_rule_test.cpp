// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/tracer/frame_step.h"
#include "capture/tracer/recent_walks.h"
#include "capture/tracer/step_cache.h"
#include "capture/unwind/rule_cache.h"

#include <QTest>

#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

using namespace capture::unwind;

namespace {

FrameRule ruleOfOffset(std::int64_t offset)
{
    FrameRule rule;
    rule.setCfa(RuleKind::Register, reg::kRsp, offset);
    return rule;
}

struct CacheMemory
{
    explicit CacheMemory(unsigned bits)
        : entries(new RuleCache::Entry[std::size_t{1} << bits]())
    {
    }
    std::unique_ptr<RuleCache::Entry[]> entries;
};

} // namespace

class UnwindRuleTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void keepsEveryPartOfARuleInOneWord()
    {
        FrameRule rule;
        QVERIFY(rule.setCfa(RuleKind::MemoryAtRegister, reg::kR10, -262144));
        QVERIFY(rule.setSavedAt(FrameRule::Rbp, 0));
        QVERIFY(rule.setSavedAt(FrameRule::R15, -480));
        rule.setUndefined(FrameRule::R12);
        rule.setSignalFrame();
        rule.setSavedFromRegister();
        const FrameRule copy = FrameRule::fromWord(rule.word());
        QCOMPARE(copy.kind(), RuleKind::MemoryAtRegister);
        QCOMPARE(copy.cfaRegister(), reg::kR10);
        QCOMPARE(copy.cfaOffset(), -262144);
        QCOMPARE(FrameRule::savedOffset(copy.saved(FrameRule::Rbp)), 0);
        QCOMPARE(FrameRule::savedOffset(copy.saved(FrameRule::R15)), -480);
        QCOMPARE(copy.saved(FrameRule::R12), FrameRule::kUndefined);
        QCOMPARE(copy.saved(FrameRule::Rbx), FrameRule::kSame);
        QVERIFY(copy.isSignalFrame());
        QVERIFY(copy.savedFromRegister());
    }

    void commonRulesAreSteps()
    {
        using capture::tracer::FrameStep;
        const FrameStep plain = FrameStep::of(ruleOfOffset(64));
        QVERIFY(!plain.needsRule() && !plain.isFromRbp());
        QCOMPARE(plain.fromRsp, 64U); // sp is a word above the frame's own slot, the caller's slot a word below the CFA
        FrameRule saves = ruleOfOffset(64);
        QVERIFY(saves.setSavedAt(FrameRule::Rbp, -48));
        QCOMPARE(FrameStep::of(saves).fromRsp, 64U);
        QCOMPARE(FrameStep::of(saves).rbpFrom, std::int16_t{-40});
        FrameRule framed;
        QVERIFY(framed.setCfa(RuleKind::Register, reg::kRbp, 16) && framed.setSavedAt(FrameRule::Rbp, -16));
        QVERIFY(FrameStep::of(framed).isFromRbp());
        QCOMPARE(FrameStep::of(framed).fromRsp, FrameStep::kNotFromRsp);
        QCOMPARE(FrameStep::of(framed).fromRbp, std::int16_t{8}); // from rbp to the return address
        QCOMPARE(FrameStep::of(framed).rbpFrom, std::int16_t{-8});
        FrameRule lost = ruleOfOffset(16);
        lost.setUndefined(FrameRule::Rbp);
        QCOMPARE(FrameStep::of(lost).fromRsp, 16U);
    }

    void rareRulesAreLeftToTheRule()
    {
        using capture::tracer::FrameStep;
        const auto isLeft = [](FrameRule rule) { return FrameStep::of(rule).needsRule(); };
        QVERIFY(FrameStep().needsRule());
        QVERIFY(isLeft(FrameRule()) && isLeft(ruleOfOffset(0)) && isLeft(ruleOfOffset(-8)));
        QVERIFY(isLeft(FrameRule::ofKind(RuleKind::EndOfStack)) && isLeft(FrameRule::ofKind(RuleKind::NoInfo)));
        FrameRule signal = ruleOfOffset(64), realigned, from, onAddress = ruleOfOffset(64);
        signal.setSignalFrame();
        QVERIFY(realigned.setCfa(RuleKind::MemoryAtRegister, reg::kRbp, -8));
        QVERIFY(from.setCfa(RuleKind::Register, reg::kR10, 8));
        QVERIFY(onAddress.setSavedAt(FrameRule::Rbp, -8));
        FrameRule fromRegister = ruleOfOffset(64);
        fromRegister.setSavedFromRegister();
        QVERIFY(isLeft(signal) && isLeft(realigned) && isLeft(from) && isLeft(onAddress) && isLeft(fromRegister));
    }

    void stepsFitIntoTwentyEightBits()
    {
        using capture::tracer::FrameStep;
        const auto isSame = [](FrameStep step) {
            const std::uint32_t packed = step.packed();
            const FrameStep other = FrameStep::unpacked(packed);
            return packed >> FrameStep::kPackedBits == 0 && other.fromRsp == step.fromRsp
                && other.rbpFrom == step.rbpFrom && other.fromRbp == step.fromRbp
                && (packed < FrameStep::kPackedNotFromRsp) == (step.fromRsp != FrameStep::kNotFromRsp)
                && (step.fromRsp == FrameStep::kNotFromRsp || FrameStep::unpackedFromRsp(packed) == step.fromRsp);
        };
        QVERIFY(isSame(FrameStep())); // which needs its rule
        for (const std::uint32_t size : {8U, 16U, 4096U, 0xfff8U})
            for (const int saved : {0, -8, -480, -16376})
                QVERIFY(isSame({size, static_cast<std::int16_t>(saved), 0}));
        QVERIFY(FrameStep::isSizeAlone(FrameStep{0xfff8, 0, 0}.packed()));
        for (const FrameStep step :
            {FrameStep{8, -8, 0}, FrameStep::standard(), FrameStep::byFramePointer(), FrameStep()})
            QVERIFY(!FrameStep::isSizeAlone(step.packed()));
        QVERIFY(!FrameStep::isSizeAlone(FrameStep::kNotPacked));
        for (const int fromRbp : {8, -8, 32760, -32768})
            QVERIFY(isSame({FrameStep::kNotFromRsp, -8, static_cast<std::int16_t>(fromRbp)}));
        QCOMPARE((FrameStep{0x10000, 0, 0}.packed()), FrameStep::kNotPacked);
        QCOMPARE((FrameStep{64, -16384, 0}.packed()), FrameStep::kNotPacked);
    }

    void stepsAreFoundByTheirOwnAddressAlone()
    {
        using capture::tracer::FrameStep;
        CacheMemory memory(12);
        RuleCache rules(memory.entries.get(), 12);
        const auto nobody = [](void *, dl_find_object *) { return -1; };
        const auto steps = std::make_unique<capture::tracer::StepCache>();
        steps->flush();
        // Many more than it has entries, near each other and far apart, each with a size of its own.
        const auto sizeOf = [](std::uint64_t i) { return static_cast<std::int64_t>(8 + i % 1000 * 8); };
        std::vector<std::uint64_t> addresses;
        for (std::uint64_t i = 0; i < 5000; ++i)
            addresses.push_back(i % 2 == 0 ? 0x400000 + i * 3 : 0x7fff00000000 - (i << 24 | i));
        for (int round = 0; round < 3; ++round)
            for (std::uint64_t i = 0; i < addresses.size(); ++i) {
                rules.insert(lookupAddress(addresses[i], false), ruleOfOffset(sizeOf(i)), rules.generation());
                QCOMPARE(steps->fromRsp(rules, nobody, addresses[i]), static_cast<std::uint64_t>(sizeOf(i)));
                QCOMPARE(steps->packed(addresses[i]), static_cast<std::uint64_t>(sizeOf(i)));
                QCOMPARE(steps->step(rules, nobody, addresses[i]).fromRsp, static_cast<std::uint32_t>(sizeOf(i)));
            }
        // It keeps what it found, and forgets it when it is told to.
        rules.flush();
        QCOMPARE(
            steps->fromRsp(rules, nobody, addresses.back()), static_cast<std::uint64_t>(sizeOf(addresses.size() - 1)));
        steps->flush();
        QVERIFY(steps->packed(addresses.back()) >> FrameStep::kPackedBits != 0);
        QCOMPARE(steps->fromRsp(rules, nobody, addresses.back()), std::uint64_t{FrameStep::kNotFromRsp});
        // These have all bits set that are compared, as empty entries have, of entries 0, 1, 1024 and 2047: they are told to ask for their rule, which is there.
        for (const std::uint64_t address : {0x2fee66c88cc3, 0x63be66c88cc3, 0x6fee66c88cc3, 0x7c1e66c88cc3}) {
            rules.insert(lookupAddress(address, false), ruleOfOffset(64), rules.generation());
            QVERIFY(steps->step(rules, nobody, address).needsRule());
            QCOMPARE(steps->fromRsp(rules, nobody, address), std::uint64_t{FrameStep::kNotFromRsp});
        }
        QVERIFY(steps->step(rules, nobody, 0).needsRule());
    }

    void walksAreKnownOnceMadeTwice()
    {
        using capture::tracer::RecentWalks;
        const auto walks = std::make_unique<RecentWalks>();
        walks->forget();
        std::uint64_t stack[] = {11, 12, 13};
        const auto address = [&](int i) { return reinterpret_cast<std::uint64_t>(stack + i); };
        RecentWalks::Walk *const walk = walks->at(11, address(0));
        QVERIFY(walk != nullptr && !walk->beganAt(11, address(0)));
        walk->seen = 0;
        QVERIFY(!walk->isWorth(std::uint64_t{5} << 32) && !walk->isWorth(std::uint64_t{6} << 32));
        QVERIFY(walk->isWorth(std::uint64_t{6} << 32));
        walk->pc = 11;
        walk->slot = address(0);
        walk->landing = address(2);
        walk->count = 0;
        for (int i = 0; i < 3; ++i)
            QVERIFY(walk->add({address(i), stack[i]}));
        QVERIFY(!walk->add({address(0) - 8, 0}) && !walk->add({address(3), 0})); // need not be readable later
        QCOMPARE(walks->at(11, address(0)), walk);
        QVERIFY(walk->beganAt(11, address(0)) && !walk->beganAt(12, address(0)) && !walk->beganAt(11, address(1)));
        QVERIFY(walk->isSame());
        for (const int changed : {1, 2}) {
            ++stack[changed];
            QVERIFY(!walk->isSame());
            --stack[changed];
        }
        while (walk->count < RecentWalks::kMostWords)
            QVERIFY(walk->add({address(1), stack[1]}));
        QVERIFY(!walk->add({address(1), stack[1]}));
        // Where none is known for long, only one in sixteen is looked for; until one is known.
        int looked = 0;
        for (int i = 0; i < 1600; ++i)
            looked += walks->at(11, address(0)) != nullptr ? 1 : 0;
        QVERIFY2(looked >= 100 && looked <= 140, qPrintable(QString::number(looked)));
        walks->noteKnown();
        QVERIFY(walks->at(11, address(0)) != nullptr && walks->at(11, address(0)) != nullptr);
        walks->forget();
        QVERIFY(!walk->beganAt(11, address(0)));
    }

    void refusesWhatDoesNotFit()
    {
        FrameRule rule;
        QVERIFY(!rule.setCfa(RuleKind::Register, reg::kRsp, 12));
        QVERIFY(!rule.setCfa(RuleKind::Register, reg::kRsp, 262144));
        QVERIFY(!rule.setCfa(RuleKind::Register, 16, 8));
        QVERIFY(!rule.setSavedAt(FrameRule::Rbx, 8));
        QVERIFY(!rule.setSavedAt(FrameRule::Rbx, -488));
        QCOMPARE(rule.word(), std::uint64_t{0});
    }

    void cacheReturnsWhatWasInsertedAndNothingElse()
    {
        CacheMemory memory(4);
        RuleCache cache(memory.entries.get(), 4);
        QCOMPARE(cache.find(0).kind(), RuleKind::Empty);
        cache.insert(0x401000, ruleOfOffset(64), cache.generation());
        QCOMPARE(cache.find(0x401000), ruleOfOffset(64));
        for (std::uint64_t pc = 0x401001; pc < 0x402000; ++pc)
            QCOMPARE(cache.find(pc).kind(), RuleKind::Empty);
    }

    void flushForgetsAlsoWhatIsInsertedLateByAnOlderWalk()
    {
        CacheMemory memory(4);
        RuleCache cache(memory.entries.get(), 4);
        const std::uint64_t before = cache.generation();
        cache.insert(0x401000, ruleOfOffset(64), before);
        cache.flush();
        QCOMPARE(cache.find(0x401000).kind(), RuleKind::Empty);
        cache.insert(0x401000, ruleOfOffset(64), before);
        QCOMPARE(cache.find(0x401000).kind(), RuleKind::Empty);
    }

    void aGenerationThatComesRoundFindsNothingOld()
    {
        CacheMemory memory(4);
        RuleCache cache(memory.entries.get(), 4);
        cache.insert(0x401000, ruleOfOffset(64), cache.generation());
        for (unsigned i = 0; i < 0x10000; ++i)
            cache.flush();
        QCOMPARE(cache.find(0x401000).kind(), RuleKind::Empty);
    }

    /// In a cache of one line four of any addresses have room, and a fifth takes the place of one alone; after a flush as before.
    void addressesOfOnePlaceStandSideBySide()
    {
        CacheMemory memory(2);
        RuleCache cache(memory.entries.get(), 2);
        const auto found = [&] {
            int count = 0;
            for (std::uint64_t pc = 0x401000; pc < 0x401005; ++pc)
                count += cache.find(pc) == ruleOfOffset(64) ? 1 : 0;
            return count;
        };
        for (int round = 0; round < 2; ++round) {
            for (std::uint64_t pc = 0x401000; pc < 0x401004; ++pc)
                cache.insert(pc, ruleOfOffset(64), cache.generation());
            QCOMPARE(found(), 4);
            cache.insert(0x401004, ruleOfOffset(64), cache.generation());
            QCOMPARE(found(), 4);
            cache.flush();
            QCOMPARE(found(), 0);
        }
    }

    void threadsThatOverwriteEachOtherNeverSeeAForeignRule()
    {
        CacheMemory memory(1); // two entries for all: every insert collides
        RuleCache cache(memory.entries.get(), 1);
        std::atomic<unsigned> wrong = 0;
        const auto work = [&](std::uint64_t seed) {
            for (std::uint64_t i = 0; i < 200000; ++i) {
                const std::uint64_t pc = 0x401000 + (i * seed) % 64;
                const auto offset = static_cast<std::int64_t>(8 + (pc - 0x401000) * 8);
                const FrameRule found = cache.find(pc);
                if (found.kind() == RuleKind::Empty)
                    cache.insert(pc, ruleOfOffset(offset), cache.generation());
                else if (found != ruleOfOffset(offset))
                    ++wrong;
            }
        };
        std::vector<std::thread> threads;
        for (const std::uint64_t seed : {1, 7, 13})
            threads.emplace_back(work, seed);
        for (std::thread &thread : threads)
            thread.join();
        QCOMPARE(wrong.load(), 0U);
    }
};

QTEST_APPLESS_MAIN(UnwindRuleTest)
#include "unwind_rule_test.moc"

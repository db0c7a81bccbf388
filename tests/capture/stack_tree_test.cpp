// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/tracer/path_hash.h"
#include "capture/tracer/stack_tree.h"
#include "capture/tracer/tracer_api.h"

#include <QtTest>

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <set>
#include <thread>
#include <tuple>
#include <vector>

using capture::tracer::PathHash;
using capture::tracer::StackTree;

/// In place of the tracer's, which there would tell the recorder of the index's memory.
void capture::tracer::publishPrivateMemory() { }

namespace {

namespace wire = capture::wire;

/// Memory as the recorder makes it, with room for so many nodes.
class Memory
{
public:
    explicit Memory(std::uint32_t nodes)
        : m_memory(::mmap(
            nullptr, wire::kMemoryBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))
    {
        view().header().usedNodes = wire::kRootNodes;
        view().header().committedNodes = nodes;
        view().header().refused = static_cast<std::uint32_t>(wire::Want::Nodes);
    }
    ~Memory() { ::munmap(m_memory, wire::kMemoryBytes); }
    Memory(const Memory &) = delete;
    Memory &operator=(const Memory &) = delete;
    wire::MemoryView view() const { return {static_cast<unsigned char *>(m_memory)}; }
    std::uint32_t nodes() const { return view().header().usedNodes - wire::kRootNodes; }
    std::uint64_t refused() const { return view().header().losses.nodesRefused; }

private:
    void *m_memory;
};

/// The node of a frame called by `parent`, as the tracer comes to it, and its hash.
std::pair<std::uint32_t, std::uint64_t> child(
    StackTree &tree, std::pair<std::uint32_t, std::uint64_t> parent, std::uint64_t address, std::uint32_t module)
{
    const std::uint64_t hash = PathHash::extended(parent.second, address);
    std::uint32_t node = tree.find(hash, [&](std::uint32_t each) {
        return tree.parent(each) == parent.first && tree.address(each) == address && tree.module(each) == module;
    });
    if (node == 0)
        node = tree.add(parent.first, address, module, hash);
    return {node, hash};
}

/// All nodes of a tree of `depth` frames with `children` each, in the order of visits.
void visit(StackTree &tree, std::pair<std::uint32_t, std::uint64_t> parent, int children, int depth, std::uint64_t seed,
    std::vector<std::uint32_t> &nodes)
{
    for (int i = 0; i < children && depth > 0; ++i) {
        const std::uint64_t address = 0x400000 + seed % 1000 * 0x1000 + static_cast<std::uint64_t>(i) * 5;
        const auto node = child(tree, parent, address, 1);
        nodes.push_back(node.first);
        if (node.first != parent.first)
            visit(tree, node, children, depth - 1, seed * 31 + static_cast<std::uint64_t>(i), nodes);
    }
}

std::vector<std::uint32_t> allNodes(StackTree &tree, int children, int depth, std::uint32_t root = 1)
{
    std::vector<std::uint32_t> nodes;
    visit(tree, {root, PathHash::ofRoot(root)}, children, depth, 7, nodes);
    return nodes;
}

/// Calls `run(i)` in so many threads, which begin together.
void atOnce(int threads, const auto &run)
{
    std::barrier begin(threads);
    std::vector<std::jthread> running;
    for (int i = 0; i < threads; ++i)
        running.emplace_back([&, i] {
            begin.arrive_and_wait();
            run(i);
        });
}

std::size_t distinct(std::vector<std::uint32_t> nodes)
{
    std::sort(nodes.begin(), nodes.end());
    return static_cast<std::size_t>(std::unique(nodes.begin(), nodes.end()) - nodes.begin());
}

} // namespace

class StackTreeTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aPathHasOneNodeHoweverLargeTheTreeGrows()
    {
        const Memory memory(1 << 20);
        StackTree tree;
        QVERIFY(tree.reset(memory.view()));
        // Larger than its first index, 4,096 slots, by five times two, so it is entered anew as often.
        const std::vector<std::uint32_t> first = allNodes(tree, 4, 8);
        QCOMPARE(first.size(), std::size_t{87380});
        QCOMPARE(distinct(first), first.size());
        QCOMPARE(memory.nodes(), 87380U);
        QVERIFY(allNodes(tree, 4, 8) == first);
        QCOMPARE(memory.nodes(), 87380U);
        // The same frames below another root, or of another module, are others.
        const std::vector<std::uint32_t> other = allNodes(tree, 4, 3, 2);
        QVERIFY(std::find(first.begin(), first.end(), other.front()) == first.end());
        QVERIFY(child(tree, {1, PathHash::ofRoot(1)}, tree.address(first.front()), 2).first != first.front());
        QCOMPARE(memory.refused(), std::uint64_t{0});
    }

    void forgetsAllWhenItBeginsAnew()
    {
        StackTree tree;
        const Memory one(1 << 16), two(1 << 16);
        QVERIFY(tree.reset(one.view()));
        allNodes(tree, 3, 8);
        QVERIFY(tree.reset(two.view()));
        QCOMPARE(tree.find(PathHash::extended(PathHash::ofRoot(1), 0x400000 + 7 * 0x1000),
                     [](std::uint32_t) { return true; }),
            0U);
        const std::vector<std::uint32_t> nodes = allNodes(tree, 3, 8);
        QCOMPARE(distinct(nodes), nodes.size());
        QCOMPARE(distinct(nodes), std::size_t{two.nodes()});
    }

    void countsWhatFindsNoRoom()
    {
        const Memory memory(5000);
        StackTree tree;
        QVERIFY(tree.reset(memory.view()));
        const std::vector<std::uint32_t> nodes = allNodes(tree, 4, 7);
        QVERIFY(memory.refused() > 0);
        QVERIFY(*std::max_element(nodes.begin(), nodes.end()) < 5000);
        QCOMPARE(memory.nodes(), 5000 - wire::kRootNodes); // what was refused uses no number
        // What found room is found.
        const std::uint32_t first = nodes.front();
        QCOMPARE(child(tree, {1, PathHash::ofRoot(1)}, tree.address(first), 1).first, first);
    }

    /// Above all those that are added while another thread makes the index larger.
    void whatThreadsAddAtOnceIsFoundLater()
    {
        const Memory memory(1 << 20);
        StackTree tree;
        QVERIFY(tree.reset(memory.view()));
        constexpr int kThreads = 4;
        std::vector<std::vector<std::uint32_t>> nodes(kThreads);
        atOnce(kThreads, [&](int i) { // each has paths of its own
            visit(tree, {1, PathHash::ofRoot(1)}, 4, 8, static_cast<std::uint64_t>(i) + 100, nodes[i]);
        });
        const std::uint32_t made = memory.nodes();
        QCOMPARE(std::size_t{made}, kThreads * nodes[0].size());
        for (int i = 0; i < kThreads; ++i)
            visit(tree, {1, PathHash::ofRoot(1)}, 4, 8, static_cast<std::uint64_t>(i) + 100, nodes[i]);
        qInfo("%u of %u nodes were made again", memory.nodes() - made, made);
        QVERIFY(memory.nodes() - made <= made / 50); // one that is lost takes what is below it along
    }

    void threadsThatAddAtOnceComeToTheSamePaths()
    {
        const Memory memory(1 << 21);
        StackTree tree;
        QVERIFY(tree.reset(memory.view()));
        constexpr int kThreads = 4;
        std::vector<std::vector<std::uint32_t>> nodes(kThreads);
        atOnce(kThreads, [&](int i) {
            for (int round = 0; round < 3; ++round) {
                nodes[i].clear();
                visit(tree, {1, PathHash::ofRoot(1)}, 4, 7, 7, nodes[i]);
            }
        });
        // Some are made twice, by design; each still says what its path is.
        const auto frames = [&](std::uint32_t node) {
            std::vector<std::uint64_t> addresses;
            for (; node >= wire::kRootNodes; node = tree.parent(node))
                addresses.push_back(tree.address(node));
            return addresses;
        };
        for (std::size_t i = 0; i < nodes[0].size(); i += 97)
            for (int thread = 1; thread < kThreads; ++thread)
                QVERIFY(frames(nodes[static_cast<std::size_t>(thread)][i]) == frames(nodes[0][i]));
        qInfo("%u nodes for %zu paths", memory.nodes(), nodes[0].size());
        QVERIFY(memory.nodes() <= kThreads * nodes[0].size());
        // Whoever comes later finds them all.
        const std::uint32_t made = memory.nodes();
        allNodes(tree, 4, 7);
        QCOMPARE(memory.nodes(), made);
    }
};

QTEST_APPLESS_MAIN(StackTreeTest)
#include "stack_tree_test.moc"

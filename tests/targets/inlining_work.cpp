// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdio>
#include <cstdlib>

/// A tree of 63 functions that allocate and compute, built several times: GENESIS_MODE_n says whether function n is inlined. Of it
/// builds "b" have other lines, another template argument and another number of a lambda, and one allocation more in one function.

#ifdef GENESIS_LATER
// These
// lines
// move
// all
// that
// stand
// below.
using Element = long;
constexpr int kMore = 1;
#else
using Element = int;
constexpr int kMore = 0;
#endif

namespace {

constexpr int kExtraNode = 41;
void *volatile g_block;
volatile double g_number = 1;
unsigned long g_allocations;

template <typename T> __attribute__((noinline)) void take(int node)
{
    g_block = std::malloc(sizeof(int) * static_cast<std::size_t>(node + 1) + 0 * sizeof(T));
    ++g_allocations;
    std::free(g_block);
}

inline __attribute__((always_inline)) void work(int node, int round)
{
    for (int i = 0; i < 1 + node % 3; ++i) {
        g_block = std::malloc(static_cast<std::size_t>(8 + node));
        ++g_allocations;
        std::free(g_block);
    }
#ifdef GENESIS_LATER
    const auto before = [round] { return g_number * round; };
    if (round < 0)
        g_number = before();
#endif
    const auto compute = [node] {
        for (int i = 0; i < 60 + node; ++i)
            g_number = g_number * 1.0000001 + 1e-9;
    };
    compute();
    if (node % 4 == 0)
        take<Element>(node);
    if (kMore > 0 && node == kExtraNode && round == 0) {
        g_block = std::malloc(8 + kExtraNode);
        ++g_allocations;
        std::free(g_block);
    }
}

#define GENESIS_JOIN(a, b) a##b
#define GENESIS_LEAF(n)                                                                                                \
    GENESIS_JOIN(GENESIS_MODE_, n) void node##n(int round) { work(n, round); }
#define GENESIS_NODE(n, left, right)                                                                                   \
    GENESIS_JOIN(GENESIS_MODE_, n) void node##n(int round)                                                             \
    {                                                                                                                  \
        node##left(round);                                                                                             \
        work(n, round);                                                                                                \
        node##right(round);                                                                                            \
    }

#define always __attribute__((always_inline)) inline
#define never __attribute__((noinline))

GENESIS_LEAF(62)
GENESIS_LEAF(61)
GENESIS_LEAF(60)
GENESIS_LEAF(59)
GENESIS_LEAF(58)
GENESIS_LEAF(57)
GENESIS_LEAF(56)
GENESIS_LEAF(55)
GENESIS_LEAF(54)
GENESIS_LEAF(53)
GENESIS_LEAF(52)
GENESIS_LEAF(51)
GENESIS_LEAF(50)
GENESIS_LEAF(49)
GENESIS_LEAF(48)
GENESIS_LEAF(47)
GENESIS_LEAF(46)
GENESIS_LEAF(45)
GENESIS_LEAF(44)
GENESIS_LEAF(43)
GENESIS_LEAF(42)
GENESIS_LEAF(41)
GENESIS_LEAF(40)
GENESIS_LEAF(39)
GENESIS_LEAF(38)
GENESIS_LEAF(37)
GENESIS_LEAF(36)
GENESIS_LEAF(35)
GENESIS_LEAF(34)
GENESIS_LEAF(33)
GENESIS_LEAF(32)
GENESIS_LEAF(31)
GENESIS_NODE(30, 61, 62)
GENESIS_NODE(29, 59, 60)
GENESIS_NODE(28, 57, 58)
GENESIS_NODE(27, 55, 56)
GENESIS_NODE(26, 53, 54)
GENESIS_NODE(25, 51, 52)
GENESIS_NODE(24, 49, 50)
GENESIS_NODE(23, 47, 48)
GENESIS_NODE(22, 45, 46)
GENESIS_NODE(21, 43, 44)
GENESIS_NODE(20, 41, 42)
GENESIS_NODE(19, 39, 40)
GENESIS_NODE(18, 37, 38)
GENESIS_NODE(17, 35, 36)
GENESIS_NODE(16, 33, 34)
GENESIS_NODE(15, 31, 32)
GENESIS_NODE(14, 29, 30)
GENESIS_NODE(13, 27, 28)
GENESIS_NODE(12, 25, 26)
GENESIS_NODE(11, 23, 24)
GENESIS_NODE(10, 21, 22)
GENESIS_NODE(9, 19, 20)
GENESIS_NODE(8, 17, 18)
GENESIS_NODE(7, 15, 16)
GENESIS_NODE(6, 13, 14)
GENESIS_NODE(5, 11, 12)
GENESIS_NODE(4, 9, 10)
GENESIS_NODE(3, 7, 8)
GENESIS_NODE(2, 5, 6)
GENESIS_NODE(1, 3, 4)
GENESIS_NODE(0, 1, 2)

} // namespace

int main(int argc, char **argv)
{
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 1000;
    for (int round = 0; round < rounds; ++round)
        node0(round);
    std::printf("allocations %lu\n", g_allocations);
    return 0;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Blocks that are lost or held in the ways that graphs of pointers allow. One thread.
#include "tests/targets/lost/expectations.h"

#include <cstdint>
#include <new>
#include <string>
#include <vector>

namespace {

struct Node
{
    Node *next = nullptr;
    Node *other = nullptr;
    char data[48] = {};
};

Node *volatile g_held;
void *volatile g_inside;
void *volatile g_insideOfTop;
void *volatile g_behind;
void *volatile g_ofNoBytes;
void *volatile g_big;
void *volatile g_second;
void *volatile g_tagged;
struct __attribute__((packed)) Packed
{
    char first = 0;
    void *volatile pointer = nullptr;
} g_packed;

Node *directly() { return static_cast<Node *>(expectDirectly(sizeof(Node))); }
Node *indirectly() { return static_cast<Node *>(expectIndirectly(sizeof(Node))); }
Node *reachable() { return static_cast<Node *>(expectReachable(sizeof(Node))); }

__attribute__((noinline)) void single()
{
    directly();
    expectDirectly(0);
    g_ofNoBytes = expectReachable(0);
}

__attribute__((noinline)) void selfPointer()
{
    Node *node = directly();
    node->next = node;
    node->other = reinterpret_cast<Node *>(&node->data[8]);
}

__attribute__((noinline)) void cycle()
{
    Node *first = directly();
    Node *second = indirectly();
    Node *third = indirectly();
    first->next = second;
    second->next = third;
    third->next = first;
}

__attribute__((noinline)) void treeBelow(Node *node, int depth)
{
    if (depth == 0)
        return;
    node->next = indirectly();
    node->other = indirectly();
    treeBelow(node->next, depth - 1);
    treeBelow(node->other, depth - 1);
}

__attribute__((noinline)) void tree() { treeBelow(directly(), 3); }

__attribute__((noinline)) void longList()
{
    Node *node = directly();
    for (int i = 0; i < 1000; ++i)
        node = node->next = indirectly();
}

/// Two lost blocks hold a third: both are heads.
__attribute__((noinline)) void twoHeads()
{
    Node *first = directly();
    Node *second = directly();
    first->next = second->next = indirectly();
}

__attribute__((noinline)) void heldList()
{
    Node *node = reachable();
    g_held = node;
    for (int i = 0; i < 100; ++i)
        node = node->next = reachable();
    node->next = g_held;
}

__attribute__((noinline)) void interior()
{
    char *block = static_cast<char *>(expectPossibly(sizeof(Node)));
    g_inside = block + 1;
    Node *top = static_cast<Node *>(expectPossibly(sizeof(Node)));
    top->next = static_cast<Node *>(expectPossibly(sizeof(Node)));
    g_insideOfTop = &top->data[3];
}

__attribute__((noinline)) void pastTheEnd()
{
    // The block behind it is not allocated, or the pointer would be one to that.
    char *block = static_cast<char *>(expectDirectly(8192));
    g_behind = block + 8192;
}

__attribute__((noinline)) void unaligned() { g_packed.pointer = expectDirectly(100); }

__attribute__((noinline)) void tagged()
{
    g_tagged = reinterpret_cast<void *>(reinterpret_cast<std::uintptr_t>(expectPossibly(64)) | 1);
}

/// Freed memory keeps its bytes, and they hold nothing.
__attribute__((noinline)) void childrenOfAFreedContainer()
{
    auto **container = static_cast<void **>(std::malloc(80 * sizeof(void *)));
    for (int i = 0; i < 80; ++i)
        container[i] = expectDirectly(40);
    std::free(container);
}

/// Of a size that malloc gives a mapping of its own.
__attribute__((noinline)) void bigBlocks()
{
    auto *held = static_cast<void **>(expectReachable(4u << 20));
    held[100'000] = expectReachable(24);
    held[500'000] = expectReachable(300'000);
    g_big = held;
    auto *lost = static_cast<void **>(expectDirectly(3u << 20));
    lost[200'000] = expectIndirectly(24);
    lost[200'001] = expectIndirectly(200'000);
}

/// The pointer is inside of what the block was before it moved.
__attribute__((noinline)) void grown()
{
    auto *block = static_cast<Node *>(std::malloc(sizeof(Node)));
    block->next = reachable();
    block->other = nullptr;
    block = static_cast<Node *>(std::realloc(static_cast<void *>(block), 1u << 20));
    g_second = block;
}

__attribute__((noinline)) void aligned()
{
    void *block = nullptr;
    for (const std::size_t alignment : {64u, 4096u, 65536u})
        if (::posix_memalign(&block, alignment, 200) == 0)
            *static_cast<void **>(block) = expectIndirectly(16);
    block = nullptr;
    asm volatile("" ::"r"(&block) : "memory");
}

__attribute__((noinline)) void vectorOfPointers()
{
    static std::vector<Node *> nodes;
    asm volatile("" ::"r"(&nodes) : "memory");
    for (int i = 0; i < 50; ++i)
        nodes.push_back(reachable());
    nodes.erase(nodes.begin() + 40, nodes.end()); // the array still holds them behind its end
}

struct First
{
    virtual ~First() = default;
    long a = 1;
};
struct Second
{
    virtual ~Second() = default;
    long b = 2;
};
struct Both : First, Second
{
    void *held = nullptr;
};
struct Element
{
    ~Element() { ++g_dead; }
    void *pointer = nullptr;
    long other[4] = {};
    static inline int g_dead = 0;
};
Second *volatile g_base;
Element *volatile g_elements;

/// Pointers into the middle that stand for the block: a second base, and an array behind its count.
__attribute__((noinline)) void bases()
{
    auto *both = new (expectReachable(sizeof(Both))) Both;
    both->held = expectReachable(24);
    g_base = both;
    // As the compiler's new[] does it for elements with a destructor.
    auto *count = static_cast<std::size_t *>(expectReachable(sizeof(std::size_t) + 7 * sizeof(Element)));
    *count = 7;
    auto *elements = reinterpret_cast<Element *>(count + 1);
    elements[3].pointer = expectReachable(24);
    g_elements = elements;
}

} // namespace

int main()
{
    for (void (*make)() : {single, selfPointer, cycle, tree, longList, twoHeads, heldList, interior, unaligned, tagged,
             childrenOfAFreedContainer, bases, bigBlocks, grown, aligned, vectorOfPointers, pastTheEnd}) {
        make();
        scrub();
    }
    scrub();
    g_expected.printAndWait();
}

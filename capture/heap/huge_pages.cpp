// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/huge_pages.h"

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace capture {

namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

class HugePages : public std::pmr::memory_resource
{
    void *do_allocate(std::size_t bytes, std::size_t alignment) override
    {
        if (bytes < kHugePage)
            return ::operator new (bytes, std::align_val_t{alignment});
        const std::size_t size = (bytes + kHugePage - 1) / kHugePage * kHugePage;
        void *const memory = std::aligned_alloc(kHugePage, size);
        if (memory == nullptr)
            throw std::bad_alloc();
        ::madvise(memory, size, MADV_HUGEPAGE); // a refusal costs time alone
        return memory;
    }
    void do_deallocate(void *memory, std::size_t bytes, std::size_t alignment) override
    {
        if (bytes < kHugePage)
            ::operator delete (memory, std::align_val_t{alignment});
        else
            std::free(memory);
    }
    bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override { return this == &other; }
};

} // namespace

std::pmr::memory_resource *hugePages()
{
    static HugePages pages;
    return &pages;
}

} // namespace capture

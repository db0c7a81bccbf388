// SPDX-License-Identifier: GPL-3.0-or-later
// A C++ library for hostile_plugins.
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

template <std::size_t Alignment> struct alignas(Alignment) Aligned
{
    unsigned char bytes[Alignment];
};

template <std::size_t Alignment> int misaligned()
{
    int count = 0;
    for (int i = 0; i < 200; ++i) {
        auto *volatile one = new Aligned<Alignment>;
        auto *volatile many = new Aligned<Alignment>[3];
        count += reinterpret_cast<std::uintptr_t>(one) % Alignment != 0;
        count += reinterpret_cast<std::uintptr_t>(many) % Alignment != 0;
        delete one;
        delete[] many;
    }
    return count;
}

int g_handled = 0;

} // namespace

extern "C" int pluginMisaligned() { return misaligned<64>() + misaligned<4096>(); }

extern "C" int pluginCatchesBadAlloc()
{
    volatile std::size_t tooMuch = std::size_t{1} << 62;
    std::set_new_handler([] {
        ++g_handled;
        std::set_new_handler(nullptr);
    });
    try {
        delete[] new char[tooMuch];
    } catch (const std::bad_alloc &) {
        return g_handled;
    }
    return -1;
}

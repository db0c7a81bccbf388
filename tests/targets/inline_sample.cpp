// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdio>

/// Known inlined functions at known lines: the comments "line: …" are looked for by the test.
namespace sample {

[[gnu::always_inline]] inline int innermost(const volatile int *number)
{
    return *number ^ 7; // line: innermost
}

[[gnu::always_inline]] inline int middle(const volatile int *number)
{
    return innermost(number) + 3; // line: middle
}

namespace {

/// Has no linkage name that reaches outside.
[[gnu::noinline]] int hiddenFunction(const volatile int *number)
{
    return *number + 11; // line: hidden
}

} // namespace

struct Widget
{
    [[gnu::noinline]] int outermost(const volatile int *number) const;
};

int Widget::outermost(const volatile int *number) const
{
    return middle(number) * 5; // line: outermost
}

__attribute__((noinline)) int twoLambdas(const volatile int *number)
{
    const auto first = [=]() __attribute__((always_inline)) { return *number * 7; };
    const auto second = [=]() __attribute__((always_inline)) { return *number * 11; };
    return first() + *number + second();
}

} // namespace sample

int main(int argumentCount, char **)
{
    const volatile int number = argumentCount;
    const auto local = [](const volatile int *counted) __attribute__((noinline))
    {
        return sample::innermost(counted) + 1; // line: lambda
    };
    std::printf("%d\n",
        sample::Widget().outermost(&number) + sample::hiddenFunction(&number) + sample::twoLambdas(&number)
            + local(&number));
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/frame_guess.h"

#include <libunwind.h>

namespace capture {

namespace {

/// What the accessors of one step see.
struct Step
{
    const unwind::Registers &registers;
    const unwind::CopiedStack &stack;
    const AddressSpace &space;
};

int findProcInfo(unw_addr_space_t, unw_word_t, unw_proc_info_t *, int, void *)
{
    return -UNW_ENOINFO; // whatever there is, our own tables have read
}

void putUnwindInfo(unw_addr_space_t, unw_proc_info_t *, void *) { }

int dynInfoList(unw_addr_space_t, unw_word_t *, void *) { return -UNW_ENOINFO; }

int accessMemory(unw_addr_space_t, unw_word_t address, unw_word_t *value, int isWrite, void *argument)
{
    const auto *step = static_cast<const Step *>(argument);
    std::uint64_t word = 0;
    if (isWrite)
        return -UNW_EINVAL;
    // libunwind asks whether a pc can be read at all; of the code itself we have no copy.
    if (!step->stack.read(address, word) && !step->space.find(address))
        return -UNW_EINVAL;
    *value = word;
    return 0;
}

int accessRegister(unw_addr_space_t, unw_regnum_t number, unw_word_t *value, int isWrite, void *argument)
{
    const auto *step = static_cast<const Step *>(argument);
    if (isWrite || number < 0 || !step->registers.isKnown(static_cast<unsigned>(number)))
        return -UNW_EBADREG;
    *value = step->registers.value[number];
    return 0;
}

int accessFloat(unw_addr_space_t, unw_regnum_t, unw_fpreg_t *, int, void *) { return -UNW_EBADREG; }

int resume(unw_addr_space_t, unw_cursor_t *, void *) { return -UNW_EINVAL; }

int procName(unw_addr_space_t, unw_word_t, char *, std::size_t, unw_word_t *, void *) { return -UNW_ENOINFO; }

} // namespace

FrameGuess::FrameGuess()
{
    unw_accessors_t accessors = {};
    accessors.find_proc_info = findProcInfo;
    accessors.put_unwind_info = putUnwindInfo;
    accessors.get_dyn_info_list_addr = dynInfoList;
    accessors.access_mem = accessMemory;
    accessors.access_reg = accessRegister;
    accessors.access_fpreg = accessFloat;
    accessors.resume = resume;
    accessors.get_proc_name = procName;
    auto *space = unw_create_addr_space(&accessors, 0);
    if (space)
        unw_set_caching_policy(space, UNW_CACHE_NONE);
    m_space = space;
}

FrameGuess::~FrameGuess()
{
    if (m_space)
        unw_destroy_addr_space(static_cast<unw_addr_space_t>(m_space));
}

bool FrameGuess::step(unwind::Registers &registers, const unwind::CopiedStack &stack, const AddressSpace &space)
{
    Step step{registers, stack, space};
    unw_cursor_t cursor;
    if (!m_space || unw_init_remote(&cursor, static_cast<unw_addr_space_t>(m_space), &step) != 0
        || unw_step(&cursor) <= 0)
        return false;
    unwind::Registers caller;
    for (unsigned number = 0; number < unwind::reg::kCount; ++number) {
        unw_word_t value = 0;
        if (unw_get_reg(&cursor, static_cast<unw_regnum_t>(number), &value) == 0)
            caller.set(number, value);
    }
    const bool isPlausible = caller.isKnown(unwind::reg::kReturnAddress) && caller.isKnown(unwind::reg::kRsp)
        && caller.sp() > registers.sp() && space.find(caller.pc() - 1) != nullptr;
    if (isPlausible)
        registers = caller;
    return isPlausible;
}

} // namespace capture

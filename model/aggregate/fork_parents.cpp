// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/fork_parents.h"

#include <cstddef>

namespace model {

std::vector<ProcessId> forkParents(const ProgramTables &tables)
{
    std::vector<std::vector<const Image *>> images(tables.processes.size());
    for (const Image &image : tables.images)
        images.at(image.process.index()).push_back(&image);
    std::vector<ProcessId> parents(tables.processes.size());
    for (std::size_t i = 0; i < parents.size(); ++i) {
        const Process &process = tables.processes[i];
        if (images[i].size() != 1 || !process.parent.isValid())
            continue;
        const Image *forked = nullptr; // what the parent ran then
        for (const Image *image : images.at(process.parent.index()))
            if (forked == nullptr || image->start <= process.start)
                forked = image;
        if (forked != nullptr && forked->executable == images[i].front()->executable)
            parents[i] = process.parent;
    }
    return parents;
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/process_images.h"

#include <algorithm>

namespace model {

std::vector<std::vector<ImageId>> imagesByProcess(const ProgramTables &tables)
{
    std::vector<std::vector<ImageId>> images(tables.processes.size());
    for (std::size_t i = 0; i < tables.images.size(); ++i)
        images.at(tables.images[i].process.index()).push_back(ImageId(i));
    for (std::vector<ImageId> &own : images)
        std::stable_sort(own.begin(), own.end(),
            [&](ImageId a, ImageId b) { return tables.images[a.index()].epoch < tables.images[b.index()].epoch; });
    return images;
}

bool hasEnded(const ProgramTables &tables, ImageId image)
{
    const Image &row = tables.images.at(image.index());
    return row.end || tables.processes.at(row.process.index()).end;
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/program_paths.h"

#include <filesystem>
#include <system_error>

namespace app {

std::string programDirectory()
{
    std::error_code error;
    const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? std::string() : program.parent_path().string();
}

std::string tracerPath()
{
    const std::filesystem::path prefix = std::filesystem::path(programDirectory()).parent_path();
    return (prefix / GENESIS_TRACER_DIR / "libgenesis_heaptracer.so").string();
}

} // namespace app

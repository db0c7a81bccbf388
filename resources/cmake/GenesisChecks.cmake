# SPDX-License-Identifier: GPL-3.0-or-later
# Targets that look at the source tree: format, format-check, tidy, coverage, bench. `installer/deps checks` installs
# the tools that they need; a target whose tool is not there says so when it is built.

find_program(GENESIS_CLANG_FORMAT NAMES clang-format clang-format-14)
find_program(GENESIS_CLANG_TIDY NAMES run-clang-tidy run-clang-tidy-14)
find_program(GENESIS_GCOVR gcovr)

# genesis_check(NAME TOOL COMMAND…): a target that runs COMMAND, or fails with the reason where TOOL was not found.
function(genesis_check name tool)
    if(tool)
        add_custom_target(${name} ${ARGN} WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}" USES_TERMINAL VERBATIM)
    else()
        add_custom_target(${name}
            COMMAND ${CMAKE_COMMAND} -E echo "${name}: its tool is not installed: run installer/deps checks, then cmake again"
            COMMAND ${CMAKE_COMMAND} -E false VERBATIM)
    endif()
endfunction()

# Every source that is in the repository: what is not yet added is not yet checked. A list that git does not give is an
# error, not a list of nothing.
set(genesis_format_sources "sources=$(git ls-files '*.cpp' '*.h') && test -n \"$sources\" && exec \"$0\" \"$@\" $sources")
genesis_check(format "${GENESIS_CLANG_FORMAT}"
    COMMAND sh -c "${genesis_format_sources}" "${GENESIS_CLANG_FORMAT}" -i)
genesis_check(format-check "${GENESIS_CLANG_FORMAT}"
    COMMAND sh -c "${genesis_format_sources}" "${GENESIS_CLANG_FORMAT}" --dry-run --Werror)

# Build first: the tests include what moc makes.
genesis_check(tidy "${GENESIS_CLANG_TIDY}"
    COMMAND "${GENESIS_CLANG_TIDY}" -quiet -p "${CMAKE_BINARY_DIR}"
        "^${CMAKE_SOURCE_DIR}/(app|capture|installer|model|storage|tests|ui)/.*\\.cpp$")

# A build of its own below this one, so that the counters never get into another.
set(genesis_coverage_dir "${CMAKE_BINARY_DIR}/coverage")
genesis_check(coverage "${GENESIS_GCOVR}"
    COMMAND ${CMAKE_COMMAND} -S "${CMAKE_SOURCE_DIR}" -B "${genesis_coverage_dir}" -G Ninja
        -DCMAKE_BUILD_TYPE=Debug -DGENESIS_COVERAGE=ON -DCMAKE_CXX_COMPILER_LAUNCHER=ccache
    COMMAND ${CMAKE_COMMAND} --build "${genesis_coverage_dir}"
    COMMAND ${CMAKE_CTEST_COMMAND} --test-dir "${genesis_coverage_dir}" --output-on-failure --no-tests=error -LE "bench|soak"
    COMMAND "${GENESIS_GCOVR}" --root "${CMAKE_SOURCE_DIR}" --exclude "build/" --exclude "tests/" --print-summary
        --html-details "${genesis_coverage_dir}/index.html" "${genesis_coverage_dir}")

add_custom_target(bench
    COMMAND ${CMAKE_COMMAND} --build "${CMAKE_BINARY_DIR}"
    COMMAND ${CMAKE_CTEST_COMMAND} --test-dir "${CMAKE_BINARY_DIR}" --verbose --no-tests=error -L bench
    USES_TERMINAL VERBATIM)

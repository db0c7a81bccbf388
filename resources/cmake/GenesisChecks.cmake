# SPDX-License-Identifier: GPL-3.0-or-later
# Targets that look at the source tree: format, format-check, tidy, coverage, bench. `installer/deps checks` installs
# the tools that they need; a target whose tool is not there says so when it is built.

file(GLOB_RECURSE genesis_sources CONFIGURE_DEPENDS
    "${CMAKE_SOURCE_DIR}/app/*.cpp" "${CMAKE_SOURCE_DIR}/app/*.h"
    "${CMAKE_SOURCE_DIR}/capture/*.cpp" "${CMAKE_SOURCE_DIR}/capture/*.h"
    "${CMAKE_SOURCE_DIR}/installer/*.cpp"
    "${CMAKE_SOURCE_DIR}/model/*.cpp" "${CMAKE_SOURCE_DIR}/model/*.h"
    "${CMAKE_SOURCE_DIR}/storage/*.cpp" "${CMAKE_SOURCE_DIR}/storage/*.h"
    "${CMAKE_SOURCE_DIR}/tests/*.cpp" "${CMAKE_SOURCE_DIR}/tests/*.h"
    "${CMAKE_SOURCE_DIR}/ui/*.cpp" "${CMAKE_SOURCE_DIR}/ui/*.h")

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

genesis_check(format "${GENESIS_CLANG_FORMAT}" COMMAND "${GENESIS_CLANG_FORMAT}" -i ${genesis_sources})
genesis_check(format-check "${GENESIS_CLANG_FORMAT}"
    COMMAND "${GENESIS_CLANG_FORMAT}" --dry-run --Werror ${genesis_sources})

list(FILTER genesis_sources INCLUDE REGEX "\\.cpp$")
genesis_check(tidy "${GENESIS_CLANG_TIDY}"
    COMMAND "${GENESIS_CLANG_TIDY}" -quiet -p "${CMAKE_BINARY_DIR}" ${genesis_sources})

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

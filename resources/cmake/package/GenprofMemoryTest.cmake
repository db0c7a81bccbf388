# SPDX-License-Identifier: MIT
# genprof_add_memory_test(NAME name COMMAND program [argument…]
#     [KIND unit|integration|soak] [THRESHOLDS file.toml] [BASELINE file.baseline]
#     [MAX_PEAK 64MiB] [MAX_ALLOCATIONS n] [MAX_ALLOCATED 1GiB] [MAX_TEMPORARY n] [MAX_LIVE 1MiB] [MAX_LIVE_BLOCKS n]
#     [MAX_SYSTEM_CALLS n] [MAX_INSTRUCTIONS n] [MAX_CPU_TIME 2s] [MAX_OWN_TIME 2s] [MAX_WALL_TIME 5s]
#     [NO_LEAKS | ALLOW_LEAKS] [MAX_GROWTH 5%]
#     [LABELS label…] [TIMEOUT seconds] [WORKING_DIRECTORY folder] [ENVIRONMENT variable=value…])
#
# A test for CTest that runs the command under `genprof gate`, and fails when it ends with another status than 0 or needs more
# than is allowed: the output says what, by how much, and which stacks did it. "off" takes a limit of the file away.
#
# - THRESHOLDS, or the variable GENPROF_THRESHOLDS: limits of the table [unit], [integration] or [soak], and of [test."name"]:
#   the arguments in lower case, max_peak = "64MiB", no_leaks = true. Arguments go before them. The file is checked when CMake runs.
# - MAX_LIVE and MAX_LIVE_BLOCKS: what is not freed when the program ends. NO_LEAKS: of these, what no pointer leads to then.
# - MAX_GROWTH: how much more than BASELINE any count may be, which `genprof baseline save` writes; also with max_growth in the file.
# - Labels: memory, and the kind. Time limit: 300 s; 7200 s of a soak test. The session is kept in genprof/NAME of the build folder.
# - Where a program cannot be traced (static, address sanitizer, no rights), the test is skipped.
# - GENPROF_EXPECT blocks of genesis_expect.h in the program are judged too: a program that has nothing but these needs no limit here.
function(genprof_add_memory_test)
    set(values MAX_PEAK MAX_ALLOCATIONS MAX_ALLOCATED MAX_TEMPORARY MAX_LIVE MAX_LIVE_BLOCKS MAX_SYSTEM_CALLS
        MAX_INSTRUCTIONS MAX_CPU_TIME MAX_OWN_TIME MAX_WALL_TIME)
    set(keys peak_bytes allocations allocated_bytes temporary left_bytes left_blocks system_calls
        instructions cpu_ns own_ns wall_ns)
    cmake_parse_arguments(PARSE_ARGV 0 arg "NO_LEAKS;ALLOW_LEAKS"
        "NAME;KIND;THRESHOLDS;BASELINE;MAX_GROWTH;TIMEOUT;WORKING_DIRECTORY;${values}" "COMMAND;LABELS;ENVIRONMENT")
    set(who "genprof_add_memory_test(NAME ${arg_NAME}): ")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "${who}there is no argument ${arg_UNPARSED_ARGUMENTS}; limits are ${values}, NO_LEAKS, MAX_GROWTH")
    endif()
    if(arg_KEYWORDS_MISSING_VALUES)
        message(FATAL_ERROR "${who}${arg_KEYWORDS_MISSING_VALUES} has no value")
    endif()
    if(NOT arg_NAME OR NOT arg_COMMAND)
        message(FATAL_ERROR "${who}NAME and COMMAND are needed")
    endif()
    foreach(word IN LISTS arg_COMMAND)
        if(word MATCHES "^(MAX|MIN|NO|ALLOW)_[A-Z_]+$")
            message(FATAL_ERROR "${who}${word} stands in COMMAND and looks like a limit; limits are ${values}, NO_LEAKS, MAX_GROWTH")
        endif()
    endforeach()
    if(NOT arg_KIND)
        set(arg_KIND unit)
    endif()
    if(NOT arg_KIND MATCHES "^(unit|integration|soak)$")
        message(FATAL_ERROR "${who}KIND ${arg_KIND} is none: unit, integration or soak")
    endif()
    if(arg_NO_LEAKS AND arg_ALLOW_LEAKS)
        message(FATAL_ERROR "${who}NO_LEAKS and ALLOW_LEAKS exclude each other")
    endif()

    set(options --skip-status 77)
    if(NOT arg_THRESHOLDS)
        set(arg_THRESHOLDS "${GENPROF_THRESHOLDS}")
    endif()
    if(arg_THRESHOLDS)
        get_filename_component(thresholds "${arg_THRESHOLDS}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
        list(APPEND options --thresholds "${thresholds}" --kind ${arg_KIND} --test "${arg_NAME}")
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${thresholds}")
    endif()
    if(arg_BASELINE)
        get_filename_component(baseline "${arg_BASELINE}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
        list(APPEND options --baseline "${baseline}")
    elseif(arg_MAX_GROWTH)
        message(FATAL_ERROR "${who}MAX_GROWTH needs BASELINE file.baseline, which `genprof baseline save` writes")
    else()
        list(APPEND options --no-base)
    endif()
    foreach(value key IN ZIP_LISTS values keys)
        if(DEFINED arg_${value})
            list(APPEND options --max "${key}=${arg_${value}}")
        endif()
    endforeach()
    if(arg_NO_LEAKS)
        list(APPEND options --no-leaks)
    elseif(arg_ALLOW_LEAKS)
        list(APPEND options --max lost_blocks=off)
    endif()
    if(arg_MAX_GROWTH)
        string(REGEX REPLACE "^\\+" "" growth "${arg_MAX_GROWTH}")
        if(NOT growth MATCHES "^[0-9.]+%$")
            message(FATAL_ERROR "${who}MAX_GROWTH ${arg_MAX_GROWTH} is no share, such as 5%")
        endif()
        list(APPEND options --max "counters=+${growth}")
    endif()

    # The same program that will judge reads the limits now, so that a mistake is told before anything is built.
    if(NOT CMAKE_CROSSCOMPILING)
        execute_process(COMMAND "${GenesisProfiler_GENPROF}" gate ${options} --print-limits -- ${arg_NAME}
            RESULT_VARIABLE status OUTPUT_QUIET ERROR_VARIABLE messages OUTPUT_STRIP_TRAILING_WHITESPACE)
        if(NOT status EQUAL 0)
            message(FATAL_ERROR "${who}${messages}")
        endif()
    endif()

    list(POP_FRONT arg_COMMAND program)
    if(TARGET ${program})
        set(program "$<TARGET_FILE:${program}>")
    endif()
    if(NOT arg_WORKING_DIRECTORY)
        set(arg_WORKING_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}")
    endif()
    add_test(NAME "${arg_NAME}"
        COMMAND "${GenesisProfiler_GENPROF}" gate -q ${options} --sessions "${CMAKE_CURRENT_BINARY_DIR}/genprof/${arg_NAME}"
            -- ${program} ${arg_COMMAND}
        WORKING_DIRECTORY "${arg_WORKING_DIRECTORY}")
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 300)
        if(arg_KIND STREQUAL soak)
            set(arg_TIMEOUT 7200)
        endif()
    endif()
    set_tests_properties("${arg_NAME}" PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT ${arg_TIMEOUT}
        LABELS "memory;${arg_KIND};${arg_LABELS}" ENVIRONMENT "${arg_ENVIRONMENT}")
endfunction()

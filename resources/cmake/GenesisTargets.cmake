# SPDX-License-Identifier: GPL-3.0-or-later
# The compiler settings of every target, and the functions that declare them.

set(GENESIS_SANITIZE "" CACHE STRING "Sanitizers for everything but the tracer: address;undefined or thread")
option(GENESIS_COVERAGE "Count executed lines in everything but the tracer" OFF)
option(GENESIS_WERROR "Treat warnings as errors" ON)

add_library(genesis_options INTERFACE)
target_compile_features(genesis_options INTERFACE cxx_std_20)
target_compile_options(genesis_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Wnon-virtual-dtor
    -Wno-missing-field-initializers # members have initializers; designated ones name only what differs
    $<$<BOOL:${GENESIS_WERROR}>:-Werror>
    -fno-omit-frame-pointer)
target_include_directories(genesis_options INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_definitions(genesis_options INTERFACE
    QT_NO_CAST_FROM_ASCII QT_NO_FOREACH QT_NO_KEYWORDS _FILE_OFFSET_BITS=64)

add_library(genesis_sanitizers INTERFACE)
if(GENESIS_SANITIZE)
    list(JOIN GENESIS_SANITIZE "," genesis_sanitize_list)
    # What a sanitizer puts between a test and what it guards hides the test from this warning of GCC.
    target_compile_options(genesis_sanitizers INTERFACE
        -fsanitize=${genesis_sanitize_list} -fno-sanitize-recover=all -Wno-maybe-uninitialized)
    target_link_options(genesis_sanitizers INTERFACE -fsanitize=${genesis_sanitize_list})
endif()

if(GENESIS_COVERAGE)
    target_compile_options(genesis_sanitizers INTERFACE --coverage)
    target_link_options(genesis_sanitizers INTERFACE --coverage)
endif()

# genesis_library(NAME SOURCES… LIBS…): a static library with the project's options.
function(genesis_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS;PRIVATE_LIBS")
    add_library(${name} STATIC ${arg_SOURCES})
    target_link_libraries(${name} PUBLIC genesis_options genesis_sanitizers ${arg_LIBS} PRIVATE ${arg_PRIVATE_LIBS})
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
endfunction()

# genesis_test(FILE LIBS… [LABELS…] [TIMEOUT s] [ENVIRONMENT…]): one Qt Test executable from FILE.cpp, run by
# CTest. The suffix of FILE is its kind (_test, _integration_test, _fuzz_test, _bench, _soak), and its first label.
function(genesis_test file)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "LIBS;SOURCES;LABELS;ENVIRONMENT")
    add_executable(${file} ${file}.cpp ${arg_SOURCES})
    set_target_properties(${file} PROPERTIES AUTOMOC ON
        RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
    target_link_libraries(${file} PRIVATE genesis_options genesis_sanitizers Qt6::Test ${arg_LIBS})
    if(file MATCHES "_integration_test$")
        set(kind integration)
    elseif(file MATCHES "_fuzz_test$")
        set(kind fuzz)
    elseif(file MATCHES "_bench$")
        set(kind bench)
    elseif(file MATCHES "_soak$")
        set(kind soak)
    else()
        set(kind unit)
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 120)
    endif()
    add_test(NAME ${file} COMMAND ${file})
    # QProcess's child shares our memory until it execs: the thread sanitizer takes what it notes there about itself for ours.
    set_tests_properties(${file} PROPERTIES LABELS "${kind};${arg_LABELS}" TIMEOUT ${arg_TIMEOUT}
        ENVIRONMENT "QT_QPA_PLATFORM=offscreen;GENESIS_BUILD_DIR=${CMAKE_BINARY_DIR};GENESIS_SOURCE_DIR=${CMAKE_SOURCE_DIR};TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/support/tsan_suppressions.txt:die_after_fork=0;${arg_ENVIRONMENT}"
        ENVIRONMENT_MODIFICATION "PATH=path_list_append:${CMAKE_BINARY_DIR}/tests/tools")
    if(kind MATCHES "integration|bench|soak")
        # They measure other programs, or themselves: one at a time.
        set_tests_properties(${file} PROPERTIES RUN_SERIAL ON)
    endif()
endfunction()

# genesis_target(NAME [SOURCE] LIBS… OPTIONS…): a program of tests/targets, built without sanitizers, with debug information.
function(genesis_target name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "SOURCE" "LIBS;OPTIONS")
    if(NOT arg_SOURCE)
        set(arg_SOURCE ${name}.cpp)
    endif()
    add_executable(${name} ${arg_SOURCE})
    target_compile_features(${name} PRIVATE cxx_std_20)
    target_compile_options(${name} PRIVATE -g -O2 ${arg_OPTIONS})
    target_link_libraries(${name} PRIVATE ${arg_LIBS})
    # Not through ccache: an object made in another checkout would name that one's files in its debug information.
    set_target_properties(${name} PROPERTIES C_COMPILER_LAUNCHER "" CXX_COMPILER_LAUNCHER ""
        RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/targets")
endfunction()

# genesis_install_compressed(FILE DESTINATION): installs FILE as packages have it, FILE.gz, the same at each build.
find_program(GENESIS_GZIP gzip REQUIRED)
function(genesis_install_compressed file destination)
    cmake_path(GET file FILENAME name)
    set(compressed "${CMAKE_BINARY_DIR}/compressed/${name}.gz")
    file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/compressed")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    execute_process(COMMAND "${GENESIS_GZIP}" -9nc "${file}" OUTPUT_FILE "${compressed}" COMMAND_ERROR_IS_FATAL ANY)
    install(FILES "${compressed}" DESTINATION "${destination}")
endfunction()

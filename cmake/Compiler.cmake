# The language, the warnings, the sanitizers and the optimisation of all of pabal's own code.

include_guard()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release)
endif()

# No -march: one binary for every machine of an architecture; code that gains from newer instructions chooses at run time.
# Nobody replaces pabal's functions by LD_PRELOAD, so the compiler may inline them although they are exported.
add_compile_options(-fno-semantic-interposition)

set(pabal_warnings -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    list(APPEND pabal_warnings -Wno-restrict)  # GCC bug 105651: wrong about std::string in this version
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # Interfaces whose objects are never owned through them have a protected destructor that is not virtual.
    list(APPEND pabal_warnings -Wno-missing-designated-field-initializers -Wno-delete-non-abstract-non-virtual-dtor
        -Wno-unknown-warning-option)
endif()
if(PABAL_WERROR)
    list(APPEND pabal_warnings -Werror)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # What the optimiser guesses after inlining is often wrong, and differs from version to version.
        foreach(guess IN ITEMS array-bounds free-nonheap-object maybe-uninitialized nonnull null-dereference restrict
                stringop-overflow stringop-overread)
            list(APPEND pabal_warnings -Wno-error=${guess})
        endforeach()
    endif()
endif()

if(PABAL_SANITIZE)
    add_compile_options(-fsanitize=${PABAL_SANITIZE} -fno-omit-frame-pointer -g1)
    add_link_options(-fsanitize=${PABAL_SANITIZE})
    if(PABAL_SANITIZE MATCHES "undefined")
        add_compile_options(-fno-sanitize-recover=undefined)
    endif()
    add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
    add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()

if(PABAL_LTO)
    include(CheckIPOSupported)
    check_ipo_supported()
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()

# Paths below the source tree do not enter ccache's key, so that a fresh clone elsewhere finds what another one compiled.
find_program(PABAL_CCACHE_PROGRAM ccache)
if(PABAL_CCACHE AND PABAL_CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    foreach(language IN ITEMS C CXX)
        set(CMAKE_${language}_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}"
            CCACHE_NOHASHDIR=1 "${PABAL_CCACHE_PROGRAM}")
    endforeach()
endif()

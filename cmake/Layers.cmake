# pabal_layer(<name> [SOURCES <files>…] [LINK <targets>…])
#
# One layer of the engine (see docs/architecture.md) as a static library `pabal_<name>`, also known as pabal::layer::<name>. LINK
# names the layers directly below and the third-party libraries it uses: nothing else can be included without a link error, and
# tools/check_layers.py holds the includes to the same order. A layer of headers only becomes an INTERFACE library.

include_guard()

set_property(GLOBAL PROPERTY PABAL_LAYERS "")

function(pabal_layer name)
    cmake_parse_arguments(layer "" "" "SOURCES;LINK" ${ARGN})
    if(layer_SOURCES)
        set(scope PUBLIC)
        add_library(pabal_${name} STATIC ${layer_SOURCES})
        target_compile_options(pabal_${name} PRIVATE ${pabal_warnings})
        set_property(GLOBAL APPEND PROPERTY PABAL_LAYERS pabal_${name})
    else()
        set(scope INTERFACE)
        add_library(pabal_${name} INTERFACE)
    endif()
    add_library(pabal::layer::${name} ALIAS pabal_${name})
    target_include_directories(pabal_${name} ${scope}
        "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>" "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>")
    target_link_libraries(pabal_${name} ${scope} ${layer_LINK})
endfunction()

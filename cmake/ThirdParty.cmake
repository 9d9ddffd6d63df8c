# Imported targets for the third-party libraries, built once by tools/third_party.py and kept in a cache outside the clone.
#
#   pabal::third_party::boringssl_ssl      <openssl/ssl.h>               (links boringssl_crypto)
#   pabal::third_party::boringssl_crypto   <openssl/evp.h>, …
#   pabal::third_party::boringssl_pki      <openssl/pki/…>               Chromium's certificate verifier
#   pabal::third_party::zlib               <zlib-ng.h>                   zlib-ng under its own names: zng_inflate, zng_stream, …
#   pabal::third_party::brotli_dec         <brotli/decode.h>
#   pabal::third_party::brotli_enc         <brotli/encode.h>
#   pabal::third_party::zstd               <zstd.h>
#   pabal::third_party::cares              <ares.h>
#   pabal::third_party::nghttp2            <nghttp2/nghttp2.h>
#   pabal::third_party::nghttp3            <nghttp3/nghttp3.h>
#   pabal::third_party::ngtcp2             <ngtcp2/ngtcp2.h>
#   pabal::third_party::ngtcp2_crypto      <ngtcp2/ngtcp2_crypto.h>, <ngtcp2/ngtcp2_crypto_boringssl.h>
#   pabal::third_party::ada                <ada.h>
#   pabal::third_party::simdjson           <simdjson.h>
#
# and data: PABAL_PUBLICSUFFIX_ROOT is a folder with share/rules.txt (the public suffix list) and share/tests.txt (its tests).
#
# Options, one for each library NAME below: -DPABAL_<NAME>_SOURCE=<folder> builds it from your own tree.
# -DPABAL_THIRD_PARTY_CC / _CXX name the compilers for third-party code (default: cc and c++, whatever compiles pabal itself).

include_guard()
find_package(Threads REQUIRED)

set(PABAL_THIRD_PARTY_CC "cc" CACHE STRING "C compiler for third-party libraries")
set(PABAL_THIRD_PARTY_CXX "c++" CACHE STRING "C++ compiler for third-party libraries")

set(third_party_arguments --cc "${PABAL_THIRD_PARTY_CC}" --cxx "${PABAL_THIRD_PARTY_CXX}")
foreach(name IN ITEMS boringssl zlib brotli zstd cares nghttp2 nghttp3 ngtcp2 ada simdjson publicsuffix)
    string(TOUPPER ${name} upper)
    set(PABAL_${upper}_SOURCE "" CACHE PATH "Your own source tree of ${name} (empty: the pinned one)")
    if(PABAL_${upper}_SOURCE)
        list(APPEND third_party_arguments --source "${name}=${PABAL_${upper}_SOURCE}")
    endif()
endforeach()

find_program(PABAL_TOOLS_PYTHON NAMES python3 python REQUIRED DOC "The Python that runs pabal's build scripts")
set(third_party_results "${CMAKE_BINARY_DIR}/third_party.cmake")
execute_process(
    COMMAND "${PABAL_TOOLS_PYTHON}" "${PROJECT_SOURCE_DIR}/tools/third_party.py" build --cmake "${third_party_results}"
            ${third_party_arguments}
    COMMAND_ERROR_IS_FATAL ANY)
include("${third_party_results}")

# Configure again when the pins or the recipes change.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    "${PROJECT_SOURCE_DIR}/third_party/Cargo.lock" "${PROJECT_SOURCE_DIR}/tools/third_party.py"
    "${PROJECT_SOURCE_DIR}/tools/third_party_recipes.py")

# third_party_library(<target> <root of the library> <archive> [<linked targets>…])
function(third_party_library target root archive)
    add_library(pabal::third_party::${target} STATIC IMPORTED GLOBAL)
    set_target_properties(pabal::third_party::${target} PROPERTIES
        IMPORTED_LOCATION "${root}/lib/${archive}"
        INTERFACE_INCLUDE_DIRECTORIES "${root}/include"
        INTERFACE_LINK_LIBRARIES "${ARGN}")
endfunction()

third_party_library(boringssl_crypto "${PABAL_BORINGSSL_ROOT}" libcrypto.a Threads::Threads)
third_party_library(boringssl_ssl "${PABAL_BORINGSSL_ROOT}" libssl.a pabal::third_party::boringssl_crypto)
third_party_library(boringssl_pki "${PABAL_BORINGSSL_ROOT}" libpki.a pabal::third_party::boringssl_crypto)
third_party_library(zlib "${PABAL_ZLIB_ROOT}" libz-ng.a)
third_party_library(brotli_dec "${PABAL_BROTLI_ROOT}" libbrotli.a)
third_party_library(brotli_enc "${PABAL_BROTLI_ROOT}" libbrotli.a)
third_party_library(zstd "${PABAL_ZSTD_ROOT}" libzstd.a)
third_party_library(cares "${PABAL_CARES_ROOT}" libcares.a Threads::Threads)
third_party_library(nghttp2 "${PABAL_NGHTTP2_ROOT}" libnghttp2.a)
third_party_library(nghttp3 "${PABAL_NGHTTP3_ROOT}" libnghttp3.a)
third_party_library(ngtcp2 "${PABAL_NGTCP2_ROOT}" libngtcp2.a)
third_party_library(ngtcp2_crypto "${PABAL_NGTCP2_ROOT}" libngtcp2_crypto_boringssl.a pabal::third_party::ngtcp2
    pabal::third_party::boringssl_ssl)
third_party_library(ada "${PABAL_ADA_ROOT}" libada.a)
third_party_library(simdjson "${PABAL_SIMDJSON_ROOT}" libsimdjson.a)

# Headers that change shape with these macros must see what the archives were built with.
set_property(TARGET pabal::third_party::cares PROPERTY INTERFACE_COMPILE_DEFINITIONS CARES_STATICLIB)
set_property(TARGET pabal::third_party::nghttp2 PROPERTY INTERFACE_COMPILE_DEFINITIONS NGHTTP2_STATICLIB)
set_property(TARGET pabal::third_party::nghttp3 PROPERTY INTERFACE_COMPILE_DEFINITIONS NGHTTP3_STATICLIB)
set_property(TARGET pabal::third_party::ngtcp2 PROPERTY INTERFACE_COMPILE_DEFINITIONS NGTCP2_STATICLIB)
set_property(TARGET pabal::third_party::simdjson PROPERTY INTERFACE_COMPILE_DEFINITIONS SIMDJSON_DEVELOPMENT_CHECKS=0)

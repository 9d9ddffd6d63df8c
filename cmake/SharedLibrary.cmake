# libpabal.so: every layer whole, third-party code inside but its symbols hidden, and the files find_package(pabal CONFIG) reads.

include_guard()
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

get_property(layers GLOBAL PROPERTY PABAL_LAYERS)
add_library(pabal SHARED)
add_library(pabal::pabal ALIAS pabal)
set_target_properties(pabal PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
target_include_directories(pabal PUBLIC
    "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>" "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
target_compile_features(pabal PUBLIC cxx_std_20)
# The objects of the layers go in whole; of the archives behind them only what the objects use.
foreach(layer IN LISTS layers)
    target_sources(pabal PRIVATE "$<TARGET_OBJECTS:${layer}>")
endforeach()
target_link_libraries(pabal PRIVATE ${layers})
set(hidden libssl.a libcrypto.a libpki.a libz-ng.a libbrotli.a libzstd.a libcares.a libnghttp2.a libnghttp3.a libngtcp2.a libngtcp2_crypto_boringssl.a libada.a libsimdjson.a)
list(JOIN hidden ":" hidden)
target_link_options(pabal PRIVATE "LINKER:--exclude-libs,${hidden}" "LINKER:--gc-sections")
if(NOT PABAL_SANITIZE)  # the sanitizers' run-time library is the program's, not ours
    target_link_options(pabal PRIVATE "LINKER:--no-undefined")
endif()

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/pabal")
install(TARGETS pabal EXPORT pabal COMPONENT cpp LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT cpp)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/pabal" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT cpp)
install(EXPORT pabal NAMESPACE pabal:: FILE pabalTargets.cmake DESTINATION "${package_folder}" COMPONENT cpp)
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/NOTICE" DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/pabal"
    COMPONENT cpp)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/third_party/licenses" DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/pabal" COMPONENT cpp)
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/pabalConfig.cmake.in" "${CMAKE_BINARY_DIR}/pabalConfig.cmake"
    INSTALL_DESTINATION "${package_folder}")
write_basic_package_version_file("${CMAKE_BINARY_DIR}/pabalConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/pabalConfig.cmake" "${CMAKE_BINARY_DIR}/pabalConfigVersion.cmake"
    DESTINATION "${package_folder}" COMPONENT cpp)

#pragma once
/// \file
/// The version of this library: the one place it is written. CMakeLists.txt and pyproject.toml read it from here.

#define PABAL_VERSION "0.1.0"

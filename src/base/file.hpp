#pragma once
/// \file
/// Small files, read and replaced as a whole.

#include <cstddef>
#include <string>
#include <string_view>

namespace pabal::base {

/// Reads the whole of a file into `out`. Returns 0, or the errno with which it failed: EISDIR for a folder, EFBIG when there are more
/// than `max_size` bytes.
int read_file(const std::string& path, std::size_t max_size, std::string& out);

/// Puts `text` in the place of what the file holds, or of no file, at once: whoever reads it sees the one or the other. It is written
/// beside it, readable for its owner only, and renamed; a file that was there keeps its permissions, and one that may not be written
/// is left. `path` must be no symbolic link, which would be replaced itself. Returns 0, or the errno with which it failed: then
/// nothing has changed.
int replace_file(const std::string& path, std::string_view text);

}  // namespace pabal::base

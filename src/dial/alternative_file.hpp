#pragma once
/// \file
/// The file in which what origins said of Alt-Svc outlives the process. Other processes, curl among them, may use it at the same
/// time: nothing of theirs is lost but what they write in the moment between our reading and renaming, which is learnt again.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <pabal/result.hpp>

#include "dial/alternative_cache.hpp"

namespace pabal::dial {

class alternative_file {
public:
    using time_point = alternative_cache::time_point;
    /// As many lines as are kept, of the longest names, have less. What has more is something else, and not to be replaced.
    static constexpr std::size_t max_size = 4 * 1024 * 1024;

    /// Reads the file at `path`, which may be missing if its folder is there. A path that is not absolute is so from now on. Fails with
    /// `invalid_argument` and the errno, in words to which the caller adds the path.
    static result<std::shared_ptr<alternative_file>> open(std::string_view path, time_point now);

    const std::string& path() const noexcept { return path_; }
    /// What it held when it was last read or written, oldest first.
    const std::vector<origin_alternatives>& known() const noexcept { return known_; }

    /// Adds the news to what the file holds by now, and replaces it; if `path` is a symbolic link, that to which it leads. Nothing
    /// is written where that changes nothing. Fails with `write_failed` and the errno, likewise; the file is as it was then.
    result<void> save(std::vector<origin_alternatives> news, time_point now);

private:
    explicit alternative_file(std::string path) : path_(std::move(path)) {}

    std::string path_;  ///< absolute
    std::vector<origin_alternatives> known_;
};

}  // namespace pabal::dial

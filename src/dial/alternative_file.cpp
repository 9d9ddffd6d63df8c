#include "dial/alternative_file.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <sys/stat.h>

#include "base/file.hpp"
#include "base/fork.hpp"
#include "dial/alternative_text.hpp"

namespace pabal::dial {

namespace {

error unusable(int number, std::string message) {
    return {error_code::invalid_argument, phase::prepare, culprit::caller, number, std::move(message)};
}

error unsaved(int number) {
    return {error_code::write_failed, phase::write, culprit::local, number,
            "cannot be written: " + std::generic_category().message(number)};
}

/// Where `path` leads, if it is a symbolic link, there or not. Of a ring of links it is one of them, which the system refuses.
std::string followed(std::filesystem::path path) {
    constexpr int most_links = 40;  // as the system follows
    for (int links = 0; links < most_links; ++links) {
        std::error_code is_no_link;
        const auto next = std::filesystem::read_symlink(path, is_no_link);
        if (is_no_link) break;
        path = path.parent_path() / next;
    }
    return path.string();
}

bool is_folder(const std::filesystem::path& path) {
    std::error_code unknown;
    return std::filesystem::is_directory(path, unknown);
}

/// Reads the file, or nothing where there is none; returns 0 or an errno.
int read_if_there(const std::string& path, std::string& out) {
    struct stat facts{};
    if (::stat(path.c_str(), &facts) != 0) return errno == ENOENT ? 0 : errno;
    if (!S_ISREG(facts.st_mode))
        return S_ISDIR(facts.st_mode) ? EISDIR : EINVAL;  // not to wait for the writer of a pipe
    const int failed = base::read_file(path, alternative_file::max_size, out);
    return failed == ENOENT ? 0 : failed;
}

}  // namespace

result<std::shared_ptr<alternative_file>> alternative_file::open(std::string_view path, time_point now) {
    if (path.find('\0') != path.npos) return unusable(EINVAL, "holds a zero byte");
    std::error_code nowhere;
    const auto absolute = std::filesystem::absolute(path, nowhere);
    if (nowhere) return unusable(nowhere.value(), "cannot be made absolute: " + nowhere.message());
    const std::string target = followed(absolute);
    std::string text;
    const int failed = read_if_there(target, text);
    if (failed == EINVAL) return unusable(failed, "is no ordinary file");
    if (failed == EFBIG) return unusable(failed, "is too large to be a list of alternatives");
    if (failed != 0) return unusable(failed, "cannot be read: " + std::generic_category().message(failed));
    if (!is_folder(std::filesystem::path(target).parent_path())) return unusable(ENOENT, "is in no folder that exists");
    std::shared_ptr<alternative_file> made(new alternative_file(absolute.string()));
    made->known_ = read_alternatives(text, now);
    return made;
}

result<void> alternative_file::save(std::vector<origin_alternatives> news, time_point now) {
    if (news.empty()) return {};
    const std::string target = followed(path_);
    std::string text;
    if (const int failed = read_if_there(target, text)) return unsaved(failed);
    auto there = read_alternatives(text, now);
    const std::string before = write_alternatives(there);
    auto merged = merge_alternatives(std::move(there), std::move(news), now);
    const std::string after = write_alternatives(merged);
    if (after != before) {
        if (const int failed = base::replace_file(target, after)) return unsaved(failed);
    }
    const base::no_fork whole;
    known_ = std::move(merged);
    return {};
}

}  // namespace pabal::dial

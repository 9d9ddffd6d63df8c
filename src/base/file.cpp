#include "base/file.hpp"

#include <cerrno>
#include <cstdlib>

#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

namespace pabal::base {

namespace {

struct descriptor_closer {
    int descriptor;
    ~descriptor_closer() { ::close(descriptor); }
};

int write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(descriptor, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
}

}  // namespace

int read_file(const std::string& path, std::size_t max_size, std::string& out) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return errno;
    const descriptor_closer closer{descriptor};
    struct stat facts{};
    if (::fstat(descriptor, &facts) != 0) return errno;
    if (S_ISDIR(facts.st_mode)) return EISDIR;
    out.clear();
    if (facts.st_size > 0 && static_cast<std::size_t>(facts.st_size) <= max_size)
        out.reserve(static_cast<std::size_t>(facts.st_size));
    char piece[16 * 1024];
    for (;;) {
        const ssize_t got = ::read(descriptor, piece, sizeof piece);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (got == 0) return 0;
        out.append(piece, static_cast<std::size_t>(got));
        if (out.size() > max_size) return EFBIG;
    }
}

int replace_file(const std::string& path, std::string_view text) {
    struct stat facts{};
    const bool is_there = ::stat(path.c_str(), &facts) == 0;
    if (is_there && ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) return errno;
    std::string beside = path + ".XXXXXX";
    const int descriptor = ::mkostemp(beside.data(), O_CLOEXEC);
    if (descriptor < 0) return errno;
    int failed = write_all(descriptor, text);
    if (is_there && failed == 0 && ::fchmod(descriptor, facts.st_mode & 0777) != 0) failed = errno;
    if (::close(descriptor) != 0 && failed == 0) failed = errno;
    if (failed == 0 && ::rename(beside.c_str(), path.c_str()) != 0) failed = errno;
    if (failed != 0) ::unlink(beside.c_str());
    return failed;
}

}  // namespace pabal::base

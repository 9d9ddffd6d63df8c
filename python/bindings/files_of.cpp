#include "files_of.hpp"

#include <cerrno>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include <sys/stat.h>

#include <unistd.h>
#if defined(__linux__)
#include <linux/magic.h>
#include <sys/vfs.h>
#endif

namespace pabal::python {

namespace {

/// What of a folder changes when a file appears in it: the times; in many file systems the size.
struct folder_state {
    dev_t device;
    ino_t inode;
    off_t size;
    timespec modified;
    timespec changed;  ///< cannot be set back

    static std::optional<folder_state> of(const char* folder) noexcept {
        struct stat found;
        if (::stat(folder, &found) != 0) return std::nullopt;
#if defined(__APPLE__)
        return folder_state{found.st_dev, found.st_ino, found.st_size, found.st_mtimespec, found.st_ctimespec};
#else
        return folder_state{found.st_dev, found.st_ino, found.st_size, found.st_mtim, found.st_ctim};
#endif
    }

    bool operator==(const folder_state& other) const noexcept {
        const auto same = [](const timespec& a, const timespec& b) {
            return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
        };
        return device == other.device && inode == other.inode && size == other.size && same(modified, other.modified) &&
               same(changed, other.changed);
    }

    /// Whether a change from `now` on certainly has another time. The coarsest times are whole seconds (ext3), and clocks
    /// tick a hundred times in each.
    bool is_before(std::time_t now) const noexcept { return modified.tv_sec + 2 < now && changed.tv_sec + 2 < now; }
};

/// Whether every change that anybody makes shows in the times at once: not so where another machine keeps them, or a program.
bool tells_changes([[maybe_unused]] const char* folder) noexcept {
#if defined(__linux__)
    struct statfs found;
    if (::statfs(folder, &found) != 0) return false;
    switch (static_cast<unsigned long>(found.f_type)) {
    case EXT4_SUPER_MAGIC:  // and ext2, ext3
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case TMPFS_MAGIC:
    case OVERLAYFS_SUPER_MAGIC: return true;
    default: return false;
    }
#else
    return false;
#endif
}

/// What one look at all names found.
enum class finding : std::uint8_t { none, nothing_usable, file };

class files_of {
public:
    files_of(const nb::bytes& folder, const nb::args& names) : folder_(text_of(folder.ptr())) {
        const std::string before = folder_.ends_with('/') ? folder_ : folder_ + '/';
        for (const nb::handle name : names) {
            if (!PyBytes_Check(name.ptr())) throw nb::type_error("FilesOf() takes names as bytes");
            paths_.push_back(before + text_of(name.ptr()));
        }
        tells_changes_ = tells_changes(folder_.c_str());
    }

    bool any_exist() {
        const std::optional<folder_state> kept = settled_;
        finding found = finding::none;
        std::optional<folder_state> next;
        {
            const nb::gil_scoped_release released;  // what lies elsewhere may take its time
            const std::time_t now = std::time(nullptr);
            const auto state = tells_changes_ ? folder_state::of(folder_.c_str()) : std::nullopt;
            if (kept && state && *kept == *state) return false;
            found = look();
            // Another file system may lie there by now.
            if (found == finding::none && state && state->is_before(now) && tells_changes(folder_.c_str()))
                next = state;
        }
        settled_ = next;
        return found == finding::file;
    }

    bool is_settled() const noexcept { return settled_.has_value(); }

private:
    static std::string text_of(PyObject* bytes) {
        return {PyBytes_AS_STRING(bytes), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes))};
    }

    finding look() const noexcept {
        finding found = finding::none;
        for (const std::string& path : paths_) {
            if (::access(path.c_str(), F_OK) == 0) return finding::file;
            struct stat named;
            if (::lstat(path.c_str(), &named) == 0 || errno != ENOENT) found = finding::nothing_usable;
        }
        return found;
    }

    std::string folder_;
    std::vector<std::string> paths_;
    bool tells_changes_ = false;
    std::optional<folder_state> settled_;  ///< how the folder was when it had none of the files; changed under the GIL
};

}  // namespace

void add_files_of(nb::module_& module) {
    nb::class_<files_of>(module, "FilesOf", "Whether a folder has one of a few files.")
        .def(nb::init<const nb::bytes&, const nb::args&>(), nb::arg("folder"), nb::arg("names"))
        .def("any_exist", &files_of::any_exist)
        .def_prop_ro("is_settled", &files_of::is_settled);
}

}  // namespace pabal::python

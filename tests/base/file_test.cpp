#include <cerrno>
#include <csignal>

#include <sys/resource.h>
#include <sys/stat.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.hpp"
#include "support/temporary_folder.hpp"

namespace pabal::base {
namespace {

unsigned permissions(const std::string& path) {
    struct stat facts{};
    return ::stat(path.c_str(), &facts) == 0 ? facts.st_mode & 0777 : 0;
}

/// Nothing that this program writes fits, as on a full disk.
class full_disk {
public:
    full_disk() : old_signal_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &old_);
        const rlimit none{4, old_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &none);
    }
    ~full_disk() {
        ::setrlimit(RLIMIT_FSIZE, &old_);
        std::signal(SIGXFSZ, old_signal_);
    }

private:
    rlimit old_{};
    void (*old_signal_)(int);
};

/// This program has no more rights than anybody.
class nobody {
public:
    nobody() : old_(::geteuid()) {
        if (old_ == 0) is_other_ = ::seteuid(65534) == 0;
    }
    ~nobody() {
        if (is_other_ && ::seteuid(old_) != 0) std::abort();
    }

private:
    uid_t old_;
    bool is_other_ = false;
};

class files : public ::testing::Test {
protected:
    testing::temporary_folder folder_;
    std::string text_ = "as it was";
};

TEST_F(files, are_read_as_a_whole) {
    const std::string large(100'000, 'x');
    EXPECT_EQ(read_file(folder_.add("large", large), large.size(), text_), 0);
    EXPECT_EQ(text_, large);
    EXPECT_EQ(read_file(folder_.path("large"), large.size() - 1, text_), EFBIG);
    EXPECT_EQ(read_file(folder_.add("empty", ""), 0, text_), 0);
    EXPECT_EQ(text_, "");
    EXPECT_EQ(read_file(folder_.path("none"), 10, text_), ENOENT);
    EXPECT_EQ(read_file(folder_.path(), 10, text_), EISDIR);
}

TEST_F(files, are_made_for_their_owner) {
    EXPECT_EQ(replace_file(folder_.path("new"), "text"), 0);
    EXPECT_EQ(folder_.read("new"), "text");
    EXPECT_EQ(permissions(folder_.path("new")), 0600U);
    EXPECT_EQ(replace_file(folder_.path("none") + "/new", "text"), ENOENT);
}

TEST_F(files, are_replaced_and_keep_their_permissions) {
    const std::string path = folder_.add("old", "before");
    ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
    EXPECT_EQ(replace_file(path, "after"), 0);
    EXPECT_EQ(folder_.read("old"), "after");
    EXPECT_EQ(permissions(path), 0640U);
    EXPECT_EQ(folder_.size(), 1U);
}

TEST_F(files, that_cannot_be_written_are_left_as_they_are) {
    const std::string path = folder_.add("old", "before");
    {
        const full_disk disk;
        EXPECT_EQ(replace_file(path, "something longer"), EFBIG);
    }
    EXPECT_EQ(folder_.read("old"), "before");
    EXPECT_EQ(folder_.size(), 1U) << "nothing half written stays behind";
}

TEST_F(files, that_may_not_be_read_or_written_are_refused) {
    const std::string path = folder_.add("old", "before");
    ASSERT_EQ(::chmod(folder_.path().c_str(), 0777), 0);
    ASSERT_EQ(::chmod(path.c_str(), 0), 0);
    {
        const nobody user;
        EXPECT_EQ(read_file(path, 10, text_), EACCES);
        EXPECT_EQ(replace_file(path, "after"), EACCES) << "though its folder may be written";
    }
    ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
    EXPECT_EQ(folder_.read("old"), "before");
}

}  // namespace
}  // namespace pabal::base

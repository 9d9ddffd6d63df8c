#include <array>
#include <utility>

#include <sys/wait.h>

#include <gtest/gtest.h>

#include "reactor/descriptor.hpp"

namespace pabal::reactor {
namespace {

bool is_open(int number) { return ::fcntl(number, F_GETFD) >= 0; }

bool is_open_in_child(int number) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(is_open(number) ? 1 : 0);
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

struct descriptor_of_a_pipe : testing::Test {
    void SetUp() override { ASSERT_EQ(::pipe(ends.data()), 0); }
    std::array<int, 2> ends{};
};

TEST_F(descriptor_of_a_pipe, closes_itself) {
    {
        const descriptor one(ends[0]);
        descriptor other(ends[1]);
        const descriptor moved(std::move(other));
        EXPECT_EQ(moved.get(), ends[1]);
        EXPECT_TRUE(is_open(ends[1]));
    }
    EXPECT_FALSE(is_open(ends[0]));
    EXPECT_FALSE(is_open(ends[1]));
}

TEST_F(descriptor_of_a_pipe, is_closed_in_a_child_and_only_there) {
    descriptor one(ends[0]);
    const descriptor moved(std::move(one));
    descriptor assigned;
    assigned = descriptor(ends[1]);
    EXPECT_FALSE(is_open_in_child(ends[0]));
    EXPECT_FALSE(is_open_in_child(ends[1]));
    EXPECT_TRUE(is_open(ends[0]));
    EXPECT_TRUE(is_open(ends[1]));
}

TEST_F(descriptor_of_a_pipe, is_kept_in_a_child_on_demand) {
    descriptor one(ends[0]);
    const descriptor other(ends[1]);
    one.keep_in_children();
    EXPECT_TRUE(is_open_in_child(ends[0]));
    EXPECT_FALSE(is_open_in_child(ends[1]));
}

TEST_F(descriptor_of_a_pipe, is_not_closed_in_a_child_when_somebody_else_owns_it) {
    descriptor one(ends[0]);
    EXPECT_EQ(one.release(), ends[0]);
    EXPECT_TRUE(is_open_in_child(ends[0]));
    { const descriptor other(ends[1]); }
    const int reused = ::dup(ends[0]);
    EXPECT_EQ(reused, ends[1]);
    EXPECT_TRUE(is_open_in_child(reused));
    ::close(reused);
    ::close(ends[0]);
}

}  // namespace
}  // namespace pabal::reactor

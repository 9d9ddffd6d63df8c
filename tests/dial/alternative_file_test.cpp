#include <cerrno>
#include <filesystem>
#include <string>

#include <sys/stat.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include "dial/alternative_file.hpp"
#include "support/temporary_folder.hpp"

namespace pabal::dial {
namespace {

using namespace std::chrono_literals;

constexpr alternative_cache::time_point now = std::chrono::sys_days{std::chrono::year{2027} / 1 / 1} + 10h;
const std::string line_of_a = "h2 a.example 443 h3 a.example 443 \"20270101 11:00:00\" 0 0\n";
const std::string line_of_b = "h2 b.example 443 h3 b.example 443 \"20270101 11:00:00\" 0 0\n";

origin_alternatives origin(std::string host) { return {host, 443, {{"h3", {host, 443}, now + 1h}}}; }

class alternative_files : public ::testing::Test {
protected:
    std::shared_ptr<alternative_file> open(std::string_view path) {
        auto opened = alternative_file::open(path, now);
        EXPECT_TRUE(opened) << opened.error().message;
        return opened ? *opened : nullptr;
    }
    static int refusal(std::string_view path) {
        const auto opened = alternative_file::open(path, now);
        return opened ? 0 : opened.error().system_errno;
    }
    std::string lines() const {
        std::string text = folder_.read("known");
        while (text.starts_with('#')) text.erase(0, text.find('\n') + 1);
        return text;
    }

    testing::temporary_folder folder_;
    const std::string path_ = folder_.path("known");
};

TEST_F(alternative_files, need_not_be_there_and_are_made_when_there_is_something_to_say) {
    const auto file = open(path_);
    EXPECT_TRUE(file->known().empty());
    EXPECT_TRUE(file->save({}, now));
    EXPECT_TRUE(file->save({{"a.example", 443, {}}}, now));
    EXPECT_EQ(folder_.size(), 0U) << "nothing to say";
    EXPECT_TRUE(file->save({origin("a.example")}, now));
    EXPECT_EQ(lines(), line_of_a);
    EXPECT_EQ(file->known(), std::vector{origin("a.example")});
    struct stat facts{};
    ASSERT_EQ(::stat(path_.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0600U);
    EXPECT_EQ(open(path_)->known(), std::vector{origin("a.example")});
}

TEST_F(alternative_files, are_merged_with_what_others_wrote_meanwhile) {
    folder_.add("known", line_of_a);
    const auto first = open(path_), second = open(path_);
    EXPECT_TRUE(second->save({origin("b.example")}, now));
    EXPECT_TRUE(first->save({{"a.example", 443, {}}, origin("c.example")}, now));
    EXPECT_EQ(lines(), line_of_b + "h2 c.example 443 h3 c.example 443 \"20270101 11:00:00\" 0 0\n");
}

TEST_F(alternative_files, are_not_written_where_nothing_changes) {
    folder_.add("known", "# by hand\n" + line_of_a);
    const auto file = open(path_);
    EXPECT_TRUE(file->save({origin("a.example"), {"b.example", 443, {}}}, now));
    EXPECT_EQ(folder_.read("known"), "# by hand\n" + line_of_a);
}

TEST_F(alternative_files, are_found_again_from_another_folder) {
    const auto here = std::filesystem::current_path();
    std::filesystem::current_path(folder_.path());
    const auto file = open("known");
    std::filesystem::current_path(here);
    EXPECT_TRUE(file->save({origin("a.example")}, now));
    EXPECT_EQ(lines(), line_of_a);
}

TEST_F(alternative_files, may_be_what_links_lead_to) {
    std::filesystem::create_directory(folder_.path("inner"));
    std::filesystem::create_symlink("inner/known", folder_.path("second"));
    std::filesystem::create_symlink(folder_.path("second"), folder_.path("first"));
    const auto file = open(folder_.path("first"));
    for (const char* host : {"a.example", "b.example"}) EXPECT_TRUE(file->save({origin(host)}, now));
    EXPECT_TRUE(std::filesystem::is_symlink(folder_.path("first")));
    EXPECT_TRUE(std::filesystem::is_symlink(folder_.path("second")));
    EXPECT_NE(folder_.read("inner/known").find(line_of_a + line_of_b), std::string::npos);
}

TEST_F(alternative_files, that_cannot_be_read_are_refused) {
    EXPECT_EQ(refusal(folder_.path()), EISDIR);
    EXPECT_EQ(refusal(folder_.path("none") + "/known"), ENOENT);
    EXPECT_EQ(refusal(folder_.add("file", "") + "/known"), ENOTDIR);
    EXPECT_EQ(refusal(std::string_view("a\0b", 3)), EINVAL);
    EXPECT_EQ(refusal(std::string(300, 'x')), ENAMETOOLONG);
    EXPECT_EQ(refusal(folder_.add("large", std::string(alternative_file::max_size + 1, '\n'))), EFBIG);
    ASSERT_EQ(::mkfifo(folder_.path("pipe").c_str(), 0600), 0);
    EXPECT_EQ(refusal(folder_.path("pipe")), EINVAL) << "and nobody waits for its writer";
    std::filesystem::create_symlink("ring", folder_.path("ring"));
    EXPECT_EQ(refusal(folder_.path("ring")), ELOOP);
    std::filesystem::create_symlink("none/known", folder_.path("dangling"));
    EXPECT_EQ(refusal(folder_.path("dangling")), ENOENT);
}

TEST_F(alternative_files, that_cannot_be_written_stay_as_they_were_and_can_be_tried_again) {
    const std::string long_name(252, 'x');  // there is no room for the name of what is written beside it
    const auto file = open(folder_.add(long_name, line_of_a));
    const auto saved = file->save({origin("b.example")}, now);
    ASSERT_FALSE(saved);
    EXPECT_EQ(saved.error().code, error_code::write_failed);
    EXPECT_EQ(saved.error().system_errno, ENAMETOOLONG);
    EXPECT_EQ(folder_.read(long_name), line_of_a);
    EXPECT_EQ(file->known(), std::vector{origin("a.example")});

    std::filesystem::create_directory(folder_.path("inner"));
    const auto other = open(folder_.path("inner/known"));
    std::filesystem::remove(folder_.path("inner"));
    EXPECT_FALSE(other->save({origin("a.example")}, now));
    std::filesystem::create_directory(folder_.path("inner"));
    EXPECT_TRUE(other->save({origin("a.example")}, now));
}

}  // namespace
}  // namespace pabal::dial

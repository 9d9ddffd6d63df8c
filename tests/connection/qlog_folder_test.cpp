#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <sys/resource.h>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "connection/qlog_folder.hpp"
#include "transport/tls_support.hpp"

namespace pabal::connection {
namespace {

using quic::vantage_point;

constexpr std::uint64_t plenty = std::uint64_t{1} << 20U;

std::string record(std::size_t size, char filling = 'x') { return "\x1e{" + std::string(size - 4, filling) + "}\n"; }

class qlog_in_a_folder : public ::testing::Test {
protected:
    std::shared_ptr<qlog_folder> open(std::uint64_t max_bytes = plenty) {
        return qlog_folder::open(folder_.path(), max_bytes).value();
    }
    std::filesystem::path file(const std::string& name = "0a1bff_client.sqlog") const {
        return std::filesystem::path(folder_.path()) / name;
    }
    std::string content(const std::filesystem::path& of) const {
        std::ifstream opened(of, std::ios::binary);
        return {std::istreambuf_iterator<char>(opened), {}};
    }
    transport::testing::temporary_folder folder_;
    const std::string id_ = "\x0a\x1b\xff";
};

TEST_F(qlog_in_a_folder, each_connection_has_a_file_of_its_own_for_its_owner_only) {
    const auto folder = open();
    folder->begin(id_, vantage_point::client)->write(record(100, 'c'));
    folder->begin(id_, vantage_point::server)->write(record(100, 's'));
    EXPECT_EQ(content(file("0a1bff_client.sqlog")), record(100, 'c'));
    EXPECT_EQ(content(file("0a1bff_server.sqlog")), record(100, 's'));
    struct stat seen{};
    ASSERT_EQ(::stat(file().c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mode & 07777U, 0600U);
}

TEST_F(qlog_in_a_folder, records_are_appended_while_the_connection_lives_and_the_rest_at_its_end) {
    auto log = open()->begin(id_, vantage_point::client);
    std::string all;
    for (int count = 0; count < 1000; ++count) {
        const std::string next = record(100, static_cast<char>('a' + count % 26));
        log->write(next);
        all += next;
    }
    const std::string before = content(file());
    EXPECT_GT(before.size(), all.size() / 2);
    EXPECT_TRUE(all.starts_with(before));
    log.reset();
    EXPECT_EQ(content(file()), all);
}

TEST_F(qlog_in_a_folder, a_log_ends_with_the_last_record_within_its_bound) {
    auto log = open(250)->begin(id_, vantage_point::client);
    for (const char filling : {'1', '2', '3'}) log->write(record(100, filling));
    EXPECT_EQ(content(file()), record(100, '1') + record(100, '2')) << "nothing more is waited for";
    log->write(record(10));
    log.reset();
    EXPECT_EQ(content(file()), record(100, '1') + record(100, '2'));
}

TEST_F(qlog_in_a_folder, a_file_that_is_there_is_left_alone) {
    std::ofstream(file()) << "somebody's";
    std::filesystem::create_symlink(folder_.path() + "/elsewhere", file("0a1bff_server.sqlog"));
    const auto folder = open();
    for (const auto whose : {vantage_point::client, vantage_point::server})
        folder->begin(id_, whose)->write(record(100));
    EXPECT_EQ(content(file()), "somebody's");
    EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/elsewhere"));
}

TEST_F(qlog_in_a_folder, that_is_gone_meanwhile_disturbs_nobody) {
    const auto folder = open();
    auto log = folder->begin(id_, vantage_point::client);
    log->write(record(100'000, '1'));
    std::filesystem::remove_all(folder_.path());
    log->write(record(100'000, '2'));
    folder->begin(id_, vantage_point::server)->write(record(100));
    log.reset();
    EXPECT_FALSE(std::filesystem::exists(file()));
}

/// A disk that is full: after so many bytes the system takes no more.
TEST_F(qlog_in_a_folder, that_takes_no_more_keeps_what_was_whole) {
    auto log = open()->begin(id_, vantage_point::client);
    log->write(record(100'000, '1'));
    rlimit allowed{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &allowed), 0);
    const auto before = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit little{150'000, allowed.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
    log->write(record(100'000, '2'));
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &allowed), 0);
    std::signal(SIGXFSZ, before);
    log->write(record(100'000, '3'));
    log.reset();
    EXPECT_EQ(content(file()), record(100'000, '1'));
}

TEST_F(qlog_in_a_folder, that_is_none_is_the_callers_fault) {
    std::ofstream(file()) << "a file";
    for (const auto& [path, why] : {std::pair{folder_.path() + "/missing", ENOENT}, {file().string(), ENOTDIR}}) {
        quic_options options;
        options.qlog_folder = path;
        const auto made = conduct_of(options);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().code, error_code::invalid_argument);
        EXPECT_EQ(made.error().whose, culprit::caller);
        EXPECT_EQ(made.error().system_errno, why);
        EXPECT_NE(made.error().message.find(path), std::string::npos) << made.error().message;
    }
}

TEST_F(qlog_in_a_folder, bears_so_many_files_and_no_more) {
    const auto folder = open();
    for (std::size_t count = 0; count < qlog_folder::max_files; ++count)
        ASSERT_TRUE(folder->begin(id_, vantage_point::client));
    EXPECT_FALSE(folder->begin(id_, vantage_point::client));
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path())) << "where nothing was said there is no file";
}

TEST(quic_options, without_a_folder_ask_for_no_log) {
    quic_options options;
    options.congestion_control = congestion_control::bbr;
    const auto made = conduct_of(options).value();
    EXPECT_EQ(made.congestion_control, congestion_control::bbr);
    EXPECT_FALSE(made.logs);
}

}  // namespace
}  // namespace pabal::connection

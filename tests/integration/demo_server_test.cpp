// The demo server asked by the blocking client: both ends of the engine over real sockets.

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/wait.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include <pabal/coroutine.hpp>
#include <pabal/session.hpp>

#include "server/demo_server.hpp"
#include "support/temporary_folder.hpp"

namespace pabal::server_demo {
namespace {

/// Over what: "plain", "tls" (the best of HTTP/1.1 and 2), or "http3".
class demo : public ::testing::TestWithParam<std::string_view> {
protected:
    void SetUp() override {
        auto started = demo_server::start(0, is_secure());
        ASSERT_TRUE(started) << started.error().message;
        server_ = std::move(*started);
        if (!is_secure()) return;
        certificate_ =
            std::filesystem::temp_directory_path() / ("pabal-demo-test-" + std::to_string(server_->port()) + ".pem");
        std::ofstream(certificate_) << server_->certificate_pem();
    }
    void TearDown() override {
        if (!certificate_.empty()) std::filesystem::remove(certificate_);
    }

    static bool is_secure() { return GetParam() != "plain"; }
    session_options options() const {
        session_options made;
        const bool over_quic = GetParam() == "http3";
        made.versions = {.http_1_1 = !over_quic, .http_2 = !over_quic, .http_3 = over_quic};
        made.tls.ca_file = certificate_.string();
        return made;
    }
    std::string url(std::string_view path) const {
        return (is_secure() ? "https" : "http") + ("://localhost:" + std::to_string(server_->port())) +
               std::string(path);
    }

    std::unique_ptr<demo_server> server_;
    std::filesystem::path certificate_;
};

TEST_P(demo, answers_the_price) {
    session client(options());
    const auto got = client.get(url("/price"));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->status, 200);
    EXPECT_EQ(got->body, R"({"symbol":"BTC","price":123.45})");
    EXPECT_EQ(got->headers.find("content-type"), "application/json");
}

TEST_P(demo, quotes_a_symbol_the_same_every_time_and_knows_what_is_none) {
    session client(options());
    const auto first = client.get(url("/quotes/ETH"));
    const auto second = client.get(url("/quotes/ETH"));
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->body, second->body);
    EXPECT_EQ(client.get(url("/quotes/no%20such"))->status, 404);
    EXPECT_EQ(client.get(url("/elsewhere"))->status, 404);
}

TEST_P(demo, streams_as_many_bytes_as_asked) {
    session client(options());
    const auto got = client.get(url("/bytes/3000000"));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->body.size(), 3'000'000U);
    EXPECT_EQ(got->body.find_first_not_of('p'), std::string::npos);
}

TEST_P(demo, echoes_a_body_larger_than_every_buffer) {
    session client(options());
    std::string body(2'000'000, 'x');
    body.back() = 'y';
    const auto got = client.post(url("/echo"), body, "text/x-test");
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->body, body);
    EXPECT_EQ(got->headers.find("content-type"), "text/x-test");
}

TEST_P(demo, is_sent_bodies_with_codings_trailers_and_expectations) {
    session client(options());
    request asked;
    asked.method = "POST";
    asked.url = url("/echo");
    asked.body = std::string(100'000, 'x');
    asked.trailers.append_valid("X-Sum", "1");
    asked.continue_wait = std::chrono::seconds{20};
    const auto plain = client.send(asked);
    ASSERT_TRUE(plain) << plain.error().message;
    EXPECT_TRUE(plain->body == asked.body);
    asked.compress = content_coding::zstd;
    const auto compressed = client.send(asked);
    ASSERT_TRUE(compressed) << compressed.error().message;
    EXPECT_LT(compressed->body.size(), 1000U) << "the server echoes what it was sent";
}

TEST_P(demo, is_asked_by_a_session_that_leaves_logs_of_quic_and_of_nothing_else) {
    const std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("pabal-logs-" + std::to_string(server_->port()));
    std::filesystem::create_directories(folder);
    {
        session_options logging = options();
        logging.quic.qlog_folder = folder.string();
        session client(logging);
        ASSERT_TRUE(client.get(url("/price")));
    }
    const auto logs = std::distance(std::filesystem::directory_iterator(folder), {});
    EXPECT_EQ(logs > 0, GetParam() == "http3");
    std::filesystem::remove_all(folder);
    session_options nowhere = options();
    nowhere.quic.qlog_folder = folder.string();
    session client(nowhere);
    const auto refused = client.get(url("/price"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, error_code::invalid_argument);
}

TEST_P(demo, is_not_troubled_with_what_the_caller_got_wrong) {
    session client(options());
    request asked;
    asked.method = "POST";
    asked.url = url("/echo");
    asked.body = "x";
    asked.trailers.append_valid("Content-Length", "1");
    EXPECT_EQ(client.send(asked).error().code, error_code::invalid_header);
    asked.trailers.clear();
    asked.trailers.append_valid("X-Sum", "1");
    asked.headers.append_valid("Content-Length", "1");
    EXPECT_EQ(client.send(asked).error().code, error_code::invalid_argument);
    asked.trailers.clear();
    asked.compress = content_coding::gzip;
    EXPECT_EQ(client.send(asked).error().code, error_code::invalid_argument);
}

TEST_P(demo, is_out_of_reach_for_a_safe_resolver) {
    auto guarded = options();
    guarded.resolver = safe_resolver::make().value();
    session client(guarded);
    const auto refused = client.get(url("/price"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, error_code::address_refused) << refused.error().message;
    guarded.resolver = safe_resolver::make({.allow = {"127.0.0.0/8"}}).value();
    session allowed(guarded);
    EXPECT_TRUE(allowed.get(url("/price")));
}

TEST_P(demo, refuses_to_change_what_is_only_read) {
    session client(options());
    request asked;
    asked.method = "DELETE";
    asked.url = url("/price");
    const auto got = client.send(std::move(asked));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->status, 405);
    EXPECT_EQ(got->headers.find("allow"), "GET, HEAD");
}

TEST_P(demo, head_has_the_fields_and_no_body) {
    session client(options());
    request asked;
    asked.method = "HEAD";
    asked.url = url("/bytes/1000");
    const auto got = client.send(std::move(asked));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->headers.find("content-length"), "1000");
    EXPECT_TRUE(got->body.empty());
    EXPECT_EQ(client.get(url("/price"))->status, 200) << "the connection is in step afterwards";
}

TEST_P(demo, a_delay_longer_than_the_total_limit_times_out_and_says_so) {
    session client(options());
    request asked;
    asked.url = url("/delay/5000");
    asked.limits.total = std::chrono::milliseconds(60);
    const auto got = client.send(std::move(asked));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, error_code::timed_out);
    EXPECT_EQ(got.error().where, phase::total);
    EXPECT_EQ(client.get(url("/price"))->status, 200) << "the pool serves the next request";
}

TEST_P(demo, serves_many_threads_that_share_a_session) {
    session client(options());
    std::vector<std::thread> threads;
    std::atomic<int> good = 0;
    for (int thread = 0; thread < 8; ++thread) {
        threads.emplace_back([&] {
            for (int turn = 0; turn < 25; ++turn) {
                const auto got = client.get(url("/price"));
                if (got && got->status == 200) ++good;
            }
        });
    }
    for (std::thread& each : threads) each.join();
    EXPECT_EQ(good, 200);
}

TEST_P(demo, sessions_go_on_in_a_forked_child_with_connections_of_their_own) {
    auto client = std::make_unique<session>(options());
    auto asynchronous = std::make_unique<async_session>(options());
    const auto price_of = [&](async_session& asked) -> task<int> {
        const auto got = co_await asked.get(url("/price"));
        co_return got ? got->status : 0;
    };
    ASSERT_TRUE(client->get(url("/price")));
    ASSERT_EQ(asynchronous->run(price_of(*asynchronous)), 200);

    const pid_t child = ::fork();
    if (child == 0) {
        const auto got = client->get(url("/price"));
        bool good = got && got->status == 200 && !got->trace.last.reused_connection;
        good = good && asynchronous->run(price_of(*asynchronous)) == 200;
        client.reset();
        asynchronous.reset();
        server_->stop();
        server_.reset();
        ::_exit(good ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);

    const auto got = client->get(url("/price"));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_TRUE(got->trace.last.reused_connection);
    EXPECT_EQ(asynchronous->run(price_of(*asynchronous)), 200);
}

TEST_P(demo, a_session_that_was_not_used_in_a_forked_child_can_be_destroyed_there) {
    auto client = std::make_unique<session>(options());
    auto asynchronous = std::make_unique<async_session>(options());
    ASSERT_TRUE(client->get(url("/price")));
    const pid_t child = ::fork();
    if (child == 0) {
        client.reset();
        asynchronous.reset();
        ::_exit(0);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    const auto got = client->get(url("/price"));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_TRUE(got->trace.last.reused_connection);
}

TEST_P(demo, serves_coroutines_at_once) {
    async_session client(options());
    int good = 0;
    std::vector<task<void>> tasks;
    const auto ask = [](async_session& by, std::string at, int& count) -> task<void> {
        const auto got = co_await by.get(at);
        if (got && got->status == 200) ++count;
    };
    for (int index = 0; index < 100; ++index) tasks.push_back(ask(client, url("/delay/20"), good));
    const auto begun = std::chrono::steady_clock::now();
    client.run(std::move(tasks));
    EXPECT_EQ(good, 100);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(2)) << "one after the other takes longer";
}

/// Sessions that learn of HTTP/3 from one another.
class remembering : public demo {
protected:
    session_options all_versions() const {
        session_options made = options();
        made.versions = {};
        made.alternatives_file = folder_.path("known");
        return made;
    }
    std::string port() const { return std::to_string(server_->port()); }
    /// Where TCP is refused, so that nothing but the alternative can answer.
    std::string unreachable() const { return "https://localhost:1/price"; }
    void know_of_unreachable() const {
        folder_.add("known", "h2 localhost 1 h3 localhost " + port() + " \"20990101 00:00:00\" 0 0\n");
    }

    const testing::temporary_folder folder_;
};

TEST_P(remembering, the_file_says_where_an_origin_can_be_had) {
    for (const bool is_closed : {true, false}) {
        session client(all_versions());
        ASSERT_TRUE(client.get(url("/price")));
        EXPECT_FALSE(std::filesystem::exists(folder_.path("known")));
        if (!is_closed) break;  // its destructor writes as well
        client.close();
        EXPECT_NE(folder_.read("known").find("h2 localhost " + port() + " h3 localhost " + port()), std::string::npos);
        std::filesystem::remove(folder_.path("known"));
    }
    EXPECT_NE(folder_.read("known").find("h2 localhost " + port() + " h3 localhost " + port()), std::string::npos);
}

TEST_P(remembering, the_first_request_goes_there) {
    know_of_unreachable();
    session client(all_versions());
    const auto got = client.get(unreachable());
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->version, http_version::http_3);
}

TEST_P(remembering, coroutines_are_had_and_kept_so_as_well) {
    know_of_unreachable();
    {
        async_session client(all_versions());
        const auto version_of = [&](std::string at) -> task<http_version> {
            const auto got = co_await client.get(at);
            co_return got ? got->version : http_version::http_1_0;
        };
        EXPECT_EQ(client.run(version_of(unreachable())), http_version::http_3);
        EXPECT_EQ(client.run(version_of(url("/price"))), http_version::http_2);
    }
    EXPECT_NE(folder_.read("known").find("h2 localhost " + port() + " h3 localhost " + port()), std::string::npos);
}

TEST_P(remembering, a_file_that_cannot_be_read_is_told_by_every_request) {
    auto wrong = all_versions();
    wrong.alternatives_file = folder_.path("none") + "/known";
    session client(wrong);
    for (int turn = 0; turn < 2; ++turn) {
        const auto refused = client.get(url("/price"));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, error_code::invalid_argument);
        EXPECT_EQ(refused.error().whose, culprit::caller);
        EXPECT_EQ(refused.error().message,
                  "session_options::alternatives_file, " + wrong.alternatives_file + ", is in no folder that exists");
    }
}

INSTANTIATE_TEST_SUITE_P(over, remembering, ::testing::Values("tls"),
                         [](const auto& over) { return std::string(over.param); });

INSTANTIATE_TEST_SUITE_P(over, demo, ::testing::Values("plain", "tls", "http3"),
                         [](const auto& over) { return std::string(over.param); });

}  // namespace
}  // namespace pabal::server_demo

// HTTP/3 served on a UDP port, asked by the client's link and machine over real sockets.

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <netinet/in.h>

#include <gtest/gtest.h>

#include "connection/http3_endpoint.hpp"
#include "connection/http3_link.hpp"
#include "connection/qlog_folder.hpp"
#include "protocol/http/recording_stream.hpp"
#include "transport/throw_away_certificate.hpp"
#include "transport/tls_support.hpp"

namespace pabal::connection {
namespace {

using namespace std::chrono_literals;
using http::testing::get;
using recording_stream = http::testing::recording_stream<http3::stream>;

/// One client: a link that drives itself.
struct asking final : http3_link_observer {
    std::unique_ptr<http3_link> link;
    std::optional<error> failure;
    void on_link_ready() override {
        for (bool more = true; more && !failure;) {
            const auto advanced = link->advance();
            more = advanced && *advanced;
            if (!advanced) failure = advanced.error();
        }
        if (auto sent = link->flush(); !sent && !failure) failure = sent.error();
    }
};

class http3_serving : public ::testing::Test, public handler {
protected:
    void handle(exchange_ptr started) override {
        kept_.push_back(started);
        if (!keeps_) answer_all();
    }
    void answer_all() {
        for (const exchange_ptr& each : std::exchange(kept_, {})) {
            response_head head;
            head.status = 200;
            each->on_response(std::move(head));
            each->on_data(each->request.target);
            each->on_end({});
        }
    }
    void serve(const http3_endpoint_limits& limits = {}, const server_limits& of_time = {},
               const quic::conduct& conduct = {}) {
        endpoint_.reset();
        environment_.reset(new server_environment{reactor_, scratch_, *this, of_time, {}});
        const std::vector<std::string> names{"127.0.0.1"};
        const auto identity = transport::self_signed_certificate(names).value();
        tls_server_options options;
        options.certificate = identity.certificate;
        options.key = identity.key;
        options.application_protocols = {"h3"};
        endpoint_ = http3_endpoint::listen(*environment_, "127.0.0.1", 0,
                                           transport::tls_context::make_server(options).value(), limits, conduct)
                        .value();
    }
    void connect(asking& client, const quic::conduct& conduct = {}) {
        tls_options options;
        options.verify = false;
        const http3_link_target to{
            endpoint_->local(), std::nullopt, transport::tls_context::make_client(options).value(),
            {"127.0.0.1", ""},  {},           conduct};
        client.link = http3_link::connect(reactor_, to, client).value();
        client.on_link_ready();
    }
    template <class Done>
    bool until(Done&& done, std::chrono::seconds patience = 20s) {
        for (const auto end = reactor::clock::now() + patience; !done();) {
            if (reactor::clock::now() > end) return false;
            reactor_.turn(5ms);
        }
        return true;
    }
    void ask(asking& client, recording_stream& by) {
        EXPECT_TRUE(client.link->http().request(head_, 0, by));
        client.on_link_ready();
    }
    void TearDown() override {
        answer_all();
        endpoint_.reset();
        reactor_.turn(0ms);
    }

    reactor::reactor reactor_{reactor::make_poller().value()};
    std::array<char, 16384> scratch_{};
    std::unique_ptr<server_environment> environment_;
    std::unique_ptr<http3_endpoint> endpoint_;
    const request_head head_ = get("/hello");
    bool keeps_ = false;
    std::vector<exchange_ptr> kept_;
};

TEST_F(http3_serving, many_clients_are_answered_on_one_port) {
    serve();
    std::vector<std::unique_ptr<asking>> clients;
    std::vector<std::unique_ptr<recording_stream>> answers;
    for (int client = 0; client < 10; ++client) {
        clients.push_back(std::make_unique<asking>());
        connect(*clients.back());
        answers.push_back(std::make_unique<recording_stream>());
        ask(*clients.back(), *answers.back());
    }
    ASSERT_TRUE(until([&] { return std::ranges::all_of(answers, [](const auto& each) { return each->ended; }); }));
    for (const auto& each : answers) EXPECT_EQ(each->body, "/hello");
    EXPECT_EQ(endpoint_->connections(), 10U);
    clients.clear();
    EXPECT_TRUE(until([&] { return endpoint_->connections() == 0; })) << "each said that it goes";
}

TEST_F(http3_serving, a_client_is_asked_to_prove_its_address_and_answered_then) {
    serve({.unproven = 0});
    asking client;
    connect(client);
    reactor_.turn(20ms);
    EXPECT_EQ(endpoint_->connections(), 0U) << "nothing was kept of the first datagram";
    recording_stream by;
    ask(client, by);
    ASSERT_TRUE(until([&] { return by.ended; }));
    EXPECT_EQ(by.body, "/hello");
}

TEST_F(http3_serving, both_sides_leave_their_logs_under_the_name_that_the_client_gave_first) {
    const transport::testing::temporary_folder folder;
    quic_options options;
    options.qlog_folder = folder.path();
    const quic::conduct conduct = conduct_of(options).value();
    for (const std::size_t unproven : {64U, 0U}) {
        serve({.unproven = unproven}, {}, conduct);
        {
            asking client;
            connect(client, conduct);
            recording_stream by;
            ask(client, by);
            ASSERT_TRUE(until([&] { return by.ended; }));
        }
        ASSERT_TRUE(until([&] { return endpoint_->connections() == 0; }));
        reactor_.turn(0ms);
    }
    std::map<std::string, std::set<std::string>> logs;
    for (const auto& each : std::filesystem::directory_iterator(folder.path())) {
        const std::string name = each.path().filename();
        const auto end = name.find('_');
        logs[name.substr(0, end)].insert(name.substr(end));
    }
    EXPECT_EQ(logs.size(), 2U) << "with Retry and without";
    for (const auto& [id, names] : logs) EXPECT_EQ(names, (std::set<std::string>{"_client.sqlog", "_server.sqlog"}));
}

TEST_F(http3_serving, no_more_connections_than_allowed_until_one_goes) {
    serve({.connections = 1});
    asking first;
    connect(first);
    ASSERT_TRUE(until([&] { return first.link->is_established(); }));
    asking second;
    connect(second);
    EXPECT_FALSE(until([&] { return second.link->is_established(); }, 1s));
    first.link.reset();
    EXPECT_TRUE(until([&] { return second.link->is_established(); })) << "it has asked again";
}

TEST_F(http3_serving, one_that_stops_finishes_what_has_begun) {
    serve();
    keeps_ = true;
    asking client;
    connect(client);
    recording_stream by;
    ask(client, by);
    ASSERT_TRUE(until([&] { return !kept_.empty(); }));
    endpoint_->finish();
    ASSERT_TRUE(until([&] { return !client.link->http().accepts_streams(); })) << "GOAWAY";
    EXPECT_EQ(endpoint_->connections(), 1U);
    answer_all();
    ASSERT_TRUE(until([&] { return by.ended; }));
    EXPECT_EQ(by.body, "/hello");
    EXPECT_TRUE(until([&] { return endpoint_->connections() == 0; }));
    asking late;
    connect(late);
    EXPECT_FALSE(until([&] { return late.link->is_established(); }, 1s));
}

TEST_F(http3_serving, a_client_that_asks_for_nothing_is_let_go) {
    serve({}, {.idle = 100ms});
    asking client;
    connect(client);
    ASSERT_TRUE(until([&] { return client.failure.has_value(); }));
    EXPECT_EQ(client.failure->code, error_code::connection_closed);
    EXPECT_EQ(endpoint_->connections(), 0U);
}

TEST_F(http3_serving, who_comes_back_to_a_server_that_knows_him_no_more_hears_of_it) {
    serve();
    asking client;
    connect(client);
    ASSERT_TRUE(until([&] { return client.link->is_established(); }));
    recording_stream by;
    endpoint_->close(server_close_reason::server_stopped);
    ASSERT_TRUE(until([&] { return client.failure.has_value(); }));
    EXPECT_EQ(client.failure->whose, culprit::peer);
}

TEST_F(http3_serving, a_port_that_is_taken_says_so) {
    serve();
    const auto port = ntohs(reinterpret_cast<const sockaddr_in*>(endpoint_->local().get())->sin_port);
    const auto second = http3_endpoint::listen(*environment_, "127.0.0.1", port, endpoint_->tls());
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message.find("in use"), std::string::npos) << second.error().message;
}

}  // namespace
}  // namespace pabal::connection

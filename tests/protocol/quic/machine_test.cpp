#include <algorithm>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "protocol/quic/machine.hpp"
#include "protocol/quic/quic_world.hpp"
#include "protocol/quic/recording_user.hpp"

namespace pabal::quic {
namespace {

using namespace testing;

class quic_machine : public ::testing::Test {
protected:
    void connect(const limits& client_limits = {}, const limits& server_limits = {}) {
        world_.on_server_made = [this](std::unique_ptr<machine>& made) { server_.connection = made.get(); };
        world_.begin_client(client_, client_limits);
        world_.begin_server(server_, server_limits);
        client_.connection = world_.client.get();
    }
    void establish(const limits& client_limits = {}, const limits& server_limits = {}) {
        connect(client_limits, server_limits);
        ASSERT_TRUE(world_.run_until([&] { return client_.established && server_.established; }));
    }

    /// A connection from which a session with early data remains, and the beginning of the next.
    void meet_and_begin_anew() {
        world_.take_early_data();
        establish();
        world_.client_tls->remember(world_.client->parameters_to_remember());
        world_.settle();
        world_.renew();
        client_ = {};
        server_ = {};
    }

    recording_user client_, server_;
    quic_world world_;
};

TEST_F(quic_machine, streams_carry_bytes_both_ways_until_everything_is_acknowledged) {
    establish();
    const auto id = world_.client->open();
    ASSERT_TRUE(id);
    client_.say(*id, "question", true);
    ASSERT_TRUE(world_.run_until([&] { return server_.streams[*id].ended; }));
    EXPECT_EQ(server_.streams[*id].received, "question");
    server_.say(*id, "answer", true);
    ASSERT_TRUE(world_.run_until([&] { return client_.streams[*id].closed; }));
    EXPECT_EQ(client_.streams[*id].received, "answer");
    EXPECT_EQ(client_.streams[*id].acknowledged, 8U);
}

TEST_F(quic_machine, early_data_arrive_before_the_handshake_is_done) {
    meet_and_begin_anew();
    world_.take_early_data();
    connect();
    EXPECT_FALSE(world_.client->sends_early());
    ASSERT_FALSE(world_.client_tls->remembered().empty());
    bool said = false;
    world_.client_sends = [&](std::span<char> into, time_point at) {
        auto made = world_.client->send(into, at);
        if (world_.client->sends_early() && !std::exchange(said, true)) {
            const auto id = world_.client->open();
            EXPECT_TRUE(id);
            client_.say(*id, "early", true);
        }
        return made;
    };
    bool came_early = false;
    ASSERT_TRUE(world_.run_until([&] {
        came_early = came_early || (server_.streams[0].ended && !world_.server->is_established());
        return client_.established && server_.established && server_.streams[0].ended;
    }));
    EXPECT_TRUE(came_early);
    EXPECT_EQ(server_.streams[0].received, "early");
    EXPECT_EQ(client_.rejections, 0);
    EXPECT_FALSE(world_.client->sends_early());
}

TEST_F(quic_machine, early_data_that_the_peer_throws_away_are_told_of) {
    meet_and_begin_anew();
    connect();
    bool said = false;
    world_.client_sends = [&](std::span<char> into, time_point at) {
        auto made = world_.client->send(into, at);
        if (world_.client->sends_early() && !std::exchange(said, true))
            client_.say(*world_.client->open(), "early", true);
        return made;
    };
    ASSERT_TRUE(world_.run_until([&] { return client_.established && server_.established; }));
    EXPECT_TRUE(said);
    EXPECT_EQ(client_.rejections, 1);
    EXPECT_TRUE(server_.streams.empty());
    client_.say(*world_.client->open(), "late", true);
    ASSERT_TRUE(world_.run_until([&] { return server_.streams[0].ended; }));
    EXPECT_EQ(server_.streams[0].received, "late");
}

TEST_F(quic_machine, nothing_is_early_without_what_was_remembered) {
    world_.take_early_data();
    establish();
    world_.settle();
    world_.renew();
    world_.take_early_data();
    EXPECT_TRUE(world_.client_tls->remembered().empty());
}

TEST_F(quic_machine, a_proof_of_address_is_brought_along_the_next_time_and_once) {
    establish();
    world_.settle();
    const std::string token = world_.client->take_address_token();
    ASSERT_FALSE(token.empty());
    EXPECT_TRUE(world_.client->take_address_token().empty());
    world_.client_tls->keep_address_token(token);
    world_.renew();
    EXPECT_EQ(world_.client_tls->address_token(), token);
    std::string first;
    world_.loses = [&first](std::string_view datagram, bool to_server) {
        if (to_server && first.empty()) first = datagram;
        return false;
    };
    client_ = {};
    server_ = {};
    establish();
    EXPECT_NE(first.find(token), first.npos);
    world_.client_tls->keep_address_token(std::string(10'000, 'x'));
    world_.renew();
    EXPECT_TRUE(world_.client_tls->address_token().empty());
}

TEST_F(quic_machine, a_client_goes_on_from_another_address) {
    connect();
    EXPECT_FALSE(world_.client->migrate(address(3), world_.now)) << "before there is a connection";
    ASSERT_TRUE(world_.run_until([&] { return client_.established && server_.established; }));
    world_.settle();
    ASSERT_TRUE(world_.client->migrate(address(3), world_.now));
    const auto id = world_.client->open();
    client_.say(*id, "from elsewhere", true);
    ASSERT_TRUE(world_.run_until([&] { return server_.streams[*id].ended; }));
    EXPECT_EQ(server_.streams[*id].received, "from elsewhere");
    world_.settle(5s);
    EXPECT_FALSE(world_.client->failure());
}

TEST_F(quic_machine, a_client_doubts_its_path_when_answers_are_due_and_nothing_comes) {
    establish();
    world_.settle(5s);
    EXPECT_FALSE(world_.client->take_doubt_of_path()) << "nobody owes anything";
    bool reachable = false;
    world_.loses = [&](std::string_view, bool) { return !reachable; };
    const auto id = world_.client->open();
    client_.say(*id, "anybody?", true);
    const auto doubted = [&] { return world_.client->take_doubt_of_path(); };
    auto asked = world_.now;
    ASSERT_TRUE(world_.run_until(doubted));
    EXPECT_GE(world_.now - asked, machine::path_patience);
    EXPECT_LE(world_.now - asked, 4 * machine::path_patience);
    asked = world_.now;
    ASSERT_TRUE(world_.run_until(doubted));
    EXPECT_GE(world_.now - asked, 2 * machine::path_patience) << "it may not be the path";
    reachable = true;
    ASSERT_TRUE(world_.run_until([&] { return server_.streams[*id].ended; }));
    world_.settle(20s);
    EXPECT_FALSE(world_.client->take_doubt_of_path());
    EXPECT_FALSE(world_.client->failure());
}

/// RFC 9000 section 13.4.
TEST_F(quic_machine, marks_for_congestion_are_used_as_long_as_the_network_leaves_them) {
    for (const bool bleached : {false, true}) {
        if (bleached) {
            world_.renew();
            client_ = {};
            server_ = {};
        }
        world_.bleaches = bleached;
        establish();
        const auto send = [&] {
            const auto id = world_.client->open();
            ASSERT_TRUE(id);
            client_.say(*id, std::string(100'000, 'x'), true);
            ASSERT_TRUE(world_.run_until([&] { return server_.streams[*id].ended; }));
            world_.settle();
        };
        send();
        world_.marks_of_client = 0;
        send();
        if (bleached) {
            EXPECT_EQ(world_.marks_of_client, 0U) << "who does not see them come takes them for lost";
        } else {
            EXPECT_GT(world_.marks_of_client, 50U);
        }
    }
}

/// RFC 9000 section 14.3, RFC 8899.
TEST_F(quic_machine, datagrams_become_as_large_as_the_path_lets_through) {
    for (const std::size_t largest : {std::size_t{1500}, std::size_t{1350}, std::size_t{1200}}) {
        world_.renew();
        client_ = {};
        server_ = {};
        std::size_t came = 0;
        world_.loses = [&](std::string_view datagram, bool to_server) {
            if (datagram.size() > largest) return true;
            if (to_server) came = std::max(came, datagram.size());
            return false;
        };
        establish();
        // Probes that are lost take their time to be missed.
        for (int transfers = 0; transfers < 10; ++transfers) {
            came = 0;
            const auto id = world_.client->open();
            ASSERT_TRUE(id);
            client_.say(*id, std::string(200'000, 'x'), true);
            ASSERT_TRUE(world_.run_until([&] { return server_.streams[*id].ended; }));
            world_.settle(2s);
        }
        EXPECT_LE(came, largest);
        EXPECT_GT(came, largest - 150) << "of a path of " << largest;
    }
}

TEST_F(quic_machine, what_the_network_loses_is_sent_again) {
    int count = 0;
    world_.loses = [&count](std::string_view, bool) { return ++count % 7 == 0; };
    establish();
    const auto id = world_.client->open();
    std::string large(1'000'000, 'x');
    for (std::size_t at = 0; at < large.size(); ++at) large[at] = static_cast<char>('a' + at % 23);
    client_.say(*id, large, true);
    server_.reply = large;
    ASSERT_TRUE(world_.run_until([&] { return client_.streams[*id].ended && server_.streams[*id].ended; }, 600s));
    EXPECT_TRUE(server_.streams[*id].received == large);
    EXPECT_TRUE(client_.streams[*id].received == large);
}

TEST_F(quic_machine, full_datagrams_leave_together) {
    establish();
    const auto id = world_.client->open();
    client_.say(*id, std::string(100'000, 'x'), true);
    std::string space(65'000, ' ');
    const auto made = world_.client->send(space, world_.now);
    ASSERT_TRUE(made);
    EXPECT_GE(made->size, 4 * made->segment);
    EXPECT_GE(made->segment, 1200U);
    EXPECT_LE(made->segment, machine::max_datagram);
}

TEST_F(quic_machine, what_is_not_consumed_stops_the_peer_at_the_window) {
    limits few;
    few.stream_window = few.max_stream_window = 50'000;
    client_.consumes = false;
    establish(few);
    const auto id = world_.client->open();
    client_.say(*id, "?", true);
    server_.reply = std::string(200'000, 'x');
    world_.settle(2s);
    EXPECT_EQ(client_.streams[*id].received.size(), 50'000U);
    world_.client->extend(*id, 30'000);
    world_.settle(2s);
    EXPECT_EQ(client_.streams[*id].received.size(), 80'000U);
}

TEST_F(quic_machine, the_peer_says_how_many_streams_it_allows_and_when_it_allows_more) {
    limits few;
    few.peer_streams = 1;
    establish({}, few);
    EXPECT_EQ(world_.client->peer_streams(), 1U);
    const auto id = world_.client->open();
    ASSERT_TRUE(id);
    EXPECT_FALSE(world_.client->open());
    EXPECT_EQ(world_.client->streams_left(), 0U);
    client_.say(*id, "?", true);
    server_.reply = "!";
    ASSERT_TRUE(world_.run_until([&] { return world_.client->streams_left() > 0; }));
    EXPECT_GE(client_.streams_allowed, 1);
}

TEST_F(quic_machine, a_stream_that_is_given_up_is_so_on_the_other_side) {
    establish();
    const auto id = world_.client->open();
    client_.say(*id, "begin", false);
    server_.reply = std::string(2'000'000, 'x');
    ASSERT_TRUE(world_.run_until([&] { return !server_.streams[*id].received.empty(); }));
    world_.client->abandon(*id, 0x10c);
    ASSERT_TRUE(world_.run_until([&] { return server_.streams[*id].closed && client_.streams[*id].closed; }));
    EXPECT_EQ(server_.streams[*id].reset, 0x10cU);
}

TEST_F(quic_machine, closing_tells_the_peer_why) {
    establish();
    world_.server->close(0x107, "too much\n", {error_code::connection_closed, phase::read, culprit::local, 0, "done"});
    ASSERT_TRUE(world_.run_until([&] { return world_.client->failure().has_value(); }));
    const error& failure = *world_.client->failure();
    EXPECT_EQ(failure.code, error_code::connection_closed);
    EXPECT_EQ(failure.whose, culprit::peer);
    EXPECT_NE(failure.message.find("code 263"), std::string::npos) << failure.message;
    EXPECT_NE(failure.message.find("too much?"), std::string::npos) << failure.message;
    EXPECT_EQ(world_.server->failure()->message, "done");
    EXPECT_FALSE(world_.client->deadline());
    EXPECT_FALSE(world_.client->open());
}

TEST_F(quic_machine, a_peer_that_falls_silent_is_given_up) {
    limits patient;
    patient.idle = 5s;
    establish(patient);
    world_.loses = [](std::string_view, bool) { return true; };
    client_.say(*world_.client->open(), "anybody?", true);
    ASSERT_TRUE(world_.run_until([&] { return world_.client->failure().has_value(); }, 120s));
    EXPECT_EQ(world_.client->failure()->code, error_code::connection_closed);
    EXPECT_EQ(world_.client->failure()->whose, culprit::network);
}

TEST_F(quic_machine, an_idle_connection_ends_unless_it_is_kept_alive) {
    establish();
    world_.client->keep_alive(true);
    world_.settle(120s);
    EXPECT_FALSE(world_.client->failure());
    world_.client->keep_alive(false);
    EXPECT_TRUE(world_.run_until([&] { return world_.client->failure().has_value(); }, 120s));
}

TEST_F(quic_machine, what_no_packet_is_changes_nothing) {
    establish();
    EXPECT_TRUE(world_.client->receive("nonsense", 0, world_.now));
    EXPECT_TRUE(world_.client->receive(std::string(1200, '\xc3'), 0, world_.now));
    EXPECT_TRUE(world_.client->receive({}, 0, world_.now));
    EXPECT_FALSE(world_.client->failure());
}

TEST(quic_handshake, that_fails_for_want_of_a_common_protocol_says_so_on_both_sides) {
    recording_user client, server;
    quic_world world("something-else");
    world.begin_client(client);
    world.begin_server(server);
    ASSERT_TRUE(world.run_until([&] { return world.client->failure().has_value(); }));
    EXPECT_EQ(world.client->failure()->code, error_code::tls_handshake_failed);
    EXPECT_EQ(world.client->failure()->where, phase::tls);
    EXPECT_NE(world.client->failure()->message.find("no application protocol"), std::string::npos)
        << world.client->failure()->message;
    EXPECT_TRUE(world.server->failure());
}

TEST(quic_handshake, with_a_server_that_nobody_trusts_ends_with_the_certificates_fault) {
    recording_user client, server;
    quic_world world("h3", true);
    world.begin_client(client);
    world.begin_server(server);
    ASSERT_TRUE(world.run_until([&] { return world.client->failure().has_value(); }));
    EXPECT_EQ(world.client_tls->handshake_failed().code, error_code::certificate_untrusted);
    ASSERT_TRUE(world.run_until([&] { return world.server->failure().has_value(); }));
    EXPECT_EQ(world.server->failure()->code, error_code::tls_handshake_failed);
    EXPECT_FALSE(client.established);
}

TEST(quic_handshake, resumes_the_session_of_an_earlier_one) {
    quic_world world;
    for (const bool resumed : {false, true}) {
        recording_user client, server;
        world.renew();
        world.begin_client(client);
        world.begin_server(server);
        ASSERT_TRUE(world.run_until([&] { return client.established && server.established; }));
        world.settle();  // the ticket comes after the handshake
        transport::transport_description described;
        world.client_tls->describe(described);
        EXPECT_EQ(described.tls_session_resumed, resumed);
        EXPECT_EQ(described.application_protocol, "h3");
        EXPECT_EQ(described.tls_version, "TLSv1.3");
        world.client.reset();
        world.server.reset();
    }
}

}  // namespace
}  // namespace pabal::quic

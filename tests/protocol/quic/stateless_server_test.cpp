#include <string>

#include <gtest/gtest.h>

#include "protocol/quic/quic_world.hpp"
#include "protocol/quic/recording_user.hpp"
#include "protocol/quic/stateless_server.hpp"

namespace pabal::quic {
namespace {

using namespace std::chrono_literals;
using testing::address;
using testing::quic_world;
using testing::recording_user;

/// What a client says to a server of which it knows nothing.
class stateless : public ::testing::Test {
protected:
    std::string first_datagram() {
        world_.begin_client(user_);
        std::string space(65'000, ' ');
        const auto made = world_.client->send(space, world_.now).value();
        return space.substr(0, made.segment);
    }
    stateless_server::judgement judge(const std::string& datagram, bool must_prove = false, std::uint16_t from = 1) {
        return server_.judge(datagram, address(from), must_prove, world_.now);
    }

    recording_user user_;
    quic_world world_;
    stateless_server server_;
};

TEST_F(stateless, the_first_datagram_of_a_client_begins_a_connection) {
    const auto judged = judge(first_datagram());
    ASSERT_TRUE(judged.begins);
    EXPECT_FALSE(judged.begins->destination.empty());
    EXPECT_TRUE(judged.begins->token.empty());
    EXPECT_FALSE(judged.begins->retried);
}

TEST_F(stateless, noise_and_short_datagrams_get_no_answer) {
    for (const std::string& datagram :
         {std::string(), std::string("x"), std::string(1200, '\0'), std::string(20, '\x40'),
          first_datagram().substr(0, 1100), std::string(100, '\xff')}) {
        const auto judged = judge(datagram);
        EXPECT_FALSE(judged.begins) << datagram.size();
        EXPECT_TRUE(judged.answer.empty()) << datagram.size();
    }
}

TEST_F(stateless, an_unknown_version_is_answered_with_those_that_are_known) {
    std::string datagram = first_datagram();
    datagram.replace(1, 4, "\x1a\x2a\x3a\x4a");
    const auto judged = judge(datagram);
    EXPECT_FALSE(judged.begins);
    ASSERT_FALSE(judged.answer.empty());
    EXPECT_EQ(judged.answer.substr(1, 4), std::string(4, '\0')) << "RFC 9000 section 17.2.1";
    EXPECT_NE(judged.answer.find(std::string("\0\0\0\1", 4)), std::string::npos);
    EXPECT_TRUE(judge(datagram.substr(0, 1199)).answer.empty())
        << "nothing is made larger for an address that may be forged";
}

TEST_F(stateless, a_packet_of_a_connection_that_is_gone_is_disowned_with_less_than_was_sent) {
    const std::string id(server_id_size, 'i');
    const auto judged = judge('\x40' + id + std::string(100, 'x'));
    EXPECT_FALSE(judged.begins);
    ASSERT_GE(judged.answer.size(), 21U);
    EXPECT_LT(judged.answer.size(), 43U);
    const auto token = server_.reset_token(id);
    EXPECT_EQ(judged.answer.substr(judged.answer.size() - 16), std::string(token.begin(), token.end()));
    EXPECT_NE(stateless_server().reset_token(id), token) << "each has a secret of its own";
    EXPECT_TRUE(judge('\x40' + id + std::string(10, 'x')).answer.empty());
}

TEST_F(stateless, who_must_prove_his_address_is_asked_to_come_again_and_is_known_then) {
    std::string space(65'000, ' ');
    const std::string first = first_datagram();
    const auto asked_back = judge(first, true);
    ASSERT_FALSE(asked_back.begins);
    ASSERT_FALSE(asked_back.answer.empty());
    ASSERT_LT(asked_back.answer.size(), first.size());
    ASSERT_TRUE(world_.client->receive(asked_back.answer, 0, world_.now));
    const auto made = world_.client->send(space, world_.now).value();
    const std::string second = space.substr(0, made.segment);
    const auto judged = judge(second, true);
    ASSERT_TRUE(judged.begins);
    ASSERT_TRUE(judged.begins->retried);
    EXPECT_EQ(*judged.begins->retried, *stateless_server::destination_of(first));

    EXPECT_FALSE(judge(second, true, 3).begins) << "the token is of another address";
    EXPECT_FALSE(judge(second, true, 3).answer.empty()) << "which is said: INVALID_TOKEN";
    world_.now += stateless_server::retry_holds + 1s;
    EXPECT_FALSE(judge(second, true).begins) << "it came too late";
}

TEST_F(stateless, the_destination_is_read_from_both_kinds_of_headers) {
    const std::string id(server_id_size, 'i');
    EXPECT_EQ(stateless_server::destination_of('\x40' + id + "rest"), id);
    EXPECT_TRUE(stateless_server::destination_of(first_datagram()));
    EXPECT_FALSE(stateless_server::destination_of("\x40short"));
    EXPECT_FALSE(stateless_server::destination_of(""));
}

}  // namespace
}  // namespace pabal::quic

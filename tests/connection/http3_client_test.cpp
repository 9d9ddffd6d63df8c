// The HTTP/3 client connection, its link and its streams, against nghttp3's server on a real socket.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "connection/connection_support.hpp"
#include "connection/http3_client_connection.hpp"
#include "connection/http3_host.hpp"

namespace pabal::connection {
namespace {

using namespace testing;
using http3::testing::lines;

class http3_client : public ::testing::Test, public client_connection_observer, public http3_link_observer {
protected:
    void on_room(client_connection&) override { ++room_; }
    void on_closed(client_connection&, close_reason reason) override {
        EXPECT_FALSE(closed_) << "closed twice";
        closed_ = reason;
    }
    void on_link_ready() override {
        for (bool more = true; more && !link_failure_;) {
            const auto advanced = link_->advance();
            more = advanced && *advanced;
            if (!advanced) link_failure_ = advanced.error();
        }
        if (auto sent = link_->flush(); !sent && !link_failure_) link_failure_ = sent.error();
    }
    void TearDown() override {
        connection_.reset();
        link_.reset();
        reactor_.turn(0ms);
        EXPECT_EQ(recording_exchange::alive, 0) << "an exchange was leaked";
    }
    bool until(const std::function<bool()>& done, std::chrono::seconds patience = 20s) {
        const auto end = reactor::clock::now() + patience;
        while (!done()) {
            if (reactor::clock::now() > end) return false;
            reactor_.turn(5ms);
        }
        return true;
    }
    void settle() {
        for (int turns = 0; turns < 10; ++turns) reactor_.turn(2ms);
    }
    void begin(const http3_link_target& to) {
        link_ = http3_link::connect(reactor_, to, *this).value();
        on_link_ready();
    }
    http3_link_target goal(bool verify = false, const std::string& host = "127.0.0.1") {
        tls_options options;
        options.verify = verify;
        return {host_->address, std::nullopt, transport::tls_context::make_client(options).value(), {host, host}};
    }
    void connect(std::uint64_t streams = 100) {
        host_ = std::make_unique<http3_host>(reactor_, streams);
        begin(goal());
        ASSERT_TRUE(until([&] { return link_->is_established(); }));
        connection_ = std::make_unique<http3_client_connection>(environment_, std::move(link_), *this);
    }
    /// Its identifier, once its head is there.
    quic::stream_id ask(const recording_ptr& exchange) {
        const auto before = host_->script.requests.size();
        connection_->start(exchange);
        EXPECT_TRUE(until([&] { return host_->script.requests.size() > before; }));
        return host_->script.ids().back();
    }
    void answer(quic::stream_id id, const lines& head, std::string body = {}, lines trailers = {}) {
        host_->script.answer(id, head, std::move(body), std::move(trailers));
        host_->say();
    }
    /// Two exchanges that the server does not hear of; the first soon runs out of time.
    std::pair<recording_ptr, recording_ptr> ask_in_vain() {
        const auto silent = make_get(), other = make_get();
        silent->limits.read = 50ms;
        host_->is_mute = true;
        connection_->start(silent);
        connection_->start(other);
        return {silent, other};
    }
    bool finish(const recording_ptr& exchange) {
        return until([&] { return exchange->over(); });
    }
    std::string pull(const recording_ptr& exchange, std::size_t piece) {
        return pull_through(exchange, piece, [this](auto&& done) { return until(done); });
    }

    reactor::reactor reactor_{reactor::make_poller().value()};
    std::string scratch_ = std::string(64 * 1024, ' ');
    environment environment_{reactor_, scratch_};
    std::unique_ptr<http3_host> host_;
    std::unique_ptr<http3_link> link_;
    std::optional<error> link_failure_;
    std::unique_ptr<http3_client_connection> connection_;
    std::optional<close_reason> closed_;
    int room_ = 0;
};

// --- The link --------------------------------------------------------------------------------------------------------

TEST_F(http3_client, a_link_tells_what_the_handshake_agreed_on) {
    host_ = std::make_unique<http3_host>(reactor_);
    begin(goal());
    ASSERT_TRUE(until([&] { return link_->is_established(); }));
    const auto described = link_->describe();
    EXPECT_EQ(described.peer_address, transport::text_of(host_->address.get(), host_->address.size));
    EXPECT_EQ(described.application_protocol, "h3");
    EXPECT_EQ(described.tls_version, "TLSv1.3");
    EXPECT_FALSE(described.peer_certificate.empty());
}

TEST_F(http3_client, a_server_that_nobody_trusts_is_left_and_told) {
    host_ = std::make_unique<http3_host>(reactor_);
    begin(goal(true));
    ASSERT_TRUE(until([&] { return link_failure_.has_value(); }));
    EXPECT_EQ(link_failure_->where, phase::tls);
    EXPECT_EQ(link_failure_->code, error_code::certificate_untrusted);
    ASSERT_TRUE(until([&] { return host_->quic()->failure().has_value(); }));
    EXPECT_EQ(host_->quic()->failure()->code, error_code::tls_handshake_failed);
}

TEST_F(http3_client, a_port_where_nothing_listens_refuses_at_once) {
    host_ = std::make_unique<http3_host>(reactor_);
    const auto to = goal();
    host_->go_deaf();
    begin(to);
    ASSERT_TRUE(until([&] { return link_failure_.has_value(); }));
    EXPECT_EQ(link_failure_->code, error_code::connection_refused);
    EXPECT_EQ(link_failure_->where, phase::connect);
}

TEST_F(http3_client, a_link_that_is_dropped_ends_its_connection) {
    host_ = std::make_unique<http3_host>(reactor_);
    begin(goal());
    ASSERT_TRUE(until([&] { return link_->is_established() && host_->quic()->is_established(); }));
    link_.reset();
    EXPECT_TRUE(until([&] { return host_->quic()->failure().has_value(); }));
}

// --- Exchanges -------------------------------------------------------------------------------------------------------

TEST_F(http3_client, many_exchanges_share_one_connection_and_end_in_any_order) {
    connect();
    std::vector<recording_ptr> asked;
    for (int count = 0; count < 20; ++count) {
        asked.push_back(make_get("/" + std::to_string(count)));
        connection_->start(asked.back());
    }
    EXPECT_EQ(connection_->exchanges(), 20U);
    EXPECT_TRUE(connection_->usable());
    ASSERT_TRUE(
        until([&] { return host_->script.requests.size() == 20 && host_->script.requests.rbegin()->second.ended; }));
    const auto ids = host_->script.ids();
    for (auto id = ids.rbegin(); id != ids.rend(); ++id)
        answer(*id, {{":status", "200"}}, host_->script.requests[*id].field(":path"));
    for (std::size_t at = 0; at < asked.size(); ++at) {
        ASSERT_TRUE(finish(asked[at]));
        EXPECT_EQ(asked[at]->body, "/" + std::to_string(at));
        EXPECT_EQ(asked[at]->head->version, http_version::http_3);
        EXPECT_EQ(asked[at]->on_reused_connection, at > 0);
        EXPECT_TRUE(asked[at]->request_sent);
    }
    EXPECT_EQ(connection_->exchanges(), 0U);
    EXPECT_TRUE(connection_->usable());
    EXPECT_GE(room_, 1);
    EXPECT_FALSE(closed_);
}

TEST_F(http3_client, more_than_the_peer_allows_wait_their_turn) {
    connect(3);
    EXPECT_EQ(connection_->capacity(), 3U);
    host_->automatic = true;
    for (int round = 0; round < 5; ++round) {
        std::vector<recording_ptr> asked;
        while (connection_->usable()) connection_->start(asked.emplace_back(make_get()));
        EXPECT_EQ(asked.size(), 3U);
        for (const auto& each : asked) {
            ASSERT_TRUE(finish(each));
            EXPECT_TRUE(each->succeeded());
        }
    }
    EXPECT_FALSE(closed_);
}

TEST_F(http3_client, what_cannot_be_sent_fails_alone) {
    connect();
    host_->automatic = true;
    const auto wrong = make_get("not a target"), right = make_get();
    connection_->start(wrong);
    ASSERT_TRUE(wrong->failure);
    EXPECT_EQ(wrong->failure->whose, culprit::caller);
    connection_->start(right);
    ASSERT_TRUE(finish(right));
    EXPECT_TRUE(right->succeeded());
}

TEST_F(http3_client, bodies_go_out_from_memory_and_from_a_source_with_trailers) {
    connect();
    host_->automatic = true;
    const auto in_memory = make_get("/memory", "POST");
    const std::string body = letters(2'000'000);
    in_memory->request_body = body;
    in_memory->request_body_size = body.size();
    const auto streamed = make_upload({"one", std::nullopt, "two"});
    streamed->trailers_to_send.append_valid("Sum", "6");
    connection_->start(in_memory);
    connection_->start(streamed);
    ASSERT_TRUE(until([&] { return host_->script.requests[4].body == "one"; }));
    streamed->answered_by()->request_body_ready(*streamed);
    ASSERT_TRUE(finish(in_memory) && finish(streamed));
    EXPECT_TRUE(host_->script.requests[0].body == body);
    EXPECT_EQ(host_->script.requests[4].body, "onetwo");
    EXPECT_EQ(host_->script.requests[4].trailers, (lines{{"sum", "6"}}));
}

TEST_F(http3_client, a_paused_requester_gets_the_rest_when_he_goes_on) {
    connect();
    const auto asked = make_get();
    asked->pauses = true;
    answer(ask(asked), {{":status", "200"}}, letters(50'000), {{"sum", "1"}});
    while (!asked->over()) {
        ASSERT_TRUE(until([&] { return asked->over() || asked->paused > 0; }));
        settle();
        if (responder* answering = asked->answered_by()) answering->resume(*asked);
    }
    EXPECT_EQ(asked->body, letters(50'000));
    EXPECT_EQ(asked->trailers.find("sum"), "1");
}

TEST_F(http3_client, a_pulled_body_arrives_whole_in_small_pieces) {
    connect();
    const auto asked = make_get();
    asked->wants = delivery::pull;
    const std::string body = letters(3 * 1024 * 1024);
    answer(ask(asked), {{":status", "200"}}, body);
    EXPECT_TRUE(pull(asked, 10'000) == body + "<end>");
    EXPECT_TRUE(asked->succeeded());
    EXPECT_EQ(connection_->exchanges(), 0U);
}

TEST_F(http3_client, a_cancelled_exchange_is_given_up_and_the_others_go_on) {
    connect();
    const auto cancelled = make_get(), other = make_get();
    const auto first = ask(cancelled), second = ask(other);
    cancelled->given_up = true;
    cancelled->answered_by()->cancel(*cancelled);
    answer(second, {{":status", "200"}}, "still here");
    ASSERT_TRUE(finish(other));
    EXPECT_EQ(other->body, "still here");
    EXPECT_TRUE(until([&] { return host_->script.requests[first].stopped.has_value(); }));
    EXPECT_FALSE(closed_);
}

TEST_F(http3_client, a_requester_may_cancel_from_within_every_callback) {
    connect();
    for (const auto where : {&recording_exchange::in_head, &recording_exchange::in_data}) {
        const auto asked = make_get();
        (*asked).*where = [&] {
            asked->given_up = true;
            asked->answered_by()->cancel(*asked);
        };
        answer(ask(asked), {{":status", "200"}}, "body");
        ASSERT_TRUE(until([&] { return asked->given_up; }));
        settle();
        EXPECT_EQ(connection_->exchanges(), 0U);
    }
    const auto sending = make_upload({"some", "more"});
    sending->in_body = [&] {
        sending->given_up = true;
        sending->answered_by()->cancel(*sending);
    };
    connection_->start(sending);
    settle();
    EXPECT_EQ(connection_->exchanges(), 0U);
    EXPECT_FALSE(closed_);
}

TEST_F(http3_client, exchanges_may_start_from_within_every_callback) {
    connect();
    host_->automatic = true;
    std::vector<recording_ptr> others;
    const auto start_another = [&] { connection_->start(others.emplace_back(make_get("/another"))); };
    const auto asked = make_upload({"some", "more"});
    asked->in_body = asked->in_head = asked->in_data = asked->in_end = start_another;
    connection_->start(asked);
    ASSERT_TRUE(finish(asked));
    EXPECT_EQ(others.size(), 4U);
    for (const auto& each : others) {
        ASSERT_TRUE(finish(each));
        EXPECT_EQ(each->body, "/another");
    }
}

TEST_F(http3_client, closing_from_within_a_callback_ends_all_and_tells_the_peer) {
    connect();
    const auto asked = make_get(), other = make_get();
    const auto id = ask(asked);
    ask(other);
    asked->in_head = [&] { connection_->close(close_reason::session_closed); };
    answer(id, {{":status", "200"}}, "body");
    ASSERT_TRUE(finish(asked) && finish(other));
    EXPECT_EQ(asked->failure->code, error_code::session_closed);
    EXPECT_EQ(other->failure->code, error_code::session_closed);
    EXPECT_EQ(closed_, close_reason::session_closed);
    connection_.reset();
    EXPECT_TRUE(until([&] { return host_->quic()->failure().has_value(); }));
}

TEST_F(http3_client, refused_streams_were_not_sent_and_others_may_have_been) {
    connect();
    const auto refused = make_get("/", "POST"), reset = make_get("/", "POST");
    const auto first = ask(refused), second = ask(reset);
    host_->script.reset(first, NGHTTP3_H3_REQUEST_REJECTED);
    host_->script.reset(second, NGHTTP3_H3_INTERNAL_ERROR);
    host_->say();
    ASSERT_TRUE(finish(refused) && finish(reset));
    EXPECT_FALSE(refused->request_sent);
    EXPECT_EQ(refused->failure->code, error_code::connection_closed);
    EXPECT_TRUE(reset->request_sent);
    EXPECT_EQ(reset->failure->code, error_code::stream_reset);
}

TEST_F(http3_client, a_server_that_goes_away_gets_no_more_and_finishes_what_it_has) {
    connect();
    const auto kept = make_get();
    const auto id = ask(kept);
    host_->script.go_away();
    host_->say();
    ASSERT_TRUE(until([&] { return !connection_->usable(); }));
    EXPECT_FALSE(closed_);
    answer(id, {{":status", "200"}}, "bye");
    ASSERT_TRUE(finish(kept));
    EXPECT_EQ(kept->body, "bye");
    EXPECT_EQ(closed_, close_reason::peer_said_close);
}

TEST_F(http3_client, a_connection_that_its_peer_ends_ends_its_exchanges_and_what_came_can_be_read) {
    connect();
    const auto whole = make_get(), half = make_get(), silent = make_get();
    whole->wants = half->wants = delivery::pull;
    const auto first = ask(whole), second = ask(half);
    ask(silent);
    answer(first, {{":status", "200"}}, "complete");
    host_->script.head(second, {{":status", "200"}});
    host_->say();
    ASSERT_TRUE(until([&] { return whole->head && half->head; }));
    settle();
    host_->quic()->close(0x102, "bye", {error_code::connection_closed, phase::none, culprit::local, 0, "bye"});
    host_->say();
    ASSERT_TRUE(finish(silent));
    EXPECT_EQ(silent->failure->code, error_code::connection_closed);
    EXPECT_NE(silent->failure->message.find("bye"), std::string::npos);
    EXPECT_FALSE(connection_->usable());
    EXPECT_EQ(pull(whole, 3), "complete<end>");
    EXPECT_EQ(pull(half, 3), "<body_incomplete>");
    EXPECT_EQ(closed_, close_reason::transport_failed);
}

TEST_F(http3_client, an_idle_connection_that_its_peer_ends_says_so) {
    connect();
    host_->automatic = true;
    const auto asked = make_get();
    connection_->start(asked);
    ASSERT_TRUE(finish(asked));
    host_->quic()->close(0x100, {}, {error_code::connection_closed, phase::none, culprit::local, 0, "bye"});
    host_->say();
    ASSERT_TRUE(until([&] { return closed_.has_value(); }));
    EXPECT_EQ(closed_, close_reason::peer_closed_idle);
}

/// Its system says so, with ICMP: nobody waits for the idle timeout.
TEST_F(http3_client, a_server_that_is_gone_is_noticed) {
    connect();
    const auto asked = make_get();
    ask(asked);
    host_->go_deaf();
    const auto another = make_get();
    connection_->start(another);
    ASSERT_TRUE(finish(asked) && finish(another));
    EXPECT_EQ(another->failure->code, error_code::connection_refused);
    EXPECT_EQ(closed_, close_reason::transport_failed);
}

TEST_F(http3_client, silence_ends_an_exchange_and_not_its_connection) {
    connect();
    const auto silent = make_get(), other = make_get();
    silent->limits.read = 100ms;
    const auto first = ask(silent), second = ask(other);
    ASSERT_TRUE(finish(silent));
    EXPECT_EQ(silent->failure->code, error_code::timed_out);
    EXPECT_EQ(silent->failure->where, phase::read);
    EXPECT_TRUE(until([&] { return host_->script.requests[first].stopped.has_value(); }));
    answer(second, {{":status", "200"}});
    ASSERT_TRUE(finish(other));
    EXPECT_TRUE(other->succeeded());
    EXPECT_TRUE(connection_->usable()) << "it has acknowledged that the exchange was given up";
}

TEST_F(http3_client, who_waited_in_vain_sends_the_next_elsewhere_until_the_server_is_heard_of) {
    connect();
    const auto [silent, other] = ask_in_vain();
    ASSERT_TRUE(finish(silent));
    EXPECT_FALSE(connection_->usable());
    const int room = room_;
    host_->is_mute = false;
    ASSERT_TRUE(until([&] { return connection_->usable(); }));
    EXPECT_GT(room_, room) << "somebody may wait for it";
    constexpr quic::stream_id second = 4;
    ASSERT_TRUE(until([&] { return host_->script.requests[second].ended; }));
    answer(second, {{":status", "200"}});
    ASSERT_TRUE(finish(other));
    EXPECT_TRUE(other->succeeded());
    EXPECT_FALSE(closed_);
}

TEST_F(http3_client, so_does_who_gets_no_answer_to_probes) {
    connect();
    const auto asked = make_get();
    host_->is_mute = true;
    connection_->start(asked);
    ASSERT_TRUE(until([&] { return !connection_->usable(); }));
    const int room = room_;
    host_->is_mute = false;
    ASSERT_TRUE(until([&] { return connection_->usable(); }));
    EXPECT_GT(room_, room);
    EXPECT_FALSE(closed_);
}

TEST_F(http3_client, a_server_that_stays_silent_is_taken_for_dead) {
    connect();
    const auto [silent, other] = ask_in_vain();
    const auto began = reactor_.now();
    ASSERT_TRUE(finish(other));
    EXPECT_GE(reactor_.now() - began, liveness::patience);
    EXPECT_LT(reactor_.now() - began, 2 * liveness::patience);
    EXPECT_EQ(silent->failure->code, error_code::timed_out);
    EXPECT_EQ(other->failure->code, error_code::connection_reset);
    EXPECT_NE(other->failure->message.find("sign of life"), std::string::npos);
    EXPECT_EQ(closed_, close_reason::timed_out);
}

}  // namespace
}  // namespace pabal::connection

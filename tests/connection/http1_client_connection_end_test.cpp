#include "connection/http1_client_support.hpp"

namespace pabal::connection {
namespace {

using namespace testing;

class http1_client_end : public http1_client {};
INSTANTIATE_TEST_SUITE_P(over, http1_client_end, ::testing::ValuesIn(all_paths()), name_of_path);
class http1_client_end_in_memory : public http1_client {};
INSTANTIATE_TEST_SUITE_P(over, http1_client_end_in_memory, ::testing::ValuesIn(memory_paths()), name_of_path);

// --- Ends of connections ------------------------------------------------------------------------------------------------

TEST_P(http1_client_end, who_said_close_is_remembered) {
    const auto theirs = make_get();
    ASSERT_TRUE(run(theirs, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_TRUE(theirs->succeeded());
    EXPECT_EQ(closed_, close_reason::peer_said_close);

    connect(world_.pair());
    const auto old = make_get();
    ASSERT_TRUE(run(old, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_EQ(closed_, close_reason::peer_said_close);

    connect(world_.pair());
    const auto ours = make_get();
    ours->request.headers.append_valid("Connection", "close");
    ASSERT_TRUE(run(ours, hello));
    EXPECT_EQ(closed_, close_reason::we_said_close);
}

TEST_P(http1_client_end, bytes_after_a_complete_response_spoil_the_connection) {
    for (const auto& [method, response] :
         {std::pair{"GET", std::string(hello) + "x"},
          std::pair{"GET", std::string(hello_chunked) + "HTTP/1.1 200 OK\r\n"}, std::pair{"HEAD", std::string(hello)},
          std::pair{"GET", std::string("HTTP/1.1 204 No Content\r\n\r\nhello")}}) {
        connect(world_.pair());
        const auto got = make_get("/", method);
        ASSERT_TRUE(run(got, response));
        EXPECT_TRUE(got->succeeded());
        // They may come a moment later: then the connection was idle.
        EXPECT_TRUE(world_.turn_until([&] { return closed_.has_value(); }));
        EXPECT_EQ(closed_, close_reason::unexpected_bytes);
        EXPECT_FALSE(connection_->usable());
    }
}

TEST_P(http1_client_end, an_idle_connection_notices_its_end) {
    ASSERT_TRUE(run(make_get(), hello));
    server_.hang_up();
    ASSERT_TRUE(world_.turn_until([&] { return closed_.has_value(); }));
    EXPECT_EQ(closed_, close_reason::peer_closed_idle);

    connect(world_.pair());
    server_.say("HTTP/1.1 408 Request Timeout\r\n\r\n");
    ASSERT_TRUE(world_.turn_until([&] { return closed_.has_value(); }));
    EXPECT_EQ(closed_, close_reason::unexpected_bytes);
}

TEST_P(http1_client_end_in_memory, an_idle_connection_whose_end_has_arrived_is_not_usable) {
    EXPECT_TRUE(connection_->usable());
    server_.hang_up();
    EXPECT_FALSE(connection_->usable());  // before the reactor had a turn to tell
}

/// Where a response may be cut, and what the client must say.
struct cut_response {
    std::string_view text;
    bool may_end_anywhere_in_the_body;  ///< its body is delimited by the end
};

TEST_P(http1_client_end, a_response_cut_at_any_byte_is_never_taken_for_a_whole_one) {
    for (const auto& [text, may_end] :
         {cut_response{hello, false}, cut_response{hello_chunked, false}, cut_response{hello_until_close, true}}) {
        const std::size_t head_size = text.find("\r\n\r\n") + 4;
        for (std::size_t cut = 0; cut < text.size(); ++cut) {
            for (const delivery wants : {delivery::push, delivery::pull}) {
                connect(world_.pair());
                const auto got = make_get();
                got->wants = wants;
                ask(got);
                server_.say(text.substr(0, cut));
                server_.hang_up();
                ASSERT_TRUE(world_.turn_until([&] { return got->over() || got->head; }));
                std::optional<error_code> code;
                if (wants == delivery::pull && got->head) {
                    const std::string all = pull(got, 3);
                    if (all.ends_with("<body_incomplete>")) code = error_code::body_incomplete;
                    else EXPECT_TRUE(all.ends_with("<end>")) << all;
                } else {
                    ASSERT_TRUE(finish(got));
                    if (got->failure) code = got->failure->code;
                }
                if (cut >= head_size && may_end) {
                    EXPECT_FALSE(code);
                    EXPECT_EQ(closed_, close_reason::body_until_close);
                    continue;
                }
                EXPECT_EQ(code, cut == 0 ? error_code::connection_closed : error_code::body_incomplete) << cut;
                EXPECT_EQ(closed_, close_reason::transport_failed) << cut;
                if (got->failure) {
                    EXPECT_EQ(got->failure->whose, culprit::peer);
                }
            }
        }
    }
}

TEST_P(http1_client_end_in_memory, a_reset_at_any_byte_is_reported_as_one) {
    for (std::size_t cut = 1; cut < hello.size(); ++cut) {
        auto broken = GetParam().wire;
        broken.fault_after = cut;
        broken.then = transport::memory_wire::fault::reset;
        connect(world_.memory(GetParam().wire, broken));
        const auto got = make_get();
        ASSERT_TRUE(run(got, hello));
        EXPECT_EQ(got->failure->code, error_code::connection_reset);
        EXPECT_EQ(closed_, close_reason::transport_failed);
    }
}

TEST_P(http1_client_end, a_malformed_response_is_the_servers_fault) {
    for (const auto response : {"HTTP/1.1 200 OK\nContent-Length: 5\n\n", "HTP/1.1 200 OK\r\n\r\n",
                                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
                                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"}) {
        for (const delivery wants : {delivery::push, delivery::pull}) {
            connect(world_.pair());
            const auto got = make_get();
            got->wants = wants;
            ask(got);
            server_.say(response);
            ASSERT_TRUE(world_.turn_until([&] { return got->over() || got->head; }));
            if (wants == delivery::pull && got->head) {
                EXPECT_EQ(pull(got, 3), "<malformed_message>");
            } else {
                ASSERT_TRUE(finish(got));
                EXPECT_EQ(got->failure->code, error_code::malformed_message);
            }
            EXPECT_EQ(closed_, close_reason::protocol_error);
        }
    }
}

// --- Time ---------------------------------------------------------------------------------------------------------------

TEST_P(http1_client_end_in_memory, silence_of_the_server_is_bounded_and_named) {
    for (const auto said : {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"}) {
        connect(world_.pair());
        const auto got = make_get();
        got->limits.read = 2s;
        connection_->start(got);
        world_.pass(1500ms);
        server_.say(said);
        world_.pass(600ms);
        if (*said != '\0') {
            EXPECT_FALSE(got->over()) << "there was progress";
            world_.pass(1500ms);
        }
        ASSERT_TRUE(got->over());
        EXPECT_EQ(got->failure->code, error_code::timed_out);
        EXPECT_EQ(got->failure->where, phase::read);
        EXPECT_EQ(got->failure->whose, culprit::peer);
        EXPECT_EQ(closed_, close_reason::timed_out);
    }
}

TEST_P(http1_client_end_in_memory, a_server_that_takes_nothing_is_bounded_and_named) {
    const std::string body = letters(500'000);
    for (const bool streamed : {false, true}) {
        connect(world_.memory({.capacity = 1000}, {}));
        const auto got = streamed ? make_upload({body}) : make_upload({}, body.size());
        if (!streamed) got->request_body = body;
        got->limits.write = 2s;
        server_.listen(false);
        connection_->start(got);
        world_.pass(1900ms);
        EXPECT_FALSE(got->over());
        world_.pass(200ms);
        ASSERT_TRUE(got->over());
        EXPECT_EQ(got->failure->code, error_code::timed_out);
        EXPECT_EQ(got->failure->where, phase::write);
        EXPECT_EQ(closed_, close_reason::timed_out);
        server_.listen(true);
    }
}

TEST_P(http1_client_end_in_memory, a_slow_source_is_not_the_servers_fault) {
    const auto got = make_upload({"part", std::nullopt});
    got->limits.write = got->limits.read = 1s;
    connection_->start(got);
    world_.pass(1min);
    EXPECT_FALSE(got->over());
    got->answered_by()->request_body_ready(*got);
    world_.pass(500ms);
    EXPECT_FALSE(got->over());
    world_.pass(600ms);
    ASSERT_TRUE(got->over());
    EXPECT_EQ(got->failure->where, phase::read);
}

TEST_P(http1_client_end_in_memory, a_pause_is_not_the_servers_fault_but_silence_after_it_is) {
    const auto got = make_get();
    got->limits.read = 1s;
    got->pauses = true;
    ask(got);
    server_.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nh");
    world_.pass(1min);
    EXPECT_EQ(got->body, "h");
    ASSERT_FALSE(got->over());
    got->answered_by()->resume(*got);
    world_.pass(900ms);
    ASSERT_FALSE(got->over());
    world_.pass(200ms);
    ASSERT_TRUE(got->over());
    EXPECT_EQ(got->failure->where, phase::read);
}

TEST_P(http1_client_end_in_memory, a_consumer_that_takes_its_time_is_not_the_servers_fault) {
    const auto got = make_get();
    got->limits.read = 1s;
    got->wants = delivery::pull;
    ask(got);
    server_.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    world_.pass(1min);
    ASSERT_FALSE(got->over()) << "nobody has asked for the body yet";
    EXPECT_EQ(pull(got, 100, "hello"), "hello");
    server_.say("w");
    world_.pass(1min);
    ASSERT_FALSE(got->over()) << "there is something to read";
    EXPECT_EQ(pull(got, 100, "w"), "w");
    world_.pass(1100ms);
    ASSERT_TRUE(got->over()) << "now the server is the one that is waited for";
    EXPECT_EQ(got->failure->where, phase::read);
}

TEST_P(http1_client_end_in_memory, limits_of_one_exchange_do_not_reach_the_next) {
    const auto first = make_get();
    first->limits.read = 1s;
    ASSERT_TRUE(run(first, hello));
    world_.pass(500ms);
    const auto second = make_get();
    second->limits.read = 3s;
    connection_->start(second);
    world_.pass(2900ms);
    EXPECT_FALSE(second->over());
    server_.say(hello);
    ASSERT_TRUE(finish(second));
    EXPECT_TRUE(second->succeeded());
    world_.pass(1h);
    EXPECT_FALSE(closed_);
}

// --- Will ---------------------------------------------------------------------------------------------------------------

recording_ptr started(client_side& in, const recording_ptr& exchange, std::string_view said) {
    in.connection_->start(exchange);
    in.server_.say(said);
    in.world_.settle();
    return exchange;
}

/// Exchanges brought to some point of their life.
std::vector<std::pair<const char*, std::function<recording_ptr(client_side&)>>> stages() {
    static constexpr std::string_view half = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell";
    return {
        {"before the head", [](client_side& in) { return started(in, make_get(), ""); }},
        {"in the head", [](client_side& in) { return started(in, make_get(), "HTTP/1.1 200 OK\r\nX: "); }},
        {"in the body", [](client_side& in) { return started(in, make_get(), half); }},
        {"while sending", [](client_side& in) { return started(in, make_upload({"x", std::nullopt}), ""); }},
        {"paused",
         [](client_side& in) {
             auto exchange = make_get();
             exchange->pauses = true;
             return started(in, exchange, half);
         }},
        {"waiting to be pulled",
         [](client_side& in) {
             auto exchange = make_get();
             exchange->wants = delivery::pull;
             return started(in, exchange, half);
         }},
        {"half pulled",
         [](client_side& in) {
             auto exchange = make_get();
             exchange->wants = delivery::pull;
             started(in, exchange, half);
             std::array<char, 2> buffer;
             EXPECT_TRUE(in.connection_->read_response(*exchange, buffer));
             return exchange;
         }},
        {"waiting for 100-continue",
         [](client_side& in) {
             auto exchange = make_upload({"x"});
             exchange->request.headers.append_valid("Expect", "100-continue");
             return started(in, exchange, "");
         }},
    };
}

TEST_P(http1_client_end, is_cancelled_at_any_stage_and_says_nothing_more) {
    for (const auto& [name, reach] : stages()) {
        SCOPED_TRACE(name);
        connect(world_.pair());
        auto exchange = reach(*this);
        cancel(exchange);
        EXPECT_EQ(closed_, exchange->head ? close_reason::response_unread : close_reason::cancelled);
        EXPECT_EQ(exchange->answered_by(), nullptr);
        connection_->cancel(*exchange);  // a second time is no event
        connection_->resume(*exchange);
        connection_->request_body_ready(*exchange);
        server_.say("more");
        world_.settle();
        EXPECT_EQ(exchange->outcomes, 0);
        EXPECT_EQ(exchange->reference_count(), 1U) << "the connection still holds it";
    }
}

TEST_P(http1_client_end, is_closed_at_any_stage_and_tells_the_requester_once) {
    for (const auto& [name, reach] : stages()) {
        SCOPED_TRACE(name);
        connect(world_.pair());
        auto exchange = reach(*this);
        connection_->close(close_reason::evicted);
        EXPECT_EQ(closed_, close_reason::evicted);
        EXPECT_EQ(exchange->outcomes, 1);
        EXPECT_EQ(exchange->failure->code, error_code::cancelled);
        connection_->close(close_reason::evicted);
        world_.settle();
        EXPECT_EQ(exchange->reference_count(), 1U);
    }
}

TEST_P(http1_client_end, is_cancelled_from_within_any_callback) {
    for (const auto which :
         {&recording_exchange::in_head, &recording_exchange::in_data, &recording_exchange::in_body}) {
        for (const bool long_body : {false, true}) {
            connect(world_.pair());
            const auto got = make_upload({"body"});
            got->place.assign(long_body ? 50'000 : 0, ' ');
            (*got).*which = [&] { cancel(got); };
            ask(got);
            server_.say(long_body ? "HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + letters(50'000)
                                  : std::string(hello_chunked));
            ASSERT_TRUE(world_.turn_until([&] { return closed_.has_value(); }));
            world_.settle();
            EXPECT_EQ(got->outcomes, 0);
        }
    }
}

TEST_P(http1_client_end, an_idle_connection_is_closed_for_the_reason_given) {
    connection_->close(close_reason::idle_timeout);
    EXPECT_EQ(closed_, close_reason::idle_timeout);
    EXPECT_FALSE(connection_->usable());
    EXPECT_TRUE(world_.turn_until([&] { return server_.saw_end(); }));
    EXPECT_EQ(connection_->describe().peer_address, "") << "there is no peer any more";
}

// --- Back in the pool ---------------------------------------------------------------------------------------------------

/// Starts the next exchange from within on_room, as a pool does for the first that waits.
class handing_over final : public client_connection_observer {
public:
    void on_room(client_connection& idle) override {
        if (next) idle.start(std::exchange(next, nullptr));
    }
    void on_closed(client_connection&, close_reason) override {}
    exchange_ptr next;
};

TEST_P(http1_client_end, the_next_exchange_may_start_before_the_last_one_hears_its_end) {
    handing_over pool;
    auto pair = world_.pair();
    http1_client_connection connection(environment_, std::move(pair.first), pool);
    peer server(std::move(pair.second));
    for (const bool pulled : {false, true}) {
        const auto first = make_get("/1");
        const auto second = make_get("/2");
        first->wants = pulled ? delivery::pull : delivery::push;
        first->in_end = [&] { EXPECT_NE(second->answered_by(), nullptr) << "the connection was free already"; };
        pool.next = second;
        connection.start(first);
        server.say(hello);
        ASSERT_TRUE(world_.turn_until([&] {
            std::array<char, 10> buffer;
            if (pulled && first->head && !first->over()) {
                EXPECT_TRUE(first->answered_by()->read_response(*first, buffer));
            }
            return first->over();
        }));
        server.say(hello_chunked);
        ASSERT_TRUE(finish(second));
        EXPECT_TRUE(first->succeeded());
        EXPECT_EQ(second->body, "hello");
    }
}

}  // namespace
}  // namespace pabal::connection

#include <array>
#include <cstdio>
#include <functional>
#include <string>

#include <netinet/in.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include "transport/listener.hpp"
#include "transport/socket_transport.hpp"

namespace pabal::transport {
namespace {

using namespace std::chrono_literals;

struct recording_observer : transport_observer {
    void on_transport_ready(readiness now) override {
        ++calls;
        readable |= now.readable;
        writable |= now.writable;
    }
    int calls = 0;
    bool readable = false;
    bool writable = false;
};

struct recording_connect : connect_observer {
    void on_connected(int connected) override { descriptor = connected; }
    void on_connect_failed(error error_given) override { failure = std::move(error_given); }
    bool finished() const { return descriptor >= 0 || failure.has_value(); }
    int descriptor = -1;
    std::optional<error> failure;
};

struct recording_accept : accept_observer {
    void on_accepted(transport_ptr one) override { accepted.push_back(std::move(one)); }
    std::vector<transport_ptr> accepted;
};

/// Each test over TCP and Unix sockets, with each poller.
class socket_transport : public testing::TestWithParam<std::tuple<const char*, const char*>> {
protected:
    void SetUp() override {
        const bool tcp = std::get<1>(GetParam()) == std::string("tcp");
        auto made = tcp ? listener::tcp(reactor_, "127.0.0.1", 0, accepted_)
                        : listener::unix_socket(reactor_, "@pabal-test-" + std::to_string(::getpid()), accepted_);
        ASSERT_TRUE(made) << made.error().message;
        listener_ = std::move(made).value();
        recording_connect connected;
        const auto address =
            tcp ? ip_address("127.0.0.1", listener_->port()).value() : unix_address(listener_->address()).value();
        auto attempt = start_connect(reactor_, address.get(), address.size, connected);
        ASSERT_TRUE(attempt) << attempt.error().message;
        EXPECT_FALSE(connected.finished()) << "called back from inside start_connect";
        turn_until([&] { return connected.finished() && !accepted_.accepted.empty(); });
        ASSERT_GE(connected.descriptor, 0) << connected.failure->message;
        client_ = make_socket_transport(reactor_, connected.descriptor, listener_->address());
        server_ = std::move(accepted_.accepted.front());
        client_->observe(&client_observer_);
        server_->observe(&server_observer_);
    }

    void turn_until(const std::function<bool()>& met) {
        const auto deadline = reactor::clock::now() + 10s;
        while (!met()) {
            ASSERT_LT(reactor::clock::now(), deadline);
            reactor_.turn(100ms);
        }
    }

    std::string read_available(transport& from) {
        std::array<char, 4096> buffer;
        std::string all;
        for (;;) {
            const auto got = from.read(buffer);
            if (!got || got->what != io_outcome::kind::moved) return all;
            all.append(buffer.data(), got->size);
        }
    }

    static std::size_t write_once(transport& to, std::string_view text) {
        const std::array pieces{text};
        const auto sent = to.write(pieces);
        EXPECT_TRUE(sent) << sent.error().message;
        return sent ? sent->size : 0;
    }

    reactor::reactor reactor_{reactor::make_poller(std::get<0>(GetParam())).value()};
    recording_accept accepted_;
    std::unique_ptr<listener> listener_;
    recording_observer client_observer_;
    recording_observer server_observer_;
    transport_ptr client_;
    transport_ptr server_;
};

INSTANTIATE_TEST_SUITE_P(transport, socket_transport,
                         testing::Combine(testing::Values("epoll", "poll"), testing::Values("tcp", "unix")),
                         [](const auto& named) {
                             return std::string(std::get<0>(named.param)) + "_" + std::get<1>(named.param);
                         });

TEST_P(socket_transport, carries_bytes_and_tells_the_reader) {
    std::array<char, 16> buffer;
    EXPECT_EQ(server_->read(buffer)->what, io_outcome::kind::would_block);
    EXPECT_FALSE(server_->maybe_readable());
    EXPECT_EQ(write_once(*client_, "hello"), 5U);
    turn_until([&] { return server_observer_.readable; });
    EXPECT_TRUE(server_->maybe_readable());
    EXPECT_EQ(read_available(*server_), "hello");
    EXPECT_FALSE(server_->maybe_readable());
    EXPECT_FALSE(server_observer_.writable) << "nobody was refused";
}

TEST_P(socket_transport, sends_many_pieces_as_one) {
    const std::array<std::string_view, 4> pieces{"HTTP/1.1 ", "", "200 ", "OK"};
    EXPECT_EQ(client_->write(pieces)->size, 15U);
    turn_until([&] { return server_observer_.readable; });
    EXPECT_EQ(read_available(*server_), "HTTP/1.1 200 OK");
}

TEST_P(socket_transport, a_full_pipe_refuses_and_says_when_there_is_room) {
    const std::string block(256 * 1024, 'x');
    std::size_t sent = 0;
    for (;;) {
        const std::array<std::string_view, 1> pieces{block};
        const auto outcome = client_->write(pieces);
        ASSERT_TRUE(outcome);
        if (outcome->what == io_outcome::kind::would_block) break;
        sent += outcome->size;
    }
    EXPECT_GT(sent, 0U);
    std::size_t received = 0;
    std::size_t refusals = 1;
    while (received < 16 * 1024 * 1024U) {
        reactor_.turn(100ms);
        received += read_available(*server_).size();
        if (!std::exchange(client_observer_.writable, false)) continue;
        ++refusals;
        for (std::size_t now = 1; now > 0;) sent += now = write_once(*client_, block);
    }
    EXPECT_GT(refusals, 2U);
}

TEST_P(socket_transport, the_end_of_the_peer_is_read_after_its_last_bytes_and_stays) {
    write_once(*client_, "last");
    client_->shutdown_write();
    turn_until([&] { return server_observer_.readable; });
    std::string all;
    std::array<char, 16> buffer;
    bool ended = false;
    turn_until([&] {
        for (;;) {
            const auto got = server_->read(buffer);
            if (!got || got->what == io_outcome::kind::would_block) return false;
            if (got->what == io_outcome::kind::end) return ended = true;
            all.append(buffer.data(), got->size);
        }
    });
    EXPECT_EQ(all, "last");
    EXPECT_EQ(server_->read(buffer)->what, io_outcome::kind::end);
    EXPECT_TRUE(server_->maybe_readable());
    EXPECT_EQ(write_once(*server_, "still writable"), 14U);
}

TEST_P(socket_transport, an_end_that_comes_after_a_short_read_is_still_told) {
    write_once(*client_, "data");
    turn_until([&] { return server_observer_.readable; });
    std::array<char, 64> buffer;
    EXPECT_EQ(server_->read(buffer)->size, 4U);
    while (server_->read(buffer)->what == io_outcome::kind::moved) {}
    server_observer_.readable = false;
    client_.reset();
    turn_until([&] { return server_observer_.readable; });
    EXPECT_EQ(server_->read(buffer)->what, io_outcome::kind::end);
}

TEST_P(socket_transport, below_the_low_water_mark_nothing_is_reported_but_the_end) {
    read_available(*server_);
    server_->set_low_water_mark(1000);
    write_once(*client_, std::string(999, 'x'));
    reactor_.turn(20ms);
    const bool tcp = std::get<1>(GetParam()) == std::string("tcp");
    EXPECT_EQ(server_observer_.readable, !tcp) << "elsewhere the hint is ignored";
    write_once(*client_, "x");
    turn_until([&] { return server_observer_.readable; });
    EXPECT_EQ(read_available(*server_).size(), 1000U);

    server_observer_.readable = false;
    write_once(*client_, "few");
    reactor_.turn(20ms);
    server_->set_low_water_mark(1);
    turn_until([&] { return server_observer_.readable; });
    EXPECT_EQ(read_available(*server_), "few") << "what was there when the mark fell";

    server_->set_low_water_mark(1000);
    server_observer_.readable = false;
    write_once(*client_, "last");
    client_.reset();
    turn_until([&] { return server_observer_.readable; });
    EXPECT_EQ(read_available(*server_), "last");
}

TEST_P(socket_transport, a_low_water_mark_that_the_receive_buffer_cannot_hold_is_lowered) {
    read_available(*server_);
    server_->set_low_water_mark(64 * 1024 * 1024);
    const std::string much(1024 * 1024, 'x');
    const std::array<std::string_view, 1> pieces{much};
    ASSERT_EQ(client_->write(pieces)->what, io_outcome::kind::moved);
    turn_until([&] { return server_observer_.readable; });
    EXPECT_GT(read_available(*server_).size(), 1000U);
}

TEST_P(socket_transport, writing_to_a_peer_that_is_gone_fails_without_a_signal) {
    server_.reset();
    std::optional<error> failure;
    turn_until([&] {
        const std::array<std::string_view, 1> pieces{"anybody?"};
        auto sent = client_->write(pieces);
        if (!sent) failure = std::move(sent).error();
        return failure.has_value();
    });
    EXPECT_TRUE(failure->code == error_code::write_failed || failure->code == error_code::connection_reset ||
                failure->code == error_code::connection_closed)
        << name_of(failure->code);
    EXPECT_EQ(failure->where, phase::write);
}

TEST_P(socket_transport, what_a_peer_said_before_it_was_gone_can_be_read_as_soon_as_writing_fails) {
    EXPECT_FALSE(client_->maybe_readable());
    write_once(*server_, "sorry");
    server_.reset();
    const auto deadline = reactor::clock::now() + 10s;
    bool failed = false;
    while (!failed && reactor::clock::now() < deadline) {  // without a turn: no report of its bytes has come
        const std::array<std::string_view, 1> pieces{"more"};
        failed = !client_->write(pieces);
    }
    ASSERT_TRUE(failed);
    EXPECT_TRUE(client_->maybe_readable());
    EXPECT_EQ(read_available(*client_), "sorry");
}

TEST_P(socket_transport, nobody_is_told_after_destruction) {
    write_once(*client_, "x");
    server_.reset();
    for (int turn = 0; turn < 3; ++turn) reactor_.turn(1ms);
    EXPECT_EQ(server_observer_.calls, 0);
}

TEST_P(socket_transport, describes_both_ends) {
    const auto seen = client_->describe();
    EXPECT_EQ(seen.peer_address, listener_->address());
    EXPECT_FALSE(seen.local_address.empty());
    EXPECT_TRUE(seen.tls_version.empty());
}

TEST(start_connect, a_refused_connection_says_so) {
    reactor::reactor reactor(reactor::make_poller().value());
    recording_connect outcome;
    const auto nobody = ip_address("127.0.0.1", 1).value();
    auto attempt = start_connect(reactor, nobody.get(), nobody.size, outcome);
    if (attempt) {
        while (!outcome.finished()) reactor.turn(100ms);
        ASSERT_TRUE(outcome.failure);
    } else {
        outcome.failure = attempt.error();
    }
    EXPECT_EQ(outcome.failure->code, error_code::connection_refused);
    EXPECT_EQ(outcome.failure->where, phase::connect);
    EXPECT_NE(outcome.failure->message.find("127.0.0.1:1"), std::string::npos) << outcome.failure->message;
}

TEST(start_connect, an_abandoned_attempt_tells_nobody_and_leaks_nothing) {
    reactor::reactor reactor(reactor::make_poller().value());
    recording_connect outcome;
    recording_accept accepted;
    const auto listening = listener::tcp(reactor, "127.0.0.1", 0, accepted).value();
    const auto address = ip_address("127.0.0.1", listening->port()).value();
    const int free_before = ::dup(0);
    ::close(free_before);
    for (int round = 0; round < 50; ++round) {
        auto attempt = start_connect(reactor, address.get(), address.size, outcome).value();
        attempt.reset();
        reactor.turn(0ms);
        accepted.accepted.clear();
    }
    for (int turn = 0; turn < 5; ++turn) reactor.turn(1ms), accepted.accepted.clear();
    EXPECT_FALSE(outcome.finished());
    const int free_after = ::dup(0);
    ::close(free_after);
    EXPECT_EQ(free_before, free_after);
}

TEST(socket_address, reads_and_writes_addresses) {
    const auto text = [](const result<socket_address>& address) {
        return address ? text_of(address->get(), address->size) : address.error().message;
    };
    EXPECT_EQ(text(ip_address("127.0.0.1", 80)), "127.0.0.1:80");
    EXPECT_EQ(text(ip_address("localhost", 80)), "127.0.0.1:80");
    EXPECT_EQ(text(ip_address("", 80)), "0.0.0.0:80");
    EXPECT_EQ(text(ip_address("[::1]", 443)), "[::1]:443");
    EXPECT_EQ(text(ip_address("::1", 443)), "[::1]:443");
    EXPECT_EQ(text(unix_address("/tmp/some.sock")), "/tmp/some.sock");
    EXPECT_EQ(text(unix_address("@abstract")), "@abstract");
    EXPECT_FALSE(ip_address("example.com", 80));
    EXPECT_FALSE(ip_address("127.1", 80));
    EXPECT_FALSE(unix_address(std::string(200, 'x')));
    EXPECT_FALSE(unix_address(""));
}

}  // namespace
}  // namespace pabal::transport

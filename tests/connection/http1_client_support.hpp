#pragma once
/// \file
/// What the tests of HTTP/1.1's client connection share: a connection with the server at its far end, over every path.

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "connection/connection_support.hpp"
#include "connection/http1_client_connection.hpp"

namespace pabal::connection::testing {

inline constexpr std::string_view hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
inline constexpr std::string_view hello_chunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n"
    "2\r\nhe\r\n3;why=not\r\nllo\r\n0\r\nSum: 5\r\n\r\n";
inline constexpr std::string_view hello_until_close = "HTTP/1.1 200 OK\r\n\r\nhello";

/// A connection and the server at the far end of it.
class client_side : public client_connection_observer {
public:
    explicit client_side(const path& carried_by) : world_(carried_by) { connect(world_.pair()); }

    void connect(transport::memory_pair pair) {
        connection_ = std::make_unique<http1_client_connection>(environment_, std::move(pair.first), *this);
        server_.connect(std::move(pair.second));
        server_.heard.clear();
        closed_.reset();
        idle_ = 0;
    }
    void on_room(client_connection& which) override {
        EXPECT_EQ(&which, connection_.get());
        ++idle_;
    }
    void on_closed(client_connection&, close_reason reason) override {
        EXPECT_FALSE(closed_) << "closed twice";
        closed_ = reason;
    }

    bool run(const recording_ptr& exchange, std::string_view response) {
        ask(exchange);
        server_.say(response);
        return finish(exchange);
    }
    /// Starts it and waits until its head has arrived: a server that answers or hangs up earlier changes the case.
    void ask(const recording_ptr& exchange) {
        server_.heard.clear();
        connection_->start(exchange);
        EXPECT_TRUE(hears("\r\n\r\n"));
    }
    bool finish(const recording_ptr& exchange) {
        return world_.turn_until([&] { return exchange->over(); });
    }
    bool hears(std::string_view text) {
        return world_.turn_until([&] { return server_.heard.find(text) != std::string::npos; });
    }
    /// Reads as a consumer of a stream does: up to the end ("<end>"), an error ("<its name>"), or `enough`.
    std::string pull(const recording_ptr& exchange, std::size_t piece, std::string_view enough = "<") {
        std::string all;
        std::string buffer(piece, ' ');
        const bool ended = world_.turn_until([&] {
            for (;;) {
                auto got = connection_->read_response(*exchange, buffer);
                if (!got) return all += "<" + std::string(name_of(got.error().code)) + ">", true;
                if (got->what == read_outcome::kind::end) return all += "<end>", true;
                if (got->what == read_outcome::kind::would_block) return all.ends_with(enough);
                all.append(buffer, 0, got->size);
            }
        });
        return ended ? all : all + "<nothing more>";
    }
    void cancel(const recording_ptr& exchange) {
        exchange->given_up = true;
        if (auto* answering = exchange->answered_by()) answering->cancel(*exchange);
    }

    world world_;
    std::array<char, 16384> scratch_{};
    environment environment_{world_.reactor(), scratch_};
    peer server_;
    std::unique_ptr<http1_client_connection> connection_;
    std::optional<close_reason> closed_;
    int idle_ = 0;
};

class http1_client : public ::testing::TestWithParam<path>, public client_side {
protected:
    http1_client() : client_side(GetParam()) {}
    void TearDown() override {
        server_.on_heard = nullptr;  // refers to what the test had
        connection_.reset();
        world_.settle();
        EXPECT_EQ(recording_exchange::alive, 0) << "an exchange was leaked";
    }
};

/// Cases that need to say when time passes, or how much a wire holds.
class http1_client_in_memory : public http1_client {};

/// A wire that brings much at once.
class http1_client_on_a_wide_wire : public ::testing::Test, public client_side {
protected:
    http1_client_on_a_wide_wire() : client_side({.name = "wide", .wire = {.capacity = 1024 * 1024}}) {}
};

}  // namespace pabal::connection::testing

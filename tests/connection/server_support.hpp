#pragma once
/// \file
/// What the tests of the server's connections share: a handler that does as it is told, and a connection it answers on.

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "connection/connection_support.hpp"
#include "connection/server_connection.hpp"

namespace pabal::connection::testing {

/// A handler's side of one request: answers when told to, reads the body when told to, notes what it is told.
class served_request final : public responder {
public:
    explicit served_request(exchange_ptr started)
        : exchange(std::move(started)), target(exchange->request.target), version(exchange->request.version) {
        exchange->attach(this);
    }
    ~served_request() {
        if (exchange) exchange->attach(nullptr);
    }

    void begin(int status, std::optional<std::size_t> size = std::nullopt) {
        response_head head;
        head.status = status;
        if (size) head.headers.append_valid("Content-Length", std::to_string(*size));
        exchange->on_response(std::move(head));
    }
    flow add(std::string_view data) { return exchange->on_data(data); }
    void end(fields trailers = {}) { std::exchange(exchange, nullptr)->on_end(std::move(trailers)); }
    void fail() {
        std::exchange(exchange, nullptr)->on_error({error_code::unsupported, phase::none, culprit::local, 0, "secret"});
    }
    void answer(std::string_view text = "ok") {
        begin(200, text.size());
        add(text);
        end();
    }
    /// Takes in what there is of the body.
    void read() {
        std::array<char, 700> buffer;
        while (exchange) {
            const auto got = exchange->read_request_body(buffer);
            if (!got) body_failure = got.error();
            if (got && got->what == read_outcome::kind::would_block) return;
            if (!got || got->what == read_outcome::kind::end) {
                body_over = true;
                if (on_body) on_body();
                return;
            }
            body.append(buffer.data(), got->size);
        }
    }

    void cancel(pabal::exchange&) override {
        EXPECT_FALSE(cancelled);
        cancelled = true;
        exchange = nullptr;
    }
    void resume(pabal::exchange&) override {
        ++resumed;
        if (on_resume) on_resume();
    }
    result<read_outcome> read_response(pabal::exchange&, std::span<char>) override { return read_outcome{}; }
    void request_body_ready(pabal::exchange&) override { read(); }

    exchange_ptr exchange;
    std::string target;
    http_version version;
    std::string body;
    std::optional<error> body_failure;
    std::function<void()> on_body;  ///< the body is over
    std::function<void()> on_resume;
    bool body_over = false;
    bool cancelled = false;
    int resumed = 0;
};

class server_side : public handler, public server_connection_observer {
public:
    explicit server_side(const path& carried_by) : world_(carried_by) {}

    void handle(exchange_ptr started) override {
        requests_.push_back(std::make_unique<served_request>(std::move(started)));
        if (script_) script_(*requests_.back());
    }
    void on_closed(server_connection&, server_close_reason reason) override {
        EXPECT_FALSE(closed_) << "closed twice";
        closed_ = reason;
    }

    void serve(const server_limits& limits = {}) { serve(limits, world_.pair()); }
    void serve(const server_limits& limits, transport::memory_pair pair) {
        requests_.clear();
        client_.connect(std::move(pair.first));
        client_.heard.clear();
        closed_.reset();
        connection_.reset();
        environment_.reset(new server_environment{world_.reactor(), scratch_, *this, limits, alternatives_});
        connection_ = std::make_unique<server_connection>(*environment_, std::move(pair.second), *this);
        connection_->start();
    }
    bool hears(std::string_view text) {
        return world_.turn_until([&] { return client_.heard.find(text) != std::string::npos; });
    }
    bool requests(std::size_t count) {
        return world_.turn_until([&] { return requests_.size() >= count; });
    }
    bool is_closed() {
        return world_.turn_until([&] { return closed_.has_value(); });
    }
    served_request& request(std::size_t index = 0) { return *requests_.at(index); }

    world world_;
    std::array<char, 16384> scratch_{};
    peer client_;
    std::function<void(served_request&)> script_;
    std::vector<std::unique_ptr<served_request>> requests_;
    std::string alternatives_;
    std::unique_ptr<server_environment> environment_;
    std::unique_ptr<server_connection> connection_;
    std::optional<server_close_reason> closed_;
};

}  // namespace pabal::connection::testing

#pragma once
/// \file
/// The requester's end of an exchange that came over a server's connection. It may outlive the connection: a handler that
/// answers later finds nobody listening, and that is all.

#include <pabal/handler.hpp>

#include "connection/server_connection.hpp"

namespace pabal::connection {

class server_exchange final : public exchange {
public:
    explicit server_exchange(server_connection& its_connection) noexcept : connection_(&its_connection) {}
    void detach() noexcept { connection_ = nullptr; }

    result<read_outcome> read_request_body(std::span<char> buffer) override {
        if (!connection_) {
            return error{error_code::connection_closed, phase::read, culprit::peer, 0,
                         "the client closed the connection"};
        }
        return connection_->read_body(buffer);
    }
    void on_informational(response_head&& head) override {
        if (connection_) connection_->send_informational(std::move(head));
    }
    delivery on_response(response_head&& head) override {
        if (connection_) connection_->send_response(std::move(head));
        return delivery::push;
    }
    flow on_data(std::string_view data) override { return connection_ ? connection_->send_data(data) : flow::more; }
    void on_end(fields&& trailers) override {
        if (connection_) connection_->send_end(std::move(trailers));
    }
    void on_error(error&& failure) override {
        if (connection_) connection_->send_failure(std::move(failure));
    }

private:
    server_connection* connection_;
};

}  // namespace pabal::connection

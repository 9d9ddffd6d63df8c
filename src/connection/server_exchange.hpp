#pragma once
/// \file
/// The requester's end of an exchange that came over a server's connection. It may outlive the connection: a handler that
/// answers later finds nobody listening, and that is all.

#include <pabal/handler.hpp>

#include "base/block_pool.hpp"

namespace pabal::connection {

/// Brings the request and takes the response: an HTTP/1.1 connection, or a stream. The members are those of `exchange`.
class exchange_carrier {
public:
    virtual result<read_outcome> read_request(std::span<char> buffer) = 0;
    virtual const fields* request_trailers() { return nullptr; }
    virtual void send_informational(response_head&& head) = 0;
    virtual void send_response(response_head&& head) = 0;
    virtual flow send_data(std::string_view data) = 0;
    virtual void send_end(fields&& trailers) = 0;
    virtual void send_failure(error&& failure) = 0;

protected:
    ~exchange_carrier() = default;
};

class server_exchange final : public exchange, public base::recycled {
public:
    explicit server_exchange(exchange_carrier& carried_by) noexcept : carrier_(&carried_by) {}
    /// Nobody listens any more.
    void detach() noexcept { carrier_ = nullptr; }

    result<read_outcome> read_request_body(std::span<char> buffer) override {
        if (!carrier_) {
            return error{error_code::connection_closed, phase::read, culprit::peer, 0,
                         "the client closed the connection"};
        }
        return carrier_->read_request(buffer);
    }
    const fields* request_trailers() override { return carrier_ ? carrier_->request_trailers() : nullptr; }
    void on_informational(response_head&& head) override {
        if (carrier_) carrier_->send_informational(std::move(head));
    }
    delivery on_response(response_head&& head) override {
        if (carrier_) carrier_->send_response(std::move(head));
        return delivery::push;
    }
    flow on_data(std::string_view data) override { return carrier_ ? carrier_->send_data(data) : flow::more; }
    void on_end(fields&& trailers) override {
        if (carrier_) carrier_->send_end(std::move(trailers));
    }
    void on_error(error&& failure) override {
        if (carrier_) carrier_->send_failure(std::move(failure));
    }

private:
    exchange_carrier* carrier_;
};

}  // namespace pabal::connection

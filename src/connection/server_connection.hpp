#pragma once
/// \file
/// One accepted connection: chooses the version of HTTP, and serves it.
///
///   choosing ──▶ HTTP/2: ALPN agreed on "h2", or the first bytes are its preface (RFC 9113 sections 3.2 and 3.3)
///      └───────▶ HTTP/1.1: everything else

#include <memory>
#include <span>
#include <string>

#include <pabal/handler.hpp>

#include "base/intrusive_list.hpp"
#include "connection/server_protocol_connection.hpp"
#include "reactor/reactor.hpp"
#include "transport/transport.hpp"

namespace pabal::connection {

class http1_server_connection;
class server_connection;
struct served;  ///< tag: a server's list of its connections

class server_connection_observer {
public:
    /// Called exactly once, by a connection that has closed its transport; it is destroyed at the end of the turn.
    virtual void on_closed(server_connection& closed, server_close_reason reason) = 0;

protected:
    ~server_connection_observer() = default;
};

class server_connection final : public base::list_hook<served>,
                                private server_protocol_observer,
                                private transport::transport_observer {
public:
    server_connection(const server_environment& environment, transport::transport_ptr accepted,
                      server_connection_observer& observer);

    /// Begins to serve; reads what is there already.
    void start();
    /// Finishes the requests under way, if any, then closes.
    void finish();
    /// Closes now; a handler at work is not called any more.
    void close(server_close_reason reason);
    bool is_answering() const noexcept { return chosen_ && chosen_->is_answering(); }

private:
    void on_transport_ready(transport::readiness now) override;
    void on_closed(server_protocol_connection& closed, server_close_reason reason) override;
    void choose();
    http1_server_connection& serve_http1();
    void serve_http2();
    void begin(std::unique_ptr<server_protocol_connection> chosen);
    void on_timer_expired();

    const server_environment& environment_;
    transport::transport_ptr transport_;  ///< until the version is chosen
    server_connection_observer& observer_;
    std::string first_;  ///< what was read before the version was chosen
    std::unique_ptr<server_protocol_connection> chosen_;
    reactor::member_timer<server_connection, &server_connection::on_timer_expired> timer_{*this};
};

}  // namespace pabal::connection

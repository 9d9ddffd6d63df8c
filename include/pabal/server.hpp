#pragma once
/// \file
/// An HTTP server: listens, accepts, hands requests to a handler. One port speaks HTTP/1.1, 2 and 3: over TLS the client
/// chooses by ALPN (`tls_server_options::application_protocols`), else by how it begins (RFC 9113 section 3.3). HTTP/3 is
/// spoken on the UDP port of the same number, where there is TLS; responses over the others say so (Alt-Svc, RFC 7838).
///
///     class hello final : public pabal::application {
///         pabal::reply answer(const pabal::incoming& request) override {
///             return {200, "text/plain", "hello, " + request.path + "\n"};
///         }
///     };
///     hello handler;
///     auto server = pabal::server::make(handler, {.port = 8080});
///     if (server) (*server)->run();
///
/// A server runs on the thread that calls `run`, or on one of its own after `start`. `stop` may be called from any thread;
/// requests under way are finished first, for at most `graceful_stop`. The handler is called on that one thread and must
/// outlive the server.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <pabal/handler.hpp>
#include <pabal/quic.hpp>
#include <pabal/result.hpp>
#include <pabal/tls.hpp>

namespace pabal {

struct server_options {
    std::string host = "127.0.0.1";  ///< an IP literal or "localhost"; empty: every address
    std::uint16_t port = 0;          ///< 0 chooses a free one
    std::string unix_path;           ///< not empty: listen there instead
    std::optional<tls_server_options> tls;
    bool http3 = true;  ///< with TLS, but not on a Unix socket
    /// Over HTTP/3, requests with a safe method are taken from the first datagram of a client that was here before (0-RTT), although
    /// anybody who saw it can send it again; others are answered 425 (Too Early, RFC 8470).
    bool early_data = false;
    quic_options quic;                     ///< of connections that speak HTTP/3
    std::size_t max_connections = 10'000;  ///< over TCP, further ones wait in the system's queue; and as many over QUIC
    std::chrono::milliseconds graceful_stop{5'000};
};

/// It serves in the process that made it. In a forked child its members do nothing, and the port is not held there.
class server {
public:
    /// Listens; connections wait until it runs.
    static result<std::unique_ptr<server>> make(handler& answers, const server_options& options = {});
    /// Stops and joins.
    ~server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    std::uint16_t port() const noexcept;
    const std::string& address() const noexcept;

    /// Serves on this thread until `stop`.
    void run();
    /// Serves on a thread of its own.
    void start();
    /// From any thread; returns when a started thread has ended. On the server's own thread (from a handler) it returns at
    /// once and the server ends after it.
    void stop();
    /// On the server's thread (from a handler): calls `work` there after `delay`. Dropped when the server is destroyed.
    void after(std::chrono::milliseconds delay, std::function<void()> work);

private:
    struct state;
    explicit server(std::unique_ptr<state> made);
    std::unique_ptr<state> state_;
};

/// A request with its whole body, as an `application` sees it.
struct incoming {
    const request_head& head;
    std::string path;  ///< of the target, as given, without the query
    std::string query;
    std::string body;
};

/// What an `application` answers.
struct reply {
    int status = 200;
    std::string content_type = "text/plain";
    std::string body;
    fields headers;  ///< more of them; Content-Length and Content-Type are added
};

/// A handler for whole requests and replies, called on the server's thread.
class application : public handler {
public:
    virtual reply answer(const incoming& request) = 0;
    /// Larger request bodies are answered 413.
    virtual std::size_t max_body() const { return std::size_t{16} << 20U; }
    void handle(exchange_ptr started) final;
};

}  // namespace pabal

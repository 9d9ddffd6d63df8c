#pragma once
/// \file
/// When what happened to a request: the times of every phase of every exchange, and the connections they ran on.
///
/// Noted always, because it costs next to nothing: the times are those of the reactor's turns (no clock is asked for them),
/// the facts of a connection are gathered once, when it is made, and shared by all its exchanges.
///
///   submitted ── waits for a connection ── started ── request goes out ── sent ── head ── body ── ended
///                  └ perhaps: dialled ── resolve ── connect ── tls

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <pabal/error.hpp>

namespace pabal {

/// What is known of a connection from the moment it was made.
struct connection_facts {
    std::chrono::steady_clock::time_point dialled;  ///< when the dial began
    std::chrono::nanoseconds resolve{0};            ///< how long each of its phases took
    std::chrono::nanoseconds connect{0};
    std::chrono::nanoseconds tls{0};
    std::string peer_address;  ///< "127.0.0.1:443", "[::1]:443" or a Unix path
    std::string local_address;
    std::string application_protocol;  ///< what ALPN agreed on, or empty
    std::string tls_version;           ///< "TLSv1.3", or empty for a plain connection
    std::string cipher;                ///< IANA name, or empty
    bool tls_session_resumed = false;
    bool encrypted_client_hello = false;  ///< RFC 9849
};

/// The moments of one exchange; the clock's epoch (a default-constructed time) where it did not get so far.
struct exchange_times {
    using time_point = std::chrono::steady_clock::time_point;

    time_point submitted;  ///< asked for a connection
    time_point started;    ///< had one
    time_point sent;       ///< the last byte of the request was written
    time_point head;       ///< the head of the final response was there
    time_point ended;      ///< so was the last byte of it; or the exchange failed

    static bool reached(time_point moment) noexcept { return moment != time_point{}; }
};

/// One request on the wire and what came of it.
struct exchange_trace {
    std::string method;
    std::string url;
    int status = 0;                     ///< 0: no head came
    std::optional<error_code> failure;  ///< why it ended without a response
    phase failed_in = phase::none;
    bool reused_connection = false;  ///< the connection had served before
    exchange_times times;
    std::shared_ptr<const connection_facts> connection;  ///< null: it never had one
};

/// The life of a request.
struct trace {
    std::vector<exchange_trace> before;  ///< redirects that were followed and attempts that failed, oldest first
    exchange_trace last;                 ///< the exchange that decided
};

}  // namespace pabal

#pragma once
/// \file
/// Every way a request can fail, as one value type.
///
/// An error answers four questions: *what* happened (`code`), *when* in the life of a request (`where`), *whose* fault it
/// is (`whose`), and the details a person needs (`message`, and `system_errno` when the operating system said no).
/// One table in the Python bindings maps `error_code` to the exception tree; nothing else interprets messages.

#include <cstdint>
#include <string>
#include <string_view>

namespace pabal {

/// What happened. Names are stable: they reach logs, traces and Python (`exception.code`).
enum class error_code : std::uint8_t {
    // The caller's request cannot be sent as asked (nothing was sent).
    invalid_url,
    invalid_header,
    invalid_argument,
    unsupported,
    session_closed,
    // Name resolution.
    host_not_found,
    resolver_failed,
    // Reaching the peer.
    connection_refused,
    network_unreachable,
    connect_failed,
    address_refused,  ///< by the session's own safe_resolver
    too_many_open_files,
    // Getting through a proxy.
    proxy_unreachable,    ///< no connection to the proxy itself
    proxy_tls_failed,     ///< no TLS with the proxy itself
    proxy_auth_required,  ///< it does not accept who we are (407, or SOCKS's ways to say so)
    proxy_refused,        ///< it does not let us through, or could not reach the origin
    proxy_failed,         ///< it closed, or said what its protocol does not know
    // TLS.
    tls_handshake_failed,
    tls_failed,
    certificate_expired,
    certificate_not_yet_valid,
    certificate_wrong_host,
    certificate_self_signed,
    certificate_untrusted,
    certificate_invalid,
    trust_store_unreadable,
    client_certificate_unusable,
    // The connection broke while in use.
    connection_closed,
    connection_reset,
    write_failed,
    stream_reset,  ///< the peer ended this exchange, and not the connection (RFC 9113 section 6.4)
    // The peer broke HTTP.
    malformed_message,
    head_too_large,
    body_incomplete,
    // Content codings and limits.
    content_coding_failed,
    body_too_large,
    // Redirects.
    too_many_redirects,
    unfollowable_redirect,
    body_not_replayable,
    // The body the caller supplied failed while it was being read.
    request_body_failed,
    // Time and will.
    rate_limited,
    timed_out,
    cancelled,
};

/// The phase of a request; for `error_code::timed_out` it names the limit that ran out. `proxy` is all that happens before a
/// connection through a proxy is there: reaching it, TLS with it, the tunnel (which has the limit of `connect`).
enum class phase : std::uint8_t { none, prepare, pool, resolve, connect, proxy, tls, write, read, total };

/// Whose fault it is.
enum class culprit : std::uint8_t { caller, peer, proxy, network, local };

/// A failure. Cheap to move; only made on failing paths.
struct error {
    error_code code = error_code::invalid_argument;
    phase where = phase::none;
    culprit whose = culprit::local;
    int system_errno = 0;  ///< errno when the operating system reported it, else 0
    std::string message;   ///< one sentence for a person, without trailing full stop; never contains secrets
    int status = 0;        ///< the HTTP status, or SOCKS's reply, with which a proxy refused; else 0
};

/// The stable snake_case name of a code, e.g. "connection_refused".
std::string_view name_of(error_code code) noexcept;
std::string_view name_of(phase where) noexcept;
std::string_view name_of(culprit whose) noexcept;

/// The error a system call's errno stands for, in `where`; `what` says what was being done ("connect to 127.0.0.1:80").
error error_from_errno(int system_errno, phase where, std::string_view what);

}  // namespace pabal

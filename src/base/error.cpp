#include <cerrno>
#include <system_error>

#include <pabal/error.hpp>

namespace pabal {

// The switches below have no default: the compiler says when a new enumerator lacks a name.

std::string_view name_of(error_code code) noexcept {
    switch (code) {
    case error_code::invalid_url: return "invalid_url";
    case error_code::invalid_header: return "invalid_header";
    case error_code::invalid_argument: return "invalid_argument";
    case error_code::unsupported: return "unsupported";
    case error_code::session_closed: return "session_closed";
    case error_code::host_not_found: return "host_not_found";
    case error_code::resolver_failed: return "resolver_failed";
    case error_code::connection_refused: return "connection_refused";
    case error_code::network_unreachable: return "network_unreachable";
    case error_code::connect_failed: return "connect_failed";
    case error_code::address_refused: return "address_refused";
    case error_code::too_many_open_files: return "too_many_open_files";
    case error_code::proxy_unreachable: return "proxy_unreachable";
    case error_code::proxy_tls_failed: return "proxy_tls_failed";
    case error_code::proxy_auth_required: return "proxy_auth_required";
    case error_code::proxy_refused: return "proxy_refused";
    case error_code::proxy_failed: return "proxy_failed";
    case error_code::tls_handshake_failed: return "tls_handshake_failed";
    case error_code::tls_failed: return "tls_failed";
    case error_code::certificate_expired: return "certificate_expired";
    case error_code::certificate_not_yet_valid: return "certificate_not_yet_valid";
    case error_code::certificate_wrong_host: return "certificate_wrong_host";
    case error_code::certificate_self_signed: return "certificate_self_signed";
    case error_code::certificate_untrusted: return "certificate_untrusted";
    case error_code::certificate_invalid: return "certificate_invalid";
    case error_code::trust_store_unreadable: return "trust_store_unreadable";
    case error_code::client_certificate_unusable: return "client_certificate_unusable";
    case error_code::connection_closed: return "connection_closed";
    case error_code::connection_reset: return "connection_reset";
    case error_code::write_failed: return "write_failed";
    case error_code::stream_reset: return "stream_reset";
    case error_code::malformed_message: return "malformed_message";
    case error_code::head_too_large: return "head_too_large";
    case error_code::body_incomplete: return "body_incomplete";
    case error_code::content_coding_failed: return "content_coding_failed";
    case error_code::body_too_large: return "body_too_large";
    case error_code::too_many_redirects: return "too_many_redirects";
    case error_code::unfollowable_redirect: return "unfollowable_redirect";
    case error_code::body_not_replayable: return "body_not_replayable";
    case error_code::request_body_failed: return "request_body_failed";
    case error_code::rate_limited: return "rate_limited";
    case error_code::timed_out: return "timed_out";
    case error_code::cancelled: return "cancelled";
    }
    return "unknown";
}

std::string_view name_of(phase where) noexcept {
    switch (where) {
    case phase::none: return "none";
    case phase::prepare: return "prepare";
    case phase::pool: return "pool";
    case phase::resolve: return "resolve";
    case phase::connect: return "connect";
    case phase::proxy: return "proxy";
    case phase::tls: return "tls";
    case phase::write: return "write";
    case phase::read: return "read";
    case phase::total: return "total";
    }
    return "unknown";
}

std::string_view name_of(culprit whose) noexcept {
    switch (whose) {
    case culprit::caller: return "caller";
    case culprit::peer: return "peer";
    case culprit::proxy: return "proxy";
    case culprit::network: return "network";
    case culprit::local: return "local";
    }
    return "unknown";
}

namespace {

struct verdict {
    error_code code;
    culprit whose;
};

/// What a phase's failure is called when its errno says nothing more precise.
verdict verdict_of_phase(phase where) noexcept {
    switch (where) {
    case phase::resolve: return {error_code::resolver_failed, culprit::network};
    case phase::tls: return {error_code::tls_failed, culprit::network};
    case phase::write: return {error_code::write_failed, culprit::network};
    case phase::read: return {error_code::connection_reset, culprit::network};
    case phase::connect: return {error_code::connect_failed, culprit::network};
    case phase::proxy: return {error_code::proxy_failed, culprit::proxy};
    case phase::none:
    case phase::prepare:
    case phase::pool:
    case phase::total: break;
    }
    return {error_code::connect_failed, culprit::local};
}

verdict verdict_of(int system_errno, phase where) noexcept {
    switch (system_errno) {
    case ECONNREFUSED: return {error_code::connection_refused, culprit::peer};
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
#ifdef EHOSTDOWN
    case EHOSTDOWN:
#endif
        return {error_code::network_unreachable, culprit::network};
    case ECONNRESET:
    case ECONNABORTED:
    case ENETRESET:
    case EPIPE: return {error_code::connection_reset, culprit::peer};
    case EMFILE:
    case ENFILE: return {error_code::too_many_open_files, culprit::local};
    case ETIMEDOUT: return {error_code::timed_out, culprit::network};
    case ECANCELED: return {error_code::cancelled, culprit::local};
    // This machine's own refusals: no memory, no free port, no permission.
    case ENOMEM:
    case ENOBUFS:
    case EADDRNOTAVAIL:
    case EADDRINUSE:
    case EACCES:
    case EPERM: return {verdict_of_phase(where).code, culprit::local};
    default: return verdict_of_phase(where);
    }
}

}  // namespace

error error_from_errno(int system_errno, phase where, std::string_view what) {
    const verdict found = verdict_of(system_errno, where);
    std::string message{what};
    if (!message.empty()) message += ": ";
    message += std::generic_category().message(system_errno);
    return {found.code, where, found.whose, system_errno, std::move(message)};
}

}  // namespace pabal

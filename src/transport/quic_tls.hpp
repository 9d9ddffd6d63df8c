#pragma once
/// \file
/// TLS 1.3 without records, for QUIC, which carries the handshake's messages itself (RFC 9001 section 4): made from the same
/// contexts as tls_transport, with the same verification, trust, sessions and key log.
///
/// Whoever works with `native()` holds a base::no_fork, as contexts are shared with children.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <pabal/result.hpp>

#include "transport/tls_context.hpp"
#include "transport/tls_session.hpp"
#include "transport/transport.hpp"

namespace pabal::transport {

class quic_tls {
public:
    /// ALPN is "h3" (RFC 9114 section 3.1), whatever the context offers elsewhere. Errors: invalid_argument (the name is too
    /// long), tls_failed (out of memory).
    static result<std::unique_ptr<quic_tls>> connect(tls_context_ptr context, tls_peer peer);
    /// Offers what the context does. `early_data_context`: what early data depends on, as the server is set up; who was told so
    /// once may send early data with the same (RFC 9001 section 4.6). Empty: nobody may.
    static result<std::unique_ptr<quic_tls>> accept(tls_context_ptr context, std::string_view early_data_context = {});
    ~quic_tls();
    quic_tls(const quic_tls&) = delete;
    quic_tls& operator=(const quic_tls&) = delete;

    ssl_st* native() const noexcept { return connection_.get(); }
    /// Right after the handshake failed on this side: why. Takes BoringSSL's errors of this thread.
    pabal::error handshake_failed();
    /// The same when the peer ended it with an alert.
    pabal::error refused(int alert) const;
    /// As `retry_keys_of` (tls_session.hpp).
    std::optional<std::string> keys_to_retry_with() const { return retry_keys_of(connection_.get(), *facts_); }
    /// A client that resumes a session, and may use early data (RFC 9001 section 4.6.1): what was remembered with it. Empty: it does
    /// not, or may not.
    const std::string& remembered() const noexcept { return remembered_; }
    /// What to remember with the sessions that come from now on.
    void remember(std::string what);
    /// The sessions of the peer, which may be why nothing came of this one.
    void forget_sessions() const;
    /// Fills in what the handshake agreed on.
    void describe(transport_description& description) const { describe_session(connection_.get(), description); }

private:
    explicit quic_tls(tls_context_ptr context);
    static result<std::unique_ptr<quic_tls>> make(tls_context_ptr context, tls_peer peer);

    tls_context_ptr context_;
    std::unique_ptr<tls_connection_facts> facts_;
    ssl_ptr connection_;
    std::string remembered_;
};

}  // namespace pabal::transport

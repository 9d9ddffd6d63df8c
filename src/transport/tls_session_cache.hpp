#pragma once
/// \file
/// Sessions a client may resume, by peer.
///
/// TLS 1.3 tickets are used once (RFC 8446 appendix C.4), so a peer may have many: a client that reopens a hundred
/// connections resumes them all. TLS 1.2 sessions stay until they expire. Bounded in both directions; the peer unused for the
/// longest time is forgotten first. Any thread.

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>

#include <openssl/base.h>

#include "base/lru_map.hpp"

namespace pabal::transport {

/// Keeps something with a session, for as long as that lives: what the server said that holds for early data, too (RFC 9000
/// section 7.4.1).
void remember_with(SSL_SESSION* session, const std::string& what);
/// The same, or nothing.
std::string remembered_with(const SSL_SESSION* session);

class tls_session_cache {
public:
    /// About 1.5 KB each, with what is remembered with it, so 1.5 MB at the most.
    static constexpr std::size_t max_sessions = 1024;
    static constexpr std::size_t max_sessions_of_a_peer = 128;

    /// `peer` names everything that makes sessions unlike: host, port, server name.
    void put(const std::string& peer, bssl::UniquePtr<SSL_SESSION> session);
    /// The newest unexpired session of `peer`, or null.
    bssl::UniquePtr<SSL_SESSION> take(const std::string& peer);
    /// Forgets what is known of a peer (a session that it refused).
    void forget(const std::string& peer);
    std::size_t size() const;

private:
    using sessions = std::deque<bssl::UniquePtr<SSL_SESSION>>;  ///< newest last

    mutable std::mutex mutex_;
    base::lru_map<sessions> peers_;
    std::size_t size_ = 0;
};

}  // namespace pabal::transport

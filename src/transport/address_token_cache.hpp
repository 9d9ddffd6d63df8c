#pragma once
/// \file
/// Tokens with which a QUIC client proves its address to a server that it has met before (NEW_TOKEN, RFC 9000 section 8.1.3), by
/// peer. Each is used once, as it would tell the server who comes back; the newest counts. Bounded; the peer unused for the longest
/// time is forgotten first. Any thread.

#include <cstddef>
#include <mutex>
#include <string>
#include <utility>

#include "base/lru_map.hpp"

namespace pabal::transport {

class address_token_cache {
public:
    static constexpr std::size_t max_peers = 256;
    /// Larger ones are not kept.
    static constexpr std::size_t max_token = 512;

    /// `peer`: as of tls_session_cache.
    void put(const std::string& peer, std::string token) {
        if (token.size() > max_token) return;
        const std::lock_guard lock{mutex_};
        tokens_[peer] = std::move(token);
        if (tokens_.size() > max_peers) tokens_.erase(tokens_.oldest().name);
    }
    /// Empty: none is known.
    std::string take(const std::string& peer) {
        const std::lock_guard lock{mutex_};
        std::string* known = tokens_.find(peer);
        if (!known) return {};
        std::string taken = std::move(*known);
        tokens_.erase(peer);
        return taken;
    }

private:
    std::mutex mutex_;
    base::lru_map<std::string> tokens_;
};

}  // namespace pabal::transport

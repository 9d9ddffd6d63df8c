#pragma once
/// \file
/// Connections that may serve other origins than the one they were made for (RFC 9113 section 9.1.1, RFC 9114 section 3.3), found
/// by where they lead.
///
///   a dial has found addresses ──▶ is a connection to one of them here, with the same trust and settings, whose certificate covers
///   the name? ──▶ the dial ends; its origin is a guest of that connection, until it closes or answers 421 (RFC 9110 section 15.5.20)
///
/// Only connections over TLS whose certificates are verified, which carry many exchanges, and which go through no proxy are
/// offered: of others nothing proves that their server speaks for another name.

#include <cstddef>
#include <string>
#include <unordered_map>

#include "base/intrusive_list.hpp"

namespace pabal::dial {
struct target;
}
namespace pabal::transport {
class tls_context;
}

namespace pabal::pool {

class pooled;

struct by_place;  ///< tag: connections that lead to the same place

/// Where a connection leads, and what it trusts. Contexts are interned, so that the same pointer means the same trust, the same
/// identity of ours and the same versions.
struct whereabouts {
    std::string peer;  ///< "127.0.0.1:443"
    const transport::tls_context* tls = nullptr;
    bool over_quic = false;

    bool operator==(const whereabouts&) const = default;
};

class shareable_connections {
public:
    /// How many connections to one place are looked at: its servers may have a certificate for each of many names.
    static constexpr std::size_t looked_at = 8;

    /// From now on others find it. It is removed before it dies.
    void add(pooled& shared, const whereabouts& where);
    void remove(pooled& closed) noexcept;
    /// One that leads there, has room and is for the name of `to` as well; the latest first. Null: none. Costs O(1).
    pooled* find(const whereabouts& where, const dial::target& to);
    bool empty() const noexcept { return at_.empty(); }

private:
    struct whereabouts_hash {
        std::size_t operator()(const whereabouts& of) const noexcept;
    };
    std::unordered_map<whereabouts, base::intrusive_list<pooled, by_place>, whereabouts_hash> at_;
};

}  // namespace pabal::pool

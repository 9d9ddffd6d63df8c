#include "transport/tls_session_cache.hpp"

#include <ctime>
#include <utility>

#include <openssl/ssl.h>

namespace pabal::transport {

namespace {

bool is_expired(const SSL_SESSION* session) {
    const auto now = static_cast<std::uint64_t>(std::time(nullptr));
    return SSL_SESSION_get_time(session) + SSL_SESSION_get_timeout(session) <= now;
}

}  // namespace

void tls_session_cache::put(const std::string& peer, bssl::UniquePtr<SSL_SESSION> session) {
    const std::lock_guard lock{mutex_};
    auto found = by_name_.find(peer);
    if (found == by_name_.end()) {
        peers_.push_front({peer, {}});
        found = by_name_.emplace(peers_.front().name, peers_.begin()).first;
    } else {
        peers_.splice(peers_.begin(), peers_, found->second);
    }
    auto& sessions = found->second->sessions;
    // A TLS 1.2 session is used any number of times: a newer one replaces it.
    const std::size_t keep = SSL_SESSION_should_be_single_use(session.get()) ? max_sessions_of_a_peer : 1;
    while (sessions.size() >= keep) {
        sessions.pop_front();
        --size_;
    }
    sessions.push_back(std::move(session));
    ++size_;
    while (size_ > max_sessions) {
        auto& oldest = peers_.back().sessions;
        oldest.pop_front();
        --size_;
        if (oldest.empty()) drop(std::prev(peers_.end()));
    }
}

bssl::UniquePtr<SSL_SESSION> tls_session_cache::take(const std::string& peer) {
    const std::lock_guard lock{mutex_};
    const auto found = by_name_.find(peer);
    if (found == by_name_.end()) return nullptr;
    const auto at = found->second;
    bssl::UniquePtr<SSL_SESSION> taken;
    while (!at->sessions.empty() && !taken) {
        SSL_SESSION* newest = at->sessions.back().get();
        const bool expired = is_expired(newest);
        if (!expired && !SSL_SESSION_should_be_single_use(newest)) return bssl::UpRef(newest);
        if (!expired) taken = std::move(at->sessions.back());
        at->sessions.pop_back();
        --size_;
    }
    if (at->sessions.empty()) drop(at);
    return taken;
}

void tls_session_cache::forget(const std::string& peer) {
    const std::lock_guard lock{mutex_};
    const auto found = by_name_.find(peer);
    if (found != by_name_.end()) drop(found->second);
}

std::size_t tls_session_cache::size() const {
    const std::lock_guard lock{mutex_};
    return size_;
}

void tls_session_cache::drop(peers::iterator peer) {
    size_ -= peer->sessions.size();
    by_name_.erase(peer->name);
    peers_.erase(peer);
}

}  // namespace pabal::transport

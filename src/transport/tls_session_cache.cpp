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
    sessions& known = peers_[peer];
    // A TLS 1.2 session is used any number of times: a newer one replaces it.
    const std::size_t keep = SSL_SESSION_should_be_single_use(session.get()) ? max_sessions_of_a_peer : 1;
    while (known.size() >= keep) {
        known.pop_front();
        --size_;
    }
    known.push_back(std::move(session));
    ++size_;
    while (size_ > max_sessions) {
        auto& [name, oldest] = peers_.oldest();
        oldest.pop_front();
        --size_;
        if (oldest.empty()) peers_.erase(name);
    }
}

bssl::UniquePtr<SSL_SESSION> tls_session_cache::take(const std::string& peer) {
    const std::lock_guard lock{mutex_};
    sessions* known = peers_.find(peer);
    if (!known) return nullptr;
    bssl::UniquePtr<SSL_SESSION> taken;
    while (!known->empty() && !taken) {
        SSL_SESSION* newest = known->back().get();
        const bool expired = is_expired(newest);
        if (!expired && !SSL_SESSION_should_be_single_use(newest)) return bssl::UpRef(newest);
        if (!expired) taken = std::move(known->back());
        known->pop_back();
        --size_;
    }
    if (known->empty()) peers_.erase(peer);
    return taken;
}

void tls_session_cache::forget(const std::string& peer) {
    const std::lock_guard lock{mutex_};
    const sessions* known = peers_.find(peer);
    if (!known) return;
    size_ -= known->size();
    peers_.erase(peer);
}

std::size_t tls_session_cache::size() const {
    const std::lock_guard lock{mutex_};
    return size_;
}

}  // namespace pabal::transport

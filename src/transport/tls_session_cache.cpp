#include "transport/tls_session_cache.hpp"

#include <ctime>
#include <memory>
#include <utility>

#include <openssl/ssl.h>

namespace pabal::transport {

namespace {

bool is_expired(const SSL_SESSION* session) {
    const auto now = static_cast<std::uint64_t>(std::time(nullptr));
    return SSL_SESSION_get_time(session) + SSL_SESSION_get_timeout(session) <= now;
}

/// Where an SSL_SESSION keeps its std::string.
int remembered_index() {
    static const int index = SSL_SESSION_get_ex_new_index(
        0, nullptr, nullptr, nullptr,
        [](void*, void* kept, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<std::string*>(kept); });
    return index;
}

}  // namespace

void remember_with(SSL_SESSION* session, const std::string& what) {
    auto kept = std::make_unique<std::string>(what);
    if (SSL_SESSION_set_ex_data(session, remembered_index(), kept.get())) kept.release();
}

std::string remembered_with(const SSL_SESSION* session) {
    const auto* kept = static_cast<const std::string*>(SSL_SESSION_get_ex_data(session, remembered_index()));
    return kept ? *kept : std::string();
}

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

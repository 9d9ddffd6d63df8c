#pragma once
/// \file
/// A cookie jar that a session's engine and its user look at from different threads.

#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <pabal/cookies.hpp>
#include <pabal/fields.hpp>

namespace pabal::client {

class shared_cookie_jar {
public:
    /// Calls `use(cookie_jar&)` under the lock and returns what it returns.
    template <class Use>
    auto with(Use&& use) {
        const std::lock_guard guard(mutex_);
        return std::forward<Use>(use)(jar_);
    }

    /// The Cookie field for a request that brings `own` cookies along; empty: none.
    std::string header_for(const url& to, std::string_view own) {
        return with([&](cookie_jar& jar) { return jar.cookie_header(to, std::chrono::system_clock::now(), own); });
    }

    /// Takes in every Set-Cookie of a response.
    void store_from(const url& from, const fields& headers) {
        if (!headers.contains(field_id::set_cookie)) return;
        with([&](cookie_jar& jar) { jar.receive_all(from, headers, std::chrono::system_clock::now()); });
    }

private:
    std::mutex mutex_;
    cookie_jar jar_;
};

}  // namespace pabal::client

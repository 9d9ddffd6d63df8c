#pragma once
/// \file
/// A cookie jar that a session's engine and its user look at from different threads.

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <pabal/cookies.hpp>
#include <pabal/fields.hpp>

#include "base/fork.hpp"

namespace pabal::client {

class shared_cookie_jar {
public:
    /// Calls `use(cookie_jar&)` under the lock and returns what it returns.
    template <class Use>
    auto with(Use&& use) {
        const base::no_fork whole;  // a forked child goes on with this jar
        const std::lock_guard guard(mutex_);
        const note_at_end note{*this};
        return std::forward<Use>(use)(jar_);
    }

    /// Another jar with what this one holds now, and its policy.
    std::shared_ptr<shared_cookie_jar> copy() {
        auto made = std::make_shared<shared_cookie_jar>();
        made->with([&](cookie_jar& jar) { jar = with([](const cookie_jar& held) { return held; }); });
        return made;
    }

    /// The Cookie field for a request to `to` that brings `own` cookies along; empty: none. `began`: where the request
    /// first went, before redirects.
    std::string header_for(const url& to, const url& began, std::string_view own) {
        // Most sessions never see a cookie: they take no lock and read no clock.
        if (is_empty_.load(std::memory_order_acquire)) return std::string{own};
        return with([&](cookie_jar& jar) {
            if (!jar.allows(to, began)) return std::string{own};
            return jar.cookie_header(to, std::chrono::system_clock::now(), own);
        });
    }

    /// Takes in every Set-Cookie of a response.
    void store_from(const url& from, const url& began, const fields& headers) {
        if (!headers.contains(field_id::set_cookie)) return;
        with([&](cookie_jar& jar) {
            if (jar.allows(from, began)) jar.receive_all(from, headers, std::chrono::system_clock::now());
        });
    }

private:
    struct note_at_end {
        shared_cookie_jar& of;
        ~note_at_end() { of.is_empty_.store(of.jar_.empty(), std::memory_order_release); }
    };

    std::mutex mutex_;
    cookie_jar jar_;
    std::atomic<bool> is_empty_ = true;
};

}  // namespace pabal::client

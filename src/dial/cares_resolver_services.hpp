#pragma once
/// \file
/// The part of cares_resolver that asks for HTTPS records: who waits, and what c-ares carries with the question. Unlike questions
/// for addresses they are not shared: connections that are made at once share more than that.

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dial/cares_resolver.hpp"

namespace pabal::dial {

struct cares_resolver::service_request {
    cares_resolver* owner = nullptr;
    std::string name;     ///< that was asked for
    std::string current;  ///< that is asked for now: where aliases led
    unsigned aliases = 0;
    waiting_service_lookup* waiter = nullptr;  ///< null: gave up
    std::vector<service_binding> found;
    std::chrono::seconds holds = max_time_to_live;
};

class cares_resolver::waiting_service_lookup final : public lookup {
public:
    waiting_service_lookup(cares_resolver& owner, service_request& asked, service_observer& observer)
        : observer_(observer), owner_(&owner), asked_(&asked) {
        ++owner.waiting_;
        asked.waiter = this;
    }
    ~waiting_service_lookup() override {
        if (asked_) asked_->waiter = nullptr;
        if (owner_) owner_->lookup_gone();
    }
    service_observer& observer() noexcept { return observer_; }
    /// The question is answered; this waits no more.
    void was_answered() noexcept {
        asked_ = nullptr;
        std::exchange(owner_, nullptr)->lookup_gone();
    }
    /// The resolver is dead, and nobody will answer.
    void orphan() noexcept {
        asked_ = nullptr;
        owner_ = nullptr;
    }

private:
    service_observer& observer_;
    cares_resolver* owner_;
    service_request* asked_;
};

}  // namespace pabal::dial

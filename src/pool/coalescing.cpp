#include "pool/coalescing.hpp"

#include <functional>
#include <utility>

#include "pool/origin.hpp"
#include "pool/pool.hpp"
#include "transport/tls_verify.hpp"

namespace pabal::pool {

namespace {

bool serves(pooled& candidate, const dial::target& to) {
    if (candidate.owner.target().from != to.from || !candidate.connection->usable()) return false;
    const std::string& name = to.server_name.empty() ? to.host : to.server_name;
    return transport::is_certificate_for(candidate.connection->describe().peer_certificate, name);
}

}  // namespace

std::size_t shareable_connections::whereabouts_hash::operator()(const whereabouts& of) const noexcept {
    return std::hash<std::string>{}(of.peer) * 31 + std::hash<const void*>{}(of.tls) + (of.over_quic ? 1 : 0);
}

void shareable_connections::add(pooled& shared, const whereabouts& where) {
    shared.shareable_at = where;
    at_[where].push_front(shared);
}

void shareable_connections::remove(pooled& closed) noexcept {
    if (!closed.shareable_at) return;
    static_cast<base::list_hook<by_place>&>(closed).unlink();
    const auto found = at_.find(*closed.shareable_at);
    if (found != at_.end() && found->second.empty()) at_.erase(found);
    closed.shareable_at.reset();
}

pooled* shareable_connections::find(const whereabouts& where, const dial::target& to) {
    const auto found = at_.find(where);
    if (found == at_.end()) return nullptr;
    pooled* serving = nullptr;
    std::size_t seen = 0;
    found->second.for_each([&](pooled& candidate) {
        if (!serving && seen++ < looked_at && serves(candidate, to)) serving = &candidate;
    });
    return serving;
}

// --- The origin's part ------------------------------------------------------------------------------------------------

/// Others may use the connection as well, if its certificate was verified and nobody stands between.
void origin::offer(pooled& made, const whereabouts& where) {
    const bool is_shareable =
        target_.tls && target_.tls->verifies_peer() && !target_.proxy && target_.unix_path.empty();
    if (pool_.limits_.coalesce && is_shareable) pool_.shareable_.add(made, where);
}

/// A connection there that serves this origin, too. Whoever dials for a second connection of his own gets one.
pooled* origin::host_at(const whereabouts& where) {
    if (!where.tls || is_alone_ || closing_ || waiting_ == 0) return nullptr;
    if (target_.proxy || waiters_.front().exchange->wants_new_connection) return nullptr;
    pooled* found = pool_.shareable_.find(where, target_);
    return found && &found->owner != this ? found : nullptr;
}

/// A dial found that somebody is there already. If he is not any more, the next dial will not find him.
void origin::reached(dialled& dial) {
    pooled* const found = host_at(*dial.reached);
    pool_.environment_.reactor.retire(end(dial));
    if (found) {
        ++pool_.statistics_.coalesced;
        static_cast<base::list_hook<guest>&>(*this).unlink();
        found->guests.push_back(*this);
        host_ = found;
        in_reached_ = true;
        while (waiting_ > 0 && host_ && host_->connection->usable() && !waiters_.front().exchange->wants_new_connection)
            host_->owner.lend(*host_, take_waiter());
        in_reached_ = false;
        cancel_surplus_dials();
    }
    pool_.serve_starved();
    dial_if_needed();
}

/// A server has said that it does not speak for this origin on a connection of another one.
void origin::stay_alone() noexcept {
    is_alone_ = true;
    host_ = nullptr;
    static_cast<base::list_hook<guest>&>(*this).unlink();
}

/// Starts an exchange of a guest.
void origin::lend(pooled& own, exchange_ptr started) {
    started->on_coalesced_connection = true;
    take_out(own);
    use(own, std::move(started));
}

}  // namespace pabal::pool

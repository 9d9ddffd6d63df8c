#include "client/engine.hpp"

#include "dial/network_dialer.hpp"

namespace pabal::client {

namespace {

pool::limits pool_limits(const session_limits& limits) {
    return {limits.max_connections,      limits.max_connections_per_host,
            limits.max_idle_connections, limits.idle_timeout,
            limits.ping_interval,        limits.coalesce};
}

}  // namespace

result<std::unique_ptr<engine>> engine::make(const session_limits& limits) {
    auto poller = reactor::make_poller();
    if (!poller) return std::move(poller).error();
    return std::unique_ptr<engine>(new engine(std::move(*poller), limits));
}

engine::engine(std::unique_ptr<reactor::poller> poller, const session_limits& limits)
    : reactor_(std::move(poller)),
      dialer_(std::make_unique<dial::network_dialer>(reactor_)),
      pool_(std::make_unique<pool::pool>(environment_, *dialer_, pool_limits(limits))) {}

engine::engine(std::unique_ptr<reactor::poller> poller, std::unique_ptr<dial::dialer> dialer,
               const session_limits& limits)
    : reactor_(std::move(poller)),
      dialer_(std::move(dialer)),
      pool_(std::make_unique<pool::pool>(environment_, *dialer_, pool_limits(limits))) {}

engine::~engine() {
    pool_->close();
    pool_.reset();
    reactor_.free_retired();  // dials among them, which must not outlive the dialer
}

}  // namespace pabal::client

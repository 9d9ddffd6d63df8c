#include "client/session.hpp"

#include <pabal/version.hpp>

namespace pabal::client {

fields default_fields() {
    fields out;
    out.append_valid("User-Agent", "pabal/" PABAL_VERSION);
    out.append_valid("Accept-Encoding", "gzip, deflate, br, zstd");
    out.append_valid("Accept", "*/*");
    return out;
}

session::session(engine& engine, const session_limits& limits) : engine_(engine), limits_(limits) {}
session::~session() = default;

void session::transmit(call& sending) {
    if (instead_) return instead_->handle(exchange_ptr(&sending));
    const url& to = sending.location();
    const call_request& asked = sending.asked();
    dial::target target;
    target.proxy = sending.via();
    if (!target.proxy || !target.proxy->forwards(to)) {
        target.host = std::string(to.host());
        target.port = to.port();
        target.unix_path = std::string(to.unix_path());
    }
    if (to.is_secure()) {
        target.tls = asked.tls;
        if (!target.tls) {
            auto made = trust();
            if (!made) return sending.fail_before_sending(std::move(made).error());
            target.tls = std::move(*made);
        }
    }
    if (target.proxy && target.proxy->kind == proxy_kind::https) {
        target.proxy_tls = asked.proxy_tls ? asked.proxy_tls : proxy_tls;
        if (!target.proxy_tls) {
            auto made = trust();
            if (!made) return sending.fail_before_sending(std::move(made).error());
            target.proxy_tls = std::move(*made);
        }
    }
    engine_.pool().submit(exchange_ptr(&sending), target);
}

result<std::shared_ptr<const transport::tls_context>> session::trust() {
    if (!tls) {
        auto made = transport::tls_context::make_client({});
        if (!made) return std::move(made).error();
        tls = std::move(*made);
    }
    return tls;
}

result<std::shared_ptr<const proxy>> session::choose_proxy(const call_request& asked) const {
    std::shared_ptr<const proxy> none;
    if (instead_) return none;
    if (asked.proxies) return asked.proxies->choose(asked.location);
    return proxies ? proxies->choose(asked.location) : none;
}

}  // namespace pabal::client

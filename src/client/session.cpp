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
session::~session() { end_pauses(); }

void session::close() {
    engine_.pool().close();
    end_pauses();
}

void session::end_pauses() {
    while (!paused_.empty()) {
        const call_ptr ended(&paused_.pop_front());
        ended->fail_before_sending(
            {error_code::session_closed, phase::pool, culprit::caller, 0, "the session is closed; make a new one"});
    }
}

void session::transmit(call& sending) {
    if (instead_) return instead_->handle(exchange_ptr(&sending));
    const url& to = sending.location();
    dial::target target;
    target.host = std::string(to.host());
    target.port = to.port();
    target.unix_path = std::string(to.unix_path());
    if (to.is_secure()) {
        target.tls = sending.asked().tls ? sending.asked().tls : tls;
        if (!target.tls) {
            auto made = transport::tls_context::make_client({});
            if (!made) return sending.fail_before_sending(std::move(made).error());
            target.tls = tls = std::move(*made);
        }
    }
    engine_.pool().submit(exchange_ptr(&sending), target);
}

}  // namespace pabal::client

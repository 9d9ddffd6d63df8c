#include "client/session.hpp"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <utility>

#include <pabal/version.hpp>

#include "client/netrc.hpp"
#include "client/rate_limit.hpp"
#include "protocol/http/alternative_services.hpp"

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

rate_queue* session::queue_at(const url& place) {
    auto limiter = rate_limits->at(place);
    if (!limiter) return nullptr;
    for (const auto& each : queues_) {
        if (&each->limiter() == limiter.get()) return each.get();
    }
    return queues_.emplace_back(std::make_unique<rate_queue>(engine_.reactor(), std::move(limiter))).get();
}

void session::end_pauses() {
    const auto end = [](call& paused) {
        const call_ptr ended(&paused);
        ended->fail_before_sending(
            {error_code::session_closed, phase::pool, culprit::caller, 0, "the session is closed; make a new one"});
    };
    while (!paused_.empty()) end(paused_.front());
    for (const auto& queue : queues_) {
        while (queue->size() > 0) end(queue->front());
    }
}

std::vector<std::string> application_protocols_of(http_versions allowed) {
    std::vector<std::string> names;
    if (allowed.http_2) names.emplace_back("h2");
    if (allowed.http_1_1) names.emplace_back("http/1.1");
    return names;
}

bool session::heeds_alternatives(const url& of, const proxy* via) const noexcept {
    return versions.http_3 && !speaks_only_http3() && !instead_ && !via && of.is_secure();
}

void session::learn_alternatives(const url& of, const proxy* via, const fields& head) {
    if (!heeds_alternatives(of, via) || !head.contains(field_id::alt_svc)) return;
    const std::string_view age_text = head.find("age").value_or("");
    std::uint32_t age = 0;
    std::from_chars(age_text.data(), age_text.data() + age_text.size(), age);
    const auto said = http::parse_alternative_services(head, std::chrono::seconds(age));
    if (!said) return;
    alternatives_->learn(of.host(), of.port(), *said, std::chrono::system_clock::now());
}

void session::learn_alternatives(const url& of, const proxy* via, std::string_view value) {
    if (!heeds_alternatives(of, via)) return;
    if (const auto said = http::parse_alternative_services(value))
        alternatives_->learn(of.host(), of.port(), *said, std::chrono::system_clock::now());
}

bool session::reject_alternative(const url& of) {
    return alternatives_->reject(of.host(), of.port(), http::http3_protocol, std::chrono::system_clock::now());
}

void session::keep_alternatives_in(std::shared_ptr<dial::alternative_file> file) {
    alternatives_file_ = std::move(file);
    for (const dial::origin_alternatives& each : alternatives_file_->known()) alternatives_->recall(each);
}

result<void> session::save_alternatives() {
    if (!alternatives_file_) return {};
    auto saved = alternatives_file_->save(alternatives_->news(), std::chrono::system_clock::now());
    if (saved) alternatives_->forget_news();
    return saved;
}

/// Why HTTP/3 cannot carry it, where nothing else may be spoken; nullopt: it can.
std::optional<error> session::out_of_reach_of_quic(const url& to, const proxy* via) const {
    const char* const why = via ? "goes through no proxy" : !to.is_secure() ? "is for https only" : nullptr;
    if (!why) return std::nullopt;
    return error{error_code::unsupported, phase::prepare, culprit::caller, 0,
                 std::string("HTTP/3 ") + why +
                     ", and this session may speak nothing else: allow another version as well"};
}

void session::transmit(call& sending) {
    if (instead_) return instead_->handle(exchange_ptr(&sending));
    const url& to = sending.location();
    const call_request& asked = sending.asked();
    dial::target target;
    target.over_quic = speaks_only_http3();
    target.proxy = sending.via();
    if (target.over_quic) {
        if (auto why = out_of_reach_of_quic(to, target.proxy.get()))
            return sending.fail_before_sending(std::move(*why));
    }
    target.guard = resolver;
    target.from = local_address;
    target.conduct = conduct;
    if (!target.proxy || !target.proxy->forwards(to)) {
        target.host = std::string(to.host());
        target.port = to.port();
        target.unix_path = std::string(to.unix_path());
        target.only_http2 = versions.http_2 && !versions.http_1_1;
        if (versions.http_3 && !target.over_quic && to.is_secure() && !target.proxy) {
            target.alternatives = alternatives_;
            target.http3_at =
                alternatives_->find(to.host(), to.port(), http::http3_protocol, std::chrono::system_clock::now());
        }
    } else if (resolver) {
        // Of a request that is forwarded the dial knows the proxy only.
        if (auto refusal = resolver->refusal_through(*target.proxy, to.host()))
            return sending.fail_before_sending(std::move(*refusal));
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
        auto made = transport::tls_context::make_client({.application_protocols = application_protocols_of(versions)});
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

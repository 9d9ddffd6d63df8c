#include "client/public_session.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/fork.hpp"
#include "client/rate_limit.hpp"
#include "client/sync_driver.hpp"
#include "connection/qlog_folder.hpp"
#include "dial/alternative_file.hpp"
#include "protocol/http/content_encoder.hpp"
#include "protocol/http1/encoder.hpp"

namespace pabal {

namespace client {

namespace {

/// A proxy is verified as servers are, but not told who we are to them; HTTP/1.1 is what is spoken with it.
tls_options for_proxies(tls_options options) {
    options.client_certificate.clear();
    options.client_key.clear();
    options.client_key_password.clear();
    options.application_protocols = {"http/1.1"};
    options.encrypted_hello = encrypted_client_hello::never;
    options.early_data = tls_options().early_data;
    return options;
}

}  // namespace

client_core::client_core(const session_options& options) {
    auto made = engine::make(options.limits);
    if (!made) {
        failure = std::move(made).error();
        return;
    }
    machinery = std::move(*made);
    policies = std::make_unique<session>(*machinery, options.limits);
    for (const fields::field line : options.headers) {
        if (auto set = policies->headers.set(line.name, line.value); !set) failure = std::move(set).error();
    }
    if (options.rate_limit)
        policies->rate_limits = std::make_shared<const rate_limits>(rate_limits{options.rate_limit, {}});
    policies->resolver = options.resolver;
    if (!options.local_address.empty()) {
        auto local = dial::local_address(options.local_address);
        if (local) policies->local_address = *local;
        else failure = std::move(local).error();
    }
    if (!options.alternatives_file.empty()) {
        auto opened = dial::alternative_file::open(options.alternatives_file, std::chrono::system_clock::now());
        if (opened) {
            policies->keep_alternatives_in(std::move(*opened));
        } else {
            failure = std::move(opened).error();
            failure->message.insert(0, "session_options::alternatives_file, " + options.alternatives_file + ", ");
        }
    }
    auto conduct = connection::conduct_of(options.quic);
    if (conduct) policies->conduct = std::move(*conduct);
    else failure = std::move(conduct).error();
    policies->versions = options.versions;
    const http_versions& spoken = options.versions;
    if (!spoken.http_1_1 && !spoken.http_2 && !spoken.http_3)
        failure = error{error_code::invalid_argument, phase::prepare, culprit::caller, 0,
                        "session_options::versions allows no version of HTTP"};
    tls_options trusted = options.tls;
    trusted.application_protocols = application_protocols_of(options.versions);
    auto trust = transport::tls_context::make_client(trusted);
    if (trust) policies->tls = std::move(*trust);
    else failure = std::move(trust).error();
    if (const tls_options proxy_trust = for_proxies(trusted); proxy_trust != trusted && !failure) {
        auto own = transport::tls_context::make_client(proxy_trust);
        if (own) policies->proxy_tls = std::move(*own);
        else failure = std::move(own).error();
    }

    proxy_rules rules = options.proxies;
    if (options.proxies_from_environment) rules.fall_back_on(proxy_rules::from_environment());
    if (!rules.empty()) policies->proxies = std::make_shared<const proxy_rules>(std::move(rules));
}

void client_core::save() const {
    if (policies) (void)policies->save_alternatives();
}

namespace {

/// Trailers and the coding of the body: what is wrong with them is said before anybody is asked.
result<void> prepare_upload(request& asked, call_request& out) {
    const auto refuse = [](std::string message) {
        return error{error_code::invalid_argument, phase::prepare, culprit::caller, 0, std::move(message)};
    };
    if (auto checked = http1::check_trailers(asked.trailers); !checked) return checked;
    const bool sized = out.headers.contains(field_id::content_length);
    if (!asked.trailers.empty() && sized) return refuse("a body with trailers is chunked and has no Content-Length");
    out.trailers = std::move(asked.trailers);
    if (!asked.compress || out.body.size() == 0) return {};
    if (sized || out.headers.contains(field_id::content_encoding))
        return refuse("a body that is compressed on its way has neither Content-Length nor Content-Encoding before");
    out.body = http::content_encoder::encoded(*asked.compress, out.body.view());
    return out.headers.append("Content-Encoding", name_of(*asked.compress));
}

}  // namespace

result<call_request> to_call(request asked, const session& asking) {
    auto location = url::parse(asked.url);
    if (!location) return std::move(location).error();
    call_request out;
    out.method = std::move(asked.method);
    out.location = std::move(*location);
    out.headers = std::move(asked.headers);
    out.body = std::move(asked.body);
    out.limits = asked.limits;
    out.follow_redirects = asked.follow_redirects;
    out.max_redirects = asked.max_redirects;
    if (!asked.proxies.empty()) {
        asked.proxies.fall_back_on(asking.proxies);
        out.proxies = std::make_shared<const proxy_rules>(std::move(asked.proxies));
    }
    out.auth = std::move(asked.auth);
    out.max_body = asked.max_body;
    if (asked.priority && !asked.priority->is_valid())
        return error{error_code::invalid_argument, phase::prepare, culprit::caller, 0,
                     "the urgency of a request is from 0 to 7, not " + std::to_string(asked.priority->urgency)};
    out.priority = asked.priority;
    out.continue_wait = asked.continue_wait;
    if (auto ready = prepare_upload(asked, out); !ready) return std::move(ready).error();
    if (asked.retries) out.retries = std::make_shared<const retry_policy>(std::move(*asked.retries));
    return out;
}

result<response> to_response(call& finished) {
    if (finished.failure()) return *finished.failure();
    response out;
    response_head& head = finished.response();
    out.status = head.status;
    out.reason = std::move(head.reason);
    out.version = head.version;
    out.headers = std::move(head.headers);
    out.body = std::string(finished.body().view());
    out.trailers = finished.trailers();
    out.informational = finished.informational();
    out.url = std::string(finished.location().text());
    for (const hop& each : finished.history()) out.redirected_from.emplace_back(each.location.text());
    out.elapsed = finished.elapsed();
    out.trace = finished.trace();
    return out;
}

namespace {

class waiting_caller final : public call_observer {
public:
    void on_call_done(call&) override { wait.set_ready(); }
    sync_wait wait;
};

}  // namespace

}  // namespace client

namespace {

/// What belongs to one process.
struct driven_core {
    explicit driven_core(const session_options& options) : core(options) {
        if (core.machinery) driver = std::make_unique<client::sync_driver>(*core.machinery);
    }
    void close() {
        if (!driver) return;
        const auto lock = driver->lock();
        is_closed = true;
        core.policies->close();
        core.save();
        driver->release_closed();
    }

    client::client_core core;
    std::unique_ptr<client::sync_driver> driver;
    std::size_t sending = 0;  ///< threads inside `send`, under the driver's lock
    std::condition_variable all_sent;
    bool is_closed = false;
    base::birthplace born;
};

}  // namespace

struct session::state {
    explicit state(session_options given) : options(std::move(given)), known(new driven_core(options)) {}

    /// The core of this process. A forked child makes one of its own, with the same cookies; the other is never touched.
    driven_core& here() {
        driven_core* found = known.load(std::memory_order_acquire);
        if (!found->born.is_elsewhere()) return *found;
        const base::no_fork whole;
        const std::lock_guard guard(replacing);
        found = known.load(std::memory_order_relaxed);
        if (!found->born.is_elsewhere()) return *found;
        auto made = std::make_unique<driven_core>(options);
        if (found->core.policies && made->core.policies) made->core.policies->cookies = found->core.policies->cookies;
        if (found->is_closed) made->close();
        known.store(made.get(), std::memory_order_release);
        return *made.release();
    }

    const session_options options;
    std::atomic<driven_core*> known;  ///< owned, if it was born here
    std::mutex replacing;
};

session::session(session_options options) : state_(std::make_unique<state>(std::move(options))) {}
session::~session() {
    driven_core* const last = state_->known;
    if (last->born.is_elsewhere()) return;
    const std::unique_ptr<driven_core> owned(last);
    if (!owned->driver) return;
    owned->close();
    auto lock = owned->driver->lock();
    owned->all_sent.wait(lock, [&] { return owned->sending == 0; });
}

result<response> session::send(request asked) {
    driven_core& here = state_->here();
    if (here.core.failure) return *here.core.failure;
    auto prepared = client::to_call(std::move(asked), *here.core.policies);
    if (!prepared) return std::move(prepared).error();
    client::waiting_caller caller;
    const auto call = base::make_counted<client::call>(std::move(*prepared), &caller);
    auto lock = here.driver->lock();
    ++here.sending;
    here.driver->catch_up();
    call->start(*here.core.policies);
    here.driver->wait_for(caller.wait, lock, {});
    if (--here.sending == 0) here.all_sent.notify_all();
    return client::to_response(*call);
}

result<response> session::get(std::string_view url) {
    request asked;
    asked.url = url;
    return send(std::move(asked));
}

result<response> session::post(std::string_view url, std::string body, std::string_view content_type) {
    request asked;
    asked.method = "POST";
    asked.url = url;
    asked.body = std::move(body);
    if (auto added = asked.headers.append("Content-Type", content_type); !added) return std::move(added).error();
    return send(std::move(asked));
}

void session::close() { state_->here().close(); }

}  // namespace pabal

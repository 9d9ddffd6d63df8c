#include "client/call.hpp"

#include <algorithm>
#include <cstring>
#include <random>
#include <utility>

#include "base/fork.hpp"
#include "client/netrc.hpp"
#include "client/rate_limit.hpp"
#include "client/session.hpp"
#include "protocol/http/basic_auth.hpp"

namespace pabal::client {

namespace {

/// A redirect's body is read to keep the connection, up to this; beyond it a new connection is cheaper.
constexpr std::size_t skip_at_most = 64 * 1024;

/// What is believed of a Content-Length before bytes have arrived; more is allocated as it comes.
constexpr std::size_t trust_announced_size = 1024 * 1024;

/// Encoded bytes a streamed call takes from the connection at a time.
constexpr std::size_t encoded_piece = 64 * 1024;

/// RFC 9110 section 9.2.2.
bool is_idempotent(std::string_view method) noexcept {
    return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS" ||
           method == "TRACE";
}

/// What is for one origin only.
bool is_credential(field_id id) noexcept {
    return id == field_id::authorization || id == field_id::cookie || id == field_id::proxy_authorization;
}

std::string describe(const std::string& method, const url& at) { return method + " " + at.text_without_userinfo(); }

/// Uniform in [0, 1): spreads the waits of clients that failed together, and is no secret.
double random_fraction() {
    thread_local std::minstd_rand generator{std::random_device{}()};
    thread_local base::birthplace seeded;
    if (seeded.is_elsewhere()) {  // forked: not the same waits as its parent and its siblings
        generator.seed(std::random_device{}());
        seeded = {};
    }
    return std::uniform_real_distribution<double>{}(generator);
}

}  // namespace

call::call(call_request asked, call_observer* observer) : asked_(std::move(asked)), observer_(observer) {
    limits = {asked_.limits.pool, asked_.limits.resolve, asked_.limits.connect,
              asked_.limits.tls,  asked_.limits.write,   asked_.limits.read};
}

call_ptr call::answered(call_request asked, response_head response) {
    auto made = base::make_counted<call>(std::move(asked), nullptr);
    made->response_ = std::move(response);
    made->state_ = state::done;
    return made;
}

bool call::body_exceeds_limit() const noexcept { return body_.size() > max_body_; }

void call::start(session& carrier) {
    session_ = &carrier;
    max_body_ = carrier.limits().max_body;
    reactor::reactor& reactor = carrier.reactor();
    reactor_ = &reactor;
    reactor.refresh_now();
    started_ = reactor.now();
    if (const auto total = asked_.limits.total; total.count() > 0) reactor.set_timer(total_timer_, started_ + total);
    attempt();
}

call::~call() {
    if (pausing_) leave_pause();
}

void call::attempt() {
    if (session_->rate_limits && !wait_for_turn()) return;
    send();
}

void call::send() {
    state_ = state::waiting;
    request_sent = on_reused_connection = false;  // said of the exchange before
    connection.reset();
    times = {};
    times.submitted = reactor_->now();
    // Decided anew for every hop: a redirect may lead to where another proxy, or none, is meant (or back).
    if (asked_.proxies || session_->proxies) {
        auto chosen = session_->choose_proxy(asked_);
        if (!chosen) return fail(std::move(chosen).error());
        via_ = std::move(*chosen);
    }
    build_request();
    session_->transmit(*this);
}

/// The head of the next exchange: Host, the session's defaults, what was given for this call, cookies, credentials.
void call::build_request() {
    const url& to = asked_.location;
    request.method = asked_.method;
    request.target = to.target();
    fields& out = request.headers;
    out.clear();
    static const fields no_defaults;
    const fields& defaults = asked_.headers_are_complete || asked_.as_told ? no_defaults : session_->headers;
    out.reserve(defaults.byte_size() + asked_.headers.byte_size() + 256, defaults.size() + asked_.headers.size() + 4);

    if (const auto given = leaves_origin_ ? std::nullopt : asked_.headers.find(field_id::host))
        out.append_valid("Host", *given);
    else out.append_valid("Host", to.authority());
    for (const fields::field line : defaults) {
        if (line.id == field_id::host || asked_.headers.contains(line.name)) continue;
        if (leaves_origin_ && is_credential(line.id)) continue;
        if (line.id == field_id::proxy_authorization) continue;
        out.append_valid(line.name, line.value);
    }
    for (const fields::field line : asked_.headers) {
        if (line.id == field_id::host || line.id == field_id::proxy_authorization) continue;
        if (leaves_origin_ && is_credential(line.id)) continue;
        out.append_valid(line.name, line.value);
    }
    const std::string_view own = leaves_origin_ ? std::string_view{} : std::string_view(asked_.cookies);
    const std::string cookies =
        asked_.as_told ? std::string(own) : session_->cookies->header_for(to, first_location(), own);
    if (!cookies.empty() && !out.contains(field_id::cookie)) out.append_valid("Cookie", cookies);
    if (via_ && via_->forwards(to)) address_to_proxy();

    if (asked_.streams_body) {
        request_body = {};
        request_body_size = asked_.streamed_size;
    } else {
        request_body = asked_.body;
        request_body_size = asked_.body.size();
        body_given_ = 0;
    }
    if (!asked_.as_told) authorize();
}

/// Whom this exchange may be told who we are by; over an open connection nobody that a protected one led to.
credentials* call::credentials_here() const noexcept {
    if (!asked_.auth || (leaves_origin_ && was_protected())) return nullptr;
    return asked_.auth->at(asked_.location, leaves_origin_);
}

/// The connection is open, and that of an exchange before was not.
bool call::was_protected() const noexcept {
    return !asked_.location.is_secure() &&
           std::ranges::any_of(history_, [](const hop& each) { return each.location.is_secure(); });
}

/// Credentials given for the call go before a field, a field before what the URL says.
void call::authorize() {
    const url& to = asked_.location;
    fields& out = request.headers;
    std::string value;
    if (credentials* given = credentials_here()) {
        out.remove(field_id::authorization);
        const auto body = asked_.streams_body ? std::nullopt : std::optional<std::string_view>(asked_.body);
        value = given->authorize(to, request, body, answered_challenges_ > 0);
    } else if (to.has_userinfo() && !out.contains(field_id::authorization)) {
        // A user name that Basic cannot carry (RFC 7617 section 2: no colon, no controls) is left out; the server says 401.
        if (auto basic = http::basic_credentials(to.username(), to.password().value_or(""))) value = std::move(*basic);
    }
    if (value.empty() && session_->netrc && !out.contains(field_id::authorization)) value = netrc_credentials();
    if (!value.empty()) out.append_valid("Authorization", value);
    is_challenged_ = false;
}

/// What a proxy that forwards needs to see (RFC 9112 section 3.2.2). Proxy-Authorization comes from here alone: what the
/// caller put among the headers might reach an origin, where it must never be seen.
void call::address_to_proxy() {
    request.target = asked_.location.absolute_target();
    for (const fields::field line : via_->headers) {
        if (line.id != field_id::host && !request.headers.contains(line.name))
            request.headers.append_valid(line.name, line.value);
    }
    if (!via_->has_credentials || request.headers.contains(field_id::proxy_authorization)) return;
    // `proxy::parse` has refused what Basic cannot carry; without credentials the proxy says 407.
    const auto credentials = http::basic_credentials(via_->user, via_->password);
    if (credentials) request.headers.append_valid("Proxy-Authorization", *credentials);
}

result<read_outcome> call::read_request_body(std::span<char> buffer) {
    if (state_ == state::skipping) {
        // The body has been put back to its beginning, for the next hop.
        return error{error_code::cancelled, phase::write, culprit::local, 0,
                     "the server redirected the request before it had all of its body"};
    }
    if (!asked_.streams_body) {
        // A handler in this process need not know that the body lies in memory.
        if (body_given_ == request_body.size()) return read_outcome{read_outcome::kind::end, 0};
        const std::size_t size = request_body.copy(buffer.data(), buffer.size(), body_given_);
        body_given_ += size;
        return read_outcome{read_outcome::kind::data, size};
    }
    body_read_ = true;
    if (!observer_) return read_outcome{read_outcome::kind::end, 0};
    return observer_->read_call_body(*this, buffer);
}

void call::body_ready() {
    if (responder* answering = answered_by()) answering->request_body_ready(*this);
}

// --- The response arrives ---------------------------------------------------------------------------------------------

delivery call::on_response(response_head&& head) {
    if (state_ != state::waiting) return delivery::push;  // over: whoever answers could not be told
    times.head = reactor_->now();
    elapsed_ = times.head - started_;
    if (!asked_.as_told) session_->cookies->store_from(asked_.location, first_location(), head.headers);
    if (credentials_here() && answer_challenge(head)) return delivery::push;
    if (asked_.retries && try_again_after(head)) return delivery::push;
    if (asked_.follow_redirects && is_redirect_status(head.status)) {
        // follow() has failed or cancelled the exchange when it says false.
        if (follow(std::move(head)) || state_ == state::done) return delivery::push;
    } else {
        response_ = std::move(head);
    }
    if (auto prepared = prepare_decoder(); !prepared) {
        give_up(std::move(prepared).error());
        return delivery::push;
    }
    if (asked_.streams_response) {
        state_ = state::streaming;
        total_timer_.cancel();
        if (observer_) observer_->on_call_head(*this);
        return delivery::pull;
    }
    state_ = state::collecting;
    if (const auto announced = response_.headers.find(field_id::content_length); announced && !decoder_) {
        std::uint64_t size = 0;
        for (const char digit : *announced) size = size * 10 + static_cast<std::uint64_t>(digit - '0');
        if (request.method != "HEAD" && size > max_body_) {
            give_up(too_large());
            return delivery::push;
        }
        if (request.method != "HEAD")
            body_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(size, trust_announced_size)));
    }
    return delivery::push;
}

/// Starts following a redirect. True: the response is being skipped and the next attempt comes after it. False: either
/// there is nothing to follow (`response_` holds the head) or the call has failed.
bool call::follow(response_head&& head) {
    auto planned = plan_redirect(asked_.location, asked_.method, head);
    if (planned && !*planned) {
        response_ = std::move(head);
        return false;
    }
    if (!planned) {
        response_ = std::move(head);
        give_up(std::move(planned).error());
        return false;
    }
    redirect& next = **planned;
    if (history_.size() >= static_cast<std::size_t>(std::max(asked_.max_redirects, 0))) {
        response_ = std::move(head);
        give_up({error_code::too_many_redirects, phase::read, culprit::peer, 0,
                 "more than " + std::to_string(asked_.max_redirects) + " redirects, the last one to " +
                     next.location.text_without_userinfo()});
        return false;
    }
    if (!next.drops_body && asked_.streams_body && !rewind_body()) {
        response_ = std::move(head);
        give_up({error_code::body_not_replayable, phase::read, culprit::caller, 0,
                 "the server redirected (" + std::to_string(response_.status) +
                     ") a request whose streamed body was already consumed; give bytes or a seekable file, or "
                     "allow_redirects=False"});
        return false;
    }
    history_.push_back({asked_.location, asked_.method, std::move(head)});
    next_ = std::move(next);
    skip_response();
    return true;
}

/// The response is not for the user, its connection is for the next: what comes of it is read and dropped.
void call::skip_response() {
    skipped_ = 0;
    state_ = state::skipping;
}

/// The exchange before is over: until now it may have been sending what the next one changes.
void call::end_skipping() {
    if (next_) return next_hop();
    if (is_challenged_) return attempt();
    pause(*std::exchange(pausing_->wait, std::nullopt));
}

result<void> call::prepare_decoder() {
    decoder_.reset();
    if (request.method == "HEAD" || response_.status == 204 || response_.status == 304) return {};
    const auto codings = response_.headers.joined("content-encoding");
    if (!codings) return {};
    auto made = http::content_decoder::for_codings(*codings);
    if (!made) return std::move(made).error();
    if (*made && !(*made)->is_identity()) decoder_.emplace(std::move(**made));
    return {};
}

std::span<char> call::body_space(std::size_t at_most) {
    if (state_ != state::collecting || decoder_) return {};
    const std::size_t wanted = std::min(at_most, std::max(trust_announced_size, body_.size()));
    return body_.space(wanted);
}

flow call::on_data(std::string_view data) {
    if (state_ == state::skipping) {
        skipped_ += data.size();
        // Without a responder that could be cancelled, somebody in this process pushes, and will to the end.
        if (responder* answering = answered_by(); answering && skipped_ > skip_at_most) {
            answering->cancel(*this);
            end_skipping();
        }
        return flow::more;
    }
    if (state_ == state::streaming) return keep_pushed(data);
    if (state_ != state::collecting) return flow::more;
    if (decoder_) {
        if (auto decoded = decode(data); !decoded) give_up(std::move(decoded).error());
        return flow::more;
    }
    if (body_.size() + data.size() > max_body_) {
        give_up(too_large());
        return flow::more;
    }
    if (data.data() == body_.data() + body_.size()) body_.commit(data.size());
    else body_.append(data);
    return flow::more;
}

result<void> call::decode(std::string_view data) {
    constexpr std::size_t step = 16 * 1024;
    while (true) {
        const std::span<char> space = body_.space(std::max(step, std::min<std::size_t>(data.size() * 2, 1024 * 1024)));
        auto decoded = decoder_->decode(data, space);
        if (!decoded) return std::move(decoded).error();
        body_.commit(decoded->produced);
        data.remove_prefix(decoded->used);
        if (body_.size() > max_body_) return too_large();
        if (decoded->produced < space.size()) return {};
    }
}

void call::on_end(fields&& trailers) {
    times.ended = reactor_->now();
    trailers_ = std::move(trailers);
    if (state_ == state::skipping) return end_skipping();
    if (state_ == state::streaming) {
        raw_ended_ = true;
        if (!decoder_ && encoded_used_ == encoded_.size()) finish();
        else tell_readable();
        return;
    }
    if (state_ != state::collecting) return;
    if (decoder_) {
        if (auto complete = decoder_->finish(); !complete) return fail(std::move(complete).error());
    }
    finish();
}

void call::next_hop() {
    redirect next = std::move(*next_);
    next_.reset();
    earlier_.push_back(trace_exchange(history_.back().response.status, nullptr));
    if (next.drops_body) {
        asked_.body.clear();
        asked_.streams_body = false;
        asked_.headers.remove(field_id::content_type);
        asked_.headers.remove(field_id::content_length);
        asked_.headers.remove(field_id::content_encoding);
        asked_.headers.remove(field_id::transfer_encoding);
        asked_.headers.remove(field_id::expect);
    }
    asked_.method = std::move(next.method);
    leaves_origin_ = leaves_origin_ || next.leaves_origin;
    asked_.location = std::move(next.location);
    replayed_ = wants_new_connection = false;
    answered_challenges_ = 0;
    attempt();
}

void call::on_error(error&& failure) {
    if (state_ == state::skipping) return end_skipping();
    if (may_replay(failure) && (!asked_.streams_body || !body_read_ || rewind_body())) {
        // On a connection of its own: a server that closes after every response would close the next reused one as well.
        replayed_ = repeated_ = wants_new_connection = true;
        earlier_.push_back(trace_exchange(0, &failure));
        return send();
    }
    if (state_ == state::collecting && is_end_enough(failure)) return on_end({});
    if (asked_.retries && (state_ == state::waiting || state_ == state::collecting) && try_again_after(failure)) return;
    fail(std::move(failure));
}

/// Whether a connection that broke off may stand for the end of the body: where nothing else marks it, and the caller
/// goes by what servers do (many close TLS without close_notify) rather than by what they should.
bool call::is_end_enough(const error& failure) const noexcept {
    return asked_.as_told && failure.code == error_code::connection_closed &&
           !response_.headers.contains(field_id::content_length) &&
           !response_.headers.contains(field_id::transfer_encoding);
}

/// A kept-alive connection that its peer had already closed says nothing about the request (RFC 9112 section 9.3.1): it is
/// sent again, once, on another connection, if no response byte came and repeating it is safe.
bool call::may_replay(const error& failure) const noexcept {
    if (state_ != state::waiting || replayed_ || !on_reused_connection) return false;
    const bool lost = failure.code == error_code::connection_closed || failure.code == error_code::connection_reset ||
                      failure.code == error_code::write_failed;
    return lost && (!request_sent || is_idempotent(asked_.method));
}

bool call::rewind_body() {
    if (!body_read_) return true;
    if (!observer_ || !observer_->rewind_call_body(*this)) return false;
    body_read_ = false;
    return true;
}

/// Of the very host that is asked; not over an open connection when the request began on a protected one. Empty: none.
std::string call::netrc_credentials() const {
    const url& to = asked_.location;
    if (credentials_here()) return {};
    const netrc_entry* entry = was_protected() ? nullptr : session_->netrc->find(to);
    if (!entry) return {};
    auto value = http::basic_credentials(entry->login, entry->password);
    return value ? std::move(*value) : std::string();
}

// --- Challenges ---------------------------------------------------------------------------------------------------------

/// True: the server wants to know who we are, and is told so after the response is skipped. A challenge is answered once, and
/// once more when the server says that only the nonce was too old; beyond that the 401 is the response.
bool call::answer_challenge(const response_head& head) {
    if (head.status != 401) return credentials_here()->note(asked_.location, head), false;
    const auto verdict = credentials_here()->challenge(asked_.location, head);
    const std::uint8_t at_most = verdict == credentials::verdict::renewed ? 2 : 1;
    if (verdict == credentials::verdict::refused || answered_challenges_ >= at_most) return false;
    if (asked_.streams_body && !rewind_body()) return false;
    ++answered_challenges_;
    is_challenged_ = true;
    replayed_ = false;
    skip_response();
    return true;
}

// --- Retries ------------------------------------------------------------------------------------------------------------

/// True: the response is being skipped, and the next attempt comes some time after it.
bool call::try_again_after(const response_head& head) {
    if (!plan_again({.method = asked_.method, .response = &head})) return false;
    skip_response();
    return true;
}

/// True: the next attempt comes some time from now.
bool call::try_again_after(const error& failure) {
    if (!plan_again({.method = asked_.method, .failure = &failure, .request_sent = request_sent})) return false;
    pause(*std::exchange(pausing_->wait, std::nullopt));
    return true;
}

/// Asks the policy. A body that is gone is never sent again empty: then what happened is final.
bool call::plan_again(retry_question asked) {
    asked.elapsed = reactor_->now() - started_;
    if (const auto total = asked_.limits.total; total.count() > 0) asked.left = total - asked.elapsed;
    asked.now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    asked.random = random_fraction();
    const auto planned = plan_retry(*asked_.retries, attempts(), asked);
    if (!planned) return false;
    if (asked_.streams_body && !rewind_body()) {
        body_is_gone_ = true;
        return false;
    }
    repeated_ = true;
    earlier_.push_back(trace_exchange(asked.response ? asked.response->status : 0, asked.failure));
    pauses().history.push_back({planned->cause, asked.response ? asked.response->status : 0,
                                asked.failure ? asked.failure->code : error_code{}, planned->wait});
    pausing_->wait = planned->wait;
    return true;
}

// --- Pauses -------------------------------------------------------------------------------------------------------------

call::pausing& call::pauses() {
    if (!pausing_) pausing_ = std::make_unique<pausing>(*this);
    return *pausing_;
}

/// No exchange is under way until the time is over; the session knows of the call, so that closing it ends the pause.
void call::pause(std::chrono::milliseconds wait) {
    state_ = state::pausing;
    replayed_ = false;
    body_.clear();
    response_ = {};
    decoder_.reset();
    session_->hold(*this);
    reactor_->set_timer_in(*pausing_, wait);
}

/// The rate limiter of the place that is asked. False: the call is in line there, or has failed.
bool call::wait_for_turn() {
    limits.pool = asked_.limits.pool;
    rate_queue* queue = session_->queue_at(asked_.location);
    if (!queue) return true;
    switch (queue->admit(*this)) {
    case rate_queue::admission::go: return true;
    case rate_queue::admission::wait: break;
    case rate_queue::admission::full:
        fail({error_code::rate_limited, phase::pool, culprit::caller, 0,
              std::to_string(queue->size()) + " requests wait for the rate limiter, which takes no more"});
        return false;
    }
    state_ = state::pausing;
    pausing& it = pauses();
    it.in_line = queue;
    it.since = reactor_->now();
    if (limits.pool.count() > 0) reactor_->set_timer_in(it, limits.pool);
    return false;
}

void call::on_pause_over() {
    if (!pausing_->in_line) {
        const call_ptr alive(this);
        leave_pause();
        return attempt();
    }
    fail({error_code::timed_out, phase::pool, culprit::caller, 0,
          "the rate limiter let the request wait longer than its pool limit of " +
              std::to_string(asked_.limits.pool.count()) + " ms"});
}

/// What a turn was waited for counts as waiting for a connection.
void call::end_pause() {
    const call_ptr alive(this);
    const auto waited = reactor_->now() - pausing_->since;
    leave_pause();
    if (limits.pool.count() > 0) {
        limits.pool -= std::chrono::floor<std::chrono::milliseconds>(waited);
        limits.pool = std::max(limits.pool, std::chrono::milliseconds{1});
    }
    send();
}

void call::leave_pause() noexcept {
    if (!pausing_) return;
    pausing_->cancel();
    if (rate_queue* queue = std::exchange(pausing_->in_line, nullptr)) queue->forget(*this);
    else static_cast<base::list_hook<paused>&>(*this).unlink();
}

// --- Streaming ----------------------------------------------------------------------------------------------------------

void call::on_readable() { tell_readable(); }

void call::tell_readable() {
    if (observer_ && !reading_) observer_->on_call_readable(*this);
}

/// A responder that pushes although it was asked to be pulled, as simple handlers in this process do. What it pushes waits
/// to be read; a responder that can pause does so when enough is waiting.
flow call::keep_pushed(std::string_view data) {
    encoded_.append(data);
    push_paused_ = answered_by() && encoded_.size() - encoded_used_ > encoded_piece;
    const flow wanted = push_paused_ ? flow::pause : flow::more;
    tell_readable();
    return wanted;
}

/// Everything pushed so far is read. True: there may be more now.
bool call::resume_pushing() {
    encoded_.clear();
    encoded_used_ = 0;
    responder* answering = answered_by();
    if (!answering || !std::exchange(push_paused_, false)) return false;
    answering->resume(*this);
    return true;
}

result<read_outcome> call::read(std::span<char> buffer) {
    if (state_ == state::done) {
        if (failure_) return *failure_;
        return read_outcome{read_outcome::kind::end, 0};
    }
    if (state_ != state::streaming || buffer.empty()) return read_outcome{};
    const call_ptr alive(this);
    reading_ = true;
    auto got = decoder_ ? read_decoded(buffer) : read_plain(buffer);
    reading_ = false;
    if (!got) give_up(got.error());
    return got;
}

result<read_outcome> call::read_plain(std::span<char> buffer) {
    while (true) {
        const std::string_view pushed = encoded_.view().substr(encoded_used_);
        if (!pushed.empty()) {
            const std::size_t size = pushed.copy(buffer.data(), buffer.size());
            encoded_used_ += size;
            return read_outcome{read_outcome::kind::data, size};
        }
        if (raw_ended_) {
            finish();
            return read_outcome{read_outcome::kind::end, 0};
        }
        if (!resume_pushing()) break;
        if (failure_) return *failure_;
    }
    responder* answering = answered_by();
    return answering ? pull(*answering, buffer) : read_outcome{};
}

result<read_outcome> call::pull(responder& answering, std::span<char> buffer) {
    auto got = answering.read_response(*this, buffer);
    if (got || !is_end_enough(got.error())) return got;
    on_end({});
    return read_outcome{read_outcome::kind::end, 0};
}

bool call::keep_encoded() {
    if (decoding_began_) return false;
    decoder_.reset();
    return true;
}

result<read_outcome> call::read_decoded(std::span<char> buffer) {
    decoding_began_ = true;
    while (true) {
        const std::string_view encoded = encoded_.view().substr(encoded_used_);
        if (!encoded.empty() || raw_ended_) {
            auto decoded = decoder_->decode(encoded, buffer);
            if (!decoded) return std::move(decoded).error();
            encoded_used_ += decoded->used;
            if (decoded->produced > 0) return read_outcome{read_outcome::kind::data, decoded->produced};
            if (raw_ended_ && encoded_used_ == encoded_.size()) {
                if (auto complete = decoder_->finish(); !complete) return std::move(complete).error();
                finish();
                return read_outcome{read_outcome::kind::end, 0};
            }
            if (raw_ended_ && decoded->used == 0) {
                finish();
                return read_outcome{read_outcome::kind::end, 0};
            }
        }
        if (raw_ended_) continue;
        if (resume_pushing()) {
            if (failure_) return *failure_;
            continue;
        }
        responder* answering = answered_by();
        if (!answering) return read_outcome{};
        auto got = pull(*answering, encoded_.space(encoded_piece));
        if (!got) return std::move(got).error();
        if (got->what == read_outcome::kind::would_block) return *got;
        if (got->what == read_outcome::kind::end) raw_ended_ = true;
        encoded_.commit(got->size);
    }
}

exchange_trace call::trace_exchange(int status, const error* failure) const {
    exchange_trace out;
    out.method = asked_.method;
    out.url = asked_.location.text();
    out.status = status;
    if (failure) {
        out.failure = failure->code;
        out.failed_in = failure->where;
    }
    out.reused_connection = on_reused_connection;
    out.times = times;
    if (session_ && !exchange_times::reached(out.times.ended) && (failure || state_ == state::skipping))
        out.times.ended = reactor_->now();
    out.connection = connection;
    return out;
}

pabal::trace call::trace() const {
    return {earlier_, trace_exchange(response_.status, failure_ ? &*failure_ : nullptr)};
}

// --- Ending -------------------------------------------------------------------------------------------------------------

error call::too_large() const {
    return {error_code::body_too_large, phase::read, culprit::peer, 0,
            "the response body is larger than " + std::to_string(max_body_) +
                " bytes: stream it, or raise Limits(max_body=)"};
}

void call::settle() {
    state_ = state::done;
    if (pausing_) leave_pause();
    if (reactor_ && !exchange_times::reached(times.ended)) times.ended = reactor_->now();
    total_timer_.cancel();
    decoder_.reset();
}

void call::finish() {
    const call_ptr alive(this);
    settle();
    if (observer_) std::exchange(observer_, nullptr)->on_call_done(*this);
}

void call::fail(error failure) {
    if (state_ == state::done) return;
    const call_ptr alive(this);
    settle();
    if (const auto before = attempts().size(); before > 0)
        failure.message += " (" + std::to_string(before + 1) + " attempts)";
    if (body_is_gone_) failure.message += "; not repeated, because its streamed body was already consumed";
    failure.message += " [" + describe(asked_.method, asked_.location) + "]";
    failure_ = std::move(failure);
    if (observer_) std::exchange(observer_, nullptr)->on_call_done(*this);
}

/// Ends an exchange that is still under way because of our own verdict.
void call::give_up(error failure) {
    if (responder* answering = answered_by()) answering->cancel(*this);
    fail(std::move(failure));
}

void call::cancel() {
    if (state_ == state::done) return;
    const call_ptr alive(this);
    observer_ = nullptr;
    if (responder* answering = answered_by()) answering->cancel(*this);
    settle();
    failure_ = error{error_code::cancelled, phase::none, culprit::caller, 0, "the request was cancelled"};
}

void call::on_total_timeout() {
    give_up({error_code::timed_out, phase::total, culprit::peer, 0,
             "the request took longer than its total of " + std::to_string(asked_.limits.total.count()) + " ms"});
}

}  // namespace pabal::client

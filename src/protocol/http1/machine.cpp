#include "protocol/http1/machine.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "protocol/http/target.hpp"
#include "protocol/http1/encoder.hpp"

namespace pabal::http1 {

/// What moves the receive side from state to state.
enum class machine::event : std::uint8_t {
    head_bodyless,
    head_sized,
    head_chunked,
    head_until_close,
    head_informational,
    head_switching,
    content_complete,
    last_chunk,
    peer_closed,
    end_delivered,
    switch_delivered,
    fault,
};

namespace {

using receiving = machine::receiving;
using sending = machine::sending;

// Every transition of the receive side: rows are states, columns events. `bug` marks what the code never lets happen.
//
//   head ─┬─────────────────────────────────────────▶ ending ─▶ done
//         ├─▶ sized ───────────── content_complete ──▶ ending
//         ├─▶ chunked ─▶ trailers ─ content_complete ▶ ending
//         ├─▶ until_close ─────────── peer_closed ───▶ ending
//         ├─▶ head (1xx)
//         └─▶ switching ─▶ upgraded (101, 2xx to CONNECT)
constexpr receiving hd = receiving::head, sz = receiving::sized, ck = receiving::chunked, uc = receiving::until_close,
                    tr = receiving::trailers, en = receiving::ending, dn = receiving::done, sw = receiving::switching,
                    up = receiving::upgraded, fl = receiving::failed, bug = receiving::failed;

constexpr std::array<std::array<receiving, 12>, 10> receive_table{{
    //                bodyless sized chunked until info switch complete last closed ended switched fault
    /* head        */ {en, sz, ck, uc, hd, sw, bug, bug, fl, bug, bug, fl},
    /* sized       */ {bug, bug, bug, bug, bug, bug, en, bug, fl, bug, bug, fl},
    /* chunked     */ {bug, bug, bug, bug, bug, bug, bug, tr, fl, bug, bug, fl},
    /* until_close */ {bug, bug, bug, bug, bug, bug, bug, bug, en, bug, bug, fl},
    /* trailers    */ {bug, bug, bug, bug, bug, bug, en, bug, fl, bug, bug, fl},
    /* ending      */ {bug, bug, bug, bug, bug, bug, bug, bug, en, dn, bug, fl},
    /* done        */ {bug, bug, bug, bug, bug, sw, bug, bug, dn, bug, bug, fl},
    /* switching   */ {bug, bug, bug, bug, bug, bug, bug, bug, sw, bug, up, fl},
    /* upgraded    */ {bug, bug, bug, bug, bug, bug, bug, bug, up, bug, up, fl},
    /* failed      */ {fl, fl, fl, fl, fl, fl, fl, fl, fl, fl, fl, fl},
}};

/// The send side begins in the state its plan's body calls for and ends in `done`.
constexpr std::array<sending, 5> send_state_for_body{
    sending::done, sending::sized, sending::chunked, sending::until_close, sending::upgraded,
};

head_facts facts_of(const fields& headers) noexcept {
    head_facts facts;
    for (const auto& line : headers) facts.note(line);
    return facts;
}

}  // namespace

std::string_view name_of(reuse verdict) noexcept {
    switch (verdict) {
    case reuse::yes: return "yes";
    case reuse::not_finished: return "not_finished";
    case reuse::peer_said_close: return "peer_said_close";
    case reuse::we_said_close: return "we_said_close";
    case reuse::body_until_close: return "body_until_close";
    case reuse::unexpected_bytes: return "unexpected_bytes";
    case reuse::protocol_error: return "protocol_error";
    case reuse::upgraded: break;
    }
    return "upgraded";
}

machine::machine(role as, const limits& bounds) : role_(as), limits_(bounds) {
    parser_.begin(role_ == role::server ? head_parser::section::request : head_parser::section::response);
}

void machine::on(event happened) noexcept {
    cycle_.receive = receive_table[static_cast<std::size_t>(cycle_.receive)][static_cast<std::size_t>(happened)];
}

// --- Sending. ---

result<void> machine::send_error(std::string message) const {
    // A client's body is its caller's; what a server sends is its own program's.
    const error_code code = role_ == role::client && cycle_.send != sending::idle ? error_code::request_body_failed
                                                                                  : error_code::invalid_argument;
    return error{code, phase::write, culprit::caller, 0, std::move(message)};
}

result<void> machine::send_request(const request_head& head, std::optional<std::uint64_t> body_size, std::string& out) {
    if (role_ != role::client || cycle_.send != sending::idle) return send_error("a request is already under way");
    const head_facts facts = facts_of(head.headers);
    const auto plan = plan_request(head, facts, body_size);
    if (!plan) return plan.error();
    if (auto written = append_request_head(head, *plan, out); !written) return written;
    cycle_.method = kind_of_method(head.method);
    cycle_.asked_upgrade = facts.has_upgrade;
    return begin_sending(*plan, false);
}

result<void> machine::send_informational(const response_head& head, std::string& out) {
    if (role_ != role::server || cycle_.final_response) return send_error("the final response was already sent");
    if (head.status < 100 || head.status > 199 || head.status == 101)
        return send_error("not an informational status: " + std::to_string(head.status));
    if (cycle_.request_version == http_version::http_1_0) return {};
    const auto plan = plan_response(head, facts_of(head.headers), 0, false, {});
    if (!plan) return plan.error();
    if (auto written = append_response_head(head, *plan, out); !written) return written;
    if (head.status == 100) cycle_.expects_continue = false;
    return {};
}

result<void> machine::send_response(const response_head& head, std::optional<std::uint64_t> body_size, bool close,
                                    std::string& out) {
    if (role_ != role::server || cycle_.final_response) return send_error("a response is already under way");
    if (head.status < 200 && head.status != 101)
        return send_error("not a final status: " + std::to_string(head.status));
    const bool tunnels = head.status == 101 || (cycle_.method == method_kind::connect && head.status / 100 == 2);
    if (tunnels && cycle_.receive != receiving::done && cycle_.receive != receiving::ending)
        return send_error("the connection cannot be switched before the request is complete");
    if (head.status == 101 && !cycle_.asked_upgrade) return send_error("101 without a request to upgrade");

    const bool failed = cycle_.receive == receiving::failed;
    const auto plan = plan_response(head, facts_of(head.headers), body_size, close || failed,
                                    {cycle_.method, cycle_.request_version, !cycle_.peer_closes});
    if (!plan) return plan.error();
    if (auto written = append_response_head(head, *plan, out); !written) return written;
    cycle_.final_response = true;
    cycle_.expects_continue = false;
    return begin_sending(*plan, tunnels);
}

result<void> machine::begin_sending(const send_plan& plan, bool tunnels) {
    cycle_.send = send_state_for_body[static_cast<std::size_t>(tunnels ? body_kind::tunnel : plan.body)];
    if (plan.body == body_kind::sized && plan.size == 0) cycle_.send = sending::done;
    cycle_.send_remaining = plan.body == body_kind::sized ? plan.size : 0;
    cycle_.we_close |= plan.closes;
    cycle_.body_until_close |= plan.body == body_kind::until_close;
    return {};
}

result<void> machine::send_data(std::uint64_t size, std::string& prefix) {
    if (size == 0) return send_error("a piece of a body cannot be empty");
    switch (cycle_.send) {
    case sending::sized:
        if (size > cycle_.send_remaining) break;
        cycle_.send_remaining -= size;
        if (cycle_.send_remaining == 0) cycle_.send = sending::done;
        return {};
    case sending::chunked: append_chunk_size(size, prefix); return {};
    case sending::until_close: return {};
    case sending::idle: return send_error("body before head");
    case sending::done:
    case sending::upgraded: break;
    }
    return send_error("the body is longer than its head announced");
}

std::string_view machine::data_suffix() const noexcept { return cycle_.send == sending::chunked ? "\r\n" : ""; }

result<void> machine::send_end(const fields* trailers, std::string& out) {
    switch (cycle_.send) {
    case sending::idle: return send_error("end before head");
    case sending::sized:
        return send_error("the body is " + std::to_string(cycle_.send_remaining) +
                          " bytes shorter than its head announced");
    case sending::chunked:
        if (auto written = append_last_chunk(trailers, out); !written) return written;
        break;
    case sending::upgraded: return {};
    case sending::until_close:
    case sending::done: break;
    }
    cycle_.send = sending::done;
    return {};
}

bool machine::sends_body() const noexcept {
    return cycle_.send == sending::sized || cycle_.send == sending::chunked || cycle_.send == sending::until_close;
}

bool machine::sent_all() const noexcept { return cycle_.send == sending::done || cycle_.send == sending::upgraded; }

// --- Receiving. ---

step machine::receive(std::string_view input) {
    using kind = step::kind;
    switch (cycle_.receive) {
    case receiving::head: return receive_head(input);
    case receiving::sized: {
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(cycle_.receive_remaining, input.size()));
        if (size == 0) return {};
        count_content(size);
        return {kind::data, size, input.substr(0, size)};
    }
    case receiving::chunked: return receive_chunks(input);
    case receiving::until_close:
        if (input.empty()) return {};
        return {kind::data, input.size(), input};
    case receiving::trailers: return receive_trailers(input);
    case receiving::ending: return end_message(input);
    case receiving::done:
        if (cycle_.send == sending::upgraded) {
            on(event::head_switching);
            return receive(input);
        }
        cycle_.unexpected_bytes |= role_ == role::client && !input.empty();
        return {};
    case receiving::switching: on(event::switch_delivered); return {kind::upgraded, 0, {}};
    case receiving::upgraded: return {kind::upgraded, 0, {}};
    case receiving::failed: break;
    }
    return {kind::failed, 0, {}};
}

step machine::receive_head(std::string_view input) {
    if (role_ == role::client && cycle_.send == sending::idle) {
        // Nothing was asked. (A server that gives up an idle connection may say so with a 408: the same to us.)
        cycle_.unexpected_bytes |= !input.empty();
        return {};
    }
    std::size_t skipped = 0;
    if (role_ == role::server && !parser_.started()) {
        while (input.substr(skipped).starts_with("\r\n")) {
            if (++cycle_.empty_lines > max_leading_empty_lines)
                return fail(error_code::malformed_message, "too many empty lines before the request line");
            skipped += 2;
        }
        if (input.substr(skipped) == "\r") return {step::kind::need_more, skipped, {}};
    }
    const std::string_view head = input.substr(skipped);
    if (head.empty()) return {step::kind::need_more, skipped, {}};
    cycle_.started = true;
    switch (parser_.parse(head, limits_)) {
    case head_parser::outcome::need_more: return {step::kind::need_more, skipped, {}};
    case head_parser::outcome::failed:
        if (role_ == role::server) cycle_.method = kind_of_method(parser_.method(head));
        return fail(std::move(parser_.failure()));
    case head_parser::outcome::complete: break;
    }
    step accepted = role_ == role::server ? accept_request(head) : accept_response(head);
    accepted.used += skipped;
    return accepted;
}

step machine::accept_request(std::string_view head) {
    request_.method = parser_.method(head);
    request_.target = parser_.target(head);
    request_.version = parser_.version();
    request_.headers.assign_block(parser_.block(head), parser_.records().data(), parser_.records().size());
    cycle_.method = kind_of_method(request_.method);
    cycle_.request_version = request_.version;

    const head_facts facts = facts_of(request_.headers);
    const bool is_1_1 = request_.version == http_version::http_1_1;
    cycle_.peer_closes = !facts.persists(request_.version);
    if (facts.host_lines > 1) return fail(error_code::malformed_message, "the request has more than one Host");
    if (facts.host_lines == 0 && is_1_1) return fail(error_code::malformed_message, "the request has no Host");
    if (!http::is_authority(facts.host, true))
        return fail(error_code::malformed_message, "the request has an invalid Host: " + excerpt(facts.host));

    const framing framed = frame_request(facts, request_.version, cycle_.method);
    cycle_.asked_upgrade = facts.has_upgrade && is_1_1;
    cycle_.expects_continue =
        facts.expects_continue && is_1_1 &&
        (framed.body == body_kind::chunked || (framed.body == body_kind::sized && framed.size > 0));
    return enter_body(facts, framed, step::kind::head, parser_.size());
}

step machine::accept_response(std::string_view head) {
    response_.status = parser_.status();
    response_.version = parser_.version();
    response_.reason = parser_.reason(head);
    response_.headers.assign_block(parser_.block(head), parser_.records().data(), parser_.records().size());
    const std::size_t used = parser_.size();

    if (response_.status < 200) {
        if (response_.status == 101) {
            if (!cycle_.asked_upgrade)
                return fail(error_code::malformed_message, "the peer switched protocols without being asked");
            on(event::head_switching);
            return {step::kind::head, used, {}};
        }
        if (++cycle_.informational > max_informational_responses)
            return fail(error_code::malformed_message, "too many informational responses");
        on(event::head_informational);
        parser_.begin(head_parser::section::response);
        return {step::kind::informational, used, {}};
    }
    const head_facts facts = facts_of(response_.headers);
    cycle_.peer_closes = !facts.persists(response_.version);
    return enter_body(facts, frame_response(facts, response_.version, response_.status, cycle_.method),
                      step::kind::head, used);
}

step machine::enter_body(const head_facts& facts, const framing& framed, step::kind what, std::size_t used) {
    if (framed.fault != framing_fault::none) {
        const bool about_length = framed.fault <= framing_fault::content_length_repeated;
        const std::string_view value = about_length ? facts.content_length : facts.transfer_encoding;
        std::string message(message_name());
        message += ' ';
        message += explain(framed.fault);
        if (!value.empty()) message += ": " + excerpt(value);
        return fail({error_code::malformed_message, status_for(framed.fault), std::move(message)});
    }
    if (facts.content_length_lines == 1) cycle_.announced = parse_content_length(facts.content_length);
    cycle_.receive_remaining = framed.size;
    switch (framed.body) {
    case body_kind::none: on(event::head_bodyless); break;
    case body_kind::sized: on(framed.size > 0 ? event::head_sized : event::head_bodyless); break;
    case body_kind::chunked:
        on(event::head_chunked);
        chunks_.begin();
        break;
    case body_kind::until_close:
        on(event::head_until_close);
        cycle_.body_until_close = true;
        break;
    case body_kind::tunnel: on(event::head_switching); break;
    }
    return {what, used, {}};
}

step machine::receive_chunks(std::string_view input) {
    const chunked_decoder::piece piece = chunks_.decode(input, limits_);
    switch (piece.what) {
    case chunked_decoder::piece::kind::need_more: return {step::kind::need_more, piece.used, {}};
    case chunked_decoder::piece::kind::data:
        cycle_.expects_continue = false;
        return {step::kind::data, piece.used, piece.data};
    case chunked_decoder::piece::kind::failed: return fail(chunks_.failure());
    case chunked_decoder::piece::kind::last: break;
    }
    on(event::last_chunk);
    parser_.begin(head_parser::section::trailers);
    step following = receive_trailers(input.substr(piece.used));
    following.used += piece.used;
    return following;
}

step machine::receive_trailers(std::string_view input) {
    switch (parser_.parse(input, limits_)) {
    case head_parser::outcome::need_more: return {};
    case head_parser::outcome::failed: return fail(std::move(parser_.failure()));
    case head_parser::outcome::complete: break;
    }
    if (!parser_.records().empty())
        trailers_.assign_block(parser_.block(input), parser_.records().data(), parser_.records().size());
    on(event::content_complete);
    step ended = end_message(input.substr(parser_.size()));
    ended.used = parser_.size();
    return ended;
}

step machine::end_message(std::string_view rest) {
    on(event::end_delivered);
    cycle_.unexpected_bytes |= role_ == role::client && !rest.empty();
    return {step::kind::end, 0, {}};
}

step machine::receive_end() {
    const bool awaited = role_ == role::server ? cycle_.started : cycle_.send != sending::idle;
    switch (cycle_.receive) {
    case receiving::head:
        cycle_.peer_closes = true;
        if (!awaited) return {};
        return fail(error_code::connection_closed, cycle_.started
                                                       ? "the peer closed the connection in the middle of a head"
                                                       : "the peer closed the connection before it answered");
    case receiving::sized:
        return fail(error_code::body_incomplete, "the peer closed the connection " +
                                                     std::to_string(cycle_.receive_remaining) +
                                                     " bytes before the end of the body");
    case receiving::chunked:
        return fail(error_code::body_incomplete, "the peer closed the connection in a chunked body, after " +
                                                     std::to_string(chunks_.decoded()) + " bytes of content");
    case receiving::trailers:
        return fail(error_code::body_incomplete, "the peer closed the connection before the end of the trailers");
    default: break;
    }
    on(event::peer_closed);
    cycle_.peer_closes = true;
    return receive({});
}

step machine::fail(fault found) {
    on(event::fault);
    failure_ = {found.code, phase::read, culprit::peer, 0, std::move(found.message)};
    failure_status_ = found.status;
    return {step::kind::failed, 0, {}};
}

std::string_view machine::message_name() const noexcept {
    return role_ == role::server ? "the request" : "the response";
}

void machine::count_content(std::uint64_t size) noexcept {
    cycle_.expects_continue = false;
    cycle_.receive_remaining -= size;
    if (cycle_.receive_remaining == 0) on(event::content_complete);
}

std::uint64_t machine::contiguous_body_remaining() const noexcept {
    if (cycle_.receive == receiving::sized) return cycle_.receive_remaining;
    return cycle_.receive == receiving::chunked ? chunks_.data_remaining() : 0;
}

void machine::received_directly(std::uint64_t size) noexcept {
    assert(size <= contiguous_body_remaining());
    cycle_.expects_continue = false;
    if (cycle_.receive == receiving::sized) count_content(size);
    else chunks_.skip_data(size);
}

bool machine::received_all() const noexcept {
    return cycle_.receive == receiving::done || cycle_.receive == receiving::upgraded;
}

// --- Between exchanges. ---

reuse machine::reusable() const noexcept {
    if (cycle_.receive == receiving::failed) return reuse::protocol_error;
    if (cycle_.receive == receiving::switching || cycle_.receive == receiving::upgraded ||
        cycle_.send == sending::upgraded)
        return reuse::upgraded;
    const bool unused = cycle_.send == sending::idle && !cycle_.started;
    const bool finished = cycle_.send == sending::done && cycle_.receive == receiving::done;
    if (!unused && !finished) return reuse::not_finished;
    if (cycle_.unexpected_bytes) return reuse::unexpected_bytes;
    if (cycle_.body_until_close) return reuse::body_until_close;
    if (cycle_.peer_closes) return reuse::peer_said_close;
    return cycle_.we_close ? reuse::we_said_close : reuse::yes;
}

void machine::next_cycle() noexcept {
    assert(reusable() == reuse::yes);
    cycle_ = {};
    trailers_.clear();
    parser_.begin(role_ == role::server ? head_parser::section::request : head_parser::section::response);
}

}  // namespace pabal::http1

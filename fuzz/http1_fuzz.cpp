// HTTP/1.1 messages. The first byte chooses what a client asked and how the peer behaves, the second how the input is
// cut into pieces; the rest is what arrives. It is given to a server and to a client.
//
// Invariants:
//   - the whole input, the input in pieces, and the input with its content received directly give the same events, the
//     same failure and the same verdict about the connection;
//   - a step uses no more than it was given, views of data lie in the input, and every event but `end` uses input, so
//     that the work is linear;
//   - a failure is the peer's, printable, and final;
//   - a message that was accepted is accepted by our own sender, and what that writes is received as the same message:
//     nobody can smuggle anything through us. A sender refuses only what RFC 9110 forbids to send although it is
//     understood (content in TRACE, framing fields in trailers, nonsense where framing fields mean nothing).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/http/status.hpp"
#include "protocol/http1/encoder.hpp"
#include "protocol/http1/machine.hpp"

namespace {

using namespace pabal;
using http1::machine;
using http1::role;
using http1::step;
using kind = http1::step::kind;

void require(bool holds) {
    if (!holds) std::abort();
}

struct options {
    explicit options(std::uint8_t bits)
        : method(bits & 3), switches((bits & 4) != 0), closes((bits & 8) != 0), narrow((bits & 16) != 0) {}
    unsigned method;
    bool switches;  ///< a server agrees to upgrade and to connect
    bool closes;    ///< the peer closes after the input
    bool narrow;    ///< small limits

    http1::limits limits() const {
        http1::limits bounds;
        if (narrow) bounds = {40, 120, 5, 30, 12};
        return bounds;
    }
    request_head request() const {
        request_head asked;
        asked.headers.append_valid("Host", "h");
        if (method == 1) asked.method = "HEAD";
        if (method == 2) asked.method = "CONNECT", asked.target = "h:1";
        if (method == 3) asked.headers.append_valid("Upgrade", "x");
        return asked;
    }
};

/// A message and what came of it.
struct event {
    kind what = kind::need_more;
    std::string text;  ///< start line, content, or failure
    fields lines;      ///< headers, or trailers of `end`
    request_head request;
    response_head response;
};

struct story {
    std::vector<event> events;
    http1::reuse verdict = http1::reuse::yes;
    std::string rest;
};

bool same(const fields& left, const fields& right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](const auto& one, const auto& other) {
        return one.name == other.name && one.value == other.value && one.id == other.id;
    });
}

bool same(const event& left, const event& right) {
    return left.what == right.what && left.text == right.text && same(left.lines, right.lines);
}

/// Sizes of pieces from a seed; 0 is byte by byte.
class cutter {
public:
    explicit cutter(std::uint8_t seed) : state_(seed) {}
    std::size_t next() {
        if (state_ == 0) return 1;
        state_ = state_ * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
        const std::uint64_t bits = state_ >> 33;
        return 1 + (bits & 1 ? bits >> 1 & 3 : bits >> 1 & 63);
    }

private:
    std::uint64_t state_;
};

class receiver {
public:
    receiver(role as, const options& chosen, bool direct)
        : role_(as), options_(chosen), direct_(direct), machine_(as, chosen.limits()) {
        if (as == role::client) require(machine_.send_request(chosen.request(), 0, written_).has_value());
    }

    void feed(std::string_view more) {
        pending_.insert(pending_.end(), more.begin(), more.end());
        // Memory that ends where the input does, for the address sanitizer.
        const std::vector<char> exact(pending_.begin(), pending_.end());
        std::string_view input(exact.data(), exact.size());
        for (;;) {
            if (direct_) receive_directly(input);
            const step now = machine_.receive(input);
            require(now.used <= input.size());
            if (now.what == kind::data) {
                require(!now.data.empty() && now.data.data() >= input.data());
                require(now.data.data() + now.data.size() == input.data() + now.used);
            }
            if (now.what == kind::head || now.what == kind::informational) require(now.used > 0);
            note(now);
            input.remove_prefix(now.used);
            if (now.what == kind::end && role_ == role::server) answer();
            if (now.what == kind::need_more || now.what == kind::upgraded || now.what == kind::failed) break;
        }
        pending_.assign(input.begin(), input.end());
    }

    story finish() {
        if (options_.closes) note(machine_.receive_end());
        if (failed_) {
            require(machine_.receive("x").what == kind::failed && machine_.receive("x").used == 0);
            require(machine_.receive_end().what == kind::failed);
            require(machine_.reusable() == http1::reuse::protocol_error);
            pending_.clear();  // how much of a faulty message was used does not matter
        }
        told_.verdict = machine_.reusable();
        told_.rest.assign(pending_.begin(), pending_.end());
        return std::move(told_);
    }

private:
    void receive_directly(std::string_view& input) {
        const auto size = static_cast<std::size_t>(
            std::min<std::uint64_t>(machine_.contiguous_body_remaining(), (input.size() + 1) / 2));
        if (size == 0) return;
        machine_.received_directly(size);
        note({kind::data, size, input.substr(0, size)});
        input.remove_prefix(size);
    }

    void note(const step& now) {
        if (now.what == kind::need_more) return;
        const bool continues = !told_.events.empty() && told_.events.back().what == now.what;
        if (continues && now.what == kind::data) {
            told_.events.back().text += now.data;
            return;
        }
        // These are said whenever one asks.
        if (continues && (now.what == kind::upgraded || now.what == kind::failed)) return;
        event said;
        said.what = now.what;
        said.text = now.data;
        if (now.what == kind::head || now.what == kind::informational) note_head(said);
        if (now.what == kind::end) said.lines = machine_.take_trailers();
        if (now.what == kind::failed) note_failure(said);
        told_.events.push_back(std::move(said));
    }

    void note_head(event& said) {
        if (role_ == role::server) {
            said.request = machine_.take_request();
            said.lines = said.request.headers;
            said.text = said.request.method + " " + said.request.target;
        } else {
            said.response = machine_.take_response();
            said.lines = said.response.headers;
            said.text = std::to_string(said.response.status) + " " + said.response.reason;
        }
    }

    void note_failure(event& said) {
        failed_ = true;
        const error& failure = machine_.failure();
        require(failure.whose == culprit::peer && !failure.message.empty());
        for (const char byte : failure.message) require(byte >= ' ' && byte < 0x7F);
        const int status = machine_.failure_status();
        require(status >= 400 && status <= 505 && !http::standard_reason(status).empty());
        said.text = std::string(name_of(failure.code)) + " " + std::to_string(status) + " " + failure.message;
    }

    void answer() {
        std::string out;
        response_head head;
        head.status = 101;
        const bool switched = options_.switches && machine_.send_response(head, 0, false, out).has_value();
        head.status = options_.switches ? 200 : 403;
        if (!switched) require(machine_.send_response(head, 0, false, out).has_value());
        if (machine_.reusable() == http1::reuse::yes) machine_.next_cycle();
    }

    role role_;
    options options_;
    bool direct_;
    machine machine_;
    std::string written_;
    std::vector<char> pending_;
    story told_;
    bool failed_ = false;
};

story tell(role as, const options& chosen, std::string_view input, std::optional<cutter> cut, bool direct) {
    receiver receives(as, chosen, direct);
    if (!cut) receives.feed(input);
    while (cut && !input.empty()) {
        const std::string_view piece = input.substr(0, cut->next());
        receives.feed(piece);
        input.remove_prefix(piece.size());
    }
    return receives.finish();
}

void require_same(const story& left, const story& right) {
    require(std::equal(left.events.begin(), left.events.end(), right.events.begin(), right.events.end(),
                       [](const event& one, const event& other) { return same(one, other); }));
    require(left.verdict == right.verdict && left.rest == right.rest);
}

// --- Through our own sender. ---

/// A message whose end was seen.
struct message {
    const event* head = nullptr;
    std::string_view content;
    const event* end = nullptr;
};

std::vector<message> complete_messages(const story& told) {
    std::vector<message> found;
    message now;
    for (const event& each : told.events) {
        if (each.what == kind::head) now = {&each, {}, nullptr};
        if (each.what == kind::data) now.content = each.text;
        if (each.what == kind::end) now.end = &each, found.push_back(now);
    }
    return found;
}

void send_body(machine& from, const message& sent, bool& with_trailers, std::string& out) {
    std::string_view content = sent.content;
    while (!content.empty()) {
        const std::string_view piece = content.substr(0, 1 + content.size() / 2);
        require(from.send_data(piece.size(), out).has_value());
        out += piece;
        out += from.data_suffix();
        content.remove_prefix(piece.size());
    }
    const std::size_t before = out.size();
    with_trailers = from.send_end(&sent.end->lines, out).has_value();
    if (with_trailers) return;
    require(out.size() == before && from.send_end(nullptr, out).has_value());
}

std::optional<std::uint64_t> body_size(const fields& headers, const message& sent) {
    if (headers.contains(field_id::transfer_encoding)) return std::nullopt;
    return sent.content.size();
}

fields without(fields headers, std::initializer_list<field_id> names) {
    for (const field_id name : names) headers.remove(name);
    return headers;
}

void check_request(const message& sent) {
    const request_head& head = sent.head->request;
    machine client(role::client);
    std::string wire;
    const auto outcome = client.send_request(head, body_size(head.headers, sent), wire);
    if (!outcome) {
        const bool framed = head.headers.contains(field_id::transfer_encoding) || !sent.content.empty();
        require(wire.empty() && head.method == "TRACE" && framed);
        return;
    }
    bool with_trailers = false;
    send_body(client, sent, with_trailers, wire);

    const story again = tell(role::server, options(0), wire, std::nullopt, false);
    const auto received = complete_messages(again);
    require(received.size() == 1 && again.rest.empty());
    const message& got = received.front();
    require(got.head->text == sent.head->text && got.head->request.version == head.version);
    require(got.content == sent.content);
    require(!with_trailers || same(got.end->lines, sent.end->lines));
    fields expected = head.headers;
    if (got.head->lines.size() > expected.size()) expected.append_valid("Content-Length", "0");  // POST without content
    require(same(got.head->lines, expected));
}

void check_response(const message& sent, const options& chosen) {
    const response_head& head = sent.head->response;
    const bool has_content = chosen.method != 1 && !http1::is_bodyless(head.status);
    machine server(role::server);
    require(server.receive("GET / HTTP/1.1\r\nHost: h\r\n\r\n").what == kind::head);
    require(server.receive("").what == kind::end);
    const bool sized = head.headers.contains(field_id::content_length);
    std::string wire;
    const auto outcome = server.send_response(
        head, sized ? std::optional<std::uint64_t>(sent.content.size()) : std::nullopt, false, wire);
    if (!outcome) {
        require(wire.empty() && !has_content);  // where framing fields mean nothing they may be nonsense
        return;
    }
    if (!has_content) return;
    bool with_trailers = false;
    send_body(server, sent, with_trailers, wire);

    const story again = tell(role::client, options(0), wire, std::nullopt, false);
    const auto received = complete_messages(again);
    require(received.size() == 1 && again.rest.empty());
    const message& got = received.front();
    require(got.head->response.status == head.status && got.content == sent.content);
    require(head.reason.empty() || got.head->response.reason == head.reason);
    require(!with_trailers || same(got.end->lines, sent.end->lines));
    const auto framing = {field_id::content_length, field_id::transfer_encoding, field_id::connection};
    require(same(without(got.head->lines, framing), without(head.headers, framing)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const options chosen(data[0]);
    const cutter cut(data[1]);
    const std::string_view input{reinterpret_cast<const char*>(data) + 2, size - 2};
    for (const role as : {role::server, role::client}) {
        const story whole = tell(as, chosen, input, std::nullopt, false);
        require_same(whole, tell(as, chosen, input, cut, false));
        require_same(whole, tell(as, chosen, input, cut, true));
        for (const message& each : complete_messages(whole)) {
            // Our sender may add two lines, for which there must be room.
            if (each.head->lines.size() + 2 > http1::limits{}.max_fields) continue;
            if (as == role::server) check_request(each);
            else check_response(each, chosen);
        }
    }
    return 0;
}

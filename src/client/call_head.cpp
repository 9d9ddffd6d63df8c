#include <algorithm>
#include <utility>

#include "client/call.hpp"
#include "client/netrc.hpp"
#include "client/session.hpp"
#include "protocol/http/basic_auth.hpp"
#include "protocol/http/priority.hpp"

namespace pabal::client {

namespace {

constexpr std::string_view priority_name = "Priority";

/// What is for one origin only.
bool is_credential(field_id id) noexcept {
    return id == field_id::authorization || id == field_id::cookie || id == field_id::proxy_authorization;
}

/// "X-Sum, X-Time": what Trailer announces (RFC 9110 section 6.6.2).
std::string names_of(const fields& lines) {
    std::string out;
    for (const fields::field line : lines) {
        if (!out.empty()) out += ", ";
        out += line.name;
    }
    return out;
}

}  // namespace

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
        if (is_unexpecting_ && line.id == field_id::expect) continue;
        out.append_valid(line.name, line.value);
    }
    // A gateway that is addressed by its own URL may want Proxy-Authorization; behind a proxy it is not for an origin.
    const bool addresses_gateway = asked_.as_told && !via_;
    for (const fields::field line : asked_.headers) {
        if (line.id == field_id::host) continue;
        if (line.id == field_id::proxy_authorization && !addresses_gateway) continue;
        if (leaves_origin_ && is_credential(line.id)) continue;
        if (is_unexpecting_ && line.id == field_id::expect) continue;
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
        // Only a chunked body has trailers: one that lies in memory is read in pieces then.
        const bool is_chunked = !asked_.trailers.empty();
        request_body = is_chunked ? std::string_view{} : asked_.body.view();
        request_body_size = is_chunked ? std::nullopt : std::optional<std::uint64_t>(asked_.body.size());
        body_given_ = 0;
    }
    if (!asked_.trailers.empty() && !out.contains(field_id::trailer))
        out.append_valid("Trailer", names_of(asked_.trailers));
    if (asked_.priority && !out.contains(priority_name))
        out.append_valid(priority_name, http::priority_field(*asked_.priority));
    if (asked_.continue_wait && !is_unexpecting_ && request_body_size != 0 && !out.contains(field_id::expect))
        out.append_valid("Expect", "100-continue");
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
        const auto body = asked_.streams_body ? std::nullopt : std::optional(asked_.body.view());
        value = given->authorize(to, request, body, answered_challenges_ > 0);
    } else if (to.has_userinfo() && !out.contains(field_id::authorization)) {
        // A user name that Basic cannot carry (RFC 7617 section 2: no colon, no controls) is left out; the server says 401.
        if (auto basic = http::basic_credentials(to.username(), to.password().value_or(""))) value = std::move(*basic);
    }
    if (value.empty() && session_->netrc && !out.contains(field_id::authorization)) value = netrc_credentials();
    if (!value.empty()) out.append_valid("Authorization", value);
}

/// What a proxy that forwards needs to see (RFC 9112 section 3.2.2). It learns Proxy-Authorization from here alone: what
/// the caller put among the headers might reach an origin, where it must never be seen.
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
        if (body_given_ == asked_.body.size()) return read_outcome{read_outcome::kind::end, 0};
        const std::size_t size = asked_.body.view().copy(buffer.data(), buffer.size(), body_given_);
        body_given_ += size;
        return read_outcome{read_outcome::kind::data, size};
    }
    body_read_ = true;
    if (!observer_) return read_outcome{read_outcome::kind::end, 0};
    return observer_->read_call_body(*this, buffer);
}

const fields* call::request_trailers() {
    const fields* made = observer_ && asked_.streams_body ? observer_->call_trailers(*this) : nullptr;
    return made ? made : &asked_.trailers;
}

void call::body_ready() {
    if (responder* answering = answered_by()) answering->request_body_ready(*this);
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

}  // namespace pabal::client

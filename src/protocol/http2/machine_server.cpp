// The server's half of the machine.

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <nghttp2/nghttp2.h>

#include "protocol/http2/machine.hpp"
#include "protocol/http2/wire.hpp"

namespace pabal::http2 {

namespace {

/// Three digits.
std::array<char, 3> digits_of(int status) noexcept {
    return {static_cast<char>('0' + status / 100), static_cast<char>('0' + status / 10 % 10),
            static_cast<char>('0' + status % 10)};
}

std::vector<nghttp2_nv> lines_of(const fields& headers, std::string_view status) {
    std::vector<nghttp2_nv> lines;
    lines.reserve(headers.size() + 1);
    lines.push_back(field_of(":status", status));
    for (const fields::field line : headers) {
        if (!is_left_out(line)) lines.push_back(field_of(line.name, line.value));
    }
    return lines;
}

}  // namespace

// --- Requests --------------------------------------------------------------------------------------------------------

void machine::begin_request(std::int32_t id) {
    head_size_ = 0;
    request_ = {};
    request_.version = http_version::http_2;
    request_.target.clear();
    cookies_.clear();
    has_authority_ = is_bad_ = false;
    stream* const opened = observer_.on_request_begun();
    if (!opened) {
        nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
        return;
    }
    opened->id_ = id;
    nghttp2_session_set_stream_user_data(session_.get(), id, opened);
}

/// Fields beyond the limits are passed over and the request is answered with that, unless there is no end of them. False: the
/// stream is reset.
bool machine::add_request_field(stream& of, std::string_view name, std::string_view value) {
    head_size_ += name.size() + value.size();
    if (head_size_ > limits_.bomb_factor * limits_.max_head) return end_calmly("sends a head without end"), false;
    of.too_large_ |= head_size_ > limits_.max_head || records_.size() >= limits_.max_fields;
    if (of.too_large_) return true;
    if (name.front() == ':') {  // nghttp2 saw to it that each comes once, before all other fields
        if (name == ":method") request_.method = value;
        else if (name == ":path") request_.target = value;
        else if (name == ":authority") {
            has_authority_ = true;
            keep_field("host", value, field_id::host);
        }
        return true;
    }
    const field_id id = id_of(name);
    if (id == field_id::host && has_authority_) {
        // RFC 9113 section 8.3.1: one that names another host is malformed; the same again says nothing.
        const fields::record& host = records_.front();
        is_bad_ |= !equals_ignoring_case(value, std::string_view(block_).substr(host.value_offset, host.value_size));
        return true;
    }
    if (id == field_id::cookie) {
        if (!cookies_.empty()) cookies_ += "; ";
        cookies_ += value;
        return true;
    }
    keep_field(name, value, id);
    return true;
}

void machine::end_request_head(stream& of, bool ends) {
    // Who asks for something may also ask how we are.
    idle_frames_ -= std::min(idle_frames_, 2U);
    of.has_head_ = true;
    if (of.too_large_) return of.on_bad_request(431);
    if (is_bad_) return of.on_bad_request(400);
    if (!cookies_.empty()) keep_field("cookie", cookies_, field_id::cookie);
    request_.headers.assign_block(block_, records_.data(), records_.size());
    if (request_.method == "CONNECT") request_.target = request_.headers.find(field_id::host).value_or("");
    const auto announced = announced_size(request_.headers);
    std::optional<std::uint64_t> size = announced ? *announced : std::nullopt;
    if (ends) size = 0;
    const std::int32_t id = of.id_;
    of.on_request(std::move(request_), size);
    if (ends && stream_of(id) == &of) end_message(of, {});
}

void machine::request_closed(stream& gone, error_reason reason) {
    spend(resets_, limits_.max_resets, "streams that nobody waits for");
    std::string message = "the client ended the exchange before it was complete (" + name_of(reason) + ")";
    error_code code = error_code::stream_reset;
    if (!gone.defect_.empty()) {
        code = error_code::malformed_message;
        message = "malformed HTTP/2 request: " + gone.defect_;
    } else if (gone.too_large_) {
        code = error_code::head_too_large;
        message = "the trailers of the request are too large";
    }
    gone.on_reset({code, phase::read, culprit::peer, 0, std::move(message)}, false);
}

// --- Responses -------------------------------------------------------------------------------------------------------

result<void> machine::inform(const response_head& head, stream& of) {
    if (head.status < 100 || head.status > 199 || head.status == 101)
        return callers(error_code::invalid_argument, "not an informational status: " + std::to_string(head.status));
    if (!fits_a_header_block(head.headers)) return callers(error_code::invalid_header, "too many fields");
    const auto digits = digits_of(head.status);
    const auto lines = lines_of(head.headers, {digits.data(), digits.size()});
    if (const int done = nghttp2_submit_headers(session_.get(), NGHTTP2_FLAG_NONE, of.id_, nullptr, lines.data(),
                                                lines.size(), nullptr);
        done != 0)
        return fatal(done);
    return {};
}

result<void> machine::respond(const response_head& head, bool has_body, stream& of) {
    if (head.status < 200 || head.status > 999)
        return callers(error_code::invalid_argument, "not a final status: " + std::to_string(head.status));
    if (!fits_a_header_block(head.headers)) return callers(error_code::invalid_header, "too many fields");
    const auto announced = announced_size(head.headers);
    if (!announced) return announced.error();
    const auto digits = digits_of(head.status);
    const auto lines = lines_of(head.headers, {digits.data(), digits.size()});
    const nghttp2_data_provider2 source = body_source();
    if (const int done =
            nghttp2_submit_response2(session_.get(), of.id_, lines.data(), lines.size(), has_body ? &source : nullptr);
        done != 0)
        return fatal(done);
    of.body_left_ = has_body ? *announced : 0;
    of.sent_all_ = !has_body;
    return {};
}

/// The end of a response has left. If the request has not ended, the client is told that the rest is not needed.
void machine::response_sent(std::int32_t id) {
    if (nghttp2_session_get_stream_remote_close(session_.get(), id) == 0)
        nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);
}

void machine::finish() {
    accepts_streams_ = false;
    nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_.get()),
                          NGHTTP2_NO_ERROR, nullptr, 0);
}

// --- Defences --------------------------------------------------------------------------------------------------------

void machine::spend(unsigned& spent, unsigned allowed, std::string_view what) {
    if (++spent > allowed) end_calmly("sends too many " + std::string(what));
}

/// RFC 9113 section 10.5: a peer whose activity is suspicious is told to calm down, and the connection ends.
void machine::end_calmly(std::string_view why) {
    if (failure_) return;
    failure_ = error{error_code::malformed_message, phase::read, culprit::peer, 0,
                     "the client " + std::string(why) + " (ENHANCE_YOUR_CALM)"};
    nghttp2_session_terminate_session(session_.get(), NGHTTP2_ENHANCE_YOUR_CALM);
}

}  // namespace pabal::http2

// The server's half of the machine.

#include <algorithm>
#include <array>
#include <utility>

#include <nghttp2/nghttp2.h>

#include "protocol/http2/machine.hpp"
#include "protocol/http2/wire.hpp"

namespace pabal::http2 {

/// What nghttp2 passes over: frames on streams that are closed. Returns the input as far as it is free of them, and why it goes no
/// further.
std::string_view machine::judge_frames(std::string_view input, error_reason& broken) {
    frame_header header;
    for (std::size_t at = 0; headers_.next(input, at, header);) {
        broken = judge(header);
        if (broken != error_reason::no_error) return input.substr(0, headers_.begin());
    }
    return input;
}

error_reason machine::judge(const frame_header& header) {
    const bool ends = (header.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (header.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA: return history_.message_frame(header.stream, header.type == NGHTTP2_HEADERS, ends);
    case NGHTTP2_RST_STREAM: history_.reset_frame(header.stream); break;
    case NGHTTP2_PRIORITY:
    case NGHTTP2_SETTINGS:
    case NGHTTP2_PING:
    case NGHTTP2_PRIORITY_UPDATE: break;
    default: return error_reason::no_error;
    }
    note_idle_frame();
    return error_reason::no_error;
}

result<void> machine::end_if_broken(error_reason rule) {
    if (nghttp2_session_get_outbound_queue_size(session_.get()) >
        limits_.concurrent_streams + limits_.max_queued_frames)
        end_calmly("does not read what it asks for");
    if (rule != error_reason::no_error && !failure_) {
        failure_ = broken_by_peer(rule, {});
        nghttp2_session_terminate_session(session_.get(), static_cast<std::uint32_t>(rule));
    }
    if (failure_) return *failure_;
    return {};
}

// --- Requests --------------------------------------------------------------------------------------------------------

void machine::begin_request(std::int32_t id) {
    request_.begin();
    ++heads_begun_;
    stream* const opened = arriving_ = observer_.on_request_begun();
    if (!opened) {
        nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
        return;
    }
    opened->id_ = id;
    nghttp2_session_set_stream_user_data(session_.get(), id, opened);
}

/// Fields beyond the limits are passed over and the request is answered with that, unless there is no end of them. False: the
/// stream is reset.
bool machine::add_request_field(std::string_view name, std::string_view value) {
    request_.add(name, value);
    if (request_.size() <= limits_.bomb_factor * limits_.max_head) return true;
    end_calmly("sends a head without end");
    return false;
}

void machine::end_request_head(stream& of, bool ends) {
    earn(2);
    of.has_head_ = true;
    if (request_.is_too_large()) return of.on_request_too_large();
    if (const std::string_view defect = request_.defect(); !defect.empty()) return reset_malformed(of, defect);
    request_head head = request_.take();
    const auto announced = http::announced_size(head.headers);
    if (!announced) return reset_malformed(of, "invalid Content-Length");
    const std::int32_t id = of.id_;
    of.on_request(std::move(head), ends ? std::optional<std::uint64_t>(0) : *announced);
    if (ends && stream_of(id) == &of) end_message(of, {});
}

/// RFC 9113 section 8.1.1. What nghttp2 finds malformed by itself it resets by itself.
void machine::reset_malformed(stream& of, std::string_view defect) {
    of.defect_ = defect;
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, of.id_, NGHTTP2_PROTOCOL_ERROR);
}

void machine::request_closed(stream& gone, error_reason reason) {
    if (!gone.sent_all_) spend(resets_, limits_.max_resets, "streams that nobody waits for");
    else if (gone.ended_) return;
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
    if (auto checked = http::check_informational(head); !checked) return checked;
    if (!fits_a_header_block(head.headers)) return callers(error_code::invalid_header, "too many fields");
    const auto digits = http::digits_of(head.status);
    field_lines lines;
    http::for_each_line(head, digits, lines);
    if (const int done = nghttp2_submit_headers(session_.get(), NGHTTP2_FLAG_NONE, of.id_, nullptr, lines.data(),
                                                lines.size(), nullptr);
        done != 0)
        return fatal(done);
    return {};
}

result<void> machine::respond(const response_head& head, bool has_body, stream& of) {
    const auto announced = http::check_final(head);
    if (!announced) return announced.error();
    if (!fits_a_header_block(head.headers)) return callers(error_code::invalid_header, "too many fields");
    const auto digits = http::digits_of(head.status);
    field_lines lines;
    http::for_each_line(head, digits, lines);
    has_body = has_body && *announced != std::uint64_t{0};
    const nghttp2_data_provider2 source = body_source();
    if (const int done =
            nghttp2_submit_response2(session_.get(), of.id_, lines.data(), lines.size(), has_body ? &source : nullptr);
        done != 0)
        return fatal(done);
    of.body_left_ = has_body ? *announced : 0;
    of.sent_all_ = !has_body;
    return {};
}

/// The end of a response has left. What is to come of its request is for the owner of the stream, if it still has one.
void machine::response_sent(std::int32_t id) {
    resets_ -= std::min(resets_, 1U);
    if (stream* of = stream_of(id)) of->end_left_ = true;
    else if (nghttp2_session_get_stream_remote_close(session_.get(), id) == 0) end_unread(id);
}

/// The client is told that the rest of its request is not needed.
void machine::end_unread(std::int32_t id) {
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);
}

void machine::announce_end() {
    nghttp2_submit_shutdown_notice(session_.get());
    ping();
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

void machine::earn(unsigned frames) noexcept { idle_frames_ -= std::min(idle_frames_, frames); }

void machine::note_received_data(std::size_t size, bool ends) {
    if (size >= worthwhile_size) earn(1);
    else if (size == 0 && !ends) note_idle_frame();
}

/// A window that the client keeps so small that the response leaves in crumbs costs it; taking much earns.
void machine::note_sent_data(std::size_t size, std::size_t room) {
    if (room < crumb_size && size == room) note_idle_frame();
    else if (size >= worthwhile_size) earn(1);
}

/// RFC 9113 section 10.5: a peer whose activity is suspicious is told to calm down, and the connection ends.
void machine::end_calmly(std::string_view why) {
    if (failure_) return;
    failure_ = error{error_code::malformed_message, phase::read, culprit::peer, 0,
                     "the client " + std::string(why) + " (ENHANCE_YOUR_CALM)"};
    nghttp2_session_terminate_session(session_.get(), NGHTTP2_ENHANCE_YOUR_CALM);
}

}  // namespace pabal::http2

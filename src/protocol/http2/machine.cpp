#include "protocol/http2/machine.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <new>
#include <utility>

#include <nghttp2/nghttp2.h>

#include "base/block_pool.hpp"
#include "base/hexadecimal.hpp"
#include "protocol/http/status.hpp"
#include "protocol/http2/wire.hpp"

namespace pabal::http2 {

namespace {

/// What our PINGs carry, so that their answers can be told apart.
constexpr std::uint64_t sign_of_life = 1;
constexpr std::uint64_t round_trip = 2;

std::array<std::uint8_t, 8> bytes_of(std::uint64_t number) noexcept {
    return std::bit_cast<std::array<std::uint8_t, 8>>(number);
}
std::uint64_t number_of(const std::uint8_t (&bytes)[8]) noexcept {
    return std::bit_cast<std::uint64_t>(std::to_array(bytes));
}

/// What Content-Length says, which nghttp2 holds the peer to; 0: nothing.
std::uint64_t announced_by(const fields& headers) {
    const auto announced = http::announced_size(headers);
    return announced ? announced->value_or(0) : 0;
}

}  // namespace

std::string name_of(error_reason reason) {
    static constexpr std::array<std::string_view, 14> names{"NO_ERROR",
                                                            "PROTOCOL_ERROR",
                                                            "INTERNAL_ERROR",
                                                            "FLOW_CONTROL_ERROR",
                                                            "SETTINGS_TIMEOUT",
                                                            "STREAM_CLOSED",
                                                            "FRAME_SIZE_ERROR",
                                                            "REFUSED_STREAM",
                                                            "CANCEL",
                                                            "COMPRESSION_ERROR",
                                                            "CONNECT_ERROR",
                                                            "ENHANCE_YOUR_CALM",
                                                            "INADEQUATE_SECURITY",
                                                            "HTTP_1_1_REQUIRED"};
    const auto number = static_cast<std::size_t>(reason);
    if (number < names.size()) return std::string(names[number]);
    return base::hexadecimal(number);
}

/// nghttp2's callbacks, as members of the machine that it was given as user data.
struct machine_callbacks {
    static machine& owner(void* user_data) noexcept { return *static_cast<machine*>(user_data); }

    /// nghttp2 passes PRIORITY over; on stream 0 it is an error all the same (RFC 9113 section 6.3).
    static int on_begin_frame(nghttp2_session* session, const nghttp2_frame_hd* frame, void*) {
        if (frame->type == NGHTTP2_PRIORITY && frame->stream_id == 0)
            nghttp2_session_terminate_session(session, NGHTTP2_PROTOCOL_ERROR);
        return 0;
    }

    static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
        machine& it = owner(user_data);
        it.section_.begin();
        it.in_head_ = true;
        if (it.role_ == role::server && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
            it.begin_request(frame->hd.stream_id);
        else it.arriving_ = it.stream_of(frame->hd.stream_id);
        return 0;
    }

    static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                         const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user_data) {
        machine& it = owner(user_data);
        if (!it.arriving_) return 0;
        const std::string_view named = text_of(name, name_size), content = text_of(value, value_size);
        const bool taken = frame->headers.cat == NGHTTP2_HCAT_REQUEST ? it.add_request_field(named, content)
                                                                      : it.add_field(*it.arriving_, named, content);
        it.in_head_ = taken;
        return taken ? 0 : static_cast<int>(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE);
    }

    /// A field that RFC 9113 section 8.2.1 forbids, which nghttp2 would pass over.
    static int on_invalid_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t*, std::size_t,
                                 const std::uint8_t*, std::size_t, std::uint8_t, void* user_data) {
        owner(user_data).in_head_ = false;
        if (stream* of = owner(user_data).stream_of(frame->hd.stream_id)) of->defect_ = "invalid field";
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }

    static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                       std::size_t size, void* user_data) {
        nghttp2_session_consume_connection(session, size);
        stream* of = owner(user_data).stream_of(id);
        if (!of) return nghttp2_session_consume_stream(session, id, size), 0;
        owner(user_data).moved_last_ = id;
        of->body_to_come_ -= std::min<std::uint64_t>(of->body_to_come_, size);
        of->on_data(text_of(data, size));
        return 0;
    }

    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
        machine& it = owner(user_data);
        const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        switch (frame->hd.type) {
        case NGHTTP2_HEADERS:
            it.in_head_ = false;
            if (stream* of = std::exchange(it.arriving_, nullptr)) {
                if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) it.end_request_head(*of, ends);
                else it.end_head(*of, ends);
            }
            break;
        case NGHTTP2_DATA:
            if (it.role_ == role::server) it.note_received_data(frame->hd.length - frame->data.padlen, ends);
            if (stream* of = ends ? it.stream_of(frame->hd.stream_id) : nullptr) it.end_message(*of, {});
            break;
        case NGHTTP2_SETTINGS:
            if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) break;
            it.settings_seen_ = true;
            it.observer_.on_capacity_changed();
            break;
        case NGHTTP2_PING:
            if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) it.answered(number_of(frame->ping.opaque_data));
            break;
        case NGHTTP2_GOAWAY:
            it.accepts_streams_ = false;
            it.observer_.on_going_away();
            break;
        case NGHTTP2_ALTSVC: it.alternative_services(frame->hd.stream_id, frame->ext.payload); break;
        default: break;
        }
        return 0;
    }

    /// The peer broke a rule; nghttp2 resets the stream or ends the connection for it.
    static int on_invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int code, void* user_data) {
        owner(user_data).in_head_ = false;
        if (stream* of = owner(user_data).stream_of(frame->hd.stream_id)) of->defect_ = nghttp2_strerror(code);
        return 0;
    }

    static int on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t code, void* user_data) {
        stream* gone = owner(user_data).stream_of(id);
        if (!gone) return 0;
        machine& it = owner(user_data);
        it.let_go(*gone);
        if (it.role_ == role::client) it.closed(*gone, error_reason{code});
        else it.request_closed(*gone, error_reason{code});
        return 0;
    }

    static int on_frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
        machine& it = owner(user_data);
        const bool is_message = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
        if (is_message && it.role_ == role::server && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
            it.response_sent(frame->hd.stream_id);
        if (frame->hd.type != NGHTTP2_GOAWAY) return 0;
        const nghttp2_goaway& said = frame->goaway;
        it.accepts_streams_ = false;
        if (said.error_code == NGHTTP2_NO_ERROR || it.failure_) return 0;
        it.failure_ = it.broken_by_peer(error_reason{said.error_code}, text_of(said.opaque_data, said.opaque_data_len));
        return 0;
    }

    static nghttp2_ssize read_body(nghttp2_session*, std::int32_t id, std::uint8_t* buffer, std::size_t size,
                                   std::uint32_t* flags, nghttp2_data_source*, void* user_data) {
        stream* of = owner(user_data).stream_of(id);
        if (!of) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        return owner(user_data).read_body(*of, {reinterpret_cast<char*>(buffer), size}, *flags);
    }

    static const nghttp2_session_callbacks* table() {
        static const nghttp2_session_callbacks* const made = [] {
            nghttp2_session_callbacks* fresh = nullptr;
            if (nghttp2_session_callbacks_new(&fresh) != 0) throw std::bad_alloc();
            nghttp2_session_callbacks_set_on_begin_frame_callback(fresh, on_begin_frame);
            nghttp2_session_callbacks_set_on_begin_headers_callback(fresh, on_begin_headers);
            nghttp2_session_callbacks_set_on_header_callback(fresh, on_header);
            nghttp2_session_callbacks_set_on_invalid_header_callback(fresh, on_invalid_header);
            nghttp2_session_callbacks_set_on_data_chunk_recv_callback(fresh, on_data);
            nghttp2_session_callbacks_set_on_frame_recv_callback(fresh, on_frame);
            nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(fresh, on_invalid_frame);
            nghttp2_session_callbacks_set_on_stream_close_callback(fresh, on_stream_close);
            nghttp2_session_callbacks_set_on_frame_send_callback(fresh, on_frame_sent);
            return fresh;
        }();
        return made;
    }

    static nghttp2_option* make_options() {
        nghttp2_option* fresh = nullptr;
        if (nghttp2_option_new(&fresh) != 0) throw std::bad_alloc();
        nghttp2_option_set_no_auto_window_update(fresh, 1);
        nghttp2_option_set_no_closed_streams(fresh, 1);
        nghttp2_option_set_max_outbound_ack(fresh, max_outbound_acknowledgements);
        nghttp2_option_set_glitch_rate_limit(fresh, glitch_burst, glitches_per_second);
        nghttp2_option_set_max_continuations(fresh, max_continuations);
        nghttp2_option_set_max_settings(fresh, max_settings);
        return fresh;
    }

    static const nghttp2_option* options(role as) {
        static const nghttp2_option* const clients = [] {
            nghttp2_option* fresh = make_options();
            nghttp2_option_set_builtin_recv_extension_type(fresh, NGHTTP2_ALTSVC);
            return fresh;
        }();
        static const nghttp2_option* const servers = [] {
            nghttp2_option* fresh = make_options();
            nghttp2_option_set_builtin_recv_extension_type(fresh, NGHTTP2_PRIORITY_UPDATE);
            // limits::max_resets counts them, and knows who else waits for his responses.
            nghttp2_option_set_stream_reset_rate_limit(fresh, std::numeric_limits<std::uint64_t>::max(), 0);
            return fresh;
        }();
        return as == role::client ? clients : servers;
    }
};

nghttp2_data_provider2 body_source() noexcept { return {{.ptr = nullptr}, machine_callbacks::read_body}; }

void machine::session_deleter::operator()(nghttp2_session* session) const noexcept { nghttp2_session_del(session); }

machine::machine(std::string_view scheme, machine_observer& observer, const limits& limits)
    : scheme_(scheme),
      observer_(observer),
      limits_(limits),
      section_(limits.max_head, limits.max_fields),
      request_(limits.max_head, limits.max_fields, http_version::http_2) {
    open_session();
}

machine::machine(machine_observer& observer, const limits& limits)
    : role_(role::server),
      observer_(observer),
      limits_(limits),
      section_(limits.max_head, limits.max_fields),
      request_(limits.max_head, limits.max_fields, http_version::http_2),
      headers_(NGHTTP2_CLIENT_MAGIC_LEN) {
    open_session();
}

/// Makes the session and says what we allow (SETTINGS, RFC 9113 section 6.5).
void machine::open_session() {
    const bool is_client = role_ == role::client;
    nghttp2_session* made = nullptr;
    const auto open = is_client ? nghttp2_session_client_new3 : nghttp2_session_server_new3;
    nghttp2_mem memory{nullptr, base::pooled_malloc, base::pooled_free, base::pooled_calloc, base::pooled_realloc};
    if (open(&made, machine_callbacks::table(), this, machine_callbacks::options(role_), &memory) != 0)
        throw std::bad_alloc();
    session_.reset(made);
    const nghttp2_settings_entry of_a_client{NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
    const nghttp2_settings_entry of_a_server{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits_.concurrent_streams};
    const std::array<nghttp2_settings_entry, 5> settings{{
        is_client ? of_a_client : of_a_server,
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits_.stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits_.max_head)},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},  // a server's: RFC 9218 section 2.1
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
    }};
    const std::size_t said = is_client ? 3 : limits_.extended_connect ? 5 : 4;
    nghttp2_submit_settings(made, NGHTTP2_FLAG_NONE, settings.data(), said);
    nghttp2_session_set_local_window_size(made, NGHTTP2_FLAG_NONE, 0,
                                          static_cast<std::int32_t>(limits_.connection_window));
}

machine::~machine() = default;

stream* machine::stream_of(std::int32_t id) const noexcept {
    return static_cast<stream*>(nghttp2_session_get_stream_user_data(session_.get(), id));
}

/// From here on what comes for the stream concerns nobody.
void machine::let_go(stream& of) noexcept {
    nghttp2_session_set_stream_user_data(session_.get(), of.id_, nullptr);
    if (arriving_ == &of) arriving_ = nullptr;
    growth_spent_ -= std::exchange(of.window_growth_, 0U);
}

// --- Sending ---------------------------------------------------------------------------------------------------------

result<void> machine::request(const request_head& head, std::optional<std::uint64_t> body_size, stream& opened) {
    const auto checked = http::check_pseudo_request(head, body_size);
    if (!checked) return checked.error();
    if (!head.protocol.empty() && !takes_extended_connect()) return http::no_extended_connect(head.protocol);
    const std::optional<std::uint64_t> size = *checked;

    std::string digits;
    field_lines lines;
    http::for_each_line(head, scheme_, size, digits, lines);

    opened.body_left_ = size;
    opened.sent_all_ = size == std::uint64_t{0};
    const nghttp2_data_provider2 source = body_source();
    const std::int32_t id = nghttp2_submit_request2(session_.get(), nullptr, lines.data(), lines.size(),
                                                    opened.sent_all_ ? nullptr : &source, &opened);
    if (id < 0) {
        accepts_streams_ = accepts_streams_ && id != NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE;
        return fatal(id);
    }
    opened.id_ = id;
    return {};
}

/// nghttp2 asks for the next piece of a body; what it is told is in its own terms.
long machine::read_body(stream& of, std::span<char> buffer, std::uint32_t& flags) {
    const std::int32_t id = of.id_;
    auto got = of.read_body(buffer);
    if (stream_of(id) != &of) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // its owner has let go of it meanwhile
    if (!got) {
        let_go(of);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    switch (got->what) {
    case read_outcome::kind::would_block: return NGHTTP2_ERR_DEFERRED;
    case read_outcome::kind::end:
        // What was announced did not come: the peer must not take the rest for the whole.
        if (of.body_left_.value_or(0) > 0) break;
        if (!end_body(of, flags)) break;
        of.on_sent();
        return 0;
    case read_outcome::kind::data:
        if (role_ == role::server) note_sent_data(got->size, buffer.size());
        if (of.body_left_) {
            if (got->size > *of.body_left_) break;
            *of.body_left_ -= got->size;
            if (*of.body_left_ == 0 && !end_body(of, flags)) break;
        } else if (of.has_given_all() && !end_body(of, flags)) {
            break;
        }
        if (of.sent_all_) of.on_sent();
        return static_cast<long>(got->size);
    }
    let_go(of);
    of.on_reset({error_code::request_body_failed, phase::write, culprit::caller, 0,
                 std::string(role_ == role::client ? "the request" : "the response") +
                     " body has not the size that was announced, or trailers that cannot be sent"},
                false);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/// Nothing of the body is left; trailers follow it, or nothing.
bool machine::end_body(stream& of, std::uint32_t& flags) {
    flags |= NGHTTP2_DATA_FLAG_EOF;
    of.sent_all_ = true;
    const fields* trailers = of.trailers();
    if (!trailers || trailers->empty()) return true;
    if (!fits_a_header_block(*trailers)) return false;
    field_lines lines;
    for (const fields::field line : *trailers) lines(line.name, line.value);
    flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    return nghttp2_submit_trailer(session_.get(), of.id_, lines.data(), lines.size()) == 0;
}

result<void> machine::send(std::string& out, std::size_t at_most) {
    const std::size_t before = out.size();
    while (out.size() - before < at_most) {
        const std::uint8_t* bytes = nullptr;
        const nghttp2_ssize size = nghttp2_session_mem_send2(session_.get(), &bytes);
        if (size < 0) return fatal(size);
        if (size == 0) break;
        out.append(text_of(bytes, static_cast<std::size_t>(size)));
    }
    return {};
}

bool machine::wants_to_send() const noexcept { return nghttp2_session_want_write(session_.get()) != 0; }

void machine::resume_sending(stream& of) { nghttp2_session_resume_data(session_.get(), of.id_); }

void machine::consume(stream& of, std::size_t size) {
    nghttp2_session_consume_stream(session_.get(), of.id_, size);
    note_consumed(of.id_, size);
}

std::uint64_t machine::certain_to_come() const noexcept {
    const stream* of = stream_of(moved_last_);
    if (!of) return 0;
    const auto left = [](std::int32_t window, std::int32_t used) {
        return static_cast<std::uint64_t>(std::max(window - used, 0));
    };
    nghttp2_session* it = session_.get();
    return std::min({of->body_to_come_,
                     left(nghttp2_session_get_stream_effective_local_window_size(it, moved_last_),
                          nghttp2_session_get_stream_effective_recv_data_length(it, moved_last_)),
                     left(nghttp2_session_get_effective_local_window_size(it),
                          nghttp2_session_get_effective_recv_data_length(it))});
}

void machine::release(stream& done, error_reason why) {
    let_go(done);
    if (done.sent_all_ && (done.ended_ || role_ == role::server)) {
        // What a server has answered, but not read to its end, is ended when the last of the answer leaves.
        if (done.end_left_ && !done.ended_) end_unread(done.id_);
        return;
    }
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, done.id_, static_cast<std::uint32_t>(why));
}

void machine::ping() { nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, bytes_of(sign_of_life).data()); }

void machine::go_away() {
    accepts_streams_ = false;
    nghttp2_session_terminate_session(session_.get(), NGHTTP2_NO_ERROR);
}

std::uint32_t machine::peer_capacity() const noexcept {
    if (!settings_seen_) return limits_.assumed_concurrent_streams;
    return nghttp2_session_get_remote_settings(session_.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

bool machine::takes_extended_connect() const noexcept {
    return nghttp2_session_get_remote_settings(session_.get(), NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}

bool machine::is_over() const noexcept {
    return nghttp2_session_want_read(session_.get()) == 0 && nghttp2_session_want_write(session_.get()) == 0;
}

// --- Receiving -------------------------------------------------------------------------------------------------------

result<void> machine::receive(std::string_view input) {
    error_reason broken = error_reason::no_error;
    if (role_ == role::server) input = judge_frames(input, broken);
    const nghttp2_ssize used =
        nghttp2_session_mem_recv2(session_.get(), reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
    if (used < 0) return fatal(used);
    if (role_ == role::client) return {};
    return end_if_broken(broken);
}

/// False: more than the limits allow, or no status code (RFC 9110 section 15), and the stream is reset.
bool machine::add_field(stream& of, std::string_view name, std::string_view value) {
    if (name == ":status" && value.front() == '0') {  // of three digits: nghttp2 has looked
        of.defect_ = "invalid status code";
        return false;
    }
    of.too_large_ = of.too_large_ || !section_.add(name, value);
    return !of.too_large_;
}

/// nghttp2 has seen to it that either the frame or its stream says whose they are.
void machine::alternative_services(std::int32_t id, const void* frame) {
    const auto& said = *static_cast<const nghttp2_ext_altsvc*>(frame);
    const std::string_view of(reinterpret_cast<const char*>(said.origin), said.origin_len);
    const std::string_view value(reinterpret_cast<const char*>(said.field_value), said.field_value_len);
    if (id == 0) observer_.on_alternative_services(of, value);
    else if (stream* its = stream_of(id)) its->on_alternative_services(value);
}

void machine::end_head(stream& of, bool ends) {
    const int status = section_.status();
    if (status == 0) return end_message(of, section_.take());  // trailers (RFC 9113 section 8.1)
    response_head head{status, http_version::http_2, std::string(http::standard_reason(status)), section_.take()};
    if (head.status < 200) {
        if (++of.informational_ <= max_informational_responses) return of.on_informational(std::move(head));
        of.defect_ = "more than " + std::to_string(max_informational_responses) + " informational responses";
        nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, of.id_, NGHTTP2_ENHANCE_YOUR_CALM);
        return;
    }
    const std::int32_t id = of.id_;
    of.has_head_ = true;
    if (!ends) of.body_to_come_ = announced_by(head.headers);
    of.on_response(std::move(head));
    if (ends && stream_of(id) == &of) end_message(of, {});
}

void machine::note_consumed(std::int32_t id, std::size_t size) {
    if (growth_.consumed(id, size) && growth_.begin(id, window_of(id)))
        nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, bytes_of(round_trip).data());
}

/// The window of a stream that somebody reads, else 0. Bounds what may become of it.
std::uint32_t machine::window_of(std::int32_t id) {
    const auto size = nghttp2_session_get_stream_effective_local_window_size(session_.get(), id);
    const auto window = stream_of(id) ? static_cast<std::uint32_t>(std::max(size, 0)) : 0U;
    const std::uint64_t allowed = std::min(limits_.most_growth - growth_spent_, std::uint64_t{1} << 31U) + window;
    growth_.bound(static_cast<std::uint32_t>(std::min<std::uint64_t>(limits_.largest_stream_window, allowed)));
    return window;
}

void machine::answered(std::uint64_t ping) {
    if (ping == sign_of_life) return observer_.on_pong();
    if (ping != round_trip || !growth_.goes_on()) return;
    const std::int32_t id = growth_.measured();
    const std::uint32_t window = window_of(id), wanted = growth_.answered(window);
    if (wanted > window) {
        nghttp2_session_set_local_window_size(session_.get(), NGHTTP2_FLAG_NONE, id, static_cast<std::int32_t>(wanted));
        stream_of(id)->window_growth_ += wanted - window;
        growth_spent_ += wanted - window;
    }
    if (growth_.goes_on()) nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, bytes_of(round_trip).data());
}

void machine::end_message(stream& of, fields&& trailers) {
    of.ended_ = true;
    of.on_end(std::move(trailers));
}

void machine::closed(stream& gone, error_reason reason) {
    if (gone.ended_) return;
    if (gone.too_large_)
        return gone.on_reset({error_code::head_too_large, phase::read, culprit::peer, 0, section_.too_large()}, false);
    if (!gone.defect_.empty())
        return gone.on_reset({error_code::malformed_message, phase::read, culprit::peer, 0,
                              "malformed HTTP/2 response: " + gone.defect_},
                             false);
    if (reason == error_reason::refused_stream)
        return gone.on_reset({error_code::connection_closed, phase::read, culprit::peer, 0,
                              "the server did not process the request (" + name_of(reason) + ")"},
                             true);
    gone.on_reset({gone.has_head_ ? error_code::body_incomplete : error_code::stream_reset, phase::read, culprit::peer,
                   0, "the server ended the stream before its response was complete (" + name_of(reason) + ")"},
                  false);
}

error machine::broken_by_peer(error_reason rule, std::string_view details) const {
    std::string message(role_ == role::client ? "the server" : "the client");
    message.append(" broke HTTP/2 (").append(name_of(rule)).append(")");
    if (!details.empty()) message.append(": ").append(details);
    return {error_code::malformed_message, phase::read, culprit::peer, 0, std::move(message)};
}

/// What ends the connection: out of memory, or a peer that sends what nobody could answer.
error machine::fatal(long code) {
    if (failure_) return *failure_;
    if (role_ == role::server) {
        const bool is_flood = code == NGHTTP2_ERR_FLOODED || code == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS ||
                              code == NGHTTP2_ERR_TOO_MANY_SETTINGS;
        const bool is_rule = code == NGHTTP2_ERR_BAD_CLIENT_MAGIC;
        if (is_flood) nghttp2_session_terminate_session(session_.get(), NGHTTP2_ENHANCE_YOUR_CALM);
        else if (is_rule) nghttp2_session_terminate_session(session_.get(), NGHTTP2_PROTOCOL_ERROR);
    }
    return {error_code::malformed_message, phase::read, culprit::peer, 0,
            std::string("HTTP/2: ") + nghttp2_strerror(static_cast<int>(code))};
}

}  // namespace pabal::http2

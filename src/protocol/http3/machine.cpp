#include "protocol/http3/machine.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include <nghttp3/nghttp3.h>
#include <openssl/rand.h>

#include "base/block_pool.hpp"
#include "base/fork.hpp"
#include "protocol/http/methods.hpp"
#include "protocol/http/status.hpp"
#include "protocol/http3/wire.hpp"

namespace pabal::http3 {

namespace {

/// A body is read in pieces of this size, which stay until the peer acknowledges them.
constexpr std::size_t body_piece = 16 * 1024;
constexpr std::size_t max_spare_sections = 8;
/// Before the handshake nobody knows.
constexpr std::uint32_t assumed_streams = 100;

constexpr nghttp3_mem memory{nullptr, base::pooled_malloc, base::pooled_free, base::pooled_calloc,
                             base::pooled_realloc};

error reset_error(error_code code, std::string message) {
    return {code, phase::read, culprit::peer, 0, std::move(message)};
}

}  // namespace

/// nghttp3's callbacks, as members of the machine that it was given as user data.
struct machine_callbacks {
    static machine& owner(void* user_data) { return *static_cast<machine*>(user_data); }
    static carriage* interested(void* stream_user_data) {
        auto* of = static_cast<carriage*>(stream_user_data);
        return of && of->owner ? of : nullptr;
    }

    static int begin_head(nghttp3_conn*, quic::stream_id id, void* user_data, void* stream_user_data) {
        if (owner(user_data).role_ == role::server) owner(user_data).begin_request(id);
        else if (carriage* of = interested(stream_user_data)) owner(user_data).begin_section(*of);
        return 0;
    }
    static int begin_trailers(nghttp3_conn*, quic::stream_id, void* user_data, void* stream_user_data) {
        if (carriage* of = interested(stream_user_data)) owner(user_data).begin_section(*of);
        return 0;
    }
    static int field(nghttp3_conn*, quic::stream_id, std::int32_t, nghttp3_rcbuf* name, nghttp3_rcbuf* value,
                     std::uint8_t, void* user_data, void* stream_user_data) {
        carriage* of = interested(stream_user_data);
        if (!of) return 0;
        if (of->request) {
            owner(user_data).add_request_field(*of, text_of(name), text_of(value));
            return 0;
        }
        if (owner(user_data).add_field(*of, text_of(name), text_of(value))) return 0;
        const std::string too_large = of->section->too_large();
        owner(user_data).give_up(of->id, error_reason::excessive_load);
        owner(user_data).end_stream(*of, reset_error(error_code::head_too_large, too_large), false);
        return 0;
    }
    static int end_head(nghttp3_conn*, quic::stream_id, int ends, void* user_data, void* stream_user_data) {
        carriage* of = interested(stream_user_data);
        if (of && of->request) owner(user_data).end_request_head(*of, ends != 0);
        else if (of) owner(user_data).end_head(*of);
        return 0;
    }
    static int end_trailers(nghttp3_conn*, quic::stream_id, int, void* user_data, void* stream_user_data) {
        if (carriage* of = interested(stream_user_data)) owner(user_data).end_trailers(*of);
        return 0;
    }
    static int data(nghttp3_conn*, quic::stream_id, const std::uint8_t* bytes, std::size_t size, void* user_data,
                    void* stream_user_data) {
        // What arrived counts as read for all streams together at once: one reader who takes his time must not stop the others.
        owner(user_data).quic_->extend_connection(size);
        if (carriage* of = interested(stream_user_data)) of->owner->on_data(text_of(bytes, size));
        return 0;
    }
    /// Bytes that nghttp3 itself used, and had put off.
    static int consumed_later(nghttp3_conn*, quic::stream_id id, std::size_t size, void* user_data, void*) {
        owner(user_data).quic_->extend(id, size);
        owner(user_data).quic_->extend_connection(size);
        return 0;
    }
    static int end_message(nghttp3_conn*, quic::stream_id, void* user_data, void* stream_user_data) {
        if (carriage* of = interested(stream_user_data)) owner(user_data).end_message(*of);
        return 0;
    }
    static int stop_sending(nghttp3_conn*, quic::stream_id id, std::uint64_t code, void* user_data, void*) {
        owner(user_data).quic_->stop(id, code);
        return 0;
    }
    static int reset(nghttp3_conn*, quic::stream_id id, std::uint64_t code, void* user_data, void*) {
        owner(user_data).quic_->reset(id, code);
        return 0;
    }
    static int settings(nghttp3_conn*, const nghttp3_proto_settings* settings, void* user_data) {
        machine& it = owner(user_data);
        it.settings_seen_ = true;
        it.takes_extended_connect_ = settings->enable_connect_protocol != 0;
        if (it.observer_) it.observer_->on_capacity_changed();
        return 0;
    }
    static int goes_away(nghttp3_conn*, quic::stream_id first_unprocessed, void* user_data) {
        owner(user_data).peer_goes_away(first_unprocessed);
        return 0;
    }
    static int acknowledged(nghttp3_conn* connection, quic::stream_id id, std::uint64_t size, void*,
                            void* stream_user_data) {
        auto* of = static_cast<carriage*>(stream_user_data);
        if (!of) return 0;
        of->body.acknowledge(static_cast<std::size_t>(size));
        if (std::exchange(of->waits_for_acknowledgement, false)) nghttp3_conn_resume_stream(connection, id);
        return 0;
    }
    static nghttp3_ssize read_body(nghttp3_conn*, quic::stream_id, nghttp3_vec* vectors, std::size_t,
                                   std::uint32_t* flags, void* user_data, void* stream_user_data) {
        carriage* of = interested(stream_user_data);
        if (!of) return NGHTTP3_ERR_WOULDBLOCK;
        std::string_view piece;
        const long count = owner(user_data).read_body(*of, piece, *flags);
        if (count > 0) vectors[0] = {const_cast<std::uint8_t*>(bytes_of(piece)), piece.size()};
        return count;
    }
    static void random(std::uint8_t* into, std::size_t size) {
        const base::no_fork whole;  // BoringSSL has locks of its own
        RAND_bytes(into, size);
    }

    static nghttp3_callbacks table() {
        nghttp3_callbacks all{};
        all.acked_stream_data = acknowledged;
        all.recv_data = data;
        all.deferred_consume = consumed_later;
        all.begin_headers = begin_head;
        all.recv_header = field;
        all.end_headers = end_head;
        all.begin_trailers = begin_trailers;
        all.recv_trailer = field;
        all.end_trailers = end_trailers;
        all.stop_sending = stop_sending;
        all.end_stream = end_message;
        all.reset_stream = reset;
        all.shutdown = goes_away;
        all.recv_settings2 = settings;
        all.rand = random;
        return all;
    }
};

void machine::connection_deleter::operator()(nghttp3_conn* connection) const noexcept { nghttp3_conn_del(connection); }

machine::machine(const limits& limits) : limits_(limits) { open_connection(); }

machine::machine(machine_observer& observer, const limits& limits)
    : role_(role::server), limits_(limits), observer_(&observer) {
    open_connection();
}

void machine::open_connection() {
    const nghttp3_callbacks callbacks = machine_callbacks::table();
    nghttp3_settings settings{};
    nghttp3_settings_default(&settings);
    settings.max_field_section_size = limits_.max_head;
    settings.qpack_max_dtable_capacity = limits_.qpack_table;
    settings.qpack_blocked_streams = 0;
    settings.enable_connect_protocol = role_ == role::server && limits_.extended_connect ? 1 : 0;
    settings.glitch_ratelim_burst = idle_frame_burst;
    settings.glitch_ratelim_rate = idle_frames_per_second;
    nghttp3_conn* made = nullptr;
    const int failed = role_ == role::server ? nghttp3_conn_server_new(&made, &callbacks, &settings, &memory, this)
                                             : nghttp3_conn_client_new(&made, &callbacks, &settings, &memory, this);
    if (failed != 0) throw std::bad_alloc();
    connection_.reset(made);
}

machine::~machine() {
    while (!carriages_.empty()) delete &carriages_.pop_front();
}

carriage* machine::carriage_of(quic::stream_id id) const noexcept {
    return static_cast<carriage*>(nghttp3_conn_get_stream_user_data(connection_.get(), id));
}

// --- The connection --------------------------------------------------------------------------------------------------

void machine::on_established() {
    established_ = true;
    if (!is_bound_) bind_streams();
    open_waiting();
}

/// Whatever was sent is sent again: on streams of a new connection.
void machine::on_early_data_rejected() {
    open_connection();
    is_bound_ = false;
    base::intrusive_list<carriage> all;
    all.splice_back(carriages_);
    while (!all.empty()) {
        carriage& each = all.pop_front();
        if (!each.owner) {
            delete &each;
            continue;
        }
        carriages_.push_back(each);
        if (each.id < 0) continue;
        each.id = -1;
        each.owner->was_early_ = false;
        waiting_.push_back(each);
    }
}

void machine::bind_streams() {
    is_bound_ = true;
    const auto control = quic_->open_one_way();
    const auto encoder = quic_->open_one_way();
    const auto decoder = quic_->open_one_way();
    if (!control || !encoder || !decoder) return fail(NGHTTP3_ERR_H3_STREAM_CREATION_ERROR);
    nghttp3_conn_bind_control_stream(connection_.get(), *control);
    nghttp3_conn_bind_qpack_streams(connection_.get(), *encoder, *decoder);
}

void machine::on_streams_allowed() {
    open_waiting();
    if (observer_) observer_->on_capacity_changed();
}

/// The peer broke a rule that holds for the whole connection, or there is no memory.
void machine::fail(int code) {
    const std::uint64_t reason = nghttp3_err_infer_quic_app_error_code(code);
    accepts_streams_ = false;
    quic_->close(
        reason, nghttp3_strerror(code),
        {error_code::malformed_message, phase::read, culprit::peer, 0,
         "the " + peer() + " broke HTTP/3 (" + name_of(error_reason{reason}) + "): " + nghttp3_strerror(code)});
}

void machine::go_away() {
    accepts_streams_ = false;
    quic_->close(static_cast<std::uint64_t>(error_reason::no_error), {},
                 {error_code::connection_closed, phase::none, culprit::local, 0, "the connection was closed"});
}

std::uint32_t machine::peer_capacity() const noexcept {
    if (!established_) return assumed_streams;
    return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(quic_->peer_streams(), 1, 1U << 30U));
}

/// Streams from `first_unprocessed` on were not and will not be looked at.
void machine::peer_goes_away(quic::stream_id first_unprocessed) {
    if (role_ == role::server) return;  // the client wants no pushes, of which there are none
    accepts_streams_ = false;
    if (observer_) observer_->on_going_away();
    const auto refusal = [] {
        return reset_error(error_code::connection_closed, "the server did not process the request (GOAWAY)");
    };
    std::vector<carriage*> refused;
    carriages_.for_each([&](carriage& each) {
        if (each.owner && each.id >= first_unprocessed) refused.push_back(&each);
    });
    for (carriage* each : refused) {
        if (!each->owner || each->owner->ended_) continue;  // what was told before changed that
        give_up(each->id, error_reason::request_cancelled);
        end_stream(*each, refusal(), true);
    }
    // Whoever hears of it may let go of others, which are gone then.
    while (!waiting_.empty()) {
        stream& its_owner = *waiting_.front().owner;
        delete std::exchange(its_owner.carriage_, nullptr);
        its_owner.on_reset(refusal(), true);
    }
}

// --- Sending ---------------------------------------------------------------------------------------------------------

result<void> machine::request(const request_head& head, std::optional<std::uint64_t> body_size, stream& opened) {
    const auto checked = http::check_pseudo_request(head, body_size);
    if (!checked) return checked.error();
    if (!head.protocol.empty() && !takes_extended_connect_) return http::no_extended_connect(head.protocol);
    opened.body_left_ = *checked;
    opened.sent_all_ = *checked == std::uint64_t{0};
    auto* made = new carriage(opened);
    made->head = &head;
    made->body_size = *checked;
    made->may_be_early = opened.sent_all_ && !opened.waits_for_handshake_ && http::is_safe(head.method);
    opened.carriage_ = made;
    carriages_.push_back(*made);
    waiting_.push_back(*made);
    open_waiting();
    return {};
}

void machine::open_waiting() {
    if (!accepts_streams_ || waiting_.empty() || quic_->is_sending()) return;
    const bool is_early = quic_->sends_early();
    if (!established_ && !is_early) return;
    if (!is_bound_) bind_streams();
    base::intrusive_list<carriage, waiting_carriage> kept;
    while (accepts_streams_ && !waiting_.empty()) {
        carriage& first = waiting_.pop_front();
        if (is_early && !first.may_be_early) {
            kept.push_back(first);
        } else if (!open(first)) {
            kept.push_back(first);
            break;
        }
    }
    kept.splice_back(waiting_);
    waiting_.splice_back(kept);
}

/// False: the peer allows no more streams now.
bool machine::open(carriage& waiting) {
    const auto id = quic_->open();
    if (!id) return false;
    waiting.id = *id;
    waiting.owner->was_early_ = quic_->sends_early();
    if (!submit(waiting)) fail(NGHTTP3_ERR_NOMEM);
    return true;
}

nghttp3_data_reader machine::body_reader() noexcept { return {machine_callbacks::read_body}; }

bool machine::submit(carriage& opened) {
    const request_head& head = *opened.head;
    std::string digits;
    field_lines lines;
    http::for_each_line(head, "https", opened.body_size, digits, lines);
    if (!alternative_.empty() && !head.headers.contains("alt-used")) lines("alt-used", alternative_);
    const nghttp3_data_reader source = body_reader();
    return nghttp3_conn_submit_request(connection_.get(), opened.id, lines.data(), lines.size(),
                                       opened.owner->sent_all_ ? nullptr : &source, &opened) == 0;
}

result<quic::machine::datagrams> machine::send(std::span<char> space, quic::time_point now) {
    open_waiting();
    return quic_->send(space, now);
}

quic::outgoing machine::next(std::span<std::string_view> pieces) {
    std::array<nghttp3_vec, 16> vectors;
    quic::outgoing out;
    int ends = 0;
    const nghttp3_ssize count = nghttp3_conn_writev_stream(connection_.get(), &out.stream, &ends, vectors.data(),
                                                           std::min(vectors.size(), pieces.size()));
    if (count < 0) {
        fail(static_cast<int>(count));
        return {};
    }
    out.ends = ends != 0;
    out.pieces = static_cast<std::size_t>(count);
    for (std::size_t at = 0; at < out.pieces; ++at) pieces[at] = text_of(vectors[at].base, vectors[at].len);
    return out;
}

void machine::on_taken(quic::stream_id id, std::size_t size) {
    nghttp3_conn_add_write_offset(connection_.get(), id, size);
}

void machine::on_blocked(quic::stream_id id) { nghttp3_conn_block_stream(connection_.get(), id); }

void machine::on_window_open(quic::stream_id id) { nghttp3_conn_unblock_stream(connection_.get(), id); }

/// The peer wants no more of our message, or we gave it up.
void machine::on_unwritable(quic::stream_id id) {
    nghttp3_conn_shutdown_stream_write(connection_.get(), id);
    carriage* of = carriage_of(id);
    if (!of || !of->owner) return;
    if (role_ == role::client) of->owner->sent_all_ = true;
    else if (!of->owner->sent_all_) peer_reset(*of, error_reason::request_cancelled);
}

void machine::on_acknowledged(quic::stream_id id, std::uint64_t size) {
    nghttp3_conn_add_ack_offset(connection_.get(), id, size);
}

/// nghttp3 asks for the next piece of a body; what it is told is in its own terms.
long machine::read_body(carriage& of, std::string_view& piece, std::uint32_t& flags) {
    if (of.body.held() >= limits_.max_unacknowledged) {
        of.waits_for_acknowledgement = true;
        return NGHTTP3_ERR_WOULDBLOCK;
    }
    stream& its_owner = *of.owner;
    // Room for a byte more than was announced: a source that has it must not pass for one that has not.
    const std::uint64_t wanted = its_owner.body_left_ ? *its_owner.body_left_ + 1 : body_piece;
    const std::span<char> space = of.body.space(static_cast<std::size_t>(std::min<std::uint64_t>(wanted, body_piece)));
    auto got = its_owner.read_body(space);
    piece = of.body.commit(got && got->what == read_outcome::kind::data ? got->size : 0);
    if (of.owner != &its_owner) return NGHTTP3_ERR_WOULDBLOCK;  // its owner has let go of it meanwhile
    if (!got) {
        give_up(of.id, error_reason::request_cancelled);
        its_owner.carriage_ = nullptr;
        of.owner = nullptr;
        return NGHTTP3_ERR_WOULDBLOCK;
    }
    switch (got->what) {
    case read_outcome::kind::would_block: return NGHTTP3_ERR_WOULDBLOCK;
    case read_outcome::kind::end:
        // What was announced did not come: the peer must not take the rest for the whole.
        if (its_owner.body_left_.value_or(0) > 0) break;
        if (!end_body(of, flags)) return NGHTTP3_ERR_CALLBACK_FAILURE;
        its_owner.on_sent();
        return 0;
    case read_outcome::kind::data:
        if (its_owner.body_left_) {
            if (got->size > *its_owner.body_left_) break;
            *its_owner.body_left_ -= got->size;
        }
        if (its_owner.body_left_ ? *its_owner.body_left_ == 0 : its_owner.has_given_all()) {
            if (!end_body(of, flags)) return NGHTTP3_ERR_CALLBACK_FAILURE;
            its_owner.on_sent();
        }
        return 1;
    }
    give_up(of.id, error_reason::request_cancelled);
    end_stream(of,
               {error_code::request_body_failed, phase::write, culprit::caller, 0,
                "the body has not the size that was announced"},
               false);
    return NGHTTP3_ERR_WOULDBLOCK;
}

/// Nothing of the body is left; trailers follow it, or nothing.
bool machine::end_body(carriage& of, std::uint32_t& flags) {
    flags |= NGHTTP3_DATA_FLAG_EOF;
    of.owner->sent_all_ = true;
    const fields* trailers = of.owner->trailers();
    if (!trailers || trailers->empty()) return true;
    field_lines lines;
    for (const fields::field line : *trailers) lines(line.name, line.value);
    flags |= NGHTTP3_DATA_FLAG_NO_END_STREAM;
    return nghttp3_conn_submit_trailers(connection_.get(), of.id, lines.data(), lines.size()) == 0;
}

void machine::resume_sending(stream& of) {
    if (of.carriage_ && of.carriage_->id >= 0) nghttp3_conn_resume_stream(connection_.get(), of.carriage_->id);
}

// --- Receiving -------------------------------------------------------------------------------------------------------

void machine::on_stream_data(quic::stream_id id, std::string_view data, bool ends) {
    const auto now = static_cast<nghttp3_tstamp>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(quic_->now().time_since_epoch()).count());
    const nghttp3_ssize used =
        nghttp3_conn_read_stream2(connection_.get(), id, bytes_of(data), data.size(), ends ? 1 : 0, now);
    if (used >= 0) {
        quic_->extend(id, static_cast<std::uint64_t>(used));
        return quic_->extend_connection(static_cast<std::uint64_t>(used));
    }
    carriage* of = carriage_of(id);
    const bool concerns_message =
        used == NGHTTP3_ERR_MALFORMED_HTTP_HEADER || used == NGHTTP3_ERR_MALFORMED_HTTP_MESSAGING;
    // Whose head it was is told so; but nghttp3's table is out of step then, and nobody else can be read on the connection.
    if (used == NGHTTP3_ERR_QPACK_HEADER_TOO_LARGE && of && of->owner)
        end_stream(*of, reset_error(error_code::head_too_large, "a field of the response head is too large for QPACK"),
                   false);
    if (!of || !concerns_message) return fail(static_cast<int>(used));
    // A malformed message ends its stream, not the connection (RFC 9114 section 4.1.2).
    const std::string why = nghttp3_strerror(static_cast<int>(used));
    give_up(id, error_reason::message_error);
    if (of->owner)
        end_stream(*of, reset_error(error_code::malformed_message, "malformed HTTP/3 " + peers_message() + ": " + why),
                   false);
}

void machine::begin_section(carriage& of) {
    if (!of.section && !spare_sections_.empty()) {
        of.section = std::move(spare_sections_.back());
        spare_sections_.pop_back();
    }
    if (!of.section) of.section = std::make_unique<http::arriving_section>(limits_.max_head, limits_.max_fields);
    of.section->begin();
}

bool machine::add_field(carriage& of, std::string_view name, std::string_view value) {
    return of.section->add(name, value);
}

fields machine::take_section(carriage& of) {
    fields taken = of.section->take();
    if (spare_sections_.size() < max_spare_sections) spare_sections_.push_back(std::move(of.section));
    of.section.reset();
    return taken;
}

void machine::end_head(carriage& of) {
    stream& its_owner = *of.owner;
    const int status = of.section->status();
    response_head head{status, http_version::http_3, std::string(http::standard_reason(status)), take_section(of)};
    if (status >= 200) {
        its_owner.has_head_ = true;
        return its_owner.on_response(std::move(head));
    }
    if (++its_owner.informational_ <= max_informational_responses) return its_owner.on_informational(std::move(head));
    give_up(of.id, error_reason::excessive_load);
    end_stream(of,
               reset_error(error_code::malformed_message, "malformed HTTP/3 response: more than " +
                                                              std::to_string(max_informational_responses) +
                                                              " informational responses"),
               false);
}

void machine::end_trailers(carriage& of) { of.trailers = take_section(of); }

void machine::end_message(carriage& of) {
    of.owner->ended_ = true;
    of.owner->on_end(std::move(of.trailers));
}

void machine::consume(stream& of, std::size_t size) {
    if (of.carriage_ && of.carriage_->id >= 0) quic_->extend(of.carriage_->id, size);
}

// --- Ending ----------------------------------------------------------------------------------------------------------

void machine::release(stream& done, error_reason why) {
    carriage* of = std::exchange(done.carriage_, nullptr);
    if (!of) return;
    of->owner = nullptr;
    if (of->id < 0) {
        delete of;
        return;
    }
    const bool is_answered = role_ == role::server && done.sent_all_;
    if (!done.ended_ && !is_answered) return give_up(of->id, why);
    if (!done.ended_) return quic_->stop(of->id, static_cast<std::uint64_t>(error_reason::no_error));
    if (!done.sent_all_) quic_->reset(of->id, static_cast<std::uint64_t>(why));
}

/// Neither side needs to send more on the stream.
void machine::give_up(quic::stream_id id, error_reason reason) {
    quic_->abandon(id, static_cast<std::uint64_t>(reason));
    nghttp3_conn_shutdown_stream_read(connection_.get(), id);
}

/// Tells the owner of a stream that is open, who is no longer interested then.
void machine::end_stream(carriage& of, error&& failure, bool unprocessed) {
    stream& its_owner = *std::exchange(of.owner, nullptr);
    its_owner.carriage_ = nullptr;
    its_owner.on_reset(std::move(failure), unprocessed);
}

void machine::peer_reset(carriage& of, error_reason reason) {
    if (role_ == role::server)
        return end_stream(of,
                          reset_error(error_code::stream_reset,
                                      "the client ended the exchange before it was complete (" + name_of(reason) + ")"),
                          false);
    if (reason == error_reason::request_rejected)
        return end_stream(of,
                          reset_error(error_code::connection_closed,
                                      "the server did not process the request (" + name_of(reason) + ")"),
                          true);
    end_stream(of,
               reset_error(of.owner->has_head_ ? error_code::body_incomplete : error_code::stream_reset,
                           "the server ended the stream before its response was complete (" + name_of(reason) + ")"),
               false);
}

void machine::on_stream_reset(quic::stream_id id, std::uint64_t code) {
    nghttp3_conn_shutdown_stream_read(connection_.get(), id);
    carriage* of = carriage_of(id);
    if (!of || !of->owner || of->owner->ended_) return;
    quic_->reset(id, static_cast<std::uint64_t>(error_reason::request_cancelled));
    peer_reset(*of, error_reason{code});
}

void machine::on_stream_closed(quic::stream_id id, std::optional<std::uint64_t> received,
                               std::optional<std::uint64_t> sent) {
    carriage* of = carriage_of(id);
    if (role_ == role::server) request_closed(id, !received && !sent);
    if (of && of->owner && !(of->owner->ended_ && (role_ == role::client || of->owner->sent_all_)))
        peer_reset(*of, error_reason{received.value_or(static_cast<std::uint64_t>(error_reason::no_error))});
    std::uint32_t flags = NGHTTP3_STREAM_CLOSE_FLAG_NONE;
    if (received) flags |= NGHTTP3_STREAM_CLOSE_FLAG_RX_APP_ERROR_CODE_SET;
    if (sent) flags |= NGHTTP3_STREAM_CLOSE_FLAG_TX_APP_ERROR_CODE_SET;
    const int failed = nghttp3_conn_close_stream2(connection_.get(), flags, id, received.value_or(0), sent.value_or(0));
    if (of && of->owner) of->owner->carriage_ = nullptr;
    delete of;
    if (failed != 0 && failed != NGHTTP3_ERR_STREAM_NOT_FOUND) fail(failed);
}

}  // namespace pabal::http3

#include "protocol/quic/machine.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <ngtcp2/ngtcp2.h>

#include "protocol/quic/stateless_server.hpp"
#include "protocol/quic/tls_bridge.hpp"
#include "protocol/quic/wire.hpp"

namespace pabal::quic {

namespace {

constexpr std::chrono::seconds keep_alive_after{10};
constexpr std::size_t max_pieces = 16;

}  // namespace

void machine::connection_deleter::operator()(ngtcp2_conn* connection) const noexcept { ngtcp2_conn_del(connection); }

machine::machine(ssl_st* tls, path path, stream_user& user, const limits& limits)
    : tls_(tls), path_(std::move(path)), user_(user), limits_(limits) {}

machine::~machine() { tls_bridge::part(tls_); }

bool machine::migrate(std::string local, time_point now) {
    if (failure_ || !established_) return false;
    path moved{std::move(local), path_.remote};
    const ngtcp2_path ends = path_of(moved);
    now_ = now;
    if (ngtcp2_conn_initiate_immediate_migration(connection_.get(), &ends, stamp_of(now)) != 0) return false;
    path_ = std::move(moved);
    return true;
}

std::string machine::parameters_to_remember() const {
    std::array<std::uint8_t, 256> space;
    const ngtcp2_ssize size = ngtcp2_conn_encode_0rtt_transport_params2(connection_.get(), space.data(), space.size());
    return size < 0 ? std::string() : std::string(text_of(space.data(), static_cast<std::size_t>(size)));
}

void machine::give_address_token() {
    const std::string token = server_->address_token(path_.remote, now_);
    ngtcp2_conn_submit_new_token(connection_.get(), bytes_of(token), token.size());
}

// --- Receiving -------------------------------------------------------------------------------------------------------

result<void> machine::receive(std::string_view datagram, std::uint8_t ecn, time_point now, const path* over) {
    if (failure_) return *failure_;
    now_ = now;
    const ngtcp2_path ends = path_of(over ? *over : path_);
    ngtcp2_pkt_info info{};
    info.ecn = ecn;
    return ended(
        ngtcp2_conn_read_pkt(connection_.get(), &ends, &info, bytes_of(datagram), datagram.size(), stamp_of(now)));
}

result<void> machine::on_deadline(time_point now) {
    if (failure_) return *failure_;
    now_ = now;
    if (!server_ && established_) look_for_silence();
    return ended(ngtcp2_conn_handle_expiry(connection_.get(), stamp_of(now)));
}

/// Looks only when a deadline has come, since probes that are not answered have deadlines: what works pays nothing.
void machine::look_for_silence() {
    ngtcp2_conn_info seen;
    ngtcp2_conn_get_conn_info2(connection_.get(), &seen);
    const bool news = std::exchange(silence_.received, seen.pkt_recv) != seen.pkt_recv;
    const bool was_due = std::exchange(silence_.answer_due, seen.bytes_in_flight > 0);
    if (news) silence_.patience = path_patience;
    if (news || !was_due || !silence_.answer_due) {
        silence_.since = now_;
        return;
    }
    const std::chrono::nanoseconds probes = 3 * std::chrono::nanoseconds(ngtcp2_conn_get_pto2(connection_.get()));
    if (now_ - silence_.since < std::max(silence_.patience, probes)) return;
    doubts_path_ = true;
    silence_.since = now_;
    silence_.patience *= 2;
}

/// What ngtcp2 returned, where anything but 0 ends the connection.
result<void> machine::ended(int code) {
    if (code == 0 && !failure_) return {};
    if (failure_) return *failure_;
    failure_ = why(code);
    handshake_failed_ = code == NGTCP2_ERR_CRYPTO;
    asks_for_retry_ = code == NGTCP2_ERR_RETRY;
    ngtcp2_ccerr said{};
    switch (code) {
    case NGTCP2_ERR_DRAINING:
    case NGTCP2_ERR_CLOSING:
    case NGTCP2_ERR_IDLE_CLOSE:
    case NGTCP2_ERR_DROP_CONN:
    case NGTCP2_ERR_RETRY:
    case NGTCP2_ERR_RECV_VERSION_NEGOTIATION: return *failure_;
    case NGTCP2_ERR_CRYPTO:
        ngtcp2_ccerr_set_tls_alert(&said, ngtcp2_conn_get_tls_alert2(connection_.get()), nullptr, 0);
        break;
    default: ngtcp2_ccerr_set_liberr(&said, code, nullptr, 0);
    }
    farewell_ = close_frame{said.error_code, false, {}};
    return *failure_;
}

// --- Sending ---------------------------------------------------------------------------------------------------------

result<machine::datagrams> machine::send(std::span<char> space, time_point now) {
    if (failure_) return farewell_ ? send_close(space, now) : result<datagrams>(datagrams{});
    ngtcp2_path_storage ends{};
    ngtcp2_path_storage_zero(&ends);
    ngtcp2_pkt_info info{};
    std::size_t segment = 0;
    now_ = now;
    sending_ = true;
    const auto packet = [](ngtcp2_conn*, ngtcp2_path* over, ngtcp2_pkt_info* its, std::uint8_t* into, std::size_t size,
                           ngtcp2_tstamp at, void* user_data) -> ngtcp2_ssize {
        return static_cast<machine*>(user_data)->write_packet(over, its, into, size, at);
    };
    const ngtcp2_ssize written = ngtcp2_conn_write_aggregate_pkt(connection_.get(), &ends.path, &info, bytes_of(space),
                                                                 space.size(), &segment, packet, stamp_of(now));
    sending_ = false;
    apply_credits();
    if (written < 0 || failure_) {
        if (auto over = ended(static_cast<int>(std::min<ngtcp2_ssize>(written, 0))); !over && farewell_)
            return send_close(space, now);
        return *failure_;
    }
    const auto size = static_cast<std::size_t>(written);
    if (size > 0) note_path(&ends.path);
    return datagrams{size, segment == 0 ? size : segment, static_cast<std::uint8_t>(info.ecn)};
}

void machine::note_path(const void* written) {
    if (!server_) return;
    const auto& taken = *static_cast<const ngtcp2_path*>(written);
    const auto text = [](const ngtcp2_addr& address) {
        return std::string_view(reinterpret_cast<const char*>(address.addr), address.addrlen);
    };
    sent_over_.local = text(taken.local);
    sent_over_.remote = text(taken.remote);
}

/// One packet, with as much in it as there is to say.
long machine::write_packet(void* path, void* info, std::uint8_t* space, std::size_t size, std::uint64_t now) {
    for (;;) {
        std::array<std::string_view, max_pieces> pieces;
        const outgoing next = (established_ || sends_early_ || early_) && !failure_ ? user_.next(pieces) : outgoing{};
        std::array<ngtcp2_vec, max_pieces> vectors;
        for (std::size_t at = 0; at < next.pieces; ++at)
            vectors[at] = {const_cast<std::uint8_t*>(bytes_of(pieces[at])), pieces[at].size()};
        std::uint32_t flags = NGTCP2_WRITE_STREAM_FLAG_MORE;
        if (next.ends) flags |= NGTCP2_WRITE_STREAM_FLAG_FIN;
        ngtcp2_ssize taken = -1;
        const ngtcp2_ssize written = ngtcp2_conn_writev_stream(connection_.get(), static_cast<ngtcp2_path*>(path),
                                                               static_cast<ngtcp2_pkt_info*>(info), space, size, &taken,
                                                               flags, next.stream, vectors.data(), next.pieces, now);
        if (taken >= 0) user_.on_taken(next.stream, static_cast<std::size_t>(taken));
        switch (written) {
        case NGTCP2_ERR_WRITE_MORE: break;
        case NGTCP2_ERR_STREAM_DATA_BLOCKED: user_.on_blocked(next.stream); break;
        case NGTCP2_ERR_STREAM_SHUT_WR:
        case NGTCP2_ERR_STREAM_NOT_FOUND: user_.on_unwritable(next.stream); break;
        default: return written;
        }
    }
}

result<machine::datagrams> machine::send_close(std::span<char> space, time_point now) {
    const close_frame said = *std::exchange(farewell_, std::nullopt);
    ngtcp2_ccerr frame{};
    if (said.is_application)
        ngtcp2_ccerr_set_application_error(&frame, said.code, bytes_of(said.reason), said.reason.size());
    else ngtcp2_ccerr_set_transport_error(&frame, said.code, nullptr, 0);
    ngtcp2_path_storage ends{};
    ngtcp2_path_storage_zero(&ends);
    ngtcp2_pkt_info info{};
    const ngtcp2_ssize written =
        ngtcp2_conn_write_connection_close(connection_.get(), &ends.path, &info, bytes_of(space),
                                           std::min(space.size(), max_datagram), &frame, stamp_of(now));
    const auto size = static_cast<std::size_t>(std::max<ngtcp2_ssize>(written, 0));
    if (size > 0) note_path(&ends.path);
    return datagrams{size, size, static_cast<std::uint8_t>(info.ecn)};
}

std::optional<time_point> machine::deadline() const noexcept {
    if (failure_) return std::nullopt;
    const ngtcp2_tstamp due = ngtcp2_conn_get_expiry2(connection_.get());
    if (due == UINT64_MAX) return std::nullopt;
    return time_point(std::chrono::duration_cast<time_point::duration>(std::chrono::nanoseconds(due)));
}

// --- Streams ---------------------------------------------------------------------------------------------------------

std::optional<stream_id> machine::open() {
    stream_id opened = -1;
    if (failure_ || ngtcp2_conn_open_bidi_stream(connection_.get(), &opened, nullptr) != 0) return std::nullopt;
    return opened;
}

std::optional<stream_id> machine::open_one_way() {
    stream_id opened = -1;
    if (failure_ || ngtcp2_conn_open_uni_stream(connection_.get(), &opened, nullptr) != 0) return std::nullopt;
    return opened;
}

std::uint64_t machine::streams_left() const noexcept { return ngtcp2_conn_get_streams_bidi_left2(connection_.get()); }

std::uint64_t machine::peer_streams() const noexcept {
    const ngtcp2_transport_params* said = ngtcp2_conn_get_remote_transport_params2(connection_.get());
    return said ? said->initial_max_streams_bidi : 0;
}

void machine::abandon(stream_id stream, std::uint64_t code) {
    ngtcp2_conn_shutdown_stream(connection_.get(), 0, stream, code);
}

void machine::stop(stream_id stream, std::uint64_t code) {
    ngtcp2_conn_shutdown_stream_read(connection_.get(), 0, stream, code);
}

void machine::reset(stream_id stream, std::uint64_t code) {
    ngtcp2_conn_shutdown_stream_write(connection_.get(), 0, stream, code);
}

void machine::extend(stream_id stream, std::uint64_t size) {
    if (sending_) return credits_.push_back({stream, size});
    ngtcp2_conn_extend_max_stream_offset(connection_.get(), stream, size);
}

void machine::extend_connection(std::uint64_t size) {
    if (sending_) return credits_.push_back({-1, size});
    ngtcp2_conn_extend_max_offset(connection_.get(), size);
}

void machine::apply_credits() {
    for (const credit& each : std::exchange(credits_, {}))
        each.stream < 0 ? extend_connection(each.size) : extend(each.stream, each.size);
}

std::chrono::nanoseconds machine::round_trip() const noexcept {
    ngtcp2_conn_info info{};
    ngtcp2_conn_get_conn_info2(connection_.get(), &info);
    return std::chrono::nanoseconds(info.smoothed_rtt);
}

void machine::keep_alive(bool wanted) {
    if (std::exchange(keeps_alive_, wanted) == wanted) return;
    ngtcp2_conn_set_keep_alive_timeout(connection_.get(), wanted ? duration_of(keep_alive_after) : UINT64_MAX);
}

void machine::close(std::uint64_t code, std::string_view reason, error why) {
    if (failure_) return;
    failure_ = std::move(why);
    farewell_ = close_frame{code, true, std::string(reason)};
}

}  // namespace pabal::quic

#include "protocol/quic/machine.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <openssl/rand.h>

#include "base/fork.hpp"
#include "protocol/quic/stateless_server.hpp"
#include "protocol/quic/tls_bridge.hpp"
#include "protocol/quic/wire.hpp"

namespace pabal::quic {

namespace {

/// What a client calls its server at first. It needs no ID itself: it has a socket of its own.
constexpr std::size_t first_id_size = 18;
constexpr std::chrono::seconds keep_alive_after{10};
/// TLS alerts as errors of QUIC: RFC 9001 section 4.8.
constexpr std::uint64_t crypto_error = 0x100;
constexpr std::size_t max_pieces = 16;

error out_of_memory() { return {error_code::connection_closed, phase::connect, culprit::local, 0, "out of memory"}; }

/// A reason as a peer wrote it, fit for a message.
std::string shown(std::string_view reason) {
    std::string text(reason.substr(0, 200));
    std::ranges::replace_if(
        text, [](char letter) { return static_cast<unsigned char>(letter) < ' ' || letter == 0x7f; }, '?');
    return text;
}

}  // namespace

void fill_randomly(std::span<std::uint8_t> space) noexcept {
    const base::no_fork whole;
    RAND_bytes(space.data(), space.size());
}

ngtcp2_cid random_id(std::size_t size) noexcept {
    ngtcp2_cid made{};
    made.datalen = size;
    fill_randomly({made.data, size});
    return made;
}

/// ngtcp2's callbacks, as members of the machine that it was given as user data.
struct machine_callbacks {
    static machine& owner(void* user_data) { return *static_cast<machine*>(user_data); }
    /// What was called back may have closed the connection.
    static int outcome(const machine& it) noexcept { return it.failure_ ? NGTCP2_ERR_CALLBACK_FAILURE : 0; }

    static int established(ngtcp2_conn*, void* user_data) {
        machine& it = owner(user_data);
        it.established_ = true;
        if (it.server_) it.give_address_token();
        else it.user_.on_established();
        return outcome(it);
    }
    /// A server can send before the handshake is over, to whomever it is (RFC 9001 section 5.7).
    static int key_to_send_with(ngtcp2_conn*, ngtcp2_encryption_level level, void* user_data) {
        machine& it = owner(user_data);
        if (!it.server_ || level != NGTCP2_ENCRYPTION_LEVEL_1RTT) return 0;
        it.sends_early_ = true;
        it.user_.on_established();
        it.user_.on_peer_may_open(it.limits_.peer_streams);
        return outcome(it);
    }
    static int early_data_rejected(ngtcp2_conn*, void* user_data) {
        machine& it = owner(user_data);
        it.early_ = false;
        it.user_.on_early_data_rejected();
        return outcome(it);
    }
    static int new_address_token(ngtcp2_conn*, const std::uint8_t* token, std::size_t size, void* user_data) {
        owner(user_data).address_token_ = text_of(token, size);
        return 0;
    }
    static int stream_data(ngtcp2_conn*, std::uint32_t flags, stream_id stream, std::uint64_t, const std::uint8_t* data,
                           std::size_t size, void* user_data, void*) {
        machine& it = owner(user_data);
        it.user_.on_stream_data(stream, text_of(data, size), (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0);
        return outcome(it);
    }
    static int acknowledged(ngtcp2_conn*, stream_id stream, std::uint64_t, std::uint64_t size, void* user_data, void*) {
        machine& it = owner(user_data);
        it.user_.on_acknowledged(stream, size);
        return outcome(it);
    }
    static int stream_reset(ngtcp2_conn*, stream_id stream, std::uint64_t, std::uint64_t code, void* user_data, void*) {
        machine& it = owner(user_data);
        it.user_.on_stream_reset(stream, code);
        return outcome(it);
    }
    static int stream_closed(ngtcp2_conn* connection, std::uint32_t flags, stream_id stream, std::uint64_t received,
                             std::uint64_t sent, void* user_data, void*) {
        machine& it = owner(user_data);
        const auto code = [flags](std::uint32_t flag, std::uint64_t value) {
            return (flags & flag) != 0 ? std::optional(value) : std::nullopt;
        };
        it.user_.on_stream_closed(stream, code(NGTCP2_STREAM_CLOSE2_FLAG_RX_APP_ERROR_CODE_SET, received),
                                  code(NGTCP2_STREAM_CLOSE2_FLAG_TX_APP_ERROR_CODE_SET, sent));
        // A stream of the peer's is gone: it may open another.
        if (ngtcp2_conn_is_local_stream2(connection, stream) == 0) {
            if (ngtcp2_is_bidi_stream(stream) != 0) ngtcp2_conn_extend_max_streams_bidi(connection, 1);
            else ngtcp2_conn_extend_max_streams_uni(connection, 1);
        }
        return outcome(it);
    }
    static int streams_allowed(ngtcp2_conn*, std::uint64_t, void* user_data) {
        machine& it = owner(user_data);
        if (it.established_) it.user_.on_streams_allowed();
        return outcome(it);
    }
    static int peer_may_open(ngtcp2_conn*, std::uint64_t streams, void* user_data) {
        owner(user_data).user_.on_peer_may_open(streams);
        return 0;
    }
    static int window_open(ngtcp2_conn*, stream_id stream, std::uint64_t, void* user_data, void*) {
        machine& it = owner(user_data);
        it.user_.on_window_open(stream);
        return outcome(it);
    }
    static int stateless_reset(ngtcp2_conn*, const ngtcp2_pkt_stateless_reset2*, void* user_data) {
        owner(user_data).reset_by_stranger_ = true;
        return 0;
    }
    // BoringSSL has locks of its own, which no child may inherit while they are held. What it does with packets needs none.
    static int begin_handshake(ngtcp2_conn* connection, void* user_data) {
        const base::no_fork whole;
        return ngtcp2_crypto_client_initial_cb(connection, user_data);
    }
    static int begin_servers_handshake(ngtcp2_conn* connection, const ngtcp2_cid* id, void* user_data) {
        const base::no_fork whole;
        return ngtcp2_crypto_recv_client_initial_cb(connection, id, user_data);
    }
    static int handshake_data(ngtcp2_conn* connection, ngtcp2_encryption_level level, std::uint64_t offset,
                              const std::uint8_t* data, std::size_t size, void* user_data) {
        const base::no_fork whole;
        return ngtcp2_crypto_recv_crypto_data_cb(connection, level, offset, data, size, user_data);
    }
    static void random(std::uint8_t* into, std::size_t size, const ngtcp2_rand_ctx*) { fill_randomly({into, size}); }
    static int path_challenge(ngtcp2_conn*, ngtcp2_path_challenge_data* data, void*) {
        fill_randomly(data->data);
        return 0;
    }
    static int new_connection_id(ngtcp2_conn*, ngtcp2_cid* id, ngtcp2_stateless_reset_token* token, std::size_t size,
                                 void* user_data) {
        machine& it = owner(user_data);
        *id = random_id(size);
        if (!it.server_) {
            fill_randomly(token->data);
            return 0;
        }
        std::ranges::copy(it.server_->reset_token(text_of(*id)), token->data);
        it.ids_->on_new_id(text_of(*id));
        return 0;
    }
    static int retired_connection_id(ngtcp2_conn*, const ngtcp2_cid* id, void* user_data) {
        machine& it = owner(user_data);
        if (it.ids_) it.ids_->on_retired_id(text_of(*id));
        return 0;
    }
    static int stream_opened(ngtcp2_conn*, stream_id stream, void* user_data) {
        machine& it = owner(user_data);
        it.user_.on_stream_opened(stream);
        return outcome(it);
    }
    static ngtcp2_ssize write_packet(ngtcp2_conn* connection, ngtcp2_path* path, ngtcp2_pkt_info* info,
                                     std::uint8_t* space, std::size_t size, ngtcp2_tstamp now, void* user_data) {
        (void)connection;
        return owner(user_data).write_packet(path, info, space, size, now);
    }

    static ngtcp2_callbacks table() {
        ngtcp2_callbacks all{};
        all.client_initial = begin_handshake;
        all.recv_client_initial = begin_servers_handshake;
        all.recv_crypto_data = handshake_data;
        all.encrypt = ngtcp2_crypto_encrypt_cb;
        all.decrypt = ngtcp2_crypto_decrypt_cb;
        all.hp_mask = ngtcp2_crypto_hp_mask_cb;
        all.recv_retry = ngtcp2_crypto_recv_retry_cb;
        all.update_key = ngtcp2_crypto_update_key_cb;
        all.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
        all.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
        all.get_path_challenge_data2 = path_challenge;
        all.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
        all.handshake_completed = established;
        all.recv_tx_key = key_to_send_with;
        all.tls_early_data_rejected = early_data_rejected;
        all.recv_new_token = new_address_token;
        all.recv_stream_data = stream_data;
        all.acked_stream_data_offset = acknowledged;
        all.stream_reset = stream_reset;
        all.stream_close2 = stream_closed;
        all.extend_max_local_streams_bidi = streams_allowed;
        all.extend_max_stream_data = window_open;
        all.recv_stateless_reset2 = stateless_reset;
        all.rand = random;
        all.get_new_connection_id2 = new_connection_id;
        all.remove_connection_id = retired_connection_id;
        all.stream_open = stream_opened;
        all.extend_max_remote_streams_bidi = peer_may_open;
        return all;
    }

    static ngtcp2_settings settings(const limits& limits, time_point now) {
        ngtcp2_settings made{};
        ngtcp2_settings_default(&made);
        made.initial_ts = stamp_of(now);
        made.max_window = limits.max_connection_window;
        made.max_stream_window = limits.max_stream_window;
        if (limits.handshake.count() > 0) made.handshake_timeout = duration_of(limits.handshake);
        return made;
    }

    static ngtcp2_transport_params parameters(const limits& limits) {
        ngtcp2_transport_params made{};
        ngtcp2_transport_params_default(&made);
        made.initial_max_stream_data_bidi_local = limits.stream_window;
        made.initial_max_stream_data_bidi_remote = limits.stream_window;
        made.initial_max_stream_data_uni = limits.stream_window;
        made.initial_max_data = limits.connection_window;
        made.initial_max_streams_bidi = limits.peer_streams;
        made.initial_max_streams_uni = limits.peer_one_way_streams;
        made.max_idle_timeout = duration_of(limits.idle);
        return made;
    }
};

void machine::connection_deleter::operator()(ngtcp2_conn* connection) const noexcept { ngtcp2_conn_del(connection); }

machine::machine(ssl_st* tls, path path, stream_user& user, const limits& limits)
    : tls_(tls), path_(std::move(path)), user_(user), limits_(limits) {}

machine::~machine() { tls_bridge::part(tls_); }

result<std::unique_ptr<machine>> machine::client(ssl_st* tls, path path, stream_user& user, const limits& limits,
                                                 time_point now, const acquaintance& known) {
    std::unique_ptr<machine> made(new machine(tls, std::move(path), user, limits));
    if (!tls_bridge::join(tls, *made)) return out_of_memory();
    const ngtcp2_callbacks callbacks = machine_callbacks::table();
    ngtcp2_settings settings = machine_callbacks::settings(limits, now);
    settings.token = bytes_of(known.address_token);
    settings.tokenlen = known.address_token.size();
    if (!known.address_token.empty()) settings.token_type = NGTCP2_TOKEN_TYPE_NEW_TOKEN;
    const ngtcp2_transport_params parameters = machine_callbacks::parameters(limits);
    const ngtcp2_path ends = path_of(made->path_);
    const ngtcp2_cid peer = random_id(first_id_size);
    const ngtcp2_cid own{};
    ngtcp2_conn* connection = nullptr;
    if (ngtcp2_conn_client_new(&connection, &peer, &own, &ends, NGTCP2_PROTO_VER_V1, &callbacks, &settings, &parameters,
                               nullptr, made.get()) != 0)
        return out_of_memory();
    made->connection_.reset(connection);
    ngtcp2_conn_set_tls_native_handle(connection, tls);
    if (!known.parameters.empty() && ngtcp2_conn_decode_and_set_0rtt_transport_params(
                                         connection, bytes_of(known.parameters), known.parameters.size()) != 0)
        return out_of_memory();
    return made;
}

result<std::unique_ptr<machine>> machine::server(ssl_st* tls, path path, const initial& first,
                                                 const stateless_server& server, id_observer& ids, stream_user& user,
                                                 const limits& limits, time_point now) {
    std::unique_ptr<machine> made(new machine(tls, std::move(path), user, limits));
    if (!tls_bridge::join(tls, *made)) return out_of_memory();
    made->server_ = &server;
    made->ids_ = &ids;
    const ngtcp2_cid own = random_id(server_id_size);
    const ngtcp2_cid peer = id_of(first.source);
    const ngtcp2_callbacks callbacks = machine_callbacks::table();
    ngtcp2_settings settings = machine_callbacks::settings(limits, now);
    settings.token = bytes_of(first.token);
    settings.tokenlen = first.token.size();
    if (!first.token.empty())
        settings.token_type = first.retried ? NGTCP2_TOKEN_TYPE_RETRY : NGTCP2_TOKEN_TYPE_NEW_TOKEN;
    ngtcp2_transport_params parameters = machine_callbacks::parameters(limits);
    parameters.original_dcid = id_of(first.retried ? *first.retried : first.destination);
    parameters.original_dcid_present = 1;
    if (first.retried) {
        parameters.retry_scid = id_of(first.destination);
        parameters.retry_scid_present = 1;
    }
    parameters.stateless_reset_token_present = 1;
    std::ranges::copy(server.reset_token(text_of(own)), parameters.stateless_reset_token);
    const ngtcp2_path ends = path_of(made->path_);
    ngtcp2_conn* connection = nullptr;
    if (ngtcp2_conn_server_new(&connection, &peer, &own, &ends, first.version, &callbacks, &settings, &parameters,
                               nullptr, made.get()) != 0)
        return out_of_memory();
    made->connection_.reset(connection);
    ngtcp2_conn_set_tls_native_handle(connection, tls);
    ids.on_new_id(text_of(own));
    return made;
}

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
    return ended(ngtcp2_conn_handle_expiry(connection_.get(), stamp_of(now)));
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

error machine::why(int code) const {
    const phase where = established_ ? phase::read : phase::tls;
    const auto failed = [&](error_code what, std::string message, culprit whose = culprit::peer) {
        return error{what, where, whose, 0, std::move(message)};
    };
    switch (code) {
    case NGTCP2_ERR_DRAINING:
    case NGTCP2_ERR_CLOSING:
        if (reset_by_stranger_)
            return failed(error_code::connection_reset,
                          "the " + peer() + " no longer knows the QUIC connection (stateless reset)");
        return peers_close();
    case NGTCP2_ERR_IDLE_CLOSE:
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
        return {established_ ? error_code::connection_closed : error_code::connect_failed,
                established_ ? phase::read : phase::connect, culprit::network, 0,
                "the QUIC connection is gone: nothing came for too long"};
    case NGTCP2_ERR_CRYPTO:
        return failed(error_code::tls_handshake_failed,
                      "the TLS handshake failed: " +
                          tls_bridge::alert_text(ngtcp2_conn_get_tls_alert2(connection_.get())));
    case NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
    case NGTCP2_ERR_VERSION_NEGOTIATION_FAILURE:
        return failed(error_code::unsupported, "the " + peer() + " does not speak QUIC version 1");
    case NGTCP2_ERR_NOMEM: return failed(error_code::connection_closed, "out of memory", culprit::local);
    default: return failed(error_code::malformed_message, "the " + peer() + " broke QUIC: " + ngtcp2_strerror(code));
    }
}

/// The peer's CONNECTION_CLOSE (RFC 9000 section 19.19), in words.
error machine::peers_close() const {
    const ngtcp2_ccerr& said = *ngtcp2_conn_get_ccerr2(connection_.get());
    const std::string reason = said.reasonlen > 0 ? ": " + shown(text_of(said.reason, said.reasonlen)) : std::string();
    if (said.type == NGTCP2_CCERR_TYPE_APPLICATION)
        return {error_code::connection_closed, phase::read, culprit::peer, 0,
                "the " + peer() + " ended the connection (code " + std::to_string(said.error_code) + ")" + reason};
    if (const auto alert = peers_alert())
        return {error_code::tls_handshake_failed, phase::tls, culprit::peer, 0,
                "the " + peer() + " refused the TLS handshake: " + tls_bridge::alert_text(*alert) + reason};
    return {error_code::connection_closed, established_ ? phase::read : phase::tls, culprit::peer, 0,
            "the " + peer() + " ended the QUIC connection (transport code " + std::to_string(said.error_code) + ")" +
                reason};
}

std::optional<int> machine::peers_alert() const noexcept {
    const ngtcp2_ccerr& said = *ngtcp2_conn_get_ccerr2(connection_.get());
    if (said.type != NGTCP2_CCERR_TYPE_TRANSPORT || said.error_code < crypto_error ||
        said.error_code >= 2 * crypto_error)
        return std::nullopt;
    return static_cast<int>(said.error_code - crypto_error);
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
    const ngtcp2_ssize written =
        ngtcp2_conn_write_aggregate_pkt(connection_.get(), &ends.path, &info, bytes_of(space), space.size(), &segment,
                                        machine_callbacks::write_packet, stamp_of(now));
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

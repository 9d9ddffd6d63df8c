// How a machine begins: what ngtcp2 calls back, and what it is told.

#include <algorithm>
#include <utility>

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <openssl/rand.h>

#include "base/block_pool.hpp"
#include "base/fork.hpp"
#include "protocol/quic/machine.hpp"
#include "protocol/quic/stateless_server.hpp"
#include "protocol/quic/tls_bridge.hpp"
#include "protocol/quic/wire.hpp"

namespace pabal::quic {

namespace {

/// What a client calls its server at first. It needs no ID itself: it has a socket of its own.
constexpr std::size_t first_id_size = 18;

constexpr ngtcp2_mem memory{nullptr, base::pooled_malloc, base::pooled_free, base::pooled_calloc, base::pooled_realloc};

ngtcp2_cc_algo algorithm_of(congestion_control wanted) noexcept {
    switch (wanted) {
    case congestion_control::bbr: return NGTCP2_CC_ALGO_BBR;
    case congestion_control::reno: return NGTCP2_CC_ALGO_RENO;
    case congestion_control::cubic: break;
    }
    return NGTCP2_CC_ALGO_CUBIC;
}

error out_of_memory() { return {error_code::connection_closed, phase::connect, culprit::local, 0, "out of memory"}; }

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
    /// Of a packet that is nothing but padding, ngtcp2 (1.25) does not begin a record: what it brings then is the one before, which was
    /// told, with the end of a record behind it. The last call brings nothing, while the machine goes.
    static void record(void* user_data, std::uint32_t, const void* bytes, std::size_t size) {
        const std::string_view text(static_cast<const char*>(bytes), size);
        if (!text.starts_with('\x1e') || text.find('\n') != size - 1) return;
        owner(user_data).log_->write(text);
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

    static ngtcp2_settings settings(const machine& its, const conduct& conduct, time_point now) {
        ngtcp2_settings made{};
        ngtcp2_settings_default(&made);
        made.initial_ts = stamp_of(now);
        made.cc_algo = algorithm_of(conduct.congestion_control);
        if (its.log_) made.qlog_write = record;
        made.max_window = its.limits_.max_connection_window;
        made.max_stream_window = its.limits_.max_stream_window;
        if (its.limits_.handshake.count() > 0) made.handshake_timeout = duration_of(its.limits_.handshake);
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

result<std::unique_ptr<machine>> machine::client(ssl_st* tls, path path, stream_user& user, const limits& limits,
                                                 time_point now, const acquaintance& known, const conduct& conduct) {
    std::unique_ptr<machine> made(new machine(tls, std::move(path), user, limits));
    if (!tls_bridge::join(tls, *made)) return out_of_memory();
    const ngtcp2_cid peer = random_id(first_id_size);
    if (conduct.logs) made->log_ = conduct.logs->begin(text_of(peer), vantage_point::client);
    const ngtcp2_callbacks callbacks = machine_callbacks::table();
    ngtcp2_settings settings = machine_callbacks::settings(*made, conduct, now);
    settings.token = bytes_of(known.address_token);
    settings.tokenlen = known.address_token.size();
    if (!known.address_token.empty()) settings.token_type = NGTCP2_TOKEN_TYPE_NEW_TOKEN;
    const ngtcp2_transport_params parameters = machine_callbacks::parameters(limits);
    const ngtcp2_path ends = path_of(made->path_);
    const ngtcp2_cid own{};
    ngtcp2_conn* connection = nullptr;
    if (ngtcp2_conn_client_new(&connection, &peer, &own, &ends, NGTCP2_PROTO_VER_V1, &callbacks, &settings, &parameters,
                               &memory, made.get()) != 0)
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
                                                 const limits& limits, time_point now, const conduct& conduct) {
    std::unique_ptr<machine> made(new machine(tls, std::move(path), user, limits));
    if (!tls_bridge::join(tls, *made)) return out_of_memory();
    made->server_ = &server;
    made->ids_ = &ids;
    const ngtcp2_cid own = random_id(server_id_size);
    const ngtcp2_cid peer = id_of(first.source);
    const std::string& original = first.retried ? *first.retried : first.destination;
    if (conduct.logs) made->log_ = conduct.logs->begin(original, vantage_point::server);
    const ngtcp2_callbacks callbacks = machine_callbacks::table();
    ngtcp2_settings settings = machine_callbacks::settings(*made, conduct, now);
    settings.token = bytes_of(first.token);
    settings.tokenlen = first.token.size();
    if (!first.token.empty())
        settings.token_type = first.retried ? NGTCP2_TOKEN_TYPE_RETRY : NGTCP2_TOKEN_TYPE_NEW_TOKEN;
    ngtcp2_transport_params parameters = machine_callbacks::parameters(limits);
    parameters.original_dcid = id_of(original);
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
                               &memory, made.get()) != 0)
        return out_of_memory();
    made->connection_.reset(connection);
    ngtcp2_conn_set_tls_native_handle(connection, tls);
    ids.on_new_id(text_of(own));
    return made;
}

}  // namespace pabal::quic

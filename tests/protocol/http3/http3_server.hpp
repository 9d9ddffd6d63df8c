#pragma once
/// \file
/// A server that nobody here wrote: nghttp3's server role with a script. It writes down what comes and answers as it is told.

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nghttp3/nghttp3.h>

#include "protocol/http/recording_stream.hpp"
#include "protocol/quic/machine.hpp"

namespace pabal::http3::testing {

using http::testing::lines;

class http3_server final : public quic::stream_user {
public:
    struct request {
        lines head;
        lines trailers;
        std::string body;
        bool ended = false;
        std::optional<std::uint64_t> reset;    ///< the code with which the client gave its own direction up
        std::optional<std::uint64_t> stopped;  ///< … and asked us to stop
        std::string field(std::string_view name) const {
            for (const auto& [key, value] : head) {
                if (key == name) return value;
            }
            return "(none)";
        }
    };

    explicit http3_server(bool takes_extended_connect = false) {
        nghttp3_callbacks callbacks{};
        callbacks.recv_header = on_header;
        callbacks.recv_trailer = on_trailer;
        callbacks.recv_data = on_data;
        callbacks.end_stream = on_end;
        callbacks.acked_stream_data = on_body_acknowledged;
        nghttp3_settings settings{};
        nghttp3_settings_default(&settings);
        settings.qpack_max_dtable_capacity = 4096;
        settings.enable_connect_protocol = takes_extended_connect ? 1 : 0;
        nghttp3_conn_server_new(&connection_, &callbacks, &settings, nullptr, this);
    }
    ~http3_server() { nghttp3_conn_del(connection_); }
    http3_server(const http3_server&) = delete;
    http3_server& operator=(const http3_server&) = delete;

    void ride(quic::machine& quic) { quic_ = &quic; }

    /// A whole response; of a body larger than the client's windows, as much as they let through.
    void answer(quic::stream_id id, const lines& head, std::string body = {}, lines trailers = {}) {
        sending& it = sending_[id];
        it.body = std::move(body);
        it.trailers = std::move(trailers);
        it.ends = true;
        submit(id, head, !it.body.empty() || !it.trailers.empty());
    }
    /// A head without an end.
    void head(quic::stream_id id, const lines& head) {
        sending_[id].ends = false;
        submit(id, head, true);
    }
    /// A piece of the body after that head, once; it does not end.
    void add(quic::stream_id id, std::string piece) {
        sending_[id].body = std::move(piece);
        nghttp3_conn_resume_stream(connection_, id);
    }
    void information(quic::stream_id id, const lines& head) {
        const auto fields = fields_of(head);
        nghttp3_conn_submit_info(connection_, id, fields.data(), fields.size());
    }
    void reset(quic::stream_id id, std::uint64_t code) { quic_->reset(id, code); }
    void stop(quic::stream_id id, std::uint64_t code) { quic_->stop(id, code); }
    /// Says that what came up to now is all that is processed.
    void go_away() { nghttp3_conn_shutdown(connection_); }
    /// How much of its body was let through.
    std::size_t sent(quic::stream_id id) const { return sending_.at(id).read; }
    std::vector<quic::stream_id> ids() const {
        std::vector<quic::stream_id> all;
        for (const auto& [id, came] : requests) all.push_back(id);
        return all;
    }

    std::map<quic::stream_id, request> requests;
    bool withholds_acceptance = false;  ///< of the body's bytes: the client's window stays as it is

    // quic::stream_user
    void on_established() override {
        const auto control = quic_->open_one_way(), encoder = quic_->open_one_way(), decoder = quic_->open_one_way();
        ASSERT_TRUE(control && encoder && decoder);
        nghttp3_conn_bind_control_stream(connection_, *control);
        nghttp3_conn_bind_qpack_streams(connection_, *encoder, *decoder);
    }
    void on_stream_data(quic::stream_id id, std::string_view data, bool ends) override {
        const auto used = nghttp3_conn_read_stream2(connection_, id, reinterpret_cast<const std::uint8_t*>(data.data()),
                                                    data.size(), ends ? 1 : 0, 0);
        EXPECT_GE(used, 0) << nghttp3_strerror(static_cast<int>(used));
        quic_->extend(id, static_cast<std::uint64_t>(used));
        quic_->extend_connection(static_cast<std::uint64_t>(used));
    }
    void on_stream_reset(quic::stream_id id, std::uint64_t code) override {
        requests[id].reset = code;
        nghttp3_conn_shutdown_stream_read(connection_, id);
    }
    void on_stream_closed(quic::stream_id id, std::optional<std::uint64_t>,
                          std::optional<std::uint64_t> sent) override {
        if (id % 4 == 0) requests[id].stopped = sent;
        nghttp3_conn_close_stream2(connection_, 0, id, 0, 0);
    }
    void on_acknowledged(quic::stream_id id, std::uint64_t size) override {
        nghttp3_conn_add_ack_offset(connection_, id, size);
    }
    void on_streams_allowed() override {}
    void on_window_open(quic::stream_id id) override { nghttp3_conn_unblock_stream(connection_, id); }
    quic::outgoing next(std::span<std::string_view> pieces) override {
        std::array<nghttp3_vec, 16> vectors;
        quic::outgoing out;
        int ends = 0;
        const auto count = nghttp3_conn_writev_stream(connection_, &out.stream, &ends, vectors.data(), vectors.size());
        EXPECT_GE(count, 0) << nghttp3_strerror(static_cast<int>(count));
        out.ends = ends != 0;
        out.pieces = static_cast<std::size_t>(count);
        for (std::size_t at = 0; at < out.pieces; ++at)
            pieces[at] = {reinterpret_cast<const char*>(vectors[at].base), vectors[at].len};
        return out;
    }
    void on_taken(quic::stream_id id, std::size_t size) override {
        nghttp3_conn_add_write_offset(connection_, id, size);
    }
    void on_blocked(quic::stream_id id) override { nghttp3_conn_block_stream(connection_, id); }
    void on_unwritable(quic::stream_id id) override { nghttp3_conn_shutdown_stream_write(connection_, id); }

private:
    struct sending {
        std::string body;
        lines trailers;
        bool ends = true;
        std::size_t read = 0;
    };

    static std::vector<nghttp3_nv> fields_of(const lines& from) {
        std::vector<nghttp3_nv> fields;
        for (const auto& [name, value] : from)
            fields.push_back({reinterpret_cast<const std::uint8_t*>(name.data()),
                              reinterpret_cast<const std::uint8_t*>(value.data()), name.size(), value.size(),
                              NGHTTP3_NV_FLAG_NONE});
        return fields;
    }
    void submit(quic::stream_id id, const lines& head, bool has_body) {
        const auto fields = fields_of(head);
        const nghttp3_data_reader source{read};
        EXPECT_EQ(
            nghttp3_conn_submit_response(connection_, id, fields.data(), fields.size(), has_body ? &source : nullptr),
            0);
    }
    static http3_server& self(void* user) { return *static_cast<http3_server*>(user); }
    static std::string text(nghttp3_rcbuf* held) {
        const auto bytes = nghttp3_rcbuf_get_buf(held);
        return {reinterpret_cast<const char*>(bytes.base), bytes.len};
    }
    static int on_header(nghttp3_conn*, quic::stream_id id, std::int32_t, nghttp3_rcbuf* name, nghttp3_rcbuf* value,
                         std::uint8_t, void* user, void*) {
        self(user).requests[id].head.emplace_back(text(name), text(value));
        return 0;
    }
    static int on_trailer(nghttp3_conn*, quic::stream_id id, std::int32_t, nghttp3_rcbuf* name, nghttp3_rcbuf* value,
                          std::uint8_t, void* user, void*) {
        self(user).requests[id].trailers.emplace_back(text(name), text(value));
        return 0;
    }
    static int on_data(nghttp3_conn*, quic::stream_id id, const std::uint8_t* data, std::size_t size, void* user,
                       void*) {
        http3_server& it = self(user);
        it.requests[id].body.append(reinterpret_cast<const char*>(data), size);
        if (!it.withholds_acceptance) it.quic_->extend(id, size);
        it.quic_->extend_connection(size);
        return 0;
    }
    static int on_end(nghttp3_conn*, quic::stream_id id, void* user, void*) {
        self(user).requests[id].ended = true;
        return 0;
    }
    static int on_body_acknowledged(nghttp3_conn*, quic::stream_id, std::uint64_t, void*, void*) { return 0; }
    static nghttp3_ssize read(nghttp3_conn* connection, quic::stream_id id, nghttp3_vec* vectors, std::size_t,
                              std::uint32_t* flags, void* user, void*) {
        sending& it = self(user).sending_[id];
        if (it.body.size() == it.read && !it.ends) return NGHTTP3_ERR_WOULDBLOCK;
        vectors[0] = {reinterpret_cast<std::uint8_t*>(it.body.data()) + it.read, it.body.size() - it.read};
        it.read = it.body.size();
        if (!it.ends) return 1;
        *flags |= NGHTTP3_DATA_FLAG_EOF;
        if (!it.trailers.empty()) {
            *flags |= NGHTTP3_DATA_FLAG_NO_END_STREAM;
            const auto fields = fields_of(it.trailers);
            nghttp3_conn_submit_trailers(connection, id, fields.data(), fields.size());
        }
        return vectors[0].len > 0 ? 1 : 0;
    }

    nghttp3_conn* connection_ = nullptr;
    quic::machine* quic_ = nullptr;
    std::map<quic::stream_id, sending> sending_;
};

}  // namespace pabal::http3::testing

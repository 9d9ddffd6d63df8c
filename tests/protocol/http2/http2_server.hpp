#pragma once
/// \file
/// A server that nobody here wrote: nghttp2's server role with a script. It writes down what comes and answers as it is told.

#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

namespace pabal::http2::testing {

using lines = std::vector<std::pair<std::string, std::string>>;

class http2_server {
public:
    struct request {
        lines head;
        lines trailers;
        std::string body;
        bool ended = false;
        std::uint32_t reset = 0;  ///< the code with which the client gave it up
        std::string field(std::string_view name) const {
            for (const auto& [key, value] : head) {
                if (key == name) return value;
            }
            return "(none)";
        }
    };

    explicit http2_server(std::vector<nghttp2_settings_entry> settings = {}) {
        nghttp2_session_callbacks* callbacks = nullptr;
        nghttp2_session_callbacks_new(&callbacks);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
        nghttp2_option* option = nullptr;
        nghttp2_option_new(&option);
        nghttp2_option_set_no_http_messaging(option, 1);  // it may say what it should not
        nghttp2_option_set_max_send_header_block_length(option, 1 << 24);
        nghttp2_session_server_new2(&session_, callbacks, this, option);
        nghttp2_option_del(option);
        nghttp2_session_callbacks_del(callbacks);
        nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    }
    ~http2_server() { nghttp2_session_del(session_); }
    http2_server(const http2_server&) = delete;
    http2_server& operator=(const http2_server&) = delete;

    void receive(std::string_view bytes) {
        const auto used =
            nghttp2_session_mem_recv2(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
        EXPECT_EQ(used, static_cast<nghttp2_ssize>(bytes.size())) << nghttp2_strerror(static_cast<int>(used));
    }
    std::string output() {
        std::string all;
        const std::uint8_t* bytes = nullptr;
        for (nghttp2_ssize size = 0; (size = nghttp2_session_mem_send2(session_, &bytes)) > 0;)
            all.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
        return all;
    }

    /// A whole response; of a body larger than the client's windows, as much as they let through.
    void answer(std::int32_t id, const lines& head, std::string body = {}, lines trailers = {}) {
        sending& it = sending_[id];
        it.body = std::move(body);
        it.trailers = std::move(trailers);
        const nghttp2_data_provider2 source{{.ptr = &it}, read};
        const auto fields = fields_of(head);
        const bool is_empty = it.body.empty() && it.trailers.empty();
        nghttp2_submit_response2(session_, id, fields.data(), fields.size(), is_empty ? nullptr : &source);
    }
    /// A head without an end.
    void head(std::int32_t id, const lines& head) {
        const auto fields = fields_of(head);
        nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, id, nullptr, fields.data(), fields.size(), nullptr);
    }
    void reset(std::int32_t id, std::uint32_t code) {
        nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, code);
    }
    void go_away(std::int32_t last, std::uint32_t code = NGHTTP2_NO_ERROR) {
        nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last, code, nullptr, 0);
    }
    void settings(const std::vector<nghttp2_settings_entry>& entries) {
        nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, entries.data(), entries.size());
    }
    /// How much of its body the client has let through.
    std::size_t sent(std::int32_t id) const { return sending_.at(id).sent; }
    std::vector<std::int32_t> ids() const {
        std::vector<std::int32_t> all;
        for (const auto& [id, came] : requests) all.push_back(id);
        return all;
    }

    std::map<std::int32_t, request> requests;
    std::vector<std::uint32_t> goaways;  ///< codes of the client's
    int pings = 0;

private:
    struct sending {
        std::string body;
        lines trailers;
        std::size_t sent = 0;
    };

    static std::vector<nghttp2_nv> fields_of(const lines& from) {
        std::vector<nghttp2_nv> fields;
        for (const auto& [name, value] : from)
            fields.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                              reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                              value.size(), NGHTTP2_NV_FLAG_NONE});
        return fields;
    }
    static http2_server& self(void* user) { return *static_cast<http2_server*>(user); }
    static std::string text(const std::uint8_t* bytes, std::size_t size) {
        return {reinterpret_cast<const char*>(bytes), size};
    }
    static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                         const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
        request& of = self(user).requests[frame->hd.stream_id];
        auto& into = frame->headers.cat == NGHTTP2_HCAT_REQUEST ? of.head : of.trailers;
        into.emplace_back(text(name, name_size), text(value, value_size));
        return 0;
    }
    static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t size,
                       void* user) {
        self(user).requests[id].body += text(data, size);
        return 0;
    }
    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        if (frame->hd.type == NGHTTP2_GOAWAY) self(user).goaways.push_back(frame->goaway.error_code);
        if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) ++self(user).pings;
        const bool is_message = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
        if (is_message && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
            self(user).requests[frame->hd.stream_id].ended = true;
        return 0;
    }
    static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t code, void* user) {
        if (const auto found = self(user).requests.find(id); found != self(user).requests.end())
            found->second.reset = code;
        return 0;
    }
    static nghttp2_ssize read(nghttp2_session* session, std::int32_t id, std::uint8_t* buffer, std::size_t size,
                              std::uint32_t* flags, nghttp2_data_source* source, void*) {
        sending& it = *static_cast<sending*>(source->ptr);
        const std::size_t copied = it.body.copy(reinterpret_cast<char*>(buffer), size, it.sent);
        it.sent += copied;
        if (it.sent < it.body.size()) return static_cast<nghttp2_ssize>(copied);
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (!it.trailers.empty()) {
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            const auto fields = fields_of(it.trailers);
            nghttp2_submit_trailer(session, id, fields.data(), fields.size());
        }
        return static_cast<nghttp2_ssize>(copied);
    }

    nghttp2_session* session_ = nullptr;
    std::map<std::int32_t, sending> sending_;
};

}  // namespace pabal::http2::testing

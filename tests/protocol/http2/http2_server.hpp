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

#include "protocol/http2/http2_end.hpp"

namespace pabal::http2::testing {

class http2_server final : public http2_end {
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
    /// More of the body after that head; it does not end.
    void add(std::int32_t id, std::string_view more) {
        const auto [found, is_first] = sending_.try_emplace(id);
        sending& it = found->second;
        it.whole = false;
        it.body += more;
        const nghttp2_data_provider2 source{{.ptr = &it}, read};
        if (is_first) nghttp2_submit_data2(session_, NGHTTP2_FLAG_NONE, id, &source);
        else nghttp2_session_resume_data(session_, id);
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
    static http2_server& self(void* user) { return *static_cast<http2_server*>(user); }
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
    std::map<std::int32_t, sending> sending_;
};

}  // namespace pabal::http2::testing

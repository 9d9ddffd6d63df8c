#pragma once
/// \file
/// A client that nobody here wrote: nghttp2's client role, told what to ask for. It writes down what comes. And frames byte by
/// byte, for what no library sends.

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include "protocol/http2/http2_end.hpp"
#include "protocol/http2/http2_server.hpp"

namespace pabal::http2::testing {

inline constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

inline std::string frame(std::uint8_t type, std::uint8_t flags, std::int32_t id, std::string_view payload = {}) {
    std::string bytes;
    const auto number = [&bytes](std::size_t value, int size) {
        for (int at = size - 1; at >= 0; --at) bytes += static_cast<char>(value >> (8 * at) & 0xff);
    };
    number(payload.size(), 3);
    number(type, 1);
    number(flags, 1);
    number(static_cast<std::size_t>(id), 4);
    return bytes.append(payload);
}

/// The code of the first GOAWAY among frames, for a client that has broken too many rules to read them.
inline std::optional<std::uint32_t> goaway_code(std::string_view frames) {
    const auto number = [&frames](std::size_t at, std::size_t size) {
        std::uint32_t value = 0;
        for (const char byte : frames.substr(at, size)) value = value << 8U | static_cast<unsigned char>(byte);
        return value;
    };
    while (frames.size() >= 9) {
        const std::size_t whole = 9 + number(0, 3);
        if (frames[3] == NGHTTP2_GOAWAY) return number(13, 4);
        frames.remove_prefix(std::min(whole, frames.size()));
    }
    return std::nullopt;
}

/// HPACK without compression: literal fields that are not indexed (RFC 7541 section 6.2.2).
inline std::string header_block(const lines& fields) {
    std::string block;
    const auto text = [&block](std::string_view of) {
        std::size_t left = of.size();
        if (left < 127) {
            block += static_cast<char>(left);
        } else {
            block += '\x7f';
            for (left -= 127; left >= 128; left /= 128) block += static_cast<char>(left % 128 + 128);
            block += static_cast<char>(left);
        }
        block += of;
    };
    for (const auto& [name, value] : fields) {
        block += '\0';
        text(name);
        text(value);
    }
    return block;
}

inline lines get_lines(std::string path = "/") {
    return {{":method", "GET"}, {":scheme", "https"}, {":authority", "x.test"}, {":path", std::move(path)}};
}
inline lines post_lines(std::string path = "/") {
    return {{":method", "POST"}, {":scheme", "https"}, {":authority", "x.test"}, {":path", std::move(path)}};
}

class http2_client final : public http2_end {
public:
    struct response {
        std::vector<lines> heads;  ///< informational ones, then the final one
        lines trailers;
        std::string body;
        bool ended = false;
        std::optional<std::uint32_t> reset;  ///< the code with which the stream ended
        std::string field(std::string_view name) const {
            if (heads.empty()) return "(no head)";
            for (const auto& [key, value] : heads.back()) {
                if (key == name) return value;
            }
            return "(none)";
        }
        std::string status() const { return field(":status"); }
    };

    /// `reads`: opens the windows again for what came; otherwise `open_window` does.
    explicit http2_client(std::vector<nghttp2_settings_entry> settings = {}, bool reads = true) {
        nghttp2_session_callbacks* callbacks = nullptr;
        nghttp2_session_callbacks_new(&callbacks);
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
        nghttp2_option* option = nullptr;
        nghttp2_option_new(&option);
        nghttp2_option_set_no_http_messaging(option, 1);  // it may say what it should not
        nghttp2_option_set_max_send_header_block_length(option, 1 << 24);
        nghttp2_option_set_peer_max_concurrent_streams(option, 1'000'000);
        nghttp2_option_set_no_auto_window_update(option, reads ? 0 : 1);
        nghttp2_session_client_new2(&session_, callbacks, this, option);
        nghttp2_option_del(option);
        nghttp2_session_callbacks_del(callbacks);
        nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    }
    /// A whole request; of a body larger than the server's windows, as much as they let through.
    std::int32_t ask(const lines& head, std::string body = {}, lines trailers = {}) {
        const bool has_body = !body.empty() || !trailers.empty();
        return submit(head, std::move(body), std::move(trailers), true, has_body);
    }
    /// A request whose body goes on with `add`, and ends with `end`.
    std::int32_t begin(const lines& head, std::string body = {}) {
        return submit(head, std::move(body), {}, false, true);
    }
    void add(std::int32_t id, std::string_view more) {
        sending_[id]->body += more;
        nghttp2_session_resume_data(session_, id);
    }
    void end(std::int32_t id) {
        sending_[id]->whole = true;
        nghttp2_session_resume_data(session_, id);
    }
    void reset(std::int32_t id, std::uint32_t code = NGHTTP2_CANCEL) {
        nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, code);
    }
    /// Changes a priority (PRIORITY_UPDATE, RFC 9218 section 7.1).
    void prioritise(std::int32_t id, std::string_view priority) {
        nghttp2_submit_priority_update(session_, NGHTTP2_FLAG_NONE, id,
                                       reinterpret_cast<const std::uint8_t*>(priority.data()), priority.size());
    }
    void ping() { nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr); }
    void go_away() { nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, nullptr, 0); }
    void open_window(std::int32_t id, std::int32_t by) {
        nghttp2_submit_window_update(session_, NGHTTP2_FLAG_NONE, id, by);
    }
    /// How much of its body the server has let through.
    std::size_t sent(std::int32_t id) const { return sending_.at(id)->sent; }
    std::uint32_t setting(nghttp2_settings_id which) { return nghttp2_session_get_remote_settings(session_, which); }

    std::map<std::int32_t, response> responses;
    std::vector<std::pair<std::int32_t, std::uint32_t>> goaways;  ///< the last stream, and the code
    int pongs = 0;
    std::vector<std::int32_t> order_of_ends;  ///< of the responses' streams

private:
    std::int32_t submit(const lines& head, std::string body, lines trailers, bool whole, bool has_body) {
        auto made = std::make_unique<sending>(sending{std::move(body), std::move(trailers), 0, whole});
        const nghttp2_data_provider2 source{{.ptr = made.get()}, read};
        const auto fields = fields_of(head);
        const auto id = nghttp2_submit_request2(session_, nullptr, fields.data(), fields.size(),
                                                has_body ? &source : nullptr, nullptr);
        sending_[id] = std::move(made);
        responses[id];
        return id;
    }
    static http2_client& self(void* user) { return *static_cast<http2_client*>(user); }
    static int on_begin(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        self(user).responses[frame->hd.stream_id].heads.emplace_back();
        return 0;
    }
    static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                         const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
        self(user).responses[frame->hd.stream_id].heads.back().emplace_back(text(name, name_size),
                                                                            text(value, value_size));
        return 0;
    }
    static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t size,
                       void* user) {
        self(user).responses[id].body += text(data, size);
        return 0;
    }
    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        http2_client& it = self(user);
        if (frame->hd.type == NGHTTP2_GOAWAY)
            it.goaways.emplace_back(frame->goaway.last_stream_id, frame->goaway.error_code);
        if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) ++it.pongs;
        const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        if (frame->hd.type == NGHTTP2_HEADERS) {
            response& of = it.responses[frame->hd.stream_id];
            const bool is_head = !of.heads.back().empty() && of.heads.back().front().first == ":status";
            if (!is_head) {
                of.trailers = of.heads.back();
                of.heads.pop_back();
            }
            of.ended = ends;
        }
        if (frame->hd.type == NGHTTP2_DATA && ends) it.responses[frame->hd.stream_id].ended = true;
        if (ends && frame->hd.stream_id > 0) it.order_of_ends.push_back(frame->hd.stream_id);
        return 0;
    }
    static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t code, void* user) {
        self(user).responses[id].reset = code;
        return 0;
    }
    std::map<std::int32_t, std::unique_ptr<sending>> sending_;
};

}  // namespace pabal::http2::testing

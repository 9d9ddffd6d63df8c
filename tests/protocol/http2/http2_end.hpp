#pragma once
/// \file
/// One end of an HTTP/2 connection that nobody here wrote: what nghttp2's client and its server have in common in the tests.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include "protocol/http/recording_stream.hpp"

namespace pabal::http2::testing {

using http::testing::lines;

class http2_end {
public:
    http2_end(const http2_end&) = delete;
    http2_end& operator=(const http2_end&) = delete;

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

protected:
    /// A body on its way, and what follows it.
    struct sending {
        std::string body;
        lines trailers;
        std::size_t sent = 0;
        bool whole = true;  ///< nothing will be added to it
    };

    http2_end() = default;
    ~http2_end() { nghttp2_session_del(session_); }

    static std::vector<nghttp2_nv> fields_of(const lines& from) {
        std::vector<nghttp2_nv> fields;
        for (const auto& [name, value] : from)
            fields.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                              reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                              value.size(), NGHTTP2_NV_FLAG_NONE});
        return fields;
    }
    static std::string text(const std::uint8_t* bytes, std::size_t size) {
        return {reinterpret_cast<const char*>(bytes), size};
    }
    /// Reads a `sending`.
    static nghttp2_ssize read(nghttp2_session* session, std::int32_t id, std::uint8_t* buffer, std::size_t size,
                              std::uint32_t* flags, nghttp2_data_source* source, void*) {
        sending& it = *static_cast<sending*>(source->ptr);
        const std::size_t copied = it.body.copy(reinterpret_cast<char*>(buffer), size, it.sent);
        it.sent += copied;
        if (it.sent < it.body.size()) return static_cast<nghttp2_ssize>(copied);
        if (!it.whole) {
            if (copied > 0) return static_cast<nghttp2_ssize>(copied);
            return NGHTTP2_ERR_DEFERRED;
        }
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (!it.trailers.empty()) {
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            const auto fields = fields_of(it.trailers);
            nghttp2_submit_trailer(session, id, fields.data(), fields.size());
        }
        return static_cast<nghttp2_ssize>(copied);
    }

    nghttp2_session* session_ = nullptr;
};

}  // namespace pabal::http2::testing

#pragma once
/// \file
/// What the HTTP/3 machine keeps of a request for as long as its QUIC stream lives, which may be longer than its owner does: the
/// body that the peer has not acknowledged.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <pabal/message.hpp>

#include "base/intrusive_list.hpp"
#include "protocol/http/arriving_request.hpp"
#include "protocol/http/pseudo_fields.hpp"
#include "protocol/quic/stream_user.hpp"

namespace pabal::http3 {

class stream;

/// Bytes that were given to QUIC, in order.
class kept_body {
public:
    /// Room for the next piece, of which `commit` keeps the beginning.
    std::span<char> space(std::size_t size) {
        pieces_.push_back({std::make_unique_for_overwrite<char[]>(size), 0, 0});
        return {pieces_.back().bytes.get(), size};
    }
    std::string_view commit(std::size_t size) {
        piece& last = pieces_.back();
        last.size = size;
        held_ += size;
        if (size == 0) pieces_.pop_back();
        return size == 0 ? std::string_view() : std::string_view(last.bytes.get(), size);
    }
    /// The peer has the next `size` bytes.
    void acknowledge(std::size_t size) noexcept {
        while (size > 0 && !pieces_.empty()) {
            piece& first = pieces_.front();
            const std::size_t part = std::min(size, first.size - first.acknowledged);
            first.acknowledged += part;
            held_ -= part;
            size -= part;
            if (first.acknowledged == first.size) pieces_.pop_front();
        }
    }
    /// Not acknowledged yet.
    std::size_t held() const noexcept { return held_; }

private:
    struct piece {
        std::unique_ptr<char[]> bytes;
        std::size_t size;
        std::size_t acknowledged;
    };
    std::deque<piece> pieces_;
    std::size_t held_ = 0;
};

struct waiting_carriage;  ///< tag: requests that wait until the peer allows another stream

struct carriage final : base::list_hook<>, base::list_hook<waiting_carriage> {
    explicit carriage(stream& its_owner) noexcept : owner(&its_owner) {}

    stream* owner;  ///< null: it is no longer interested
    quic::stream_id id = -1;
    const request_head* head = nullptr;  ///< as long as there is an owner
    bool may_be_early = false;           ///< it may be opened before the handshake is done
    std::optional<std::uint64_t> body_size;
    std::unique_ptr<http::arriving_section> section;  ///< while one arrives
    std::unique_ptr<http::arriving_request> request;  ///< server: while its head arrives
    fields trailers;
    kept_body body;
    bool waits_for_acknowledgement = false;
};

}  // namespace pabal::http3

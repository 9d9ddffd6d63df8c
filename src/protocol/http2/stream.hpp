#pragma once
/// \file
/// One HTTP/2 stream: what its owner sees of it, and what the machine notes about it.

#include <cstdint>
#include <optional>
#include <string>

#include "protocol/http/message_stream.hpp"

namespace pabal::http2 {

/// RFC 9113 section 7: why a stream or a connection ended.
enum class error_reason : std::uint32_t {
    no_error = 0,
    protocol_error = 1,
    internal_error = 2,
    flow_control_error = 3,
    settings_timeout = 4,
    stream_closed = 5,
    frame_size_error = 6,
    refused_stream = 7,
    cancel = 8,
    compression_error = 9,
    connect_error = 10,
    enhance_your_calm = 11,
    inadequate_security = 12,
    http_1_1_required = 13,
};
/// "REFUSED_STREAM", as the RFC spells it; "0x…" for what it does not know.
std::string name_of(error_reason reason);

class stream : public http::message_stream {
public:
    /// Our message is complete, as far as its owner is concerned.
    bool sent_all() const noexcept { return sent_all_; }
    /// What `on_data` gives stays where it is until the machine's `receive` returns.
    static constexpr bool lends_data = true;
    static constexpr bool can_be_early = false;

protected:
    ~stream() = default;

private:
    friend class machine;
    friend struct machine_callbacks;
    std::int32_t id_ = 0;
    unsigned informational_ = 0;
    std::optional<std::uint64_t> body_left_;  ///< to be sent, when its size is known
    std::uint32_t window_growth_ = 0;         ///< by so much its window was made larger
    std::uint64_t body_to_come_ = 0;          ///< of the peer's message, as far as it was announced
    std::string defect_;                      ///< what the peer did wrong with it
    bool too_large_ = false;                  ///< its head is
    bool has_head_ = false;
    bool ended_ = false;  ///< the peer's message is complete
    bool sent_all_ = false;
    bool end_left_ = false;  ///< server: so has END_STREAM
};

}  // namespace pabal::http2

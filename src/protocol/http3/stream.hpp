#pragma once
/// \file
/// One HTTP/3 request stream: what its owner sees of it, and what the machine notes about it.

#include <cstdint>
#include <optional>

#include "protocol/http/message_stream.hpp"

namespace pabal::http3 {

struct carriage;

class stream : public http::message_stream {
public:
    /// Our message is complete, as far as its owner is concerned.
    bool sent_all() const noexcept { return sent_all_; }
    /// It was opened before the handshake was done, and the peer takes it so.
    bool was_early() const noexcept { return was_early_; }
    /// What `on_data` gives is gone when it returns.
    static constexpr bool lends_data = false;
    /// A request may leave before the handshake is done.
    static constexpr bool can_be_early = true;

protected:
    ~stream() = default;
    /// Before it is opened: not before the handshake is done.
    void wait_for_handshake() noexcept { waits_for_handshake_ = true; }

private:
    friend class machine;
    friend struct machine_callbacks;
    carriage* carriage_ = nullptr;  ///< null: the machine has let go of it
    unsigned informational_ = 0;
    std::optional<std::uint64_t> body_left_;  ///< to be sent, when its size is known
    bool has_head_ = false;
    bool ended_ = false;  ///< the peer's message is complete
    bool sent_all_ = false;
    bool waits_for_handshake_ = false;
    bool was_early_ = false;
};

}  // namespace pabal::http3

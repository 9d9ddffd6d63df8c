#include "protocol/http2/stream_history.hpp"

#include <algorithm>

namespace pabal::http2 {

error_reason stream_history::message_frame(std::int32_t id, bool opens_a_stream, bool ends) noexcept {
    if (id <= 0 || id % 2 == 0) return error_reason::no_error;  // not a client's stream: nghttp2 says so
    if (id > last_) {
        if (!opens_a_stream) return error_reason::no_error;  // an idle stream: nghttp2 says so
        // Those in between can never be opened any more (section 5.1.1).
        for (auto passed = std::max(last_ + 2, id - static_cast<std::int32_t>(2 * remembered) + 2); passed < id;
             passed += 2)
            of(passed) = state::never_opened;
        last_ = id;
        of(id) = state::open;
    } else if (knows(id)) {
        if (of(id) == state::never_opened) return error_reason::protocol_error;
        if (of(id) == state::ended) return error_reason::stream_closed;
    }
    if (ends && knows(id)) of(id) = state::ended;
    return error_reason::no_error;
}

void stream_history::reset_frame(std::int32_t id) noexcept {
    if (id > 0 && id % 2 == 1 && knows(id)) of(id) = state::ended;
}

}  // namespace pabal::http2

#include "protocol/http2/frame_scanner.hpp"

#include <algorithm>

namespace pabal::http2 {

bool frame_scanner::next(std::string_view input, std::size_t& at, frame_header& found) noexcept {
    const std::size_t skipped = std::min(skip_, input.size() - at);
    at += skipped;
    skip_ -= skipped;
    if (skip_ > 0) return false;
    begin_ = at - std::min(at, size_);
    while (size_ < held_.size() && at < input.size()) held_[size_++] = static_cast<unsigned char>(input[at++]);
    if (size_ < held_.size()) return false;
    size_ = 0;
    const auto number = [this](std::size_t from, std::size_t count) {
        std::uint32_t value = 0;
        for (std::size_t each = from; each < from + count; ++each) value = value << 8U | held_[each];
        return value;
    };
    found.length = number(0, 3);
    found.type = held_[3];
    found.flags = held_[4];
    found.stream = static_cast<std::int32_t>(number(5, 4) & 0x7fffffffU);
    skip_ = found.length;
    return true;
}

}  // namespace pabal::http2

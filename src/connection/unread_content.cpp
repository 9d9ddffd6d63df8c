#include "connection/unread_content.hpp"

#include <utility>

namespace pabal::connection {

namespace {

/// Held on to while there is nothing to keep: the memory serves what comes next.
constexpr std::size_t most_memory_held = 256 * 1024;

}  // namespace

void unread_content::add_in_place(std::string_view piece) {
    if (piece.empty()) return;
    in_place_.push_back(piece);
    in_place_size_ += piece.size();
}

void unread_content::add_copy(std::string_view piece) {
    keep();
    forget_taken();
    kept_.append(piece);
}

void unread_content::keep() {
    if (in_place_size_ > 0) forget_taken();
    for (; in_place_taken_ < in_place_.size(); ++in_place_taken_) kept_.append(in_place_[in_place_taken_]);
    in_place_.clear();
    in_place_taken_ = in_place_size_ = 0;
}

std::size_t unread_content::take(std::span<char> buffer) {
    std::size_t size = kept().copy(buffer.data(), buffer.size());
    kept_taken_ += size;
    if (kept().empty()) forget_taken();
    while (size < buffer.size() && in_place_taken_ < in_place_.size()) {
        std::string_view& piece = in_place_[in_place_taken_];
        const std::size_t moved = piece.copy(buffer.data() + size, buffer.size() - size);
        piece.remove_prefix(moved);
        if (piece.empty()) ++in_place_taken_;
        in_place_size_ -= moved;
        size += moved;
    }
    return size;
}

base::byte_buffer unread_content::take_all() noexcept { return std::exchange(kept_, {}); }

/// What was taken must not hold memory for as long as its reader is behind: what is left moves to the front, once that is the
/// smaller part, so that every byte is moved about once.
void unread_content::forget_taken() {
    if (kept().empty()) {
        if (kept_.capacity() > most_memory_held) kept_ = {};
        kept_.clear();
        kept_taken_ = 0;
    } else if (kept_taken_ > kept_.size() / 2) {
        base::byte_buffer left;
        left.append(kept());
        kept_ = std::move(left);
        kept_taken_ = 0;
    }
}

}  // namespace pabal::connection

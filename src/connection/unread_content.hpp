#pragma once
/// \file
/// Body bytes that have come and that nobody has taken yet. Those of the moment lie where they were received, so that a reader
/// who waits for them gets them with one copy; the others are kept here.

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "base/byte_buffer.hpp"

namespace pabal::connection {

class unread_content {
public:
    std::size_t size() const noexcept { return kept().size() + in_place_size_; }
    bool empty() const noexcept { return size() == 0; }

    /// Bytes that stay where they are until `keep`, which their owner must call before they go.
    void add_in_place(std::string_view piece);
    void add_copy(std::string_view piece);
    /// Copies what still lies elsewhere.
    void keep();

    /// Moves as much into `buffer` as there is and as it takes; returns how much.
    std::size_t take(std::span<char> buffer);
    /// All of it, which must have been kept, and of which nothing was taken.
    base::byte_buffer take_all() noexcept;

    /// Bytes of memory that are held.
    std::size_t capacity() const noexcept { return kept_.capacity(); }

private:
    std::string_view kept() const noexcept { return kept_.view().substr(kept_taken_); }
    void forget_taken();

    base::byte_buffer kept_;
    std::size_t kept_taken_ = 0;
    std::vector<std::string_view> in_place_;  ///< behind what is kept
    std::size_t in_place_taken_ = 0;          ///< pieces
    std::size_t in_place_size_ = 0;           ///< bytes left in them
};

}  // namespace pabal::connection

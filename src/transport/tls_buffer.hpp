#pragma once
/// \file
/// Ciphertext buffers, lent by a small stock of the thread. A connection holds one only while bytes wait in it, so that an
/// idle connection costs none and a busy reactor keeps using the same warm few.

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace pabal::transport {

class tls_buffer {
public:
    /// Four records of the largest size (RFC 8446 section 5.2: 2^14 + 256 bytes, and the header): large enough that system
    /// calls are few, small enough to stay in the second-level cache.
    static constexpr std::size_t capacity = 4 * (16384 + 256 + 5);
    /// How many idle buffers a thread keeps.
    static constexpr std::size_t max_stock = 4;

    tls_buffer() noexcept = default;
    tls_buffer(tls_buffer&&) noexcept = default;
    tls_buffer& operator=(tls_buffer&&) noexcept = default;
    ~tls_buffer() { release(); }

    bool empty() const noexcept { return begin_ == end_; }
    std::string_view data() const noexcept { return {bytes_.get() + begin_, end_ - begin_}; }
    void consume(std::size_t size) noexcept { begin_ += size; }

    /// Room for appending; takes memory from the stock if there is none yet. Moves pending bytes to the front when that
    /// makes at least half of the buffer free.
    std::span<char> space();
    void added(std::size_t size) noexcept { end_ += size; }

    /// Gives the memory back if nothing is pending.
    void release_if_empty() noexcept {
        if (empty()) release();
    }

private:
    void release() noexcept;
    std::unique_ptr<char[]> bytes_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace pabal::transport

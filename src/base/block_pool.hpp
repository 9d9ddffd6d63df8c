#pragma once
/// \file
/// Small blocks of memory that a thread uses again.
///
/// Whoever serves a hundred requests at once asks for a hundred blocks of a few sizes, gives all of them back, and asks again. The
/// system's allocator keeps seven of each size at hand and does the rest at five times the price. Here a thread keeps what it was
/// given back, up to `most_kept_bytes`, whichever thread asked for it first; the rest goes back to the system.
///
/// Under AddressSanitizer every block is the system's, so that a use after the end is found.

#include <cstddef>

namespace pabal::base {

/// Larger blocks are the system's.
inline constexpr std::size_t largest_pooled_block = 1024;
/// What one thread keeps at the most.
inline constexpr std::size_t most_kept_bytes = std::size_t{2} << 20U;

/// As operator new: aligned for everything but over-aligned types, never null; throws std::bad_alloc.
void* take_block(std::size_t size);
/// `size` is what was asked for. Null is nothing.
void give_block_back(void* block, std::size_t size) noexcept;

/// The four functions of C's allocator, for libraries that take an allocator of one's own: they remember the sizes themselves.
/// `user_data` is not used. Null where memory is out.
void* pooled_malloc(std::size_t size, void* user_data) noexcept;
void pooled_free(void* block, void* user_data) noexcept;
void* pooled_calloc(std::size_t count, std::size_t size, void* user_data) noexcept;
void* pooled_realloc(void* block, std::size_t size, void* user_data) noexcept;

/// Base of classes whose objects come and go with every request: `new` and `delete` use the pool.
struct recycled {
    static void* operator new(std::size_t size) { return take_block(size); }
    static void operator delete(void* block, std::size_t size) noexcept { give_block_back(block, size); }
};

}  // namespace pabal::base

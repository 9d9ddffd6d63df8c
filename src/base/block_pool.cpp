#include "base/block_pool.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

namespace pabal::base {

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool is_used = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool is_used = false;
#else
constexpr bool is_used = true;
#endif
#else
constexpr bool is_used = true;
#endif

constexpr std::size_t step = 32;
constexpr std::size_t classes = largest_pooled_block / step;

constexpr std::size_t class_of(std::size_t size) noexcept { return size == 0 ? 0 : (size - 1) / step; }
constexpr std::size_t size_of(std::size_t its_class) noexcept { return (its_class + 1) * step; }

struct spare {
    spare* next;
};

/// Without a destructor, so that blocks may still come while the thread ends.
struct kept_blocks {
    std::array<spare*, classes> of_class{};
    std::size_t bytes = 0;
    bool is_watched = false;  ///< somebody frees it when the thread ends
    bool is_over = false;
};

constinit thread_local kept_blocks kept;

struct end_of_thread {
    ~end_of_thread() {
        kept.is_over = true;
        for (spare*& first : kept.of_class) {
            while (first) ::operator delete(std::exchange(first, first->next));
        }
        kept.bytes = 0;
    }
};

void watch_end_of_thread() noexcept {
    thread_local const end_of_thread watcher;
    static_cast<void>(watcher);
    kept.is_watched = true;
}

/// What stands before a block of the C functions. As large as the alignment they promise.
struct alignas(std::max_align_t) block_size {
    std::size_t value;
};

block_size* header_of(void* block) noexcept { return static_cast<block_size*>(block) - 1; }

}  // namespace

void* take_block(std::size_t size) {
    if (!is_used || size > largest_pooled_block) return ::operator new(size);
    const std::size_t its_class = class_of(size);
    kept_blocks& here = kept;
    spare*& first = here.of_class[its_class];
    if (!first) return ::operator new(size_of(its_class));
    here.bytes -= size_of(its_class);
    return std::exchange(first, first->next);
}

void give_block_back(void* block, std::size_t size) noexcept {
    if (!block) return;
    kept_blocks& here = kept;
    const std::size_t its_class = class_of(size);
    if (!is_used || size > largest_pooled_block || here.is_over || here.bytes + size_of(its_class) > most_kept_bytes)
        return ::operator delete(block);
    if (!here.is_watched) watch_end_of_thread();
    here.bytes += size_of(its_class);
    here.of_class[its_class] = new (block) spare{here.of_class[its_class]};
}

void* pooled_malloc(std::size_t size, void*) noexcept {
    if (size > std::numeric_limits<std::size_t>::max() - sizeof(block_size)) return nullptr;
    try {
        return new (take_block(sizeof(block_size) + size)) block_size{size} + 1;
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void pooled_free(void* block, void*) noexcept {
    if (block) give_block_back(header_of(block), sizeof(block_size) + header_of(block)->value);
}

void* pooled_calloc(std::size_t count, std::size_t size, void* user_data) noexcept {
    if (size != 0 && count > std::numeric_limits<std::size_t>::max() / size) return nullptr;
    void* const made = pooled_malloc(count * size, user_data);
    if (made) std::memset(made, 0, count * size);
    return made;
}

void* pooled_realloc(void* block, std::size_t size, void* user_data) noexcept {
    if (!block) return pooled_malloc(size, user_data);
    const std::size_t before = header_of(block)->value;
    void* const made = pooled_malloc(size, user_data);
    if (!made) return nullptr;
    std::memcpy(made, block, std::min(before, size));
    pooled_free(block, user_data);
    return made;
}

}  // namespace pabal::base

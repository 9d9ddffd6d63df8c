#pragma once
/// \file
/// A few objects that are costly to make, kept for the thread that will need one again: decompression states of 40 to
/// 160 KB, of which every compressed response needs one for the moment it is being read.

#include <array>
#include <cstddef>

namespace pabal::http {

/// At most `capacity` idle objects per thread. `destroy` frees one.
template <class T, void (*destroy)(T*), std::size_t capacity>
class thread_cache {
public:
    /// An idle object, or null.
    static T* take() noexcept {
        if (!alive_ || idle_.count == 0) return nullptr;
        return idle_.objects[--idle_.count];
    }
    static void give_back(T* object) noexcept {
        // `alive_` has no destructor, so it can still be asked when the thread's objects are being destroyed.
        if (alive_ && idle_.count < capacity) {
            idle_.objects[idle_.count++] = object;
        } else {
            destroy(object);
        }
    }

private:
    struct storage {
        std::array<T*, capacity> objects{};
        std::size_t count = 0;

        storage() noexcept = default;
        storage(const storage&) = delete;
        storage& operator=(const storage&) = delete;
        ~storage() {
            alive_ = false;
            while (count > 0) destroy(objects[--count]);
        }
    };
    static inline thread_local bool alive_ = true;
    static inline thread_local storage idle_;
};

}  // namespace pabal::http

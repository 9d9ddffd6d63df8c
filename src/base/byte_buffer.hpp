#pragma once
/// \file
/// A growing run of bytes that never initialises what it will overwrite, with spare room behind the end for parsers that
/// read a little further (simdjson's padding).

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <utility>

namespace pabal::base {

class byte_buffer {
public:
    /// Bytes behind `size()` that are always allocated (content undefined) once anything is.
    static constexpr std::size_t padding = 64;

    byte_buffer() noexcept = default;
    byte_buffer(byte_buffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)),
          capacity_(std::exchange(other.capacity_, 0)) {}
    byte_buffer& operator=(byte_buffer&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        return *this;
    }
    ~byte_buffer() { std::free(data_); }

    const char* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    std::size_t capacity() const noexcept { return capacity_; }
    bool empty() const noexcept { return size_ == 0; }
    std::string_view view() const noexcept { return {data_, size_}; }
    void clear() noexcept { size_ = 0; }

    void reserve(std::size_t wanted) {
        if (wanted <= capacity_) return;
        void* grown = std::realloc(data_, wanted + padding);
        if (!grown) throw std::bad_alloc();
        data_ = static_cast<char*>(grown);
        capacity_ = wanted;
    }
    void append(std::string_view bytes) {
        if (bytes.empty()) return;
        std::memcpy(space(bytes.size()).data(), bytes.data(), bytes.size());
        size_ += bytes.size();
    }
    /// At least `at_least` writable bytes behind the end; say how many were written with `commit`.
    std::span<char> space(std::size_t at_least) {
        if (capacity_ - size_ < at_least) reserve(std::max(size_ + at_least, capacity_ + capacity_ / 2));
        return {data_ + size_, capacity_ - size_};
    }
    void commit(std::size_t written) noexcept { size_ += written; }

private:
    char* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace pabal::base

#include "transport/tls_buffer.hpp"

#include <cstring>
#include <utility>
#include <vector>

namespace pabal::transport {

namespace {

/// Trivially null after the thread's stock is gone, for transports that die later than it.
thread_local bool stock_is_gone = false;

struct stock {
    std::vector<std::unique_ptr<char[]>> buffers;
    stock() { buffers.reserve(tls_buffer::max_stock); }
    ~stock() { stock_is_gone = true; }
};

stock* stock_of_thread() {
    if (stock_is_gone) return nullptr;
    thread_local stock own;
    return &own;
}

std::unique_ptr<char[]> take() {
    stock* own = stock_of_thread();
    if (!own || own->buffers.empty()) return std::unique_ptr<char[]>{new char[tls_buffer::capacity]};
    std::unique_ptr<char[]> taken = std::move(own->buffers.back());
    own->buffers.pop_back();
    return taken;
}

}  // namespace

std::span<char> tls_buffer::space() {
    if (!bytes_) bytes_ = take();
    if (empty()) begin_ = end_ = 0;
    if (begin_ > 0 && begin_ >= capacity / 2) {
        std::memmove(bytes_.get(), bytes_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    return {bytes_.get() + end_, capacity - end_};
}

void tls_buffer::release() noexcept {
    if (!bytes_) return;
    stock* own = stock_of_thread();
    if (own && own->buffers.size() < max_stock) own->buffers.push_back(std::move(bytes_));
    bytes_.reset();
    begin_ = end_ = 0;
}

}  // namespace pabal::transport

/// \file
/// gzip and deflate, by zlib-ng.

#include <algorithm>
#include <limits>
#include <utility>

#include <zlib-ng.h>

#include "protocol/http/coding_stage.hpp"
#include "protocol/http/thread_cache.hpp"

namespace pabal::http {

namespace {

/// What inflateReset2 takes: the window's size as a power of two, and which wrapper is around the data.
enum wrapper : std::int32_t { raw = -15, zlib = 15, gzip = 15 + 16 };

void destroy_inflater(zng_stream* stream) {
    zng_inflateEnd(stream);
    delete stream;
}

using inflater_cache = thread_cache<zng_stream, destroy_inflater, 4>;

class inflate_stage final : public coding_stage {
public:
    explicit inflate_stage(content_coding coding) noexcept
        : coding_(coding), wrapper_(coding == content_coding::gzip ? gzip : zlib) {}
    inflate_stage(const inflate_stage&) = delete;
    inflate_stage& operator=(const inflate_stage&) = delete;
    ~inflate_stage() override {
        if (stream_ != nullptr) inflater_cache::give_back(stream_);
    }

protected:
    prefix recognise(std::string_view bytes, bool first) override {
        if (coding_ == content_coding::deflate) return first ? recognise_deflate(bytes) : prefix::foreign;
        if (first) return prefix::begins;
        constexpr std::string_view magic{"\x1f\x8b"};
        if (!magic.starts_with(bytes)) return prefix::foreign;
        return bytes.size() == magic.size() ? prefix::begins : prefix::undecided;
    }

    bool begin_stream() override {
        if (stream_ != nullptr || (stream_ = inflater_cache::take()) != nullptr)
            return zng_inflateReset2(stream_, wrapper_) == Z_OK;
        auto made = std::make_unique<zng_stream>();
        if (zng_inflateInit2(made.get(), wrapper_) != Z_OK) return false;
        stream_ = made.release();
        return true;
    }

    stream_progress decode_stream(std::string_view input, std::span<char> output) override {
        // zlib counts in 32 bits.
        constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
        const auto offered = static_cast<std::uint32_t>(std::min(input.size(), most));
        const auto space = static_cast<std::uint32_t>(std::min(output.size(), most));
        stream_->next_in = reinterpret_cast<const std::uint8_t*>(input.data());
        stream_->avail_in = offered;
        stream_->next_out = reinterpret_cast<std::uint8_t*>(output.data());
        stream_->avail_out = space;
        const std::int32_t status = zng_inflate(stream_, Z_NO_FLUSH);
        stream_progress done{offered - stream_->avail_in, space - stream_->avail_out, status == Z_STREAM_END, nullptr};
        if (status == Z_NEED_DICT) {
            done.fault = "it needs a preset dictionary";
        } else if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
            done.fault = stream_->msg != nullptr ? stream_->msg : "the data is corrupt";
        }
        return done;
    }

private:
    /// A zlib header (RFC 1950 section 2.2) is told from raw deflate by its method, window and check bits; a raw stream
    /// that looks like one would begin with a stored block whose padding is not zero.
    prefix recognise_deflate(std::string_view bytes) noexcept {
        if (bytes.size() < 2) return prefix::undecided;
        const auto method_and_window = static_cast<unsigned char>(bytes[0]);
        const auto flags = static_cast<unsigned char>(bytes[1]);
        const bool has_header = (method_and_window & 0x0FU) == 8 && (method_and_window >> 4U) <= 7 &&
                                ((unsigned{method_and_window} << 8U) | flags) % 31 == 0;
        wrapper_ = has_header ? zlib : raw;
        return prefix::begins;
    }

    content_coding coding_;
    wrapper wrapper_;
    zng_stream* stream_ = nullptr;
};

}  // namespace

std::unique_ptr<coding_stage> make_inflate_stage(content_coding gzip_or_deflate) {
    return std::make_unique<inflate_stage>(gzip_or_deflate);
}

}  // namespace pabal::http

#include "protocol/http/content_encoder.hpp"

#include <algorithm>
#include <limits>
#include <new>

#include <brotli/encode.h>
#include <zlib-ng.h>
#include <zstd.h>

namespace pabal::http {

namespace {

/// Room made for a coding's output at a time.
constexpr std::size_t step = std::size_t{16} * 1024;

/// Appends to a string what a library writes into a buffer.
class appending {
public:
    explicit appending(std::string& out) : out_(out), used_(out.size()) {}
    ~appending() { out_.resize(used_); }
    appending(const appending&) = delete;
    appending& operator=(const appending&) = delete;

    /// Where to write next, `step` bytes.
    char* room() {
        out_.resize(used_ + step);
        return out_.data() + used_;
    }
    void wrote(std::size_t size) noexcept { used_ += size; }

private:
    std::string& out_;
    std::size_t used_;
};

class deflate_backend final : public content_encoder::backend {
public:
    explicit deflate_backend(bool as_gzip) {
        constexpr int window_bits = 15;
        constexpr int gzip_wrapper = 16;
        if (zng_deflateInit2(&stream_, 6, Z_DEFLATED, window_bits + (as_gzip ? gzip_wrapper : 0), 8,
                             Z_DEFAULT_STRATEGY) != Z_OK)
            throw std::bad_alloc();
    }
    deflate_backend(const deflate_backend&) = delete;
    deflate_backend& operator=(const deflate_backend&) = delete;
    ~deflate_backend() override { zng_deflateEnd(&stream_); }

    void encode(std::string_view piece, bool is_last, std::string& out) override {
        appending output(out);
        constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();  // zlib counts in 32 bits
        do {
            const std::string_view part = piece.substr(0, most);
            piece.remove_prefix(part.size());
            stream_.next_in = reinterpret_cast<const std::uint8_t*>(part.data());
            stream_.avail_in = static_cast<std::uint32_t>(part.size());
            const int flush = is_last && piece.empty() ? Z_FINISH : Z_NO_FLUSH;
            do {
                stream_.next_out = reinterpret_cast<std::uint8_t*>(output.room());
                stream_.avail_out = step;
                zng_deflate(&stream_, flush);  // cannot fail: the stream is sound and has room
                output.wrote(step - stream_.avail_out);
            } while (stream_.avail_out == 0);
        } while (!piece.empty());
    }

private:
    zng_stream stream_{};
};

class brotli_backend final : public content_encoder::backend {
public:
    brotli_backend() : encoder_(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr)) {
        if (!encoder_) throw std::bad_alloc();
        BrotliEncoderSetParameter(encoder_.get(), BROTLI_PARAM_QUALITY, 5);
    }

    void encode(std::string_view piece, bool is_last, std::string& out) override {
        appending output(out);
        std::size_t left = piece.size();
        const auto* next = reinterpret_cast<const std::uint8_t*>(piece.data());
        const auto operation = is_last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_PROCESS;
        do {
            std::size_t room = step;
            auto* to = reinterpret_cast<std::uint8_t*>(output.room());
            if (!BrotliEncoderCompressStream(encoder_.get(), operation, &left, &next, &room, &to, nullptr))
                throw std::bad_alloc();  // nothing else can go wrong
            output.wrote(step - room);
        } while (left > 0 || BrotliEncoderHasMoreOutput(encoder_.get()) ||
                 (is_last && !BrotliEncoderIsFinished(encoder_.get())));
    }

private:
    struct destroy {
        void operator()(BrotliEncoderState* encoder) const noexcept { BrotliEncoderDestroyInstance(encoder); }
    };
    std::unique_ptr<BrotliEncoderState, destroy> encoder_;
};

class zstd_backend final : public content_encoder::backend {
public:
    zstd_backend() : context_(ZSTD_createCCtx()) {
        if (!context_) throw std::bad_alloc();
        ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, 3);
    }

    void encode(std::string_view piece, bool is_last, std::string& out) override {
        appending output(out);
        ZSTD_inBuffer input{piece.data(), piece.size(), 0};
        const auto directive = is_last ? ZSTD_e_end : ZSTD_e_continue;
        std::size_t left = 0;
        do {
            ZSTD_outBuffer room{output.room(), step, 0};
            left = ZSTD_compressStream2(context_.get(), &room, &input, directive);
            if (ZSTD_isError(left)) throw std::bad_alloc();  // nothing else can go wrong
            output.wrote(room.pos);
        } while (input.pos < input.size || (is_last && left > 0));
    }

private:
    struct destroy {
        void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
    };
    std::unique_ptr<ZSTD_CCtx, destroy> context_;
};

std::unique_ptr<content_encoder::backend> make_backend(content_coding coding) {
    switch (coding) {
    case content_coding::gzip: return std::make_unique<deflate_backend>(true);
    case content_coding::deflate: return std::make_unique<deflate_backend>(false);
    case content_coding::br: return std::make_unique<brotli_backend>();
    case content_coding::zstd: return std::make_unique<zstd_backend>();
    }
    return nullptr;
}

}  // namespace

content_encoder::content_encoder(content_coding coding) : backend_(make_backend(coding)) {}
content_encoder::content_encoder(content_encoder&&) noexcept = default;
content_encoder& content_encoder::operator=(content_encoder&&) noexcept = default;
content_encoder::~content_encoder() = default;

void content_encoder::encode(std::string_view piece, std::string& out) {
    if (!piece.empty()) backend_->encode(piece, false, out);
}

void content_encoder::finish(std::string& out) { backend_->encode({}, true, out); }

std::string content_encoder::encoded(content_coding coding, std::string_view whole) {
    std::string out;
    make_backend(coding)->encode(whole, true, out);
    return out;
}

}  // namespace pabal::http

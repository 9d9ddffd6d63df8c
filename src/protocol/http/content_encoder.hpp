#pragma once
/// \file
/// Content codings of request bodies, RFC 9110 section 8.4: gzip (RFC 1952), deflate (RFC 1950), br (RFC 7932), zstd (RFC
/// 8878, with a window every recipient takes, RFC 9659).
///
///     content_encoder encoder(content_coding::gzip);
///     while (piece = next()) encoder.encode(piece, out);    // appends what is ready to `out`, perhaps nothing
///     encoder.finish(out);                                  // appends the rest; no more calls
///
/// Memory: the coding's window (256 KiB gzip and deflate, about 10 MiB br and zstd), whatever the size of the body; levels
/// are those that suit bodies made on the way: 6 of 9, 5 of 11, 3 of 19.

#include <memory>
#include <string>
#include <string_view>

#include <pabal/content_coding.hpp>

namespace pabal::http {

class content_encoder {
public:
    /// Throws std::bad_alloc.
    explicit content_encoder(content_coding coding);
    content_encoder(content_encoder&&) noexcept;
    content_encoder& operator=(content_encoder&&) noexcept;
    ~content_encoder();

    void encode(std::string_view piece, std::string& out);
    void finish(std::string& out);

    /// All at once.
    static std::string encoded(content_coding coding, std::string_view whole);

    /// One coding's way.
    class backend {
    public:
        virtual ~backend() = default;
        virtual void encode(std::string_view piece, bool is_last, std::string& out) = 0;
    };

private:
    std::unique_ptr<backend> backend_;
};

}  // namespace pabal::http

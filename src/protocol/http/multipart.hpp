#pragma once
/// \file
/// multipart/form-data bodies, RFC 7578, written the way browsers write them (WHATWG, "multipart/form-data encoding
/// algorithm"): names in UTF-8, CR, LF and '"' in names as %0D, %0A and %22.
///
/// This knows the frame, not the contents: the body is head(0), content 0, head(1), content 1, … closing(), and whoever sends it
/// takes the contents from memory, files or iterators. With all sizes known, so is the body's.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <pabal/fields.hpp>
#include <pabal/result.hpp>

namespace pabal::http {

class multipart {
public:
    struct part {
        std::string name;
        std::optional<std::string> filename;  ///< present for files; may be empty
        std::string content_type;             ///< empty: no Content-Type, which means text/plain
        fields headers;                       ///< further ones; neither Content-Disposition nor Content-Type
        std::optional<std::uint64_t> size;    ///< of the content in bytes; nothing: not known in advance
    };

    /// With a random boundary of 128 bits, which no content contains.
    multipart();
    /// With a given one, 1 to 70 of the characters a boundary may have without being quoted (for tests, and for those who
    /// must repeat a body byte for byte). Fails with invalid_argument.
    static result<multipart> with_boundary(std::string_view boundary);

    /// Fails with invalid_header, the caller's fault, when anything in the part cannot stand in a header.
    result<void> add(const part& added);

    /// Value of the request's Content-Type.
    std::string content_type() const { return "multipart/form-data; boundary=" + boundary_; }
    std::string_view boundary() const noexcept { return boundary_; }

    std::size_t parts() const noexcept { return heads_.size(); }
    /// What goes before the content of a part.
    std::string_view head(std::size_t index) const noexcept { return heads_[index]; }
    /// What goes after the last content.
    std::string closing() const;
    /// Size of the whole body, when all parts' are known.
    std::optional<std::uint64_t> size() const noexcept;

    /// The whole body of contents that lie in memory, one for each part.
    std::string body(std::span<const std::string_view> contents) const;

private:
    explicit multipart(std::string boundary) noexcept : boundary_(std::move(boundary)) {}

    std::string boundary_;
    std::vector<std::string> heads_;
    std::optional<std::uint64_t> heads_and_contents_size_ = 0;
};

}  // namespace pabal::http

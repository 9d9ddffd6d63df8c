#include "protocol/http/multipart.hpp"

#include <algorithm>
#include <cassert>
#include <random>
#include <utility>

namespace pabal::http {

namespace {

constexpr std::size_t max_boundary_size = 70;  // RFC 2046 section 5.1.1

error invalid(error_code code, std::string message) {
    return {code, phase::prepare, culprit::caller, 0, std::move(message)};
}

std::string random_boundary() {
    std::random_device source;
    std::string boundary;
    for (int words = 0; words < 4; ++words) {
        std::uint32_t word = source();
        for (int digits = 0; digits < 8; ++digits, word >>= 4U) boundary += "0123456789abcdef"[word & 15U];
    }
    return boundary;
}

/// The bchars of RFC 2046 that are also token characters, so that the parameter needs no quotes.
bool is_boundary(std::string_view text) noexcept {
    return !text.empty() && text.size() <= max_boundary_size && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
               std::string_view{"'+_-."}.find(c) != std::string_view::npos;
    });
}

/// Appends `; parameter="text"`. False when `text` holds a control that has no escape.
bool append_parameter(std::string& out, std::string_view parameter, std::string_view text) {
    out.append("; ").append(parameter).append("=\"");
    for (const char c : text) {
        switch (c) {
        case '"': out += "%22"; continue;
        case '\r': out += "%0D"; continue;
        case '\n': out += "%0A"; continue;
        default: break;
        }
        if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F) return false;
        out += c;
    }
    out += '"';
    return true;
}

}  // namespace

multipart::multipart() : multipart(random_boundary()) {}

result<multipart> multipart::with_boundary(std::string_view boundary) {
    if (!is_boundary(boundary))
        return invalid(error_code::invalid_argument, "a multipart boundary has 1 to 70 letters, digits or '+_-.");
    return multipart{std::string{boundary}};
}

result<void> multipart::add(const part& added) {
    std::string head = heads_.empty() ? "--" : "\r\n--";
    head.append(boundary_).append("\r\nContent-Disposition: form-data");
    if (!append_parameter(head, "name", added.name))
        return invalid(error_code::invalid_header, "the name of a form part contains a control character");
    if (added.filename && !append_parameter(head, "filename", *added.filename))
        return invalid(error_code::invalid_header, "the file name of a form part contains a control character");
    if (!added.content_type.empty()) {
        if (!is_field_value(added.content_type))
            return invalid(error_code::invalid_header, "the content type of a form part contains a control character");
        head.append("\r\nContent-Type: ").append(added.content_type);
    }
    if (added.headers.contains("Content-Disposition") || added.headers.contains(field_id::content_type))
        return invalid(
            error_code::invalid_header,
            "a form part's Content-Disposition and Content-Type are given by name, filename and content type");
    for (const auto line : added.headers) {
        // Checked here too: fields made by a parser may hold what was only good enough to be received.
        if (!is_field_name(line.name) || !is_field_value(line.value))
            return invalid(error_code::invalid_header, "a header of a form part contains a control character");
        head.append("\r\n").append(line.name).append(": ").append(line.value);
    }
    head += "\r\n\r\n";

    if (heads_and_contents_size_ && added.size) {
        *heads_and_contents_size_ += head.size() + *added.size;
    } else {
        heads_and_contents_size_.reset();
    }
    heads_.push_back(std::move(head));
    return {};
}

std::string multipart::closing() const { return (heads_.empty() ? "--" : "\r\n--") + boundary_ + "--\r\n"; }

std::optional<std::uint64_t> multipart::size() const noexcept {
    if (!heads_and_contents_size_) return std::nullopt;
    return *heads_and_contents_size_ + boundary_.size() + (heads_.empty() ? 6 : 8);
}

std::string multipart::body(std::span<const std::string_view> contents) const {
    assert(contents.size() == heads_.size());
    std::string out;
    if (const auto known = size()) out.reserve(static_cast<std::size_t>(*known));
    for (std::size_t index = 0; index < heads_.size(); ++index) out.append(heads_[index]).append(contents[index]);
    return out += closing();
}

}  // namespace pabal::http

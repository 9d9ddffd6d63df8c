#pragma once
/// \file
/// The head of a request as HTTP/2 and HTTP/3 bring it, one field at a time, and what a server judges of it
/// (RFC 9113 section 8.3.1, RFC 9114 section 4.3.1).

#include <cstddef>
#include <string>
#include <string_view>

#include <pabal/message.hpp>

#include "protocol/http/pseudo_fields.hpp"

namespace pabal::http {

class arriving_request {
public:
    /// The limits are those of all fields together; `arrives_over` becomes the version of the heads.
    arriving_request(std::size_t max_size, std::size_t max_fields, http_version arrives_over) noexcept
        : section_(max_size, max_fields), version_(arrives_over), max_size_(max_size), max_fields_(max_fields) {}

    void begin();
    /// The versions' libraries saw to it that names are in lower case and that pseudo-header fields come once each, before all
    /// others. What goes beyond the limits is counted, and passed over.
    void add(std::string_view name, std::string_view value);

    /// Of all that came, kept or not, as SETTINGS_MAX_HEADER_LIST_SIZE counts (RFC 9113 section 6.5.2).
    std::size_t size() const noexcept { return size_; }
    /// It went beyond the limits: there is a status for that (431, RFC 6585 section 5).
    bool is_too_large() const noexcept { return is_too_large_; }
    /// Why the head is malformed; empty when it is not. Asked for once it is complete.
    std::string_view defect() const noexcept;
    /// The head: :authority is its Host, and the crumbs of Cookie are one field again (RFC 9113 section 8.2.3).
    request_head take();

private:
    arriving_section section_;
    http_version version_;
    std::size_t max_size_;
    std::size_t max_fields_;
    std::size_t size_ = 0;
    std::size_t count_ = 0;
    request_head head_;      ///< what the pseudo-header fields say
    std::string authority_;  ///< :authority, or else Host
    std::string cookies_;
    bool is_too_large_ = false;
    bool has_other_host_ = false;
};

}  // namespace pabal::http

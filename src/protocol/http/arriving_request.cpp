#include "protocol/http/arriving_request.hpp"

#include <utility>

#include "protocol/http/target.hpp"

namespace pabal::http {

namespace {

/// What SETTINGS_MAX_HEADER_LIST_SIZE adds for each field: nothing is so small that it costs nothing.
constexpr std::size_t overhead_of_a_field = 32;

}  // namespace

void arriving_request::begin() {
    section_.begin();
    head_ = {};
    head_.version = version_;
    head_.target.clear();
    authority_.clear();
    cookies_.clear();
    size_ = count_ = 0;
    is_too_large_ = has_other_host_ = false;
}

void arriving_request::add(std::string_view name, std::string_view value) {
    size_ += name.size() + value.size() + overhead_of_a_field;
    is_too_large_ |= size_ > max_size_ || ++count_ > max_fields_;
    if (is_too_large_) return;
    if (name == ":method") head_.method = value;
    else if (name == ":path") head_.target = value;
    else if (name == ":protocol") head_.protocol = value;
    else if (name == ":authority" || name == "host") {
        if (authority_.empty()) {
            authority_ = value;
            section_.add("host", value);
        }
        // The same again says nothing (RFC 9113 section 8.3.1).
        has_other_host_ |= !equals_ignoring_case(value, authority_);
    } else if (name.front() == ':') {
        return;  // :scheme says nothing that the connection does not
    } else if (name == "cookie") {
        if (!cookies_.empty()) cookies_ += "; ";
        cookies_ += value;
    } else {
        section_.add(name, value);
    }
}

std::string_view arriving_request::defect() const noexcept {
    if (has_other_host_) return "Host contradicts :authority";
    if (!is_authority(authority_, false)) return "invalid :authority";
    // The target of CONNECT is :authority (RFC 9113 section 8.5), but when it asks for a protocol (RFC 8441 section 4).
    const bool is_tunnel = head_.method == "CONNECT" && head_.protocol.empty();
    const std::string_view defect = is_tunnel
                                        ? target_defect("CONNECT", authority_)
                                        : target_defect(head_.protocol.empty() ? head_.method : "GET", head_.target);
    return defect.empty() ? "" : "invalid :path";
}

request_head arriving_request::take() {
    if (head_.method == "CONNECT" && head_.protocol.empty()) head_.target = authority_;
    if (!cookies_.empty()) section_.add("cookie", cookies_);
    head_.headers = section_.take();
    return std::move(head_);
}

}  // namespace pabal::http

#pragma once
/// \file
/// The heads of HTTP messages, free of any protocol version (RFC 9110 section 6).

#include <cstdint>
#include <string>

#include <pabal/fields.hpp>

namespace pabal {

enum class http_version : std::uint8_t { http_1_0, http_1_1, http_2, http_3 };

/// What a client asks. `target` is the request target exactly as it goes on the wire (origin-form unless a proxy or
/// CONNECT/OPTIONS demands another form, RFC 9112 section 3.2); `headers` hold Host like any other field. `protocol` is what an
/// extended CONNECT asks for ("websocket"; RFC 8441, RFC 9220: HTTP/2 and HTTP/3 only), and empty for everything else.
struct request_head {
    std::string method = "GET";
    std::string target = "/";
    http_version version = http_version::http_1_1;
    fields headers;
    std::string protocol{};
};

/// What a server answers. `reason` is as received and may be empty.
struct response_head {
    int status = 0;
    http_version version = http_version::http_1_1;
    std::string reason;
    fields headers;
};

}  // namespace pabal

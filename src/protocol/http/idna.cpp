#include "protocol/http/idna.hpp"

#include <ada.h>

namespace pabal::http {

std::optional<std::string> host_to_ascii(std::string_view utf8) {
    std::string ascii;
    if (!ada::idna::to_ascii(utf8, ascii) || ascii.empty()) return std::nullopt;
    return ascii;
}

}  // namespace pabal::http

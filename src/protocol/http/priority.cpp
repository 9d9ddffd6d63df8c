#include "protocol/http/priority.hpp"

namespace pabal::http {

std::string priority_field(const priority& asked) {
    std::string value;
    if (asked.urgency != priority::usual_urgency || !asked.incremental) value = "u=" + std::to_string(asked.urgency);
    if (asked.incremental) value += value.empty() ? "i" : ", i";
    return value;
}

}  // namespace pabal::http

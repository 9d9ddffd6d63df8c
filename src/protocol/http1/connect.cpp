#include "protocol/http1/connect.hpp"

#include <utility>

#include "protocol/http/status.hpp"
#include "protocol/http1/encoder.hpp"

namespace pabal::http1 {

result<void> connect_machine::start(const fields& headers, std::string& out) {
    request_head head;
    head.method = "CONNECT";
    head.target = authority_;
    if (!headers.contains(field_id::host)) head.headers.append_valid("Host", authority_);
    for (const fields::field line : headers) head.headers.append_valid(line.name, line.value);
    return machine_.send_request(head, 0, out);
}

result<std::size_t> connect_machine::receive(std::string_view input) {
    std::size_t used = 0;
    while (!established_) {
        const step now = machine_.receive(input.substr(used));
        used += now.used;
        switch (now.what) {
        case step::kind::need_more: return used;
        case step::kind::informational: (void)machine_.take_response(); break;
        case step::kind::head:
            if (const int status = machine_.take_response().status; status / 100 != 2) return refusal(status);
            break;
        case step::kind::upgraded: established_ = true; break;
        default: {
            error failure = std::move(machine_.failure());
            failure.code = error_code::proxy_failed;
            failure.where = phase::proxy;
            failure.whose = culprit::proxy;
            failure.message = "the proxy " + proxy_name_ + " did not answer in HTTP: " + failure.message;
            return failure;
        }
        }
    }
    return used;
}

error connect_machine::refusal(int status) const {
    const bool wants_credentials = status == 407;
    std::string message =
        "the proxy " + proxy_name_ + " refused a tunnel to " + authority_ + ": " + std::to_string(status);
    if (const std::string_view reason = http::standard_reason(status); !reason.empty())
        message.append(" ").append(reason);
    error made{wants_credentials ? error_code::proxy_auth_required : error_code::proxy_refused, phase::proxy,
               culprit::proxy, 0, std::move(message)};
    made.status = status;
    return made;
}

}  // namespace pabal::http1

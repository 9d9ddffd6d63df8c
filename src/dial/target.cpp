#include "dial/dialer.hpp"
#include "protocol/http/host.hpp"

namespace pabal::dial {

namespace {

bool same(const std::shared_ptr<const pabal::proxy>& left, const std::shared_ptr<const pabal::proxy>& right) {
    return left == right || (left && right && *left == *right);
}

}  // namespace

bool target::operator==(const target& other) const {
    return host == other.host && port == other.port && unix_path == other.unix_path && tls == other.tls &&
           only_http2 == other.only_http2 && over_quic == other.over_quic && http3_at == other.http3_at &&
           alternatives == other.alternatives && server_name == other.server_name && proxy_tls == other.proxy_tls &&
           guard == other.guard && conduct == other.conduct && from == other.from &&
           encrypted_hello_keys == other.encrypted_hello_keys && same(proxy, other.proxy);
}

std::string target::text() const {
    if (!unix_path.empty()) return unix_path;
    if (host.empty() && proxy) return proxy->text();
    return http::write_host(host) + ':' + std::to_string(port);
}

}  // namespace pabal::dial

#include "protocol/quic/tls_bridge.hpp"

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_boringssl.h>
#include <openssl/ssl.h>

#include "protocol/quic/machine.hpp"

namespace pabal::quic {

namespace {

/// Where an SSL object keeps its machine. Its app data belong to whoever made it.
int machine_index() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

ngtcp2_encryption_level level_of(ssl_encryption_level_t level) noexcept {
    return ngtcp2_crypto_boringssl_from_ssl_encryption_level(level);
}

}  // namespace

bool tls_bridge::join(ssl_st* tls, machine& its_machine) {
    struct calls {
        static machine& machine_of(SSL* tls) noexcept {
            return *static_cast<machine*>(SSL_get_ex_data(tls, machine_index()));
        }
        static ngtcp2_conn* connection_of(SSL* tls) noexcept { return machine_of(tls).connection_.get(); }
        static int set_read_secret(SSL* tls, ssl_encryption_level_t level, const SSL_CIPHER*,
                                   const std::uint8_t* secret, std::size_t size) {
            return ngtcp2_crypto_derive_and_install_rx_key(connection_of(tls), nullptr, nullptr, nullptr,
                                                           level_of(level), secret, size) == 0;
        }
        static int set_write_secret(SSL* tls, ssl_encryption_level_t level, const SSL_CIPHER*,
                                    const std::uint8_t* secret, std::size_t size) {
            if (level == ssl_encryption_early_data) machine_of(tls).early_ = true;
            return ngtcp2_crypto_derive_and_install_tx_key(connection_of(tls), nullptr, nullptr, nullptr,
                                                           level_of(level), secret, size) == 0;
        }
        static int add_handshake_data(SSL* tls, ssl_encryption_level_t level, const std::uint8_t* data,
                                      std::size_t size) {
            const int failed = ngtcp2_conn_submit_crypto_data(connection_of(tls), level_of(level), data, size);
            if (failed != 0) ngtcp2_conn_set_tls_error(connection_of(tls), failed);
            return failed == 0;
        }
        static int flush_flight(SSL*) { return 1; }
        static int send_alert(SSL* tls, ssl_encryption_level_t, std::uint8_t alert) {
            ngtcp2_conn_set_tls_alert(connection_of(tls), alert);
            return 1;
        }
    };
    static const SSL_QUIC_METHOD method{calls::set_read_secret, calls::set_write_secret, calls::add_handshake_data,
                                        calls::flush_flight, calls::send_alert};
    return SSL_set_ex_data(tls, machine_index(), &its_machine) != 0 && SSL_set_quic_method(tls, &method) != 0;
}

void tls_bridge::part(ssl_st* tls) noexcept { SSL_set_ex_data(tls, machine_index(), nullptr); }

std::string tls_bridge::alert_text(int alert) {
    return std::string("alert '") + SSL_alert_desc_string_long(alert) + "' (" + std::to_string(alert) + ")";
}

}  // namespace pabal::quic

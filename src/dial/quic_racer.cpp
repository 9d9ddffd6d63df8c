#include "dial/quic_racer.hpp"

#include <utility>

namespace pabal::dial {

result<std::unique_ptr<quic_racer>> quic_racer::start(reactor::reactor& reactor,
                                                      const connection::http3_link_target& to, std::string name,
                                                      quic_race_observer& observer) {
    std::unique_ptr<quic_racer> made(new quic_racer(std::move(name), observer));
    auto link = connection::http3_link::connect(reactor, to, *made);
    if (!link) return std::move(link).error();
    made->link_ = std::move(*link);
    if (auto sent = made->link_->flush(); !sent || made->is_usable())
        reactor.defer(*made);  // which says so, in its turn
    return made;
}

void quic_racer::on_link_ready() {
    for (bool more = true; more && !is_usable();) {
        const auto advanced = link_->advance();
        if (!advanced) {
            (void)link_->flush();
            return fail(advanced.error());
        }
        more = *advanced;
    }
    if (auto sent = link_->flush(); !sent) return fail(sent.error());
    if (link_->has_heard() && !std::exchange(heard_, true)) observer_.on_quic_heard();
    if (!is_usable()) return;
    link_->observe(nullptr);
    observer_.on_quic_connected(*this, std::move(link_));
}

void quic_racer::fail(const error& why) {
    error told = why;
    link_->observe(nullptr);
    if (auto keys = link_->keys_to_retry_with()) observer_.on_quic_hello_rejected(std::move(*keys));
    observer_.on_quic_failed(*this, std::move(told));
}

}  // namespace pabal::dial

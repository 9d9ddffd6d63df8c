#include "connection/multiplexed_server_connection.hpp"

#include <utility>

#include "protocol/http2/machine.hpp"
#include "protocol/http3/machine.hpp"

namespace pabal::connection {

template <class Machine>
multiplexed_server_connection<Machine>::~multiplexed_server_connection() {
    state_ = state::closed;
    while (!streams_.empty()) delete &streams_.pop_front();
}

template <class Machine>
multiplexed_server_stream<Machine>* multiplexed_server_connection<Machine>::begin_stream() {
    if (state_ != state::open) return nullptr;
    auto* made = new stream(*this);
    streams_.push_back(*made);
    ++open_streams_;
    ++begun_;
    return made;
}

template <class Machine>
void multiplexed_server_connection<Machine>::note_news(stream& with_news) {
    auto& place = static_cast<base::list_hook<stream_with_news>&>(with_news);
    if (!place.is_linked()) news_.push_back(with_news);
    schedule_flush();
}

template <class Machine>
void multiplexed_server_connection<Machine>::forget(stream& done) {
    auto& place = static_cast<base::list_hook<>&>(done);
    if (!place.is_linked()) return;
    place.unlink();
    static_cast<base::list_hook<stream_with_news>&>(done).unlink();
    --open_streams_;
    environment_.reactor.retire(std::unique_ptr<stream>(&done));
}

template <class Machine>
void multiplexed_server_connection<Machine>::tell_news() {
    if (std::exchange(telling_, true)) return;
    while (state_ == state::open && !news_.empty()) news_.pop_front().tell();
    telling_ = false;
}

template <class Machine>
void multiplexed_server_connection<Machine>::abandon_streams() {
    while (!streams_.empty()) {
        stream& left = streams_.front();
        left.abandon();
        forget(left);
    }
}

template <class Machine>
void multiplexed_server_connection<Machine>::watch() {
    if (state_ != state::open) return;
    waiting now = waiting::nothing;
    if (machine().is_in_head()) now = waiting::head;
    else if (open_streams_ == 0) now = waiting::request;
    const std::uint64_t which = now == waiting::head ? machine().oldest_head() : begun_;
    if (now == watched_ && which == watched_for_) return;
    watched_ = now;
    watched_for_ = which;
    const server_limits& limits = environment_.limits;
    const std::chrono::milliseconds limit = now == waiting::head      ? limits.head
                                            : now == waiting::request ? limits.idle
                                                                      : std::chrono::milliseconds{0};
    if (limit.count() == 0) return timer_.cancel();
    environment_.reactor.set_timer_in(timer_, limit);
}

template class multiplexed_server_connection<http2::machine>;
template class multiplexed_server_connection<http3::machine>;

}  // namespace pabal::connection

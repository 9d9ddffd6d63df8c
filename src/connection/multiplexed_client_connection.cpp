#include "connection/multiplexed_client_connection.hpp"

#include <utility>

#include "connection/client_rules.hpp"
#include "protocol/http2/machine.hpp"
#include "protocol/http3/machine.hpp"

namespace pabal::connection {

template <class Machine>
multiplexed_client_connection<Machine>::~multiplexed_client_connection() {
    while (!streams_.empty()) delete &streams_.pop_front();
}

template <class Machine>
void multiplexed_client_connection<Machine>::start(exchange_ptr started) {
    started->on_reused_connection = std::exchange(served_before_, true);
    started->connection = this->facts;
    auto* made = new stream(*this, std::move(started));
    streams_.push_back(*made);
    ++exchanges_;
    if (!made->needs_settings() || machine().knows_settings()) return open(*made);
    unsettled_.push_back(*made);
    made->await_settings();
}

template <class Machine>
void multiplexed_client_connection<Machine>::open(stream& ready) {
    ++on_wire_;
    if (auto opened = ready.open(); !opened) {
        --on_wire_;
        return ready.fail(std::move(opened).error());
    }
    fresh_.push_back(ready);
    leave_with_company();
}

/// A lone request leaves at once. But who makes several makes several again: when others followed the first within its turn, the
/// next first one waits for them, so that they leave in one write and their responses come in one turn; until one waited in vain.
template <class Machine>
void multiplexed_client_connection<Machine>::leave_with_company() {
    if (exchanges_ > 1) {
        expects_company_ = expects_company_ || left_alone_ == environment_.reactor.now();
        return schedule_flush();
    }
    if (expects_company_) return schedule_flush();
    left_alone_ = environment_.reactor.now();
    flush();
}

template <class Machine>
void multiplexed_client_connection<Machine>::forget(stream& done) {
    static_cast<base::list_hook<>&>(done).unlink();
    static_cast<base::list_hook<fresh_stream>&>(done).unlink();
    static_cast<base::list_hook<invited_stream>&>(done).unlink();
    --exchanges_;
    environment_.reactor.retire(std::unique_ptr<stream>(&done));
    if (state_ == state::open) return tell_room();
    if (state_ == state::lost && exchanges_ == 0) close_now(lost_for_);
}

/// A place is free. While the machine is at work nobody is told: the rest may change the picture.
template <class Machine>
void multiplexed_client_connection<Machine>::tell_room() {
    if (in_machine_) {
        room_to_tell_ = true;
        return;
    }
    if (exchanges_ == 0 && (going_away_ || !machine().accepts_streams()))
        return close_now(close_reason::peer_said_close);
    observer_.on_room(*this);
}

template <class Machine>
void multiplexed_client_connection<Machine>::invite_later(stream& ready) {
    auto& place = static_cast<base::list_hook<invited_stream>&>(ready);
    if (!place.is_linked()) invited_.push_back(ready);
}

template <class Machine>
bool multiplexed_client_connection<Machine>::tell_invited() {
    const bool anybody = !invited_.empty();
    while (!invited_.empty()) invited_.pop_front().invite();
    while (state_ == state::open && !unsettled_.empty() && machine().knows_settings()) open(unsettled_.pop_front());
    if (state_ == state::open && std::exchange(room_to_tell_, false)) tell_room();
    return anybody;
}

/// Something was sent: of every request that began, its beginning.
template <class Machine>
void multiplexed_client_connection<Machine>::note_written() {
    std::size_t began = 0;
    for (; !fresh_.empty(); ++began) fresh_.pop_front().note_written();
    if (began == 1 && exchanges_ == 1) expects_company_ = false;
}

template <class Machine>
close_reason multiplexed_client_connection<Machine>::idle_or(close_reason reason) const noexcept {
    return exchanges_ == 0 ? close_reason::peer_closed_idle : reason;
}

template <class Machine>
void multiplexed_client_connection<Machine>::close(close_reason reason) {
    if (state_ == state::closed) return;
    if (state_ == state::open && !in_machine_) say_farewell();
    base::intrusive_list<stream> failed;
    failed.splice_back(streams_);
    close_now(reason);
    while (!failed.empty()) failed.front().fail(closed_by_us(reason));
}

template <class Machine>
void multiplexed_client_connection<Machine>::lose(const error& failure, close_reason reason, bool unprocessed) {
    if (state_ != state::open) return;
    state_ = state::lost;
    lost_for_ = reason;
    close_transport();
    base::intrusive_list<stream> left;
    left.splice_back(streams_);
    while (!left.empty() && state_ == state::lost) {
        stream& next = left.pop_front();
        streams_.push_back(next);
        next.lose(failure, unprocessed);
    }
    if (state_ == state::lost && exchanges_ == 0) close_now(reason);
    tell_invited();
}

template <class Machine>
void multiplexed_client_connection<Machine>::close_now(close_reason reason) {
    if (state_ == state::closed) return;
    state_ = state::closed;
    close_transport();
    observer_.on_closed(*this, reason);
}

template class multiplexed_client_connection<http2::machine>;
template class multiplexed_client_connection<http3::machine>;

}  // namespace pabal::connection

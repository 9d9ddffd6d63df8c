#include "connection/read_moderation.hpp"

#include <utility>

namespace pabal::connection {

void read_moderation::take_sample() noexcept {
    const reactor::time_point now = reactor_.now();
    const reactor::duration took = now - sample_began_;
    fast_ = took <= sample_time;
    piece_ = took <= large_pieces_time ? large_piece : small_piece;
    news_ = true;
    sample_began_ = now;
    sample_ = 0;
}

void read_moderation::choose(transport::transport& from, std::uint64_t certain) {
    if (!fast_ || certain < piece_ + transport::transport::most_held_back) return end();
    // The mark is set anew now and then: the transport may have room for a larger one than before.
    if (std::exchange(news_, false) || !moderated_) from.set_low_water_mark(piece_);
    moderated_ = &from;
    if (timer_.is_set()) return;
    heard_ = false;
    reactor_.set_timer(timer_, reactor_.now() + patience);
}

void read_moderation::end() {
    if (!moderated_) return;
    timer_.cancel();
    std::exchange(moderated_, nullptr)->set_low_water_mark(1);
}

void read_moderation::forget() noexcept {
    timer_.cancel();
    moderated_ = nullptr;
}

void read_moderation::on_patience_over() {
    if (std::exchange(heard_, false)) return reactor_.set_timer(timer_, reactor_.now() + patience);
    fast_ = false;
    sample_ = 0;
    end();
}

}  // namespace pabal::connection

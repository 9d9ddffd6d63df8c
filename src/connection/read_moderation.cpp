#include "connection/read_moderation.hpp"

#include <utility>

namespace pabal::connection {

void read_moderation::take_sample() noexcept {
    const reactor::time_point now = reactor_.now();
    fast_ = now - sample_began_ <= sample_time;
    sample_began_ = now;
    sample_ = 0;
}

void read_moderation::choose(transport::transport& from, std::uint64_t certain) {
    if (!fast_ || certain < piece + transport::transport::most_held_back) return end();
    moderated_ = &from;
    from.set_low_water_mark(piece);
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

#include "connection/liveness.hpp"

namespace pabal::connection {

liveness::liveness(reactor::reactor& reactor, liveness_observer& observer, std::chrono::milliseconds interval)
    : reactor_(reactor), observer_(observer), interval_(interval), heard_at_(reactor.now()) {
    watch();
}

void liveness::watch() {
    if (interval_.count() > 0) reactor_.set_timer(timer_, heard_at_ + interval_);
}

void liveness::ask() {
    is_asked_ = true;
    reactor_.set_timer_in(timer_, patience);
    observer_.ask_for_life();
}

void liveness::trust() {
    is_asked_ = is_doubted_ = false;
    timer_.cancel();
    watch();
    observer_.on_alive();
}

/// The timer is not moved for every piece of data: it looks at when something was heard last.
void liveness::on_timer_expired() {
    if (is_asked_) return observer_.on_gone();
    if (heard_at_ + interval_ > reactor_.now()) return watch();
    ask();
}

}  // namespace pabal::connection

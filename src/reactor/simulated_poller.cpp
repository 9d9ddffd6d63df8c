#include "reactor/simulated_poller.hpp"

namespace pabal::reactor {

result<void> simulated_poller::add(int, io_watcher&, interest) {
    return error{error_code::unsupported, phase::prepare, culprit::caller, 0,
                 "a simulated reactor cannot watch descriptors"};
}

std::size_t simulated_poller::wait(std::optional<duration> limit, std::span<poll_event>) {
    idle_ = !limit;
    if (limit) now_ += *limit;
    return 0;
}

}  // namespace pabal::reactor

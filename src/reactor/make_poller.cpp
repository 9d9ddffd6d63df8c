#include <cstdlib>
#include <string>

#include "reactor/poll_poller.hpp"
#include "reactor/poller.hpp"
#ifdef __linux__
#include "reactor/epoll_poller.hpp"
#endif

namespace pabal::reactor {

namespace {

#ifdef __linux__
constexpr std::string_view best_of_this_system = "epoll";
#else
constexpr std::string_view best_of_this_system = "poll";
#endif

std::string_view chosen_by_the_environment() {
    const char* named = std::getenv("PABAL_POLLER");
    return named && *named ? named : best_of_this_system;
}

}  // namespace

result<std::unique_ptr<poller>> make_poller(std::string_view name) {
    if (name.empty()) name = chosen_by_the_environment();
#ifdef __linux__
    if (name == "epoll") return epoll_poller::make();
#endif
    if (name == "poll") return poll_poller::make();
    return error{error_code::unsupported, phase::prepare, culprit::caller, 0,
                 "no poller is named \"" + std::string(name) + "\" on this system"};
}

}  // namespace pabal::reactor

// A server with an application of one's own:  example_price_server 8000   (0 takes a free port; Ctrl-C ends it)
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>

#include <pabal/pabal.hpp>

namespace {

class prices final : public pabal::application {
    pabal::reply answer(const pabal::incoming& request) override {
        const std::string_view quotes = "/quotes/";
        if (!request.path.starts_with(quotes)) return {404, "text/plain", "ask for /quotes/SYMBOL\n", {}};
        const std::string symbol = request.path.substr(quotes.size());
        return {200, "application/json", R"({"symbol":")" + symbol + R"(","price":123.45})", {}};
    }
};

}  // namespace

int main(int count, char** arguments) {
    // Signals are taken by one thread that waits for them, and the server is told from there.
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ending, nullptr);

    prices handler;
    const auto port = static_cast<std::uint16_t>(count > 1 ? std::atoi(arguments[1]) : 0);
    const auto server = pabal::server::make(handler, {.port = port});
    if (!server) {
        std::cerr << server.error().message << '\n';
        return 1;
    }
    (*server)->start();
    std::cout << "http://127.0.0.1:" << (*server)->port() << std::endl;
    int signal = 0;
    sigwait(&ending, &signal);
    (*server)->stop();
    return 0;
}

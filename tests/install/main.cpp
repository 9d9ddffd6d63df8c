// A program of somebody else's: it has the installed headers and libpabal.so, and nothing of this repository. It asks a server of
// its own, blocking and by coroutine, so that a symbol that is missing from the library, or a header from the installation, shows.

#include <cstdio>
#include <string>

#include <pabal/pabal.hpp>

namespace {

class echo final : public pabal::application {
    pabal::reply answer(const pabal::incoming& request) override {
        return {200, "text/plain", request.head.method + " " + request.path, {}};
    }
};

pabal::task<std::string> ask(pabal::async_session& session, std::string url) {
    const auto response = co_await session.get(url);
    co_return response ? response->body : response.error().message;
}

int fail(const char* why) { return std::fprintf(stderr, "%s\n", why), 1; }

}  // namespace

int main() {
    echo handler;
    const auto server = pabal::server::make(handler);
    if (!server) return fail("the server did not listen");
    (*server)->start();
    const std::string url = "http://127.0.0.1:" + std::to_string((*server)->port()) + "/price";

    pabal::session session;
    const auto response = session.get(url);
    if (!response || response->body != "GET /price") return fail("the blocking client got no answer");

    pabal::async_session coroutines;
    if (coroutines.run(ask(coroutines, url)) != "GET /price") return fail("the coroutine got no answer");

    pabal::cookie_jar jar;
    const auto from = pabal::url::parse(url);
    if (!from || !jar.receive(*from, "a=1", std::chrono::system_clock::now())) return fail("a cookie was not taken");

    std::printf("pabal %s works\n", PABAL_VERSION);
    return 0;
}

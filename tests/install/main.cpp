// A program of somebody else's: it has the installed headers and libpabal.so, and nothing of this repository. It calls into several
// layers, so that a symbol that is missing from the library, or a header from the installation, shows.

#include <cstdio>

#include <pabal/fields.hpp>
#include <pabal/url.hpp>
#include <pabal/version.hpp>

int main() {
    const auto url = pabal::url::parse("https://Example.com/price?symbol=BTC");
    if (!url || url->host() != "example.com") {
        return std::fputs("a URL was not understood\n", stderr), 1;
    }
    pabal::fields fields;
    if (!fields.append("Accept", "application/json") || fields.append("Bad name", "x")) {
        return std::fputs("fields were not checked\n", stderr), 1;
    }
    std::printf("pabal %s works\n", PABAL_VERSION);
    return 0;
}

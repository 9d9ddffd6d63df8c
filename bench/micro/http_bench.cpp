// What the version-free parts of HTTP cost: URLs, fields, content codings, cookies. Nanoseconds per operation, allocations
// per operation, and throughput where bytes are worked through.
//
//   http_bench [seconds per case]
//
// Each case runs for that long (0.3 s unless told).

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <brotli/encode.h>
#include <zlib-ng.h>
#include <zstd.h>

#include <pabal/cookies.hpp>
#include <pabal/fields.hpp>
#include <pabal/url.hpp>

#include "measure.hpp"
#include "protocol/http/content_coding.hpp"
#include "protocol/http/public_suffix.hpp"

namespace {

std::string gzip(std::string_view text) {
    zng_stream stream{};
    zng_deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    std::string out(zng_deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<const std::uint8_t*>(text.data());
    stream.avail_in = static_cast<std::uint32_t>(text.size());
    stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    stream.avail_out = static_cast<std::uint32_t>(out.size());
    zng_deflate(&stream, Z_FINISH);
    out.resize(out.size() - stream.avail_out);
    zng_deflateEnd(&stream);
    return out;
}

std::string brotli(std::string_view text) {
    std::size_t size = BrotliEncoderMaxCompressedSize(text.size()) + 64;
    std::string out(size, '\0');
    BrotliEncoderCompress(5, 22, BROTLI_MODE_GENERIC, text.size(), reinterpret_cast<const std::uint8_t*>(text.data()),
                          &size, reinterpret_cast<std::uint8_t*>(out.data()));
    out.resize(size);
    return out;
}

std::string zstd(std::string_view text) {
    std::string out(ZSTD_compressBound(text.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
    return out;
}

/// JSON as price servers send it.
std::string quotes(std::size_t size) {
    std::string text = "[";
    unsigned state = 1;
    while (text.size() < size) {
        state = state * 1664525U + 1013904223U;
        text += "{\"symbol\":\"S" + std::to_string(state >> 20U) + "\",\"price\":" + std::to_string(state % 100'000U) +
                ".25},";
    }
    text.resize(size);
    return text;
}

void measure_urls() {
    const std::string plain = "https://api.example.com/v1/quotes/BTC?limit=10&sort=asc";
    const std::string local = "http://127.0.0.1:8443/price";
    const std::string upper = "https://API.Example.com/v1/quotes?q=a b";
    const std::string idn = "https://b\xc3\xbc\x63her.example/";
    const auto base = *pabal::url::parse(plain);
    measure("url: plain", plain.size(), [&] { keep(*pabal::url::parse(plain)); });
    measure("url: address and port", local.size(), [&] { keep(*pabal::url::parse(local)); });
    measure("url: normalised and encoded", upper.size(), [&] { keep(*pabal::url::parse(upper)); });
    measure("url: internationalised", idn.size(), [&] { keep(*pabal::url::parse(idn)); });
    measure("url: resolve ../x", 0, [&] { keep(*resolve(base, "../x?y")); });
    measure("url: same origin", 0, [&] { keep(base.origin_equals(base)); });
}

void measure_fields() {
    const std::vector<std::string> names{"Content-Type", "content-length", "X-Request-Id",
                                         "Date",         "Server",         "Set-Cookie"};
    std::size_t next = 0;
    measure("fields: id_of", 0, [&] { keep(pabal::id_of(names[next++ % names.size()])); });
    const std::string value = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140";
    measure("fields: is_field_value", value.size(), [&] { keep(pabal::is_field_value(value)); });
    measure("fields: is_field_name", 12, [&] { keep(pabal::is_field_name(names[0])); });
    pabal::fields head;
    for (const auto& name : names) head.append_valid(name, value);
    measure("fields: copy of six", 0, [&] { keep(pabal::fields{head}); });
    measure("fields: append six", 0, [&] {
        pabal::fields made;
        for (const auto& name : names) keep(made.append(name, value));
        keep(made);
    });
    measure("fields: find known", 0, [&] { keep(head.find("set-cookie")); });
    measure("fields: find other", 0, [&] { keep(head.find("x-request-id")); });
}

void measure_coding(const char* name, std::string_view coding, const std::string& coded, std::size_t size) {
    std::vector<char> output(65536);
    measure(name, size, [&] {
        auto decoder = std::move(**pabal::http::content_decoder::for_codings(coding));
        std::string_view input = coded;
        for (;;) {
            const auto step = decoder.decode(input, output);
            input.remove_prefix(step->used);
            if (step->produced < output.size() && input.empty()) break;
        }
        keep(decoder.finish());
    });
}

void measure_codings() {
    const std::string small = quotes(400);
    const std::string large = quotes(4'000'000);
    measure_coding("gzip: 400 bytes", "gzip", gzip(small), small.size());
    measure_coding("gzip: 4 MB", "gzip", gzip(large), large.size());
    measure_coding("br: 400 bytes", "br", brotli(small), small.size());
    measure_coding("br: 4 MB", "br", brotli(large), large.size());
    measure_coding("zstd: 400 bytes", "zstd", zstd(small), small.size());
    measure_coding("zstd: 4 MB", "zstd", zstd(large), large.size());
}

void measure_cookies() {
    const auto url = *pabal::url::parse("https://www.example.com/a/b");
    const auto now = std::chrono::system_clock::now();
    pabal::cookie_jar jar;
    measure("cookies: header of an empty jar", 0, [&] { keep(jar.cookie_header(url, now)); });
    measure("cookies: receive", 0,
            [&] { keep(jar.receive(url, "session=0123456789; Path=/; Secure; HttpOnly", now)); });
    measure("cookies: header of one", 0, [&] { keep(jar.cookie_header(url, now)); });

    // 50 cookies over 20 domains; of them 5 are for the URL.
    pabal::cookie_jar full;
    for (int i = 0; i < 50; ++i) {
        const int site = i % 20;
        const auto from = *pabal::url::parse("https://www.example" + (site == 0 ? "" : std::to_string(site)) + ".com/");
        const std::string line = "name" + std::to_string(i) + "=0123456789abcdef; Path=/";
        full.receive(from, i % 2 == 0 ? line : line + "; Domain=" + std::string(from.host().substr(4)), now);
    }
    for (int i = 0; i < 2; ++i) full.receive(url, "own" + std::to_string(i) + "=0123456789abcdef", now);
    measure("cookies: header of 5 from 52", 0, [&] { keep(full.cookie_header(url, now)); });
    const auto other = *pabal::url::parse("https://www.nowhere.org/");
    measure("cookies: header of none from 52", 0, [&] { keep(full.cookie_header(other, now)); });
    measure("cookies: receive with a domain", 0,
            [&] { keep(full.receive(url, "session=0123456789; Path=/; Domain=example.com", now)); });
    measure("cookies: public suffix", 0, [&] { keep(pabal::http::public_suffix("www.example.co.uk")); });
}

}  // namespace

int main(int count, char** arguments) {
    if (count > 1) seconds_per_case = std::atof(arguments[1]);
    measure_urls();
    measure_fields();
    measure_codings();
    measure_cookies();
    return 0;
}

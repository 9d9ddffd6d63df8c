// What the HTTP/1.1 machine costs, without sockets: nanoseconds per operation and allocations per operation.
//
//   http1_bench [seconds per case]
//
// Each case runs for that long (0.3 s unless told).

#include <cstdio>
#include <cstdlib>
#include <string>

#include "measure.hpp"
#include "protocol/http1/machine.hpp"
#include "protocol/http1/scan.hpp"

namespace {

using pabal::http1::machine;
using pabal::http1::role;
using pabal::http1::step;

[[noreturn]] void unexpected(const char* what) {
    std::fprintf(stderr, "unexpected: %s\n", what);
    std::exit(1);
}

void expect(bool condition, const char* what) {
    if (!condition) unexpected(what);
}

pabal::request_head sample_request() {
    pabal::request_head head;
    head.target = "/price?symbol=BTC";
    expect(head.headers.append("Host", "127.0.0.1:8080").has_value(), "field");
    expect(head.headers.append("User-Agent", "pabal/0.1.0").has_value(), "field");
    expect(head.headers.append("Accept", "*/*").has_value(), "field");
    expect(head.headers.append("Accept-Encoding", "gzip, deflate, br, zstd").has_value(), "field");
    expect(head.headers.append("Connection", "keep-alive").has_value(), "field");
    expect(head.headers.append("X-Request-Id", "0123456789abcdef").has_value(), "field");
    return head;
}

const std::string nginx_response = "HTTP/1.1 200 OK\r\n"
                                   "Server: nginx/1.22.1\r\n"
                                   "Date: Mon, 24 Nov 2025 00:12:34 GMT\r\n"
                                   "Content-Type: application/json\r\n"
                                   "Content-Length: 31\r\n"
                                   "Connection: keep-alive\r\n"
                                   "ETag: \"6553f100-1f\"\r\n"
                                   "Accept-Ranges: bytes\r\n"
                                   "\r\n"
                                   "{\"symbol\":\"BTC\",\"price\":123.45}";

void client_cycle() {
    machine client(role::client);
    const auto request = sample_request();
    std::string out;
    measure("client cycle: 6 fields out, 221+31 bytes in", 0, [&] {
        out.clear();
        expect(client.send_request(request, 0, out).has_value(), "send_request");
        std::string_view input = nginx_response;
        step at = client.receive(input);
        expect(at.what == step::kind::head, "head");
        const pabal::response_head response = client.take_response();
        keep(response);
        for (input.remove_prefix(at.used); at.what != step::kind::end; input.remove_prefix(at.used))
            at = client.receive(input);
        expect(client.reusable() == pabal::http1::reuse::yes, "reusable");
        client.next_cycle();
    });
    measure("  of it: send_request", 0, [&] {
        machine fresh(role::client);
        out.clear();
        expect(fresh.send_request(request, 0, out).has_value(), "send_request");
        keep(out);
    });
}

void server_cycle() {
    machine server(role::server);
    std::string request = "GET /price?symbol=BTC HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: pabal/0.1.0\r\n"
                          "Accept: */*\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nConnection: keep-alive\r\n"
                          "X-Request-Id: 0123456789abcdef\r\n\r\n";
    pabal::response_head response;
    response.status = 200;
    expect(response.headers.append("Content-Type", "application/json").has_value(), "field");
    expect(response.headers.append("Date", "Mon, 24 Nov 2025 00:12:34 GMT").has_value(), "field");
    expect(response.headers.append("Server", "pabal").has_value(), "field");
    std::string out;
    measure("server cycle: 6 fields in, 3 out", 0, [&] {
        std::string_view input = request;
        step at = server.receive(input);
        expect(at.what == step::kind::head, "head");
        const pabal::request_head head = server.take_request();
        keep(head);
        input.remove_prefix(at.used);
        expect(server.receive(input).what == step::kind::end, "end");
        out.clear();
        expect(server.send_response(response, 31, false, out).has_value(), "send_response");
        expect(server.send_data(31, out).has_value(), "send_data");
        server.next_cycle();
    });
}

void head_byte_by_byte() {
    machine client(role::client);
    const auto request = sample_request();
    std::string out;
    measure("client cycle, input byte by byte", 0, [&] {
        out.clear();
        expect(client.send_request(request, 0, out).has_value(), "send_request");
        std::size_t used = 0;
        step at;
        for (std::size_t end = 1; at.what != step::kind::end; end = std::min(end + 1, nginx_response.size())) {
            do {
                at = client.receive(std::string_view(nginx_response).substr(used, end - used));
                used += at.used;
                if (at.what == step::kind::head) keep(client.take_response());
            } while (at.what != step::kind::need_more && at.what != step::kind::end);
        }
        client.next_cycle();
    });
}

void chunks(const char* name, std::size_t chunk, std::size_t count) {
    std::string message = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    char line[24];
    for (std::size_t i = 0; i < count; ++i) {
        std::snprintf(line, sizeof line, "%zx\r\n", chunk);
        message += line + std::string(chunk, 'x') + "\r\n";
    }
    message += "0\r\n\r\n";
    machine client(role::client);
    const auto request = sample_request();
    std::string out;
    measure(name, message.size(), [&] {
        out.clear();
        expect(client.send_request(request, 0, out).has_value(), "send_request");
        std::string_view input = message;
        for (step at; at.what != step::kind::end; input.remove_prefix(at.used)) {
            at = client.receive(input);
            if (at.what == step::kind::failed) unexpected("failed");
        }
        client.next_cycle();
    });
}

void scanning() {
    std::string text(4096, 'v');
    text += '\r';
    measure("find_control, 4096 bytes", text.size(),
            [&] { keep(pabal::http1::scan::find_control(text.data(), text.data() + text.size())); });
    measure("the same, byte by byte", text.size(),
            [&] { keep(pabal::http1::scan::scalar::find_control(text.data(), text.data() + text.size())); });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1) seconds_per_case = std::atof(argv[1]);
    client_cycle();
    server_cycle();
    head_byte_by_byte();
    chunks("chunked body, 64 chunks of 1 byte", 1, 64);
    chunks("chunked body, 64 chunks of 1 KiB", 1024, 64);
    scanning();
}

#!/usr/bin/env python3
"""Every src/<path>.cpp has its tests/<path>_test.cpp, and every test of a layer has its source (or header).

The parts of one thing may share its test: tls_pem.cpp is tested by tls_pem_test.cpp or by tls_test.cpp. One thing may
have several tests: machine.cpp is tested by machine_test.cpp and machine_sending_test.cpp.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Sources that show their behaviour through another one, whose test covers them: {path below src/: path below tests/}.
TESTED_BY: dict[str, str] = {
    "server/demo_server": "integration/demo_server_test.cpp",
    "server/demo_application": "integration/demo_server_test.cpp",
    "server/application": "integration/demo_server_test.cpp",
    "client/coroutine": "integration/demo_server_test.cpp",
    "client/public_session": "integration/demo_server_test.cpp",
    "connection/client_rules": "connection/http1_client_connection_test.cpp",
    "connection/multiplexed_server_connection": "connection/http2_server_connection_test.cpp",
    "connection/multiplexed_server_stream": "connection/http2_server_connection_test.cpp",
    "connection/server_protocol_connection": "connection/server_connection_test.cpp",
    "connection/http3_server_connection": "connection/http3_endpoint_test.cpp",
    "connection/liveness": "connection/http2_client_test.cpp",
    "connection/multiplexed_client_connection": "connection/http2_client_test.cpp",
    "connection/multiplexed_client_stream": "connection/http2_client_test.cpp",
    "connection/http3_link": "connection/http3_client_test.cpp",
    "dial/network_attempt": "dial/network_dialer_test.cpp",
    "reactor/epoll_poller": "reactor/reactor_test.cpp",
    "reactor/poll_poller": "reactor/reactor_test.cpp",
    "reactor/simulated_poller": "reactor/reactor_test.cpp",
    "reactor/make_poller": "reactor/reactor_test.cpp",
    "transport/socket_address": "transport/socket_transport_test.cpp",
    "transport/datagrams": "transport/udp_socket_test.cpp",
    "protocol/quic/tls_bridge": "protocol/quic/machine_test.cpp",
    "transport/quic_tls": "protocol/quic/machine_test.cpp",
    "transport/tls_callbacks": "transport/tls_transport_test.cpp",
    "transport/tls_failure": "transport/tls_verify_test.cpp",
    "transport/tls_key_log": "transport/tls_transport_test.cpp",
    "transport/tls_pem": "transport/tls_context_test.cpp",
    "transport/tls_session": "transport/tls_transport_test.cpp",
    "transport/tls_trust": "transport/tls_context_test.cpp",
}


def wholes(name: str) -> list[str]:
    """What may be the whole of which `name` is a part: itself, and itself without its last words."""
    words = name.split("_")
    return ["_".join(words[:count]) for count in range(len(words), 0, -1)]


def has_test(path: Path) -> bool:
    return any((ROOT / "tests" / path.parent / f"{name}_test.cpp").exists() for name in wholes(path.name))


def has_source(path: Path) -> bool:
    folder = ROOT / "src" / path.parent
    return bool(list(folder.glob(f"{path.name}*.[ch]pp"))) or any(
        (folder / f"{name}{ending}").exists() for name in wholes(path.name) for ending in (".cpp", ".hpp")
    )


def main() -> int:
    complaints = []
    for source in sorted((ROOT / "src").rglob("*.cpp")):
        path = source.relative_to(ROOT / "src").with_suffix("")
        if path.as_posix() not in TESTED_BY and not has_test(path):
            complaints.append(f"src/{path}.cpp has no tests/{path}_test.cpp")
    layers = {path.name for path in (ROOT / "src").iterdir() if path.is_dir()}
    for test in sorted((ROOT / "tests").rglob("*_test.cpp")):
        path = test.relative_to(ROOT / "tests")
        stem = path.with_name(path.name.removesuffix("_test.cpp"))
        if path.parts[0] in layers and not has_source(stem):
            complaints.append(f"tests/{path} mirrors no src/{stem}.cpp or .hpp")
    for tested, by in TESTED_BY.items():
        if not (ROOT / "src" / f"{tested}.cpp").exists() or not (ROOT / "tests" / by).exists():
            complaints.append(f"tools/check_mirror.py: src/{tested}.cpp or tests/{by} is gone")
    print("\n".join(complaints), end="\n" if complaints else "")
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())

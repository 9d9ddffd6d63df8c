"""h2spec judges pabal's HTTP/2 server: 145 cases, over TLS and without.

It is of RFC 7540's time. What RFC 9113 sees otherwise is waived below, with its words; everything else must pass, and
a waiver that is needed no more is an error.
"""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.demo import Demo
from support.processes import judge

CASES = 145

#: What is waived: the section and the name of the case.
WAIVED = {
    # RFC 9113 section 5.3.2: "This update to HTTP/2 deprecates the priority signaling defined in RFC 7540. The bulk of
    # the text related to priority signals is not included in this document." A stream that depends on itself is of it.
    ("http2/5.3.1", "Sends PRIORITY frame that depend on itself"),
    # RFC 9113 section 6.9.1: the sender "MUST terminate either the stream or the connection, as appropriate". nghttp2
    # ends the connection, with FLOW_CONTROL_ERROR; h2spec waits for the stream.
    (
        "http2/6.9.1",
        "Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1 on a stream",
    ),
}
#: RFC 9113 section 3.4: "an invalid preface indicates that the peer is not using HTTP/2". Without TLS the port speaks
#: HTTP/1.1, too, in which the peer is answered 400 before the end; h2spec takes an answer for a failure.
WAIVED_WITHOUT_TLS = {("http2/3.5", "Sends invalid connection preface")}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    server = Demo(tmp_path_factory.mktemp("demo"))
    yield server
    server.stop()


def failures(report: Path) -> tuple[int, set[tuple[str, str]]]:
    """How many cases there were, and which failed."""
    count, failed = 0, set[tuple[str, str]]()
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        for case in suite.iter("testcase"):
            count += 1
            if case.find("failure") is not None or case.find("error") is not None or case.find("skipped") is not None:
                failed.add((case.get("package", ""), case.get("classname", "")))
    return count, failed


@pytest.mark.timeout(180)
@pytest.mark.parametrize("tls", [True, False], ids=["tls", "plain"])
def test_the_server_does_what_the_rfc_says(demo: Demo, tls: bool, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    where = ["-p", str(demo.tls_port), "-t", "-k"] if tls else ["-p", str(demo.port)]
    command = [judge("h2spec"), "-h", "127.0.0.1", *where, "-P", "/price", "-o", "3", "-j", report]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150)
    count, failed = failures(report)
    assert count == CASES, done.stdout[-2000:]
    assert failed == WAIVED | (set() if tls else WAIVED_WITHOUT_TLS), done.stdout[-6000:]

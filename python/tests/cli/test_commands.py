"""``pabal fetch``, ``pabal demo`` and the quick start, as a person runs them."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pabal import Session
from support.demo import Demo
from support.leaks import memory_tells
from support.nginx import Nginx
from support.scripted import Connection, ScriptedServer

PABAL = [sys.executable, "-m", "pabal"]


def pabal(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PABAL, *arguments], capture_output=True, text=True, timeout=50, check=False, **options)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    server = Demo(tmp_path)
    yield server
    server.stop()


def lines_of(text: str) -> list[dict[str, Any]]:
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def test_urls_from_a_file_to_a_file(nginx: Nginx, tmp_path: Path) -> None:
    urls, out = tmp_path / "urls.txt", tmp_path / "out.jsonl"
    urls.write_text(f"# quotes\n\n{nginx.url}/price\n{nginx.url}/price?a\n")
    done = pabal("fetch", str(urls), "-o", str(out))
    assert done.returncode == 0
    assert done.stdout == ""
    records = lines_of(out.read_text())
    assert sorted(record["url"] for record in records) == [f"{nginx.url}/price", f"{nginx.url}/price?a"]
    for record in records:
        assert (record["status"], record["bytes"]) == (200, 31)
        assert record["json"] == {"symbol": "BTC", "price": 123.45}
        assert record["elapsed_ms"] > 0
    for expected in ("requests  2 in", "p50", "p99", "200 OK: 2", "62 B"):
        assert expected in done.stderr


def test_stdin_to_stdout(nginx: Nginx) -> None:
    done = pabal("fetch", "-", input=f"{nginx.url}/price\n" * 500)
    assert done.returncode == 0
    assert len(lines_of(done.stdout)) == 500


def test_failures_are_reported_and_counted(nginx: Nginx) -> None:
    done = pabal(
        "fetch",
        f"{nginx.url}/price",
        f"{nginx.url}/gone",
        "http://127.0.0.1:1/",
        "ftp://h/",
        "http://no-such-host.invalid/",
    )
    assert done.returncode == 1
    records = {record["url"]: record for record in lines_of(done.stdout)}
    assert "error" not in records[f"{nginx.url}/price"]
    assert records[f"{nginx.url}/gone"]["status"] == 410
    assert records[f"{nginx.url}/gone"]["error"]["kind"] == "HTTPStatusError"
    refused = records["http://127.0.0.1:1/"]
    assert (refused["status"], refused["error"]["kind"], refused["error"]["phase"]) == (
        None,
        "ConnectionRefused",
        "connect",
    )
    assert records["ftp://h/"]["error"]["whose"] == "caller"
    assert "HostNotFound: 1" in done.stderr or "ResolveError: 1" in done.stderr
    assert "410 Gone: 1" in done.stderr


def test_every_kind_of_body(scripted: Callable[..., ScriptedServer]) -> None:
    bodies = {
        "/pretty": (b'{\r\n "a": 1.10,\n "b": "x\\ny"\n}\n', "application/json"),
        "/array": (b"[1,2]", "text/plain"),
        "/broken": (b'{"a":', "application/json"),
        "/text": ("grün\n".encode(), "text/plain"),
        "/latin": (b"gr\xfcn", "text/plain; charset=latin-1"),
        "/image": (b"\x89PNG\xff\xfe", "image/png"),
        "/empty": (b"", "text/plain"),
    }

    def script(connection: Connection) -> None:
        while request := connection.read_request():
            body, content_type = bodies[request.target]
            connection.answer(body, "200 OK", f"Content-Type: {content_type}")

    server = scripted(script)
    done = pabal("fetch", *[server.url + path for path in bodies])
    records = {record["url"].removeprefix(server.url): record for record in lines_of(done.stdout)}
    assert records["/pretty"]["json"] == {"a": 1.1, "b": "x\ny"}
    assert '"a": 1.10,' in done.stdout  # numbers stay as they were written
    assert records["/array"]["json"] == [1, 2]
    assert records["/broken"]["text"] == '{"a":'
    assert records["/text"]["text"] == "grün\n"
    assert records["/latin"]["text"] == "grün"
    assert records["/image"]["base64"] == "iVBOR//+"
    assert {"json", "text", "base64"}.isdisjoint(records["/empty"])
    assert done.returncode == 0


def test_options(scripted: Callable[..., ScriptedServer], nginx: Nginx, ca_file: str) -> None:
    seen: list[str | None] = []

    def script(connection: Connection) -> None:
        request = connection.read_request()
        assert request is not None
        seen.append(request.value("x-a"))
        connection.wait_closed()

    server = scripted(script)
    done = pabal("fetch", server.url, "--timeout", "0.2", "-H", "X-A: b")
    (record,) = lines_of(done.stdout)
    assert record["error"]["kind"] == "TotalTimeout"
    assert seen == ["b"]
    tls = f"{nginx.tls_url}/price"
    assert lines_of(pabal("fetch", tls).stdout)[0]["error"]["kind"] == "CertificateUntrusted"
    assert pabal("fetch", tls, "--ca", ca_file).returncode == 0
    assert pabal("fetch", tls, "--insecure").returncode == 0


def test_alternatives_are_kept_and_used(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    known = tmp_path / "known"
    try:
        url = f"{demo.tls_url}/price"
        assert pabal("fetch", url, "--ca", demo.ca_file, "--alternatives", str(known)).returncode == 0
        line = f"h2 127.0.0.1 {demo.tls_port} h3 127.0.0.1 {demo.tls_port} "
        assert line in known.read_text()
        known.write_text(known.read_text().replace(f"h2 127.0.0.1 {demo.tls_port}", "h2 127.0.0.1 1"))
        # where TCP is refused
        done = pabal("fetch", "https://127.0.0.1:1/price", "--ca", demo.ca_file, "--alternatives", str(known))
        assert done.returncode == 0, done.stderr
    finally:
        demo.stop()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nothing"],
        ["fetch"],
        ["fetch", "no-such-file.txt"],
        ["fetch", "-c", "0", "-"],
        ["fetch", "--timeout", "x", "-"],
        ["fetch", "--insecure", "--ca", "x", "-"],
        ["fetch", "-H", "nocolon", "-"],
        ["fetch", "http://h/", "-o", "/no/such/folder/x"],
        ["fetch", "http://h/", "--alternatives", "/no/such/folder/x"],
    ],
)
def test_wrong_usage_is_status_2_and_a_message(arguments: list[str]) -> None:
    done = pabal(*arguments, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def test_version_and_help() -> None:
    assert pabal("--version").stdout.startswith("pabal ")
    assert "JSON Lines" in pabal("--help").stdout
    assert "a file with one URL a line" in pabal("fetch", "--help").stdout


def test_ctrl_c_leaves_a_valid_file(scripted: Callable[..., ScriptedServer], tmp_path: Path) -> None:
    def script(connection: Connection) -> None:
        while request := connection.read_request():
            if request.target == "/hang":
                connection.wait_closed()
                return
            connection.answer(b'{"a": 1}')

    server = scripted(script)
    urls, out = tmp_path / "urls.txt", tmp_path / "out.jsonl"
    urls.write_text(f"{server.url}/\n" * 300 + f"{server.url}/hang\n" * 50)
    with subprocess.Popen(
        [*PABAL, "fetch", str(urls), "-o", str(out), "-c", "20"], stderr=subprocess.PIPE, text=True
    ) as child:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and (not out.exists() or out.read_bytes().count(b"\n") < 300):
            time.sleep(0.02)
        child.send_signal(signal.SIGINT)
        _, stderr = child.communicate(timeout=20)
    assert child.returncode == 130
    assert "Traceback" not in stderr
    assert "Ctrl-C" in stderr
    assert len(lines_of(out.read_text())) == 300


def test_a_reader_that_has_seen_enough(nginx: Nginx, tmp_path: Path) -> None:
    urls = tmp_path / "urls.txt"
    urls.write_text(f"{nginx.url}/price\n" * 20_000)
    command = f"{' '.join(PABAL)} fetch {urls} | head -n 3"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=50, check=True)
    assert len(lines_of(done.stdout)) == 3
    assert "Traceback" not in done.stderr


@memory_tells
def test_a_long_list_takes_little_memory(nginx: Nginx, tmp_path: Path) -> None:
    urls = tmp_path / "urls.txt"
    urls.write_text(f"{nginx.url}/price\n" * 30_000)
    script = (
        # not ru_maxrss, which a child inherits from whoever forked it
        "import sys; from pabal.cli import main; status = main(sys.argv[1:]);"
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'));"
        "print(int(peak.split()[1]) // 1024); sys.exit(status)"
    )
    command = [sys.executable, "-c", script, "fetch", str(urls), "-o", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=55, check=True)
    assert (tmp_path / "out").read_bytes().count(b"\n") == 30_000
    assert int(done.stdout) < 80


@contextlib.contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """(our end, the program's end) of a terminal."""
    ours, theirs = pty.openpty()
    try:
        yield ours, theirs
    finally:
        for each in (ours, theirs):
            with contextlib.suppress(OSError):
                os.close(each)


def read_terminal(ours: int) -> str:
    whole = b""
    with contextlib.suppress(OSError):
        while piece := os.read(ours, 65536):
            whole += piece
    return whole.decode("utf-8", "replace")


def test_a_bar_on_a_terminal(nginx: Nginx, tmp_path: Path) -> None:
    urls = tmp_path / "urls.txt"
    urls.write_text(f"{nginx.url}/price\n" * 5000)
    with terminal() as (ours, theirs):
        command = [*PABAL, "fetch", str(urls), "-o", str(tmp_path / "out")]
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
        with subprocess.Popen(command, stderr=theirs, env=environment) as child:
            os.close(theirs)
            shown = read_terminal(ours)
            assert child.wait(30) == 0
    assert "5000/5000" in shown or "/5000" in shown
    assert "200 OK" in shown


def test_without_rich_it_says_what_to_install(nginx: Nginx) -> None:
    script = "import sys; sys.modules['rich'] = sys.modules['rich.console'] = sys.modules['rich.progress'] = None;" \
        "from pabal.cli import main; sys.exit(main(sys.argv[1:]))"  # fmt: skip
    with terminal() as (ours, theirs):
        command = [sys.executable, "-c", script, "fetch", f"{nginx.url}/price"]
        with subprocess.Popen(command, stderr=theirs, stdout=subprocess.PIPE) as child:
            os.close(theirs)
            shown = read_terminal(ours)
            assert child.stdout is not None
            assert len(lines_of(child.stdout.read().decode())) == 1
            assert child.wait(30) == 0
    assert "pip install 'pabal[cli]'" in shown
    assert "200 OK" in shown


@contextlib.contextmanager
def demo_command(*arguments: str) -> Iterator[list[str]]:
    """``pabal demo`` until the end, when Ctrl-C ends it; the arguments of ``pabal`` that it says to try."""
    command = [*PABAL, "demo", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        said = ""
        while "Try: " not in said:
            line = child.stdout.readline()
            assert line, child.stderr and child.stderr.read()
            said += line
        yield said.rpartition("Try: pabal ")[2].split()
        child.send_signal(signal.SIGINT)
        assert child.wait(10) == 0


@pytest.mark.parametrize("plain", [False, True], ids=["TLS", "plain"])
def test_the_demo_server(plain: bool) -> None:
    with demo_command(*(["--plain"] if plain else [])) as arguments:
        done = pabal(*arguments)
        (record,) = lines_of(done.stdout)
        assert record["json"]["symbol"] == "BTC"
        assert isinstance(record["json"]["price"], float)
        base = record["url"].removesuffix("/quotes/BTC")
        ca = arguments[1:-1]
        done = pabal(
            "fetch", *ca, f"{base}/price", f"{base}/bytes/100000", f"{base}/delay/50", f"{base}/echo", f"{base}/none"
        )
        records = {each["url"].removeprefix(base): each for each in lines_of(done.stdout)}
        assert records["/price"]["json"] == {"symbol": "BTC", "price": 123.45}
        assert records["/bytes/100000"]["bytes"] == 100_000
        assert records["/delay/50"]["elapsed_ms"] >= 50
        assert records["/echo"]["status"] == 200
        assert records["/none"]["status"] == 404


def test_the_demo_server_logs_its_connections_over_quic(tmp_path: Path) -> None:
    with demo_command("--qlog", str(tmp_path)) as (_, _, ca_file, url), Session(verify=ca_file, http="3") as session:
        assert session.get(url).ok
    (log,) = tmp_path.glob("*_server.sqlog")
    assert log.read_text().startswith('\x1e{"qlog_format"')


def test_the_versions_that_may_be_spoken(demo: Demo, tmp_path: Path) -> None:
    kept, url = tmp_path / "alt-svc", f"{demo.tls_url}/price"
    trusting = ["fetch", url, "--ca", demo.ca_file]
    assert pabal(*trusting, "--http", "3").returncode == 0
    assert pabal(*trusting, "--http", "1.1, 2,3", "--alternatives", str(kept)).returncode == 0
    assert f" h3 127.0.0.1 {demo.tls_port} " in kept.read_text()
    done = pabal("fetch", f"{demo.url}/price", "--http", "3")
    assert done.returncode == 1
    assert "https only" in done.stdout
    for versions in ("4", "", "2,", "h3"):
        done = pabal(*trusting, "--http", versions)
        assert done.returncode == 2
        assert "must be 1.1, 2 or 3" in done.stderr
    done = pabal(*trusting, "--alternatives", str(tmp_path / "missing" / "file"))
    assert done.returncode == 2
    assert "missing/file" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken(nginx: Nginx) -> None:
    done = pabal("demo", "--port", nginx.url.rpartition(":")[2])
    assert done.returncode == 2
    assert done.stderr.startswith("pabal: ")
    assert "Traceback" not in done.stderr


def test_the_quick_start(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pabal.cli.quickstart"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=50, check=True)
    assert len(lines_of((tmp_path / "quotes.jsonl").read_text())) == 1000
    assert "200 OK: 1,000" in done.stderr
    assert '"price"' in done.stdout
    rows = [line.split() for line in done.stdout.splitlines() if line.rstrip().endswith("yes")]
    assert [(row[0], row[1]) for row in rows] == [("1.1", "1,000"), ("2", "1,000"), ("3", "1,000")]
    assert done.stdout.rstrip().endswith("fetch urls.txt -o quotes.jsonl")

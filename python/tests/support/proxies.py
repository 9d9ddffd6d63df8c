"""Real proxies from Debian, each with a configuration of its own in a temporary folder, on free ports of 127.0.0.1."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from support.nginx import free_port
from support.processes import end, their_environment

USER, PASSWORD = "user", "se:cret/@"
#: The same in a URL.
USERINFO = "user:se%3Acret%2F%40"

SQUID = """
http_port 127.0.0.1:{port}
https_port 127.0.0.1:{tls_port} tls-cert={folder}/chain.pem tls-key={folder}/key.pem
pid_filename {folder}/squid.pid
access_log stdio:{folder}/access.log squid
cache_log {folder}/cache.log
coredump_dir {folder}
netdb_filename none
pinger_enable off
cache deny all
cache_mem 8 MB
memory_cache_shared off
max_filedescriptors 1024
shutdown_lifetime 0 seconds
visible_hostname proxy.test
request_header_access X-Tenant deny all
auth_param basic program /usr/lib/squid/basic_ncsa_auth {folder}/users
auth_param basic realm tests
acl known proxy_auth REQUIRED
acl forbidden dstdomain forbidden.test
http_access deny forbidden
http_access allow {who}
http_access deny all
"""

TINYPROXY = """
Port {port}
Listen 127.0.0.1
Timeout 60
MaxClients 100
LogFile "{folder}/log"
LogLevel Connect
PidFile "{folder}/pid"
ViaProxyName "tiny"
{auth}
"""

DANTE = """
logoutput: {folder}/log
internal: 127.0.0.1 port = {port}
external: lo
clientmethod: none
socksmethod: none
user.privileged: {user}
user.unprivileged: {user}
client pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
socks block {{ from: 0.0.0.0/0 to: 127.0.0.66/32 }}
socks pass {{
    from: 0.0.0.0/0 to: 0.0.0.0/0
    protocol: tcp
    log: connect
}}
"""


class RunningProxy:
    """A process in a folder of its own until `stop`. ``port`` is where it listens, ``address`` its host too."""

    packages = ""
    log_name = "log"

    def __init__(self) -> None:
        # Not pytest's folder: some of these programs give up root, and must still reach their files.
        self.folder = Path(tempfile.mkdtemp(prefix="pabal-proxy-"))
        self.folder.chmod(0o755)
        self.port = free_port()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        path = self.folder / self.log_name
        return path.read_text(errors="replace") if path.exists() else ""

    def wait_for_log(self, *words: str) -> str:
        """The log once it holds all of them: these programs write when a connection ends."""
        for _ in range(100):
            log = self.log
            if all(word in log for word in words):
                return log
            time.sleep(0.05)
        raise AssertionError(f"not in the proxy's log: {words}\n{self.log}")

    def run(self, program: str, *arguments: str) -> None:
        path = shutil.which(program) or f"/usr/sbin/{program}"
        if not os.path.exists(path):
            raise RuntimeError(f"these tests need {program}: apt-get install {self.packages}")
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(
            [path, *arguments], stdin=quiet, stdout=quiet, stderr=quiet, env=their_environment()
        )
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        log = self.log
        self.stop()
        raise RuntimeError(f"{program} did not start: {log}")

    def stop(self) -> None:
        end(self._process)
        shutil.rmtree(self.folder, ignore_errors=True)


class Squid(RunningProxy):
    """HTTP on ``port``, HTTPS on ``tls_port``. X-Tenant is for the proxy and is not passed on."""

    packages = "squid-openssl"
    log_name = "access.log"

    def __init__(self, chain: bytes, key: bytes, auth: bool = False) -> None:
        super().__init__()
        self.tls_port = free_port()
        (self.folder / "chain.pem").write_bytes(chain)
        (self.folder / "key.pem").write_bytes(key)
        hashed = subprocess.run(["openssl", "passwd", "-apr1", PASSWORD], capture_output=True, text=True, check=True)
        (self.folder / "users").write_text(f"{USER}:{hashed.stdout}")
        text = SQUID.format(folder=self.folder, port=self.port, tls_port=self.tls_port, who="known" if auth else "all")
        (self.folder / "squid.conf").write_text(text)
        if os.getuid() == 0:  # it becomes this user
            proxy = pwd.getpwnam("proxy")
            for path in [self.folder, *self.folder.iterdir()]:
                os.chown(path, proxy.pw_uid, proxy.pw_gid)
        self.run("squid", "-N", "-f", str(self.folder / "squid.conf"))


class Tinyproxy(RunningProxy):
    """HTTP only."""

    packages = "tinyproxy-bin"

    def __init__(self, auth: bool = False) -> None:
        super().__init__()
        wanted = "BasicAuth user secret" if auth else ""
        (self.folder / "conf").write_text(TINYPROXY.format(folder=self.folder, port=self.port, auth=wanted))
        self.run("tinyproxy", "-d", "-c", str(self.folder / "conf"))


class Dante(RunningProxy):
    """SOCKS 4 and 5, without authentication. It refuses to connect to 127.0.0.66."""

    packages = "dante-server"

    def __init__(self) -> None:
        super().__init__()
        user = pwd.getpwuid(os.getuid()).pw_name
        (self.folder / "conf").write_text(DANTE.format(folder=self.folder, port=self.port, user=user))
        self.run("danted", "-N", "1", "-f", str(self.folder / "conf"), "-p", str(self.folder / "pid"))


class Microsocks(RunningProxy):
    """SOCKS 5 with user and password (Dante would ask the system's)."""

    packages = "microsocks"

    def __init__(self) -> None:
        super().__init__()
        self.run("microsocks", "-i", "127.0.0.1", "-p", str(self.port), "-u", USER, "-P", PASSWORD)

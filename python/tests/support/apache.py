"""A real Apache httpd from Debian, whose mod_auth_digest asks for passwords."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from support.nginx import free_port
from support.processes import end, their_environment

USER, PASSWORD, REALM = "user", 'se"cret', "tests"
#: Seconds that a nonce of /short lives.
SHORT = 1

CONFIGURATION = """
ServerRoot {folder}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {folder}/pid
ErrorLog {folder}/error.log
DefaultRuntimeDir {folder}
User {user}
Group {group}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authn_file_module {modules}/mod_authn_file.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule auth_digest_module {modules}/mod_auth_digest.so
LoadModule alias_module {modules}/mod_alias.so
LogFormat "%m %U %>s %{{Authorization}}i" asked
CustomLog {folder}/access.log asked
DocumentRoot {folder}/www
KeepAlive On
<Directory {folder}/www>
    AuthType Digest
    AuthName "{realm}"
    AuthDigestProvider file
    AuthUserFile {folder}/users
    AuthDigestQop auth
    AuthDigestAlgorithm MD5
    Require valid-user
</Directory>
<Location /short>
    AuthDigestNonceLifetime {short}
</Location>
"""


class Apache:
    """Runs until `stop`. ``url`` is where it answers."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("apache2") or "/usr/sbin/apache2"
        if not os.path.exists(program):
            raise RuntimeError("these tests need apache2: apt-get install apache2-bin")
        self._folder = folder
        (folder / "www" / "short").mkdir(parents=True)
        for name in ("page", "short/page"):
            (folder / "www" / name).write_text("welcome")
        # What htdigest writes; that program is in another package.
        secret = hashlib.md5(f"{USER}:{REALM}:{PASSWORD}".encode()).hexdigest()
        (folder / "users").write_text(f"{USER}:{REALM}:{secret}\n")
        port = free_port()
        text = CONFIGURATION.format(
            folder=folder,
            port=port,
            realm=REALM,
            short=SHORT,
            modules="/usr/lib/apache2/modules",
            user="www-data" if os.getuid() == 0 else f"#{os.getuid()}",
            group="www-data" if os.getuid() == 0 else f"#{os.getgid()}",
        )
        (folder / "httpd.conf").write_text(text)
        for path in (folder, *folder.rglob("*")):  # it gives up root, and must still reach its files
            path.chmod(0o755 if path.is_dir() else 0o644)
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [program, "-X", "-f", str(folder / "httpd.conf")], stdin=subprocess.DEVNULL, env=their_environment()
        )
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        log = folder / "error.log"
        self.stop()
        raise RuntimeError("apache2 did not start: " + (log.read_text() if log.exists() else "no log"))

    def asked(self, count: int) -> list[str]:
        """The last lines of its log, once there are so many: it writes them when a response is out."""
        log = self._folder / "access.log"
        for _ in range(200):
            lines = log.read_text().splitlines() if log.exists() else []
            if len(lines) >= count:
                return lines[-count:]
            time.sleep(0.02)
        raise AssertionError(f"apache2 was not asked {count} times")

    @property
    def requests(self) -> int:
        log = self._folder / "access.log"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def stop(self) -> None:
        end(self._process)

"""A program written for niquests: it knows nothing of pabal. `test_program.py` runs it on the face; it prints what it
saw as one line of JSON, and can be run on the original to see the same."""

import asyncio
import json
import sys
import tempfile
from typing import Any

import niquests
from niquests.adapters import HTTPAdapter
from niquests.exceptions import ConnectionError, HTTPError, ReadTimeout, RequestException, RetryError
from niquests.packages.urllib3.util.retry import Retry


def quick(url: str) -> dict[str, Any]:
    """The functions of the module."""
    got = niquests.get(f"{url}/get", params={"key": ["a", "b"]}, headers={"X-Mine": "1"})
    posted = niquests.post(f"{url}/post", data={"key": "value"})
    sent = niquests.post(f"{url}/post", json={"price": 123.45, "name": "caf\xe9"})
    with tempfile.TemporaryFile() as file:
        file.write(b"cells")
        file.seek(0)
        uploaded = niquests.post(f"{url}/post", files={"report": ("report.csv", file, "text/csv")}, data={"a": "b"})
    asked = niquests.request("PUT", f"{url}/put", data=b"\0\1")
    failed: list[str] = []
    for path, options in (("/status/404", {}), ("/delay", {"timeout": 0.2})):
        try:
            niquests.get(f"{url}{path}", **options).raise_for_status()
        except (HTTPError, ReadTimeout) as error:
            failed.append(type(error).__name__)
    try:
        niquests.get("http://127.0.0.1:9/", timeout=5)
    except ConnectionError as error:
        failed.append(type(error).__name__ if isinstance(error, RequestException) else "?")
    return {
        "args": got.json()["args"],
        "url": got.url == f"{url}/get?key=a&key=b",
        "mine": got.json()["headers"]["X-Mine"],
        "agent": got.request.headers["User-Agent"].startswith("niquests/"),
        "version": got.http_version,
        "form": posted.json()["form"],
        "json": sent.json()["json"],
        "content type": sent.request.headers["Content-Type"],
        "files": uploaded.json()["files"],
        "fields": uploaded.json()["form"],
        "put": asked.json()["data"],
        "failed": failed,
    }


def session(url: str) -> dict[str, Any]:
    """A session: cookies, defaults, redirects, streaming, retries, hooks."""
    with niquests.Session(headers={"X-Default": "yes"}) as s:
        s.get(f"{url}/cookies/set/first/1")
        kept = s.get(f"{url}/cookies").json()["cookies"]
        once = s.get(f"{url}/cookies", cookies={"second": "2"}).json()["cookies"]
        redirected = s.get(f"{url}/redirect/3")
        again = s.post(f"{url}/redirect-to/307", data="body").json()
        default = s.get(f"{url}/get").json()["headers"].get("X-Default")
        with s.get(f"{url}/lines/5", stream=True) as streamed:
            lines = [json.loads(line)["id"] for line in streamed.iter_lines()]
        pieces = b"".join(s.get(f"{url}/image", stream=True).iter_content(16))
        allowed = s.get(f"{url}/basic-auth/user/pass", auth=("user", "pass")).json()
        seen: list[int] = []
        s.get(f"{url}/get", hooks={"response": [lambda r, **_: seen.append(r.status_code)]})
    with niquests.Session(retries=Retry(total=3, status_forcelist=[503], backoff_factor=0)) as s:
        later = s.get(f"{url}/flaky/2").status_code
    with niquests.Session(base_url=url) as s:
        s.mount("http://", HTTPAdapter(max_retries=Retry(total=1, status_forcelist=[503], backoff_factor=0)))
        below = s.get("/get").url == f"{url}/get"
        try:
            s.get("/flaky/9")
            given_up = False
        except RetryError:
            given_up = True
    return {
        "kept": kept,
        "once": once,
        "history": [each.status_code for each in redirected.history],
        "again": [again["method"], again["data"]],
        "default": default,
        "lines": lines,
        "pieces": len(pieces),
        "allowed": allowed,
        "hooked": seen,
        "retried": later,
        "below": below,
        "given up": given_up,
    }


async def prices(url: str) -> dict[str, Any]:
    """Many at once, one of them slow, one of them wrong."""
    async with niquests.AsyncSession() as s:
        responses = await asyncio.gather(*[s.get(f"{url}/get", params={"n": n}) for n in range(20)])
        posted = await asyncio.gather(*[s.post(f"{url}/post", json={"n": n}) for n in range(5)])
        mixed = await asyncio.gather(
            s.get(f"{url}/get"), s.get(f"{url}/delay", timeout=0.2), s.get("nonsense"), return_exceptions=True
        )
        await s.get(f"{url}/cookies/set/first/1")
        cookies = (await s.get(f"{url}/cookies")).json()["cookies"]
        streamed = await s.get(f"{url}/lines/4", stream=True)
        lines = [json.loads(line)["id"] async for line in streamed.iter_lines()]
        pieces = b""
        async for piece in await (await s.get(f"{url}/image", stream=True)).iter_content(16):
            pieces += piece
        content = await (await s.get(f"{url}/image", stream=True)).content
    async with niquests.AsyncSession(retries=Retry(total=3, status_forcelist=[503], backoff_factor=0)) as s:
        later = (await s.get(f"{url}/flaky/3")).status_code
    alone = await niquests.aget(f"{url}/get")
    return {
        "numbers": [int(response.json()["args"]["n"]) for response in responses] == list(range(20)),
        "posted": [response.json()["json"]["n"] for response in posted],
        "mixed": [type(each).__name__ for each in mixed],
        "cookies": cookies,
        "lines": lines,
        "pieces": [len(pieces), len(content)],
        "retried": later,
        "alone": alone.status_code,
    }


if __name__ == "__main__":
    where = sys.argv[1]
    print(json.dumps({"quick": quick(where), "session": session(where), "prices": asyncio.run(prices(where))}))

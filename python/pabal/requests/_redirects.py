"""``SessionRedirectMixin``: how redirects are followed, step by step, each step for programs to override."""

# Names with an underscore that programs import are part of the face.
# pyright: reportPrivateUsage=false
from __future__ import annotations

from collections.abc import Generator
from typing import Any

from . import sessions
from ._internal_utils import to_native_string
from .auth import _basic_auth_str
from .compat import urljoin, urlparse
from .cookies import RequestsCookieJar, extract_cookies_to_jar, merge_cookies
from .exceptions import ChunkedEncodingError, ContentDecodingError, TooManyRedirects
from .status_codes import codes
from .utils import DEFAULT_PORTS, get_auth_from_url, requote_uri, rewind_body

__all__ = ["SessionRedirectMixin", "needs_rewind"]

_BODY_HEADERS = ("Content-Length", "Content-Type", "Transfer-Encoding")


class SessionRedirectMixin:
    """The part of a session that knows redirects."""

    cookies: Any
    trust_env: bool
    max_redirects: int

    def send(self, request: Any, **kwargs: Any) -> Any:
        """Sends a prepared request."""
        raise NotImplementedError

    def rebuild_proxies(self, prepared_request: Any, proxies: Any) -> Any:
        """The proxies for the new URL. Credentials of one are sent with the request only where it takes it itself."""
        headers = prepared_request.headers
        scheme = urlparse(prepared_request.url).scheme
        found = vars(sessions)["resolve_proxies"](prepared_request, proxies, self.trust_env)
        headers.pop("Proxy-Authorization", None)
        proxy = found.get(scheme)
        username, password = get_auth_from_url(proxy) if proxy else ("", "")
        if username and password and not scheme.startswith("https"):
            headers["Proxy-Authorization"] = _basic_auth_str(username, password)
        return found

    def rebuild_auth(self, prepared_request: Any, response: Any) -> None:
        """Credentials do not follow to another host; those of netrc for that host are used there."""
        # Looked up where programs patch them.
        headers, url = prepared_request.headers, prepared_request.url
        if "Authorization" in headers and self.should_strip_auth(response.request.url, url):
            del headers["Authorization"]
        found = self._netrc_auth(url) if self.trust_env else None
        if found is not None:
            prepared_request.prepare_auth(found)

    def _netrc_auth(self, url: Any) -> Any:
        """The credentials of netrc."""
        raise NotImplementedError

    def _keep_cookies(self, request: Any, answer: Any) -> None:
        """What a response sets goes into the session's jar."""
        extract_cookies_to_jar(self.cookies, request, answer.raw)

    def get_redirect_target(self, resp: Any) -> str | None:
        """The Location of a redirect."""
        if not resp.is_redirect:
            return None
        # Header values are Latin-1 by the letter of the standard, and UTF-8 in what servers mean.
        return to_native_string(resp.headers["location"].encode("latin1"), "utf8")

    def should_strip_auth(self, old_url: str, new_url: str) -> bool:
        """Whether credentials for one URL must not go to the other: another host, scheme or port, but for the step
        from http to https on the usual ports."""
        old, new = urlparse(old_url), urlparse(new_url)
        if old.hostname != new.hostname:
            return True
        if (old.scheme, new.scheme) == ("http", "https") and old.port in (80, None) and new.port in (443, None):
            return False
        usual = (DEFAULT_PORTS.get(old.scheme), None)
        if old.scheme == new.scheme and old.port in usual and new.port in usual:
            return False
        return old.scheme != new.scheme or old.port != new.port

    def rebuild_method(self, prepared_request: Any, response: Any) -> None:
        """The method after a redirect: GET after 303 and 302, and after 301 to a POST, as browsers do."""
        method, status = prepared_request.method, response.status_code
        if (status in (codes.see_other, codes.found) and method != "HEAD") or (
            status == codes.moved and method == "POST"
        ):
            prepared_request.method = "GET"

    def resolve_redirects(
        self,
        resp: Any,
        req: Any,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
        yield_requests: bool = False,
        **adapter_kwargs: Any,
    ) -> Generator[Any, None, None]:
        """The responses that a redirect leads to, one after the other; or with ``yield_requests`` the next request."""
        followed: list[Any] = []
        target = self.get_redirect_target(resp)
        fragment = urlparse(req.url).fragment
        while target:
            resp.history = followed.copy()
            followed.append(resp)
            try:
                resp.content  # so that the connection can be used again  # noqa: B018
            except (ChunkedEncodingError, ContentDecodingError, RuntimeError):
                resp.raw.read(decode_content=False)
            if len(resp.history) >= self.max_redirects:
                raise TooManyRedirects(f"Exceeded {self.max_redirects} redirects.", response=resp)
            resp.close()
            req, fragment, proxies = self._redirected(target, resp, req, fragment, proxies)
            if needs_rewind(req):
                rewind_body(req)
            if yield_requests:
                yield req
                return
            resp = self.send(
                req,
                stream=stream,
                timeout=timeout,
                verify=verify,
                cert=cert,
                proxies=proxies,
                allow_redirects=False,
                **adapter_kwargs,
            )
            self._keep_cookies(req, resp)
            target = self.get_redirect_target(resp)
            yield resp

    def _redirected(self, target: str, resp: Any, req: Any, fragment: str, proxies: Any) -> tuple[Any, str, Any]:
        """The request that a redirect leads to, the fragment that goes on, and the proxies for it."""
        prepared = req.copy()
        prepared.url, fragment = self._absolute(target, resp, fragment)
        self.rebuild_method(prepared, resp)
        if resp.status_code not in (codes.temporary_redirect, codes.permanent_redirect):
            for name in _BODY_HEADERS:
                prepared.headers.pop(name, None)
            prepared.body = None
        prepared.headers.pop("Cookie", None)
        extract_cookies_to_jar(prepared._cookies, req, resp.raw)
        self._drop_own_cookies(prepared, resp)
        merge_cookies(prepared._cookies, self.cookies)
        prepared.prepare_cookies(prepared._cookies)
        proxies = self.rebuild_proxies(prepared, proxies)
        self.rebuild_auth(prepared, resp)
        return prepared, fragment, proxies

    def _absolute(self, target: str, resp: Any, fragment: str) -> tuple[str, str]:
        """The whole URL of a Location; and the fragment that goes on from one redirect to the next."""
        if target.startswith("//"):
            target = f"{to_native_string(urlparse(resp.url).scheme)}:{target}"
        parts = urlparse(target)
        if not parts.fragment and fragment:
            parts = parts._replace(fragment=fragment)
        elif parts.fragment:
            fragment = parts.fragment
        target = parts.geturl()
        target = requote_uri(target) if parts.netloc else urljoin(resp.url, requote_uri(target))
        return to_native_string(target), fragment

    def _drop_own_cookies(self, prepared: Any, resp: Any) -> None:
        """Cookies that one request was given (they have no domain) are not for other origins."""
        jar = prepared._cookies
        if not isinstance(jar, RequestsCookieJar) or not self.should_strip_auth(resp.request.url, prepared.url):
            return
        for cookie in [each for each in jar if not each.domain]:
            jar.clear(cookie.domain, cookie.path, cookie.name)


def needs_rewind(prepared: Any) -> bool:
    """Whether the body was read and must be put back; one that cannot be is an error, never an empty body."""
    body = prepared.body
    if body is None or not ("Content-Length" in prepared.headers or "Transfer-Encoding" in prepared.headers):
        return False
    return prepared._body_position is not None or (hasattr(body, "__next__") and not hasattr(body, "seek"))

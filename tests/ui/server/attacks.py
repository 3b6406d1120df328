"""Requests that must be refused, as bytes. Nearly all carry the right cookie and are right in all
but one thing, so that it is this thing that is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

ROUTES = ("/", "/zhuyi.js", "/page.css", "/index", "/ask?name=")


@dataclass(frozen=True)
class Target:
    """What the attacker knows: more than he should.

    Args:
        host: "127.0.0.1:port".
        cookie: "name=value" that is let in.
        used: a token that was used.
        track: id of a track there is.
    """

    host: str
    cookie: str
    used: str
    track: str

    @property
    def port(self) -> int:
        return int(self.host.rpartition(":")[2])

    def request(
        self,
        path: str = "/index",
        *extra: str,
        method: str = "GET",
        host: str | None = None,
        cookie: str | None = None,
        version: str = "HTTP/1.1",
        body: bytes = b"",
    ) -> bytes:
        """A request that is in order but for what is given."""
        lines = [
            f"{method} {path} {version}",
            f"Host: {self.host if host is None else host}",
            f"Cookie: {self.cookie if cookie is None else cookie}",
            *extra,
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    def post(self, path: str, *extra: str, body: bytes = b"{}", length: str | None = None) -> bytes:
        """A POST of JSON from the page's own origin."""
        size = str(len(body)) if length is None else length
        own = (f"Origin: http://{self.host}", "Content-Type: application/json")
        return self.request(path, *own, f"Content-Length: {size}", *extra, method="POST", body=body)


def attacks(target: Target) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of all of them."""
    for kind in (_rebinding, _foreign, _uninvited, _traversal, _names, _sizes, _methods):
        for index, (name, data) in enumerate(kind(target)):
            yield f"{kind.__name__[1:]} {index}: {name}", data
    for kind in (_bodies, _malformed, _smuggling, _protocols):
        for index, (name, data) in enumerate(kind(target)):
            yield f"{kind.__name__[1:]} {index}: {name}", data


def _rebinding(t: Target) -> Iterator[tuple[str, bytes]]:
    p = t.port
    hosts = [
        "evil.example", f"evil.example:{p}", f"127.0.0.1.evil.example:{p}", "127.0.0.1",
        f"localhost.evil.example:{p}", f"127.0.0.1:{p + 1}", f"127.1:{p}", f"0.0.0.0:{p}",
        f"2130706433:{p}", f"0x7f000001:{p}", f"127.0.0.2:{p}", f"[::ffff:127.0.0.1]:{p}",
        f"[::]:{p}", f"localhost.:{p}", f"127.0.0.1.:{p}", f"evil@127.0.0.1:{p}", "", " ",
        f"127.0.0.1:{p}@evil.example", f"127.0.0.1:{p}, evil.example", f"127.0.0.1:0{p}",
        f"127.0.0.1:{p}/", f"127.0.0.1:{p}#", f"127.0.0.1 :{p}", f"169.254.169.254:{p}",
        f"http://127.0.0.1:{p}", f"127.0.0.1:{p}\t.evil", f"\xe9.example:{p}", "x" * 4000,
    ]  # fmt: skip
    for host in hosts:
        yield host[:40], t.request("/index", host=host)
    for host in hosts[:4]:
        yield f"page at {host}", t.request("/", host=host)
        yield f"forwarded {host}", t.request("/index", f"X-Forwarded-Host: {t.host}", host=host)


def _foreign(t: Target) -> Iterator[tuple[str, bytes]]:
    p = t.port
    origins = [
        "http://evil.example", "null", f"http://127.0.0.1:{p + 1}", "http://127.0.0.1",
        f"https://{t.host}", f"http://localhost:{p}", f"http://{t.host}.evil.example", "file://",
        f"http://{t.host}/", "", "*", f"http://evil.example#{t.host}", "chrome-extension://abcdef",
    ]  # fmt: skip
    for origin in origins:
        yield f"GET from {origin}", t.request("/index", f"Origin: {origin}")
    for origin in origins[:4]:
        data = t.request(
            "/ask", f"Origin: {origin}", "Content-Type: application/json", "Content-Length: 2",
            method="POST", body=b"{}",
        )  # fmt: skip
        yield f"POST from {origin}", data
    form = ("Content-Type: application/x-www-form-urlencoded", "Content-Length: 2")
    yield "POST without an origin", t.request("/ask", *form, method="POST", body=b"{}")
    for site in ("cross-site", "same-site", "unheard-of", ""):
        for route in ("/index", f"/ask?name=track/{t.track}", "/zhuyi.js"):
            for mode in ("no-cors", "navigate"):
                extra = (f"Sec-Fetch-Site: {site}", f"Sec-Fetch-Mode: {mode}")
                yield f"{site} {mode} {route[:9]}", t.request(route, *extra)
    framed = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe")
    yield "framed", t.request("/", *framed)


def _uninvited(t: Target) -> Iterator[tuple[str, bytes]]:
    name, _, value = t.cookie.partition("=")
    cookies = {
        "none": "", "empty": f"{name}=", "wrong": f"{name}={'A' * 43}",
        "cut": f"{name}={value[:-1]}", "longer": f"{name}={value}A", "case": t.cookie.swapcase(),
        "other port": f"zhuyi-{t.port + 1}={value}", "quoted": f'{name}="{value}"',
        "used token": f"{name}={t.used}", "only the value": value, "comma": f"a=b,{t.cookie}",
        "null": f"{name}=null", "not ASCII": f"{name}=\xe9\xff",
    }  # fmt: skip
    for said, cookie in cookies.items():
        for route in ("/", "/index", f"/ask?name=track/{t.track}"):
            yield f"{said} {route[:9]}", t.request(route, cookie=cookie)
    for route in ROUTES:
        yield f"no header {route}", f"GET {route} HTTP/1.1\r\nHost: {t.host}\r\n\r\n".encode()
    tokens = {
        "replayed": t.used, "cut": t.used[:-1], "empty": "", "wrong": "A" * 43,
        "null": t.used + "%00", "two": f"{t.used}&token={t.used}", "longer": t.used + "A",
        "cookie": value, "huge": "A" * 1500, "list": f"{t.used}%26token", "case": "TOKEN",
    }  # fmt: skip
    for said, token in tokens.items():
        yield f"token {said}", t.request(f"/?token={token}", cookie="")
    yield "token elsewhere", t.request(f"/index?token={t.used}", cookie="")
    yield "token in a header", t.request("/index", f"Authorization: Bearer {t.used}", cookie="")


def _traversal(t: Target) -> Iterator[tuple[str, bytes]]:
    paths = [
        "/../../../../etc/passwd", "/..%2f..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd",
        "/%252e%252e%252fetc%252fpasswd", "/..%c0%af..%c0%afetc/passwd", "/..\\..\\etc\\passwd",
        "/..%5c..%5cetc%5cpasswd", "/zhuyi.js/../../pack.py", "/zhuyi.js%2f..%2fpage.html",
        "/./index", "//etc/passwd", "//index", "/index/", "/index/..", "/index%00", "/index%00.js",
        "/index;/", "/index%2e", "/%69ndex", "/INDEX", "/zhuyi.js%20", "/zhuyi.js.map", "/.env",
        "/.git/config", "/bundle/page.html", "/static/zhuyi.js", "/etc/passwd", "/page.html",
        "/%ff%fe", "/\xe9", "/~root", "/C:/Windows/win.ini", "/...//", "/%u002e%u002e/",
        "/ask/../index", "/docs", "/openapi.json", "index", "*", "", "/" + "../" * 300,
        "/%2e%2e%2f" * 50, "/index?%00", "/index#/../x", "/<script>alert(1)</script>",
        "file:///etc/passwd", "http://evil.example/index", f"http://{t.host}/index",
    ]  # fmt: skip
    for path in paths:
        yield path[:40], t.request(path)


def _names(t: Target) -> Iterator[tuple[str, bytes]]:
    names = [
        "", "track", "track/", "/", "track/nobody", f"TRACK/{t.track}", f"track/{t.track}/",
        f"track/{t.track}/0", f"track/../{t.track}", "track/../../../../etc/passwd", "track/.",
        "/etc/passwd", "file:///etc/passwd", "http://evil.example/", f"track/{t.track}\0",
        f"track/{t.track}\n", f" track/{t.track}", f"track/{t.track}%00", f"track/{t.track[:-1]}",
        f"moment/{t.track}", f"moment/{t.track}/51", f"moment/{t.track}/-1", f"moment/{t.track}/+0",
        f"moment/{t.track}/00", f"moment/{t.track}/0x0", f"moment/{t.track}/1e2",
        f"moment/{t.track}/0.0", f"moment/{t.track}/\u0660", f"moment/{t.track}/\uff10",
        f"moment/{t.track}/" + "9" * 400, f"moment/{t.track}/0/..", f"moment/{t.track}/../0",
        f"moment/{t.track}/100 ", f"detail/{t.track}/100", f"detail/{t.track}/100/99999",
        f"detail/{t.track}/0/0", f"detail/{t.track}/100/-1", f"detail/{t.track}/100/0/0",
        f"series/{t.track}/0", "series/..", "track/" + "A" * 1900, "track/%2e%2e", "run.json",
        f"{t.track}/track.zyp", "__class__", "track/\u202e", "track/🙂", "{{7*7}}", "$(id)",
        "' OR 1=1 --", "track/..\\..\\x", "con", "track/NUL", "\ufeff",
    ]  # fmt: skip
    for name in names:
        yield repr(name[:40]), t.request(f"/ask?name={quote(name, safe='')}")
    good = f"track/{t.track}"
    queries = (
        f"name={good}&name={good}", f"name[]={good}", f"NAME={good}", f"x={good}", "name",
        f"name={good};name={good}", f"name={good}&" + "a&" * 900, f"?name={good}", f"name={good}&x",
    )  # fmt: skip
    for query in queries:
        yield query[:40], t.request(f"/ask?{query}")


def _sizes(t: Target) -> Iterator[tuple[str, bytes]]:
    for length in (2049, 9000, 70_000, 400_000):
        yield f"address of {length}", t.request("/index?" + "a" * length)
        yield f"path of {length}", t.request("/" + "a" * length)
        yield f"header of {length + 7000}", t.request("/index", f"X: {'a' * (length + 7000)}")
        yield f"name of {length + 7000}", t.request("/index", f"{'a' * (length + 7000)}: x")
    yield "cookie of a megabyte", t.request(cookie=t.cookie + "; a=" + "b" * (1 << 20))
    for count in (65, 1000, 20_000):
        yield f"{count} headers", t.request("/index", *(f"X-{i}: {i}" for i in range(count)))
    yield "endless line", b"GET /" + b"a" * 300_000


def _methods(t: Target) -> Iterator[tuple[str, bytes]]:
    methods = (
        "PUT DELETE PATCH OPTIONS TRACE TRACK CONNECT PROPFIND MKCOL COPY MOVE LOCK SEARCH PURGE "
        "DEBUG get Get GETX FOO"
    )
    for method in methods.split():
        yield method, t.request("/index", f"Origin: http://{t.host}", method=method)
    yield "CONNECT elsewhere", t.request("evil.example:443", method="CONNECT")
    yield "OPTIONS *", t.request("*", method="OPTIONS")
    yield "override", t.post("/index", "X-HTTP-Method-Override: GET")
    for route in ROUTES:
        yield f"POST {route}", t.post(route)


def _bodies(t: Target) -> Iterator[tuple[str, bytes]]:
    yield "too large", t.post("/ask", body=b" " * ((1 << 20) + 1))
    yield "larger than said", t.post("/ask", body=b"{}" * 1000, length="2")
    for length in ("999999999999999", "99999999999", "-1", "+2", "2.0", "0x2", "", "two", "2, 2"):
        yield f"length {length}", t.post("/ask", length=length)
    yield "GET with a body", t.request("/index", "Content-Length: 2", body=b"{}")
    kinds = ("text/plain", "multipart/form-data; boundary=x", "application/jsonp", "", "*/*")
    for kind in kinds:
        own = (f"Origin: http://{t.host}", f"Content-Type: {kind}", "Content-Length: 2")
        yield f"kind {kind}", t.request("/ask", *own, method="POST", body=b"{}")
    own = (f"Origin: http://{t.host}", "Content-Type: application/json")
    yield "no length", t.request("/ask", *own, method="POST")


def _malformed(t: Target) -> Iterator[tuple[str, bytes]]:
    host, cookie = f"Host: {t.host}\r\n", f"Cookie: {t.cookie}\r\n"
    get, ok = "GET /index HTTP/1.1\r\n", host + cookie
    texts = {
        "nothing": "\r\n" * 2000, "no version": f"GET /index\r\n{ok}\r\n",
        "HTTP/0.9": "GET /index\r\n", "HTTP/2.0": f"GET /index HTTP/2.0\r\n{ok}\r\n",
        "HTTP/9": f"GET /index HTTP/9\r\n{ok}\r\n",
        "lower case": f"GET /index http/1.1\r\n{ok}\r\n",
        "two spaces": f"GET  /index HTTP/1.1\r\n{ok}\r\n",
        "tab": f"GET\t/index\tHTTP/1.1\r\n{ok}\r\n",
        "space before": f" GET /index HTTP/1.1\r\n{ok}\r\n",
        "space in the path": f"GET /in dex HTTP/1.1\r\n{ok}\r\n",
        "no colon": f"{get}{ok}nonsense\r\n\r\n",
        "space before colon": f"{get}Host : {t.host}\r\n{cookie}\r\n",
        "null in a header": f"{get}{ok}X: a\0b\r\n\r\n",
        "null in the path": f"GET /in\0dex HTTP/1.1\r\n{ok}\r\n",
        "empty name": f"{get}{ok}: x\r\n\r\n",
        "lone CR": f"{get}{ok}X: a\rY: b\r\n\r\n",
        "no host": f"{get}{cookie}\r\n",
        "HTTP/1.0 without host": f"GET /index HTTP/1.0\r\nCookie: {t.cookie}\r\n\r\n",
        "two hosts": f"{get}{ok}Host: evil.example\r\n\r\n",
        "folded first": f"{get} x\r\n{ok}\r\n", "SSH": "SSH-2.0-OpenSSH_9.9\r\n",
        "folded host": f"{get}Host: {t.host}\r\n .evil\r\n{cookie}\r\n",
        "two cookies": f"{get}{ok}Cookie: a=b\r\n\r\n", "SMTP": "EHLO evil\r\n",
        "two origins": f"{get}{ok}Origin: http://{t.host}\r\nOrigin: null\r\n\r\n",
        "an answer": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "Redis": "*1\r\n$4\r\nPING\r\n",
    }  # fmt: skip
    for name, text in texts.items():
        yield name, text.encode("latin-1")
    yield "TLS", bytes.fromhex("16030100c8010000c40303") + bytes(range(190))
    yield "HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9)
    yield "noise", bytes((i * 167 + 13) % 256 for i in range(65_536))
    yield "nulls", bytes(70_000)


def _smuggling(t: Target) -> Iterator[tuple[str, bytes]]:
    inner = t.request("/index")
    own = (f"Origin: http://{t.host}", "Content-Type: application/json")

    def post(*extra: str, body: bytes = b"") -> bytes:
        return t.request("/ask", *own, *extra, method="POST", body=body)

    chunked = b"2\r\n{}\r\n0\r\n\r\n"
    codings = (
        "chunked", "Chunked", "xchunked", "chunked, identity", "identity, chunked", "gzip, chunked",
        "chunked;x=1", '"chunked"', "\tchunked", "identity",
    )  # fmt: skip
    for coding in codings:
        yield f"coding {coding}", post(f"Transfer-Encoding: {coding}", body=chunked + inner)
    both = ("Content-Length: 4", "Transfer-Encoding: chunked")
    yield "length and coding", post(*both, body=b"0\r\n\r\n" + inner)
    yield "coding and length", post(*both[::-1], body=b"0\r\n\r\n" + inner)
    yield "two lengths", post("Content-Length: 2", "Content-Length: 200", body=b"{}" + inner)
    yield "same length twice", post("Content-Length: 2", "Content-Length: 2", body=b"{}")
    yield "two codings", post("Transfer-Encoding: chunked", "Transfer-Encoding: x", body=chunked)
    yield "GET with coding", t.request("/index", "Transfer-Encoding: chunked", body=chunked)
    yield "space in the name", post("Transfer-Encoding : chunked", "Content-Length: 2", body=b"{}")
    yield "body that is a request", t.post("/ask", body=inner)


def _protocols(t: Target) -> Iterator[tuple[str, bytes]]:
    key = ("Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    for upgrade in ("websocket", "h2c", "TLS/1.3"):
        version = "Sec-WebSocket-Version: 13"
        yield upgrade, t.request("/index", f"Upgrade: {upgrade}", *key, version)
    yield "fetched ahead", t.request("/", "Sec-Purpose: prefetch;prerender")

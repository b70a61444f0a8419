"""Tells a request that came through the waiting room from one that went around it: verifies the `Waiting-Room-Pass`
header with the public keys that the edge publishes. Copy this file; it needs Python 3.9 or newer, PyJWT 2 and cryptography.
"""

import base64
import http.client
import json
import logging
import threading
import time
import urllib.request

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# An edge may send a pass up to three seconds past its end. The rest is what clocks may differ by.
CLOCK_TOLERANCE_SECONDS = 5
# A pass has a few hundred characters. Anything longer is an attack on the parser.
TOKEN_CHARS_MAX = 2_048
# Room for a pass of each of eight rooms.
HEADER_CHARS_MAX = 8 * TOKEN_CHARS_MAX
JWKS_BYTES_MAX = 65_536
FETCH_TIMEOUT_SECONDS = 3

log = logging.getLogger(__name__)


def verify(header, keys, room):
    """The claims of the first valid pass for `room` in a header's value, as {"claims": …}, or why there is none, as
    {"refusal": …}: missing, malformed, wrong-kind, unknown-key, bad-signature, wrong-room, expired or no-keys."""
    if len(header) > HEADER_CHARS_MAX:
        return {"refusal": "malformed"}
    result = {"refusal": "missing"}
    for value in header.split(","):
        token = value.strip(" \t")
        if token:
            result = _verify_one(token, keys, room)
            if "claims" in result:
                break
    return result


class Guard:
    """WSGI middleware that refuses requests without a valid pass; the others find its claims in
    environ["waiting_room.claims"]. CORS preflights carry no pass, and neither does what `exempt(environ)` lets through.
    Where the room has `origin_pass = "cookie"`, `cookie` is the name of its cookie."""

    def __init__(self, app, keys, room, exempt=lambda environ: False, cookie=None):
        self.app, self.keys, self.room, self.exempt, self.cookie = app, keys, room, exempt, cookie

    def __call__(self, environ, start_response):
        if not _is_preflight(environ) and not self.exempt(environ):
            result = verify(_passes_in(environ, self.cookie), self.keys, self.room)
            if "refusal" in result:
                log.warning("no pass (%s): %s %r", result["refusal"], environ["REQUEST_METHOD"], environ["PATH_INFO"])
                return _refuse(start_response, result["refusal"])
            environ["waiting_room.claims"] = result["claims"]
        return self.app(environ, start_response)


def _passes_in(environ, cookie):
    """The passes of a request: in the header, or else in the cookies of that name."""
    header = environ.get("HTTP_WAITING_ROOM_PASS")
    if header is not None or cookie is None:
        return header or ""
    pairs = (pair.strip() for pair in environ.get("HTTP_COOKIE", "").replace(",", ";").split(";"))
    return ",".join(pair[len(cookie) + 1 :] for pair in pairs if pair.startswith(cookie + "="))


class Keys:
    """The edge's public keys: loaded when needed, and kept while the edge cannot be reached. They are loaded again after
    `max_age` seconds; for an unknown key once in `cooldown` seconds."""

    def __init__(self, url, max_age=300, cooldown=60):
        self._url, self._max_age, self._cooldown = url, max_age, cooldown
        self._keys = {}
        self._loaded = self._tried = float("-inf")
        self._loading = threading.Lock()

    @property
    def is_empty(self):
        """True until the edge has been reached for the first time."""
        return not self._keys

    def find(self, kid):
        known = self._keys.get(kid)
        if known and time.monotonic() - self._loaded < self._max_age:
            return known
        # One thread loads. Who has a key goes on with it meanwhile; who has none waits for the new ones.
        if self._loading.acquire(blocking=known is None):
            try:
                self._refresh_if_due()
            finally:
                self._loading.release()
        return self._keys.get(kid)

    def _refresh_if_due(self):
        now = time.monotonic()
        wait = min(2, self._cooldown) if self.is_empty else self._cooldown
        if now - self._tried < wait:
            return
        self._tried = now
        try:
            keys = _keys_of(_fetch(self._url))
            if not keys:
                raise ValueError("there is no Ed25519 key in it")
            self._keys, self._loaded = keys, now
        except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError, AttributeError) as error:
            log.warning("the keys of passes could not be loaded, the last ones are kept: %r", error)


def _verify_one(token, keys, room):
    header = _header_of(token)
    if header is None:
        return {"refusal": "malformed"}
    # The kind is pinned here, never taken from the token. PyJWT before 2.12 does not look at `crit`.
    kind, kid = (header.get("alg"), header.get("typ")), header.get("kid")
    if kind != ("EdDSA", "pass+jwt") or not isinstance(kid, str) or "crit" in header:
        return {"refusal": "wrong-kind"}
    key = keys.find(kid)
    if key is None:
        return {"refusal": "no-keys" if keys.is_empty else "unknown-key"}
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=["EdDSA"],
            audience=room,
            leeway=CLOCK_TOLERANCE_SECONDS,
            options={"require": ["aud", "sub", "gen", "iat", "exp"], "verify_iat": False},
        )
    except jwt.ExpiredSignatureError:
        return {"refusal": "expired"}
    except jwt.InvalidAudienceError:
        return {"refusal": "wrong-room"}
    except jwt.InvalidSignatureError:
        return {"refusal": "bad-signature"}
    except jwt.InvalidTokenError:
        return {"refusal": "malformed"}
    return {"claims": claims} if _is_pass(claims) else {"refusal": "malformed"}


def _header_of(token):
    """The header of three non-empty base64url parts, each the one spelling of its bytes; None for anything else."""
    parts = token.split(".")
    if len(token) > TOKEN_CHARS_MAX or len(parts) != 3 or not all(map(_is_canonical, parts)):
        return None
    try:
        header = json.loads(_decode(parts[0]))
    except (ValueError, RecursionError):
        return None
    return header if isinstance(header, dict) else None


def _is_canonical(part):
    """Lenient decoders accept several spellings of one signature: whoever compares or counts tokens would be deceived."""
    try:
        return part != "" and base64.urlsafe_b64encode(_decode(part)).rstrip(b"=") == part.encode("ascii")
    except ValueError:
        return False


def _decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _is_pass(claims):
    texts = all(isinstance(claims[name], str) for name in ("aud", "sub"))
    return texts and all(type(claims[name]) in (int, float) for name in ("gen", "iat", "exp"))


def _is_preflight(environ):
    asked = "HTTP_ORIGIN" in environ and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
    return environ["REQUEST_METHOD"] == "OPTIONS" and asked


def _refuse(start_response, refusal):
    """403, and no word about why: the log has that. Without keys nobody can be told from anybody, so it is 503."""
    status, title, more = (
        ("503 Service Unavailable", "Try again shortly", [("Retry-After", "5")])
        if refusal == "no-keys"
        else ("403 Forbidden", "This site is entered through its waiting room", [])
    )
    headers = [("Content-Type", "application/problem+json"), ("Cache-Control", "no-store"), *more]
    start_response(status, headers)
    return [json.dumps({"type": "about:blank", "title": title, "status": int(status[:3])}).encode()]


def _keys_of(jwks):
    return {
        key["kid"]: Ed25519PublicKey.from_public_bytes(_decode(key["x"]))
        for key in jwks["keys"]
        if key.get("kty") == "OKP" and key.get("crv") == "Ed25519" and isinstance(key.get("kid"), str)
    }


def _fetch(url):
    # Cloudflare's browser integrity check refuses the User-Agent that urllib sends by itself.
    request = urllib.request.Request(url, headers={"User-Agent": "waiting-room-origin/1"})
    with urllib.request.urlopen(request, timeout=FETCH_TIMEOUT_SECONDS) as response:
        return json.loads(response.read(JWKS_BYTES_MAX))

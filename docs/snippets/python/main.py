"""Tries verify.py:
  python3 main.py --jwks FILE --aud ROOM TOKEN     prints claims or refusal; exit code 0 or 1; "-" reads the token from stdin
  python3 main.py --jwks URL --aud ROOM --port N   an origin that answers with the claims
"""

import argparse
import json
import pathlib
import socketserver
import sys
from wsgiref.simple_server import WSGIServer, make_server

from verify import Guard, Keys, verify


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jwks", required=True)
    parser.add_argument("--aud", required=True)
    parser.add_argument("--port", type=int)
    parser.add_argument("--max-age", type=float, default=300)
    parser.add_argument("--cooldown", type=float, default=60)
    parser.add_argument("token", nargs="?", default="")
    given = parser.parse_args()

    if given.port:
        keys = Keys(given.jwks, max_age=given.max_age, cooldown=given.cooldown)
        app = Guard(site, keys, given.aud, exempt=lambda environ: environ["PATH_INFO"] == "/healthz")
        make_server("127.0.0.1", given.port, app, server_class=Server).serve_forever()

    keys = Keys(pathlib.Path(given.jwks).resolve().as_uri())
    token = sys.stdin.read() if given.token == "-" else given.token
    result = verify(token, keys, given.aud)
    print(json.dumps(result))
    return 0 if "claims" in result else 1


def site(environ, start_response):
    """The site behind the guard. Every line of its log names the session."""
    claims = environ.get("waiting_room.claims")
    session = claims["sub"] if claims else "-"
    print(session, environ["REQUEST_METHOD"], environ["PATH_INFO"], flush=True)
    start_response("200 OK", [("Content-Type", "application/json"), ("Waiting-Room-Session", session)])
    return [json.dumps({"claims": claims}).encode()]


if __name__ == "__main__":
    sys.exit(main())

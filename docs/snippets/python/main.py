"""Tries verify.py:
  python3 main.py --jwks FILE --aud ROOM TOKEN     prints claims or refusal; exit code 0 or 1
  python3 main.py --jwks FILE --aud ROOM -         reads a JSON list of tokens from stdin, and prints one line for each
  python3 main.py --jwks URL --aud ROOM --port N   an origin that answers with the claims
`--cookie NAME` reads the pass from this cookie where it is in no header.
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
    parser.add_argument("--cookie")
    parser.add_argument("token", nargs="?", default="")
    given = parser.parse_args()

    if given.port:
        keys = Keys(given.jwks, max_age=given.max_age, cooldown=given.cooldown)
        exempt = lambda environ: environ["PATH_INFO"] == "/healthz"
        app = Guard(site, keys, given.aud, exempt=exempt, cookie=given.cookie)
        make_server("127.0.0.1", given.port, app, server_class=Server).serve_forever()

    keys = Keys(pathlib.Path(given.jwks).resolve().as_uri())
    tokens = json.load(sys.stdin) if given.token == "-" else [given.token]
    results = [verify(token, keys, given.aud) for token in tokens]
    for result in results:
        print(json.dumps(result))
    return 0 if all("claims" in result for result in results) else 1


def site(environ, start_response):
    """The site behind the guard. Every line of its log names the session."""
    claims = environ.get("waiting_room.claims")
    session = claims["sub"] if claims else "-"
    print(session, environ["REQUEST_METHOD"], environ["PATH_INFO"], flush=True)
    start_response("200 OK", [("Content-Type", "application/json"), ("Waiting-Room-Session", session)])
    return [json.dumps({"claims": claims}).encode()]


if __name__ == "__main__":
    sys.exit(main())

"""PowerDNS's API as far as sync asks it, in the hands of a test: it gives what it is told, well or badly."""

import http.server
import json
import threading

KEY = "a-key-that-nobody-sees"


def zone(name):
    """A zone as PowerDNS 4.7 lists it."""
    return {"account": "", "catalog": "", "id": f"{name}.", "kind": "Native", "last_check": 0,
            "masters": [], "name": f"{name}.", "notified_serial": 0, "serial": 1,
            "url": f"/api/v1/servers/localhost/zones/{name}."}


def listed(names):
    """The body of the list of zones."""
    return json.dumps([zone(name) for name in names]).encode("ascii")


class ZoneApi:
    """A server on a port of 127.0.0.1. REPLY is a function of the handler that sends a reply; unless a test
    sets another one, it is the list of NAMES."""

    def __init__(self, port):
        self.names = []
        self.reply = self.list_zones
        self.requests = []
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # pylint: disable=invalid-name
                api.requests.append((self.path, self.headers.get("X-API-Key")))
                self.close_connection = True
                api.reply(self)

            def log_message(self, *arguments):  # pylint: disable=arguments-differ
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def list_zones(self, handler):
        send(handler, listed(self.names))

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def send(handler, body, status=200, length=None, headers=()):
    """Sends a reply, maybe with a length that is not that of the body."""
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    for name, value in headers:
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)

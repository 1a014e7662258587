"""A certification authority: with openssl it signs, and over ACME (RFC 8555) it first convinces itself
over HTTP that who asks has the name. It believes every signature of an account; its only client is
dehydrated."""

import base64
import http.server
import itertools
import json
import subprocess
import threading
import urllib.request
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from processes import DEADLINE

SHA256 = hashes.SHA256()


def openssl(*arguments, **options):
    done = subprocess.run(
        ["openssl", *map(str, arguments)],
        capture_output=True,
        timeout=DEADLINE,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    return done.stdout


class Authority:
    def __init__(self, directory):
        self.directory = directory
        self.key = directory / "ca.key"
        self.certificate = directory / "ca.pem"
        self.extensions = directory / "ca.ext"
        self.extensions.write_text("authorityKeyIdentifier = keyid\n", encoding="ascii")
        self.serial = itertools.count(1)
        openssl("ecparam", "-genkey", "-noout", "-name", "prime256v1", "-out", self.key)
        openssl(
            "req", "-x509", "-new", "-key", self.key, "-out", self.certificate, "-days", "30",
            "-subj", "/CN=A test's authority", "-addext", "keyUsage=critical,keyCertSign",
        )

    def sign(self, request):
        """Signs a request in PEM, for the names that it has; returns the certificate in PEM."""
        return openssl(
            "x509", "-req", "-CA", self.certificate, "-CAkey", self.key, "-days", "90",
            "-set_serial", next(self.serial), "-copy_extensions", "copy",
            "-extfile", self.extensions, input=request,
        )

    def issue(self, key, names):
        """Makes a certificate of a private key for each of many names; yields them in PEM."""
        ca_key = serialization.load_pem_private_key(self.key.read_bytes(), None)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
        issuer = x509.load_pem_x509_certificate(self.certificate.read_bytes()).subject
        now = datetime.now(timezone.utc)
        for name in names:
            builder = x509.CertificateBuilder(
                issuer_name=issuer,
                subject_name=x509.Name([]),
                public_key=key.public_key(),
                serial_number=next(self.serial),
                not_valid_before=now - timedelta(days=1),
                not_valid_after=now + timedelta(days=90),
            )
            alternative = x509.SubjectAlternativeName([x509.DNSName(name)])
            builder = builder.add_extension(alternative, critical=True)
            builder = builder.add_extension(identifier, critical=False)
            yield builder.sign(ca_key, SHA256).public_bytes(serialization.Encoding.PEM)


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Acme(http.server.ThreadingHTTPServer):
    """The authority's ACME server on a port of 127.0.0.1, as a context manager."""

    daemon_threads = True

    def __init__(self, authority, port):
        super().__init__(("127.0.0.1", port), Handler)
        self.authority = authority
        self.url = f"http://127.0.0.1:{port}"
        self.orders = []  # names
        self.certificates = {}  # by order
        self.asked = []  # the names that were looked at over HTTP
        self.thread = threading.Thread(target=self.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.shutdown()
        self.thread.join()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    """The resources are /order/N, /authorization/N/NAME, /challenge/N/NAME and so on."""

    def log_message(self, *arguments):
        pass

    def url(self, *parts):
        return "/".join([self.server.url, *map(str, parts)])

    def reply(self, status, body, location=None, kind="application/json"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode("ascii")
        self.send_response(status)
        self.send_header("Replay-Nonce", "nonce")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def do_HEAD(self):
        self.reply(200, b"")

    def do_GET(self):
        names = {"newNonce": "nonce", "newAccount": "account", "newOrder": "new-order",
                 "revokeCert": "revoke"}
        directory = {name: self.url(path) for name, path in names.items()}
        self.reply(200, {**directory, "meta": {"termsOfService": self.url("terms")}})

    def do_POST(self):
        jws = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        payload = decode(jws["payload"])
        _, resource, *rest = self.path.split("/")
        method = getattr(self, "post_" + resource.replace("-", "_"))
        method(json.loads(payload) if payload else {}, *rest)

    def post_account(self, _):
        self.reply(201, {"status": "valid"}, self.url("account", 1))

    def post_new_order(self, payload):
        names = [identifier["value"] for identifier in payload["identifiers"]]
        self.server.orders.append(names)
        number = len(self.server.orders) - 1
        self.reply(201, self.order(number), self.url("order", number))

    def order(self, number):
        names = self.server.orders[number]
        order = {
            "status": "pending",
            "authorizations": [self.url("authorization", number, name) for name in names],
            "finalize": self.url("finalize", number),
        }
        if number in self.server.certificates:
            order.update(status="valid", certificate=self.url("certificate", number))
        return order

    def post_order(self, _, number):
        self.reply(200, self.order(int(number)))

    def challenge(self, number, name, status):
        return {"type": "http-01", "status": status, "token": f"token-{number}-{name}",
                "url": self.url("challenge", number, name)}

    def post_authorization(self, _, number, name):
        """Valid already if the name was looked at for another order, as with real authorities."""
        self.reply(200, {
            "status": "valid" if name in self.server.asked else "pending",
            "identifier": {"type": "dns", "value": name},
            "challenges": [self.challenge(number, name, "pending")],
        })

    def post_challenge(self, _, number, name):
        """Asks the name itself, found in DNS, for the token."""
        token = self.challenge(number, name, "")["token"]
        url = f"http://{name}/.well-known/acme-challenge/{token}"
        with urllib.request.urlopen(url, timeout=DEADLINE) as reply:
            proof = reply.read().decode("ascii")
        self.server.asked.append(name)
        status = "valid" if proof.startswith(token + ".") else "invalid"
        self.reply(200, self.challenge(number, name, status))

    def post_finalize(self, payload, number):
        request = openssl("req", "-inform", "DER", input=decode(payload["csr"]))
        self.server.certificates[int(number)] = self.server.authority.sign(request)
        self.reply(200, self.order(int(number)))

    def post_certificate(self, _, number):
        chain = self.server.certificates[int(number)]
        chain += self.server.authority.certificate.read_bytes()
        self.reply(200, chain, kind="application/pem-certificate-chain")

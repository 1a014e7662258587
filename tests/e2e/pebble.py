"""Pebble, the certification authority that Let's Encrypt made for tests of ACME clients."""

import json
import os
import ssl
import urllib.request

from authority import openssl
from processes import DEADLINE, Program

PORT, MANAGEMENT_PORT = 14000, 15000
URL = f"https://127.0.0.1:{PORT}/dir"


class Pebble(Program):
    """An authority whose certificates are valid for some seconds. It asks a resolver for names, and ports
    80 and 443 for challenges. AUTHORITY signs the certificate of its own web server."""

    def __init__(self, directory, authority, resolver, seconds):
        super().__init__("pebble", directory / "pebble.log")
        self.directory = directory
        self.authority = authority
        self.resolver = resolver
        self.root = directory / "root.pem"  # of the certificates that it issues
        key, certificate = directory / "pebble.key", directory / "pebble.pem"
        openssl("ecparam", "-genkey", "-noout", "-name", "prime256v1", "-out", key)
        certificate.write_bytes(authority.sign(openssl(
            "req", "-new", "-key", key, "-subj", "/CN=pebble",
            "-addext", "subjectAltName=IP:127.0.0.1")))
        (directory / "pebble.json").write_text(json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{PORT}",
            "managementListenAddress": f"127.0.0.1:{MANAGEMENT_PORT}",
            "certificate": str(certificate),
            "privateKey": str(key),
            "httpPort": 80,
            "tlsPort": 443,
            "ocspResponderURL": "",
            "certificateValidityPeriod": seconds,  # up to version 2.6; then a profile
            "profiles": {"default": {"description": "of a test", "validityPeriod": seconds}},
        }}), encoding="ascii")

    def start(self):
        self.launch(
            ["pebble", "-config", self.directory / "pebble.json", "-dnsserver", self.resolver],
            env={**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0",
                 "PEBBLE_AUTHZREUSE": "0"})
        self.wait_ready(self.fetch_root)
        return self

    def fetch_root(self):
        context = ssl.create_default_context(cafile=self.authority.certificate)
        try:
            with urllib.request.urlopen(f"https://127.0.0.1:{MANAGEMENT_PORT}/roots/0",
                                        context=context, timeout=DEADLINE) as reply:
                self.root.write_bytes(reply.read())
        except OSError:
            return False
        return True

    def issued(self, start=0):
        """How many certificates it has issued."""
        return self.log(start).count("Issued certificate serial ")

    def ordered(self, start=0):
        """How many certificates were ordered."""
        return self.log(start).count("POST /order-plz")

"""A certification authority, with openssl and with a library: it signs for whoever asks."""

import itertools
import subprocess
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

"""nginx with one virtual host."""

import subprocess
import urllib.error
import urllib.request

from processes import DEADLINE, Program

CONFIG = """\
daemon off;
user www-data;
worker_processes 1;
error_log stderr info;
pid {directory}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/site.conf;
}}
"""


class Nginx(Program):
    def __init__(self, directory, site):
        super().__init__("nginx", directory / "nginx.log")
        self.config = directory / "nginx.conf"
        self.config.write_text(CONFIG.format(directory=directory), encoding="ascii")
        (directory / "site.conf").write_text(site, encoding="ascii")

    def test(self):
        """What `nginx -t` says of the configuration, and its exit code."""
        done = subprocess.run(
            ["nginx", "-t", "-c", self.config],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        return done.stderr, done.returncode

    def start(self):
        self.launch(["nginx", "-c", self.config])
        self.wait_ready(self.answers)
        return self

    def answers(self):
        request = urllib.request.Request("http://127.0.0.1/", headers={"Host": "mta-sts.ready"})
        try:
            NO_REDIRECT.open(request, timeout=DEADLINE)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


NO_REDIRECT = urllib.request.build_opener(NoRedirect)

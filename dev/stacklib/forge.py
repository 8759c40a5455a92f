"""The forge: a private git server with archives.

nginx asks for the password and hands requests, through fcgiwrap, to git's own http-backend and to cgit.
Its whole configuration is below `.dev/forge`.
"""

import os
import re
import secrets
import subprocess
from pathlib import Path

from stacklib import paths
from stacklib.apt import program
from stacklib.part import Package, Part, Running, http_status, load
from stacklib.process import Process, StackError, free_port, spawn, start_all, wait_until
from stacklib.registry import USER, htpasswd, password

CGIT = "/usr/lib/cgit/cgit.cgi"
WORKERS = 8  # git requests served at once; tests push in parallel

CGITRC = """\
virtual-root=/cgit/
root-title=git rvexp: development forge
css=/cgit-css/cgit.css
logo=
snapshots=tar.gz tar zip
enable-http-clone=0
remove-suffix=1
cache-size=0
scan-path={repos}
"""

# A location that sets one fastcgi_param inherits none, hence a file that each of them includes.
FASTCGI = """\
fastcgi_param REQUEST_METHOD $request_method;
fastcgi_param QUERY_STRING $query_string;
fastcgi_param CONTENT_TYPE $content_type;
fastcgi_param CONTENT_LENGTH $content_length;
fastcgi_param SERVER_PROTOCOL $server_protocol;
fastcgi_param SERVER_NAME 127.0.0.1;
fastcgi_param SERVER_PORT {port};
fastcgi_param REMOTE_ADDR $remote_addr;
fastcgi_param REMOTE_USER $remote_user;
fastcgi_param HTTP_HOST $http_host;
fastcgi_param PATH_INFO $path;
fastcgi_param HOME "{home}";
fastcgi_param GIT_CONFIG_NOSYSTEM 1;
"""

NGINX = """\
{user}
daemon off;
error_log stderr;
worker_processes 1;
pid "{home}/nginx.pid";
events {{ worker_connections 256; }}
http {{
  access_log off;
  types {{ text/css css; }}
  client_max_body_size 0;
  client_body_temp_path "{home}/tmp/body";
  fastcgi_temp_path "{home}/tmp/fastcgi";
  proxy_temp_path "{home}/tmp/proxy";
  uwsgi_temp_path "{home}/tmp/uwsgi";
  scgi_temp_path "{home}/tmp/scgi";
  server {{
    listen 127.0.0.1:{port};
    auth_basic "git rvexp dev forge";
    auth_basic_user_file "{home}/htpasswd";
    fastcgi_buffering off;
    fastcgi_read_timeout 600s;
    location / {{ return 404; }}
    location /cgit-css/ {{ alias /usr/share/cgit/; }}
    location ~ ^/cgit(?<path>/.*)?$ {{
      include "{home}/fastcgi.conf";
      fastcgi_param SCRIPT_FILENAME {cgit};
      fastcgi_param SCRIPT_NAME /cgit;
      fastcgi_param CGIT_CONFIG "{home}/cgitrc";
      fastcgi_pass unix:{socket};
    }}
    location ~ ^(?<path>/[^/]+\\.git/.*)$ {{
      include "{home}/fastcgi.conf";
      fastcgi_param SCRIPT_FILENAME {backend};
      fastcgi_param GIT_PROJECT_ROOT "{home}/repos";
      fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param GIT_PROTOCOL $http_git_protocol;
      fastcgi_pass unix:{socket};
    }}
  }}
}}
"""


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()


def _configure(home: Path, port: int, socket: Path) -> None:
    for name in ("repos", "tmp"):
        (home / name).mkdir(exist_ok=True)
    text = NGINX.format(
        user="user root;" if os.geteuid() == 0 else "",
        home=home,
        port=port,
        socket=socket,
        cgit=CGIT,
        backend=Path(_git("--exec-path")) / "git-http-backend",
    )
    (home / "nginx.conf").write_text(text)
    (home / "fastcgi.conf").write_text(FASTCGI.format(port=port, home=home))
    (home / "cgitrc").write_text(CGITRC.format(repos=home / "repos"))


def start() -> Running:
    """Start fcgiwrap and nginx."""
    home, socket = paths.folder("forge"), paths.sockets() / "forge.sock"
    port, word = free_port(home / "port"), password(home / "password")
    htpasswd(home / "htpasswd", USER, word)
    _configure(home, port, socket)
    processes = start_all(lambda: _fcgiwrap(home, socket), lambda: _nginx(home, port))
    return Running(
        where=f"http://127.0.0.1:{port}",
        processes=processes,
        exports={
            "RVEXP_DEV_FORGE": f"http://127.0.0.1:{port}",
            "RVEXP_DEV_FORGE_USER": USER,
            "RVEXP_DEV_FORGE_PASSWORD": word,
        },
        facts={"port": str(port)},
    )


def _fcgiwrap(home: Path, socket: Path) -> Process:
    socket.unlink(missing_ok=True)
    log = home / "fcgiwrap.log"
    process = spawn([program("fcgiwrap") or "fcgiwrap", "-c", str(WORKERS), "-s", f"unix:{socket}"], log)
    wait_until(socket.exists, process, "fcgiwrap", log)
    return process


def _nginx(home: Path, port: int) -> Process:
    log = home / "nginx.log"
    command = [program("nginx") or "nginx", "-e", "stderr", "-p", str(home), "-c", str(home / "nginx.conf")]
    process = spawn(command, log)
    wait_until(lambda: http_status(port, "/cgit/") == 401, process, "nginx", log)
    return process


def answers(running: Running) -> bool:
    """Whether the forge asks for its password."""
    return http_status(int(running.facts["port"]), "/cgit/") == 401


def repo(name: str) -> str:
    """Make a bare repository that takes pushes, and return its clone URL (without the password)."""
    known = load("forge")
    if known is None:
        raise StackError("The forge does not run.\nhint: dev/stack up --only forge")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name) or name.endswith(".git"):
        raise StackError(f"{name!r} is no repository name: letters, digits, '.', '_' and '-', without .git at the end.")
    repos = paths.folder("forge") / "repos"
    final, scratch = repos / f"{name}.git", repos.parent / "tmp" / f"{name}.{secrets.token_hex(4)}"
    _git("-c", "init.defaultBranch=main", "init", "--quiet", "--bare", str(scratch))
    _git("-C", str(scratch), "config", "http.receivepack", "true")
    try:
        scratch.rename(final)  # whole or not at all, and never over another one
    except OSError:
        raise StackError(f"The forge already has a repository {name}.") from None
    return f"{known.exports['RVEXP_DEV_FORGE']}/{name}.git"


PACKAGES = (
    Package("nginx-light", "nginx"),
    Package("fcgiwrap", "fcgiwrap"),
    Package("cgit", CGIT),
    Package("git", "git"),
)
PART = Part("forge", start, answers, lambda: PACKAGES)

"""Where a remote serves the archive of a commit, and with which credentials to ask for it.

Addresses are made from the commit's id, never from the tag's name: names hold slashes, which every forge treats
its own way, and can be moved. Sources for the forms: GitHub REST "Download a repository archive (tar)"; GitLab
REST "Get file archive"; Gitea and Forgejo's `/archive/` route; Bitbucket Cloud's `/get/`; cgit's and gitweb's
snapshot pages. Nothing is fetched here, and what an archive holds is never trusted: see `images.archive`.
"""

import re
import string
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass

from git_rvexp import http
from git_rvexp.addresses import redacted
from git_rvexp.errors import UsageError
from git_rvexp.git.plumbing import Repo
from git_rvexp.git.process import UNASKED
from git_rvexp.model import Snapshot

TOKEN = "RVEXP_ARCHIVE_TOKEN"  # noqa: S105  the name of a variable
_HOSTS = {"github.com": "github", "gitlab.com": "gitlab", "bitbucket.org": "bitbucket", "codeberg.org": "forgejo"}
_FORMS = {
    "github": "{base}/api/v3/repos/{path}/tarball/{commit}",
    "gitlab": "{base}/api/v4/projects/{id}/repository/archive.tar.gz?sha={commit}",
    "gitea": "{base}/{path}/archive/{commit}.tar.gz",
    "forgejo": "{base}/{path}/archive/{commit}.tar.gz",
    "bitbucket": "{base}/{path}/get/{commit}.tar.gz",
    "cgit": "{base}/cgit/{path}/snapshot/{name}-{commit}.tar.gz?h={commit}",  # h: there is no branch to default to
    "gitweb": "{base}/gitweb?p={path}.git;a=snapshot;h={commit};sf=tgz",
}
_GITHUB = "https://api.github.com/repos/{path}/tarball/{commit}"
FREE = ("url", "host", "path", "name", "commit", "tag")
"""The placeholders of a free template; the forms above also use base (scheme and host) and id (quoted path)."""


@dataclass(frozen=True)
class Archive:
    """An archive's address, and the address whose stored credentials open it (the remote's own)."""

    url: str
    ask: str


def find(remote_url: str, archive_url: str, snapshot: Snapshot) -> Archive | None:
    """The archive of `snapshot`, by the setting `archive_url`; None where the remote serves none that we know.

    The setting is auto (recognised hosts only), none, the name of a form (gitlab, cgit …), or a template.
    UsageError when it is none of these.
    """
    if archive_url in ("", "none"):
        return None
    place = _place(remote_url)
    if archive_url == "auto":
        archive_url = _HOSTS.get(place["host"], "") if place else ""
        if not archive_url:
            return None
    if archive_url in _FORMS and not place:
        raise UsageError(f"archive_url is {archive_url!r}, but {redacted(remote_url)} names no host")
    words = {"url": redacted(remote_url).rstrip("/"), "host": "", "path": "", "name": "", **place}
    words |= {"commit": snapshot.commit, "tag": snapshot.tag}
    template = _GITHUB if archive_url == "github" and words["host"] == "github.com" else _FORMS.get(archive_url)
    url = (template or _template(archive_url)).format(**words)
    return Archive(url, ask=_ask(url, place))


def given(archive: Archive, remote_url: str, environ: Mapping[str, str]) -> str:
    """The Authorization value of the token variable, or of the remote URL's own user on the same host; "" for none.

    None is offered to an unprotected address.
    """
    if not http.protected(archive.url):
        return ""
    token = environ.get(TOKEN, "")
    if token:
        return http.basic(*token.split(":", 1)) if ":" in token else f"Bearer {token}"
    user = urllib.parse.urlsplit(remote_url) if "://" in remote_url else None
    if user and user.password and http.origin(archive.url)[1] == user.hostname:
        return http.basic(urllib.parse.unquote(user.username or ""), urllib.parse.unquote(user.password))
    return ""


def stored(repo: Repo, archive: Archive) -> str:
    """The Authorization value git's credential helpers hold for the archive's remote; "" when they hold none.

    Asks no person. GitLab's API takes its tokens as Bearer only.
    """
    if not http.protected(archive.url):
        return ""
    asked = f"url={archive.ask}\n\n".encode()
    done = repo.git("credential", "fill", stdin=asked, env=UNASKED, ok=(0, 1, 128))
    told = dict(line.split("=", 1) for line in done.lines if "=" in line)
    if done.code or not told.get("password"):
        return ""
    if "/api/v4/projects/" in archive.url:
        return f"Bearer {told['password']}"
    return http.basic(told.get("username", ""), told["password"])


def _place(remote_url: str) -> dict[str, str]:
    """What the remote's address names: base, host, path, id and name; empty for a folder of this machine."""
    short = re.fullmatch(r"(?:[^@/]+@)?([^:/]+):(?!//)(.+)", remote_url)
    if short and "://" not in remote_url:
        scheme, host, port, path = "ssh", short[1], None, short[2]
    else:
        parts = urllib.parse.urlsplit(remote_url)
        scheme, host, port, path = parts.scheme, parts.hostname or "", parts.port, parts.path
    if scheme not in ("http", "https", "ssh", "git") or not host:
        return {}
    path = path.strip("/").removesuffix(".git")
    web = scheme in ("http", "https")
    base = f"{scheme}://{host}:{port}" if web and port else f"{scheme if web else 'https'}://{host}"
    name = path.rpartition("/")[2]
    return {"base": base, "host": host, "path": path, "id": urllib.parse.quote(path, safe=""), "name": name}


def _ask(url: str, place: Mapping[str, str]) -> str:
    """Credentials are kept under the remote's address; another host than the archive's gets none of them.

    GitHub's API is the one exception: it is where github.com's credentials are meant for.
    """
    _, host, _ = http.origin(url)
    if place and (host == place["host"] or (host == "api.github.com" and place["host"] == "github.com")):
        return f"{place['base']}/{place['path']}.git"
    return url


def _template(text: str) -> str:
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError:
        names = {""}
    if not text.startswith(("http://", "https://")) or not names & {"commit", "tag"} or names - set(FREE):
        raise UsageError(
            f"archive_url is {text!r}\n  it must be auto, none, {', '.join(_FORMS)}, or a URL with {{commit}} in it\n"
            f"  and no other placeholders than {' '.join('{' + n + '}' for n in FREE)}",
            hint="git rvexp help config",
        )
    return text

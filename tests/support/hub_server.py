"""A Hugging Face Hub for tests, on the loopback interface: what its real clients ask, over HTTP.

Two users, ana and ben, each with a token that may write and one that may only read; ana also has fine-grained ones,
with which nothing is written here. Plain LFS, no Xet. Every request is in `Hub.log`; a test reads there what was asked
for, and whether any byte of a file was sent.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from support.hub_jobs import HARDWARE, Job, Runner

TOKENS = {
    "hf_ana_write": ("ana", "write"),
    "hf_ana_read": ("ana", "read"),
    "hf_ana_for_the_job": ("ana", "write"),
    "hf_ana_fine_read": ("ana", "fineGrained"),
    "hf_ana_fine_write": ("ana", "fineGrained"),
    "hf_ana_fine_global": ("ana", "fineGrained"),
    "hf_ben_write": ("ben", "write"),
    "hf_ben_read": ("ben", "read"),
}
# token → its permissions, as the Hub calls them: for some repos or owners, and everywhere.
FINE_GRAINED = {
    "hf_ana_fine_read": {"scoped": ["repo.content.read"], "global": []},
    "hf_ana_fine_write": {"scoped": ["repo.content.read", "repo.write"], "global": []},
    "hf_ana_fine_global": {"scoped": ["repo.content.read"], "global": ["discussion.write"]},
}
DATE = "2026-01-01T00:00:00.000Z"
LFS_SUFFIXES = {".parquet", ".safetensors", ".onnx", ".bin", ".flac", ".wav"}
LFS_BYTES = 10 * 2**20


@dataclass(frozen=True)
class Asked:
    """One request of `user` ("" for nobody, "?" for an unknown token).

    `sent` counts the bytes of users' files in it; `visibility` is what a create asked for.
    """

    method: str
    path: str
    user: str
    sent: int = 0
    visibility: str | None = None


@dataclass(frozen=True)
class File:
    """A file of a repo: its content is the blob `sha256`; `oid` is git's for small files, sha256 for LFS."""

    sha256: str
    size: int
    oid: str
    lfs: bool


@dataclass(frozen=True)
class Commit:
    oid: str
    title: str
    files: dict[str, File]


@dataclass
class Repo:
    kind: str  # model, dataset, space
    id: str
    private: bool
    sdk: str | None = None
    commits: list[Commit] = field(default_factory=list)  # newest last
    refs: dict[str, str] = field(default_factory=dict)  # branches and tags: name → commit
    settings: dict[str, dict] = field(default_factory=lambda: {"secrets": {}, "variables": {}})
    hardware: str = "cpu-basic"
    stage: str = "RUNNING"

    def commit(self, title: str, files: dict[str, File], branch: str = "main") -> Commit:
        oid = hashlib.sha1(f"{self.kind} {self.id} {len(self.commits)} {title}".encode()).hexdigest()
        self.commits.append(Commit(oid, title, files))
        self.refs[branch] = oid
        return self.commits[-1]

    def at(self, revision: str) -> Commit | None:
        oid = self.refs.get(revision, revision)
        return next((commit for commit in self.commits if commit.oid == oid), None)


class Refused(Exception):
    """The Hub's answer when it does not do what is asked."""

    def __init__(self, status: int, code: str | None, message: str):
        super().__init__(message)
        self.status, self.code = status, code


class Hub:
    """The repos, what was asked, and the answers.

    Attributes:
        url: the HF_ENDPOINT for clients.
        log: every request, oldest first.
        repos: by (kind, OWNER/NAME).
        refusals: repo → what every request for it is answered: status, message. As the Hub refuses who may do no more.
        gated: OWNER/NAMEs whose owners ask for consent, which nobody has given: everybody may know of them.
        runner: runs jobs; a job's folder lies in its own.
        without_credit: users who cannot pay for a job.
        portal: OWNER/NAMEs for which a network's page to log in answers in place of the Hub.
    """

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self._blobs = folder
        self.url = ""
        self.log: list[Asked] = []
        self.repos: dict[tuple[str, str], Repo] = {}
        self.refusals: dict[str, tuple[int, str]] = {}
        self.gated: set[str] = set()
        self.portal: set[str] = set()
        self.runner = Runner(folder / "jobs")
        self.without_credit: set[str] = set()

    def add(self, kind: str, repo_id: str, private: bool, files: dict[str, bytes] | None = None) -> Repo:
        """Put a repo there without asking over HTTP."""
        repo = self.repos[kind, repo_id] = Repo(kind, repo_id, private)
        stored = {path: self._store(content, Path(path)) for path, content in (files or {}).items()}
        repo.commit("initial commit", stored)
        return repo

    def content(self, file: File) -> bytes:
        """What a file of a repo holds."""
        return (self._blobs / file.sha256).read_bytes()

    def environment(self, home: Path, token: str | None = None) -> dict[str, str]:
        """The environment of a client of this Hub, which sees no cache and no token but those given."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING_FACE"))}
        hub = {"HF_ENDPOINT": self.url, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1"}
        own["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), own.get("PATH", "")])  # for `hf`
        quiet = {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_UPDATE_DOWNLOAD_COUNTS": "0", "HF_HUB_DISABLE_UPDATE_CHECK": "1"}
        return {**own, **hub, **quiet, **({"HF_TOKEN": token} if token else {})}

    def uploads(self) -> list[Asked]:
        """The requests that carried bytes of a user's files."""
        return [asked for asked in self.log if asked.sent]

    def _store(self, content: bytes, path: PurePosixPath | Path | None = None) -> File:
        sha256 = hashlib.sha256(content).hexdigest()
        (self._blobs / sha256).write_bytes(content)
        lfs = path is None or path.suffix in LFS_SUFFIXES
        git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        return File(sha256, len(content), sha256 if lfs else git, lfs)

    # Who asks, for what

    def _user(self, request: Request) -> tuple[str, str]:
        """(name, role); ("", "") for nobody."""
        user, role = _who(request)
        if user == "?":
            raise Refused(401, None, "Invalid credentials in Authorization header")
        return user, role

    def _repo(self, request: Request, write: bool = False) -> Repo:
        user, role = self._user(request)
        owner, name = request.path_params["owner"], request.path_params["name"].removesuffix(".git")
        kind = request.path_params.get("kind", "model")
        repo = self.repos.get((kind, f"{owner}/{name}"))
        if repo is None or (repo.private and user != owner):
            # As on the Hub: who is not logged in does not learn whether it exists.
            raise Refused(404 if user else 401, "RepoNotFound", "Repository not found")
        if write and (user != owner or role != "write"):
            raise Refused(403, None, f"you don't have the required permissions to write to {repo.id}")
        return repo

    def _commit(self, request: Request) -> tuple[Repo, Commit]:
        repo = self._repo(request)
        commit = repo.at(request.path_params.get("revision", "main"))
        if commit is None:
            raise Refused(404, "RevisionNotFound", "Invalid rev id")
        return repo, commit

    def _log(self, request: Request, sent: int = 0, visibility: str | None = None) -> None:
        self.log.append(Asked(request.method, request.url.path, _who(request)[0], sent, visibility))

    # Users and repos

    async def whoami(self, request: Request) -> Response:
        user, role = self._user(request)
        if not user:
            raise Refused(401, None, "Invalid username or password.")
        token = {"displayName": "test", "role": role}
        if fine := FINE_GRAINED.get(request.headers.get("authorization", "").removeprefix("Bearer ")):
            scope = {"entity": {"_id": "1", "type": "user", "name": user}, "permissions": fine["scoped"]}
            token["fineGrained"] = {"canReadGatedRepos": True, "global": fine["global"], "scoped": [scope]}
        auth = {"type": "access_token", "accessToken": token}
        return JSONResponse({"name": user, "fullname": user, "type": "user", "avatarUrl": "", "orgs": [], "auth": auth})

    async def create(self, request: Request) -> Response:
        asked = await request.json()
        return self._create(request, asked.get("type") or "model", asked.get("organization"), asked["name"], asked)

    def _create(self, request: Request, kind: str, owner: str | None, name: str, asked: dict) -> Response:
        user, role = self._user(request)
        if not user:
            raise Refused(401, None, "Invalid username or password.")
        owner = owner or user
        repo_id = f"{owner}/{name}"
        if user != owner or role != "write":
            raise Refused(403, None, f'You don\'t have the rights to create a {kind} under the namespace "{owner}"')
        url = f"{self.url}/{'' if kind == 'model' else f'{kind}s/'}{repo_id}"
        if (kind, repo_id) in self.repos:
            return JSONResponse({"error": "You already created this repo", "url": url}, 409)
        repo = self.add(kind, repo_id, asked.get("visibility") == "private")
        repo.sdk, repo.hardware = asked.get("sdk"), asked.get("hardware") or repo.hardware
        for name in ("secrets", "variables"):
            repo.settings[name] = {item["key"]: item for item in asked.get(name) or []}
        return JSONResponse({"url": url, "name": repo_id, "id": repo_id})

    async def delete(self, request: Request) -> Response:
        asked = await request.json()
        owner = asked.get("organization") or self._user(request)[0]
        request.path_params.update(owner=owner, name=asked["name"], kind=asked.get("type") or "model")
        repo = self._repo(request, write=True)
        del self.repos[repo.kind, repo.id]
        return JSONResponse({})

    async def duplicate(self, request: Request) -> Response:
        source, asked = self._repo(request), await request.json()
        answer = self._create(request, source.kind, *asked["repository"].split("/"), asked)
        if answer.status_code == 200:
            copy = self.repos[source.kind, asked["repository"]]
            copy.sdk = source.sdk
            copy.commit("duplicate", dict(source.at("main").files))
        return answer

    async def update(self, request: Request) -> Response:
        repo, asked = self._repo(request, write=True), await request.json()
        if "visibility" in asked:
            repo.private = asked["visibility"] == "private"
        return JSONResponse({"private": repo.private})

    async def auth_check(self, request: Request) -> Response:
        self._repo(request, write=request.url.path.endswith("/write"))
        return JSONResponse({})

    async def info(self, request: Request) -> Response:
        repo, commit = self._commit(request)
        return JSONResponse(
            {
                "_id": repo.id,
                "id": repo.id,
                "author": repo.id.split("/")[0],
                "sha": commit.oid,
                "lastModified": DATE,
                "createdAt": DATE,
                "private": repo.private,
                "gated": False,
                "disabled": False,
                "downloads": 0,
                "likes": 0,
                "tags": [],
                "siblings": [{"rfilename": path} for path in sorted(commit.files)],
                **({"sdk": repo.sdk, "runtime": self._runtime(repo)} if repo.kind == "space" else {}),
            }
        )

    async def refs(self, request: Request) -> Response:
        repo = self._repo(request)
        branches = [{"name": n, "ref": f"refs/heads/{n}", "targetCommit": oid} for n, oid in repo.refs.items()]
        return JSONResponse({"branches": branches, "converts": [], "tags": [], "pullRequests": []})

    async def add_ref(self, request: Request) -> Response:
        repo, asked = self._repo(request, write=True), await request.json()
        start = repo.at(asked.get("startingPoint") or "main")
        if request.path_params["revision"] in repo.refs:
            raise Refused(409, None, "Reference already exists")
        repo.refs[request.path_params["revision"]] = start.oid
        return JSONResponse({})

    async def commits(self, request: Request) -> Response:
        repo, _ = self._commit(request)
        user = [{"user": repo.id.split("/")[0]}]
        rows = [{"id": c.oid, "title": c.title, "message": "", "authors": user, "date": DATE} for c in repo.commits]
        return JSONResponse(rows[::-1])

    # Files

    @staticmethod
    def _described(path: str, item: File | None) -> dict:
        if item is None:
            return {"type": "directory", "path": path, "oid": hashlib.sha1(path.encode()).hexdigest(), "size": 0}
        lfs = {"lfs": {"oid": item.sha256, "size": item.size, "pointerSize": 130}} if item.lfs else {}
        return {"type": "file", "path": path, "oid": item.oid, "size": item.size, **lfs}

    @staticmethod
    def _tree(commit: Commit) -> dict[str, File | None]:
        """Files, and folders as None."""
        folders = {str(f): None for path in commit.files for f in PurePosixPath(path).parents if str(f) != "."}
        return dict(sorted({**folders, **commit.files}.items()))

    async def tree(self, request: Request) -> Response:
        _, commit = self._commit(request)
        tree, top = self._tree(commit), request.path_params.get("path", "")
        if top and top not in tree:
            raise Refused(404, "EntryNotFound", f"{top} does not exist")
        deep = request.query_params.get("recursive", "false").lower() == "true"
        within = [p for p in tree if not top or p.startswith(f"{top}/")]
        shown = [p for p in within if deep or "/" not in p[len(top) :].lstrip("/")]
        return JSONResponse([self._described(path, tree[path]) for path in shown])

    async def paths_info(self, request: Request) -> Response:
        _, commit = self._commit(request)
        tree = self._tree(commit)
        paths = parse_qs((await request.body()).decode()).get("paths", [])
        return JSONResponse([self._described(path, tree[path]) for path in paths if path in tree])

    async def resolve(self, request: Request) -> Response:
        repo, commit = self._commit(request)
        if repo.id in self.gated:
            raise Refused(403 if self._user(request)[0] else 401, "GatedRepo", f"Access to {repo.id} is restricted.")
        headers = {"X-Repo-Commit": commit.oid}
        item = commit.files.get(request.path_params["path"])
        if item is None:
            return _refusal(Refused(404, "EntryNotFound", "Entry not found"), headers)
        headers["ETag"] = f'"{item.oid}"'
        if item.lfs:
            headers |= {"X-Linked-Etag": f'"{item.oid}"', "X-Linked-Size": str(item.size)}
        return FileResponse(self._blobs / item.sha256, headers=headers, media_type="application/octet-stream")

    async def validate_yaml(self, request: Request) -> Response:
        return JSONResponse({"errors": [], "warnings": []})

    async def preupload(self, request: Request) -> Response:
        asked = (await request.json())["files"]
        self._log(request, sent=sum(len(item.get("sample", "")) for item in asked))
        repo = self._repo(request, write=True)
        files = repo.at(request.path_params["revision"]).files
        answers = []
        for item in asked:
            lfs = item["size"] > LFS_BYTES or PurePosixPath(item["path"]).suffix in LFS_SUFFIXES
            there = files.get(item["path"])
            mode = "lfs" if lfs else "regular"
            oid = there and there.oid
            answers.append({"path": item["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        return JSONResponse({"files": answers})

    async def lfs_batch(self, request: Request) -> Response:
        self._repo(request, write=True)
        objects = []
        for item in (await request.json())["objects"]:
            there = (self._blobs / item["oid"]).exists()
            actions = {} if there else {"actions": {"upload": {"href": f"{self.url}/lfs/{item['oid']}"}}}
            objects.append({"oid": item["oid"], "size": item["size"], **actions})
        return JSONResponse({"transfer": "basic", "objects": objects})

    async def lfs_put(self, request: Request) -> Response:
        content = await request.body()
        self._log(request, sent=len(content))
        if self._store(content).sha256 != request.path_params["oid"]:
            raise Refused(400, None, "the content does not have this checksum")
        return Response()

    async def add_commit(self, request: Request) -> Response:
        lines = [json.loads(line) for line in (await request.body()).splitlines() if line.strip()]
        small = {v["path"]: base64.b64decode(v["content"]) for v in (x["value"] for x in lines if x["key"] == "file")}
        self._log(request, sent=sum(map(len, small.values())))
        repo = self._repo(request, write=True)
        files = dict(repo.at(request.path_params["revision"]).files)
        title = ""
        for key, value in ((line["key"], line["value"]) for line in lines):
            path = value.get("path", "")
            if key == "header":
                title = value["summary"]
                if value.get("parentCommit") not in (None, repo.refs[request.path_params["revision"]]):
                    raise Refused(412, None, "A commit has happened since. Please refresh and try again.")
            elif key == "file":
                files[path] = self._store(small[path], Path("text"))
            elif key == "lfsFile":
                files[path] = File(value["oid"], (self._blobs / value["oid"]).stat().st_size, value["oid"], True)
            elif key == "deletedFile":
                del files[path]
            elif key == "deletedFolder":
                files = {p: item for p, item in files.items() if not p.startswith(path)}
        commit = repo.commit(title, files, request.path_params["revision"])
        prefix = "" if repo.kind == "model" else f"{repo.kind}s/"
        url = f"{self.url}/{prefix}{repo.id}/commit/{commit.oid}"
        return JSONResponse({"success": True, "commitOid": commit.oid, "commitUrl": url})

    # Spaces

    @staticmethod
    def _runtime(repo: Repo) -> dict:
        return {"stage": repo.stage, "hardware": {"current": repo.hardware, "requested": repo.hardware}}

    async def runtime(self, request: Request) -> Response:
        action = request.url.path.rsplit("/", 1)[1]
        repo = self._repo(request, write=action != "runtime")
        if action == "hardware":
            repo.hardware = (await request.json())["flavor"]
        elif action in ("pause", "restart"):
            repo.stage = "PAUSED" if action == "pause" else "RUNNING"
        return JSONResponse(self._runtime(repo))

    async def settings(self, request: Request) -> Response:
        items = self._repo(request, write=True).settings[request.path_params["what"]]
        if request.method != "GET":
            asked = await request.json()
            items.pop(asked["key"], None)
            if request.method == "POST":
                items[asked["key"]] = asked
        shown = ("key", "description") if request.path_params["what"] == "secrets" else ("key", "value", "description")
        return JSONResponse({key: {k: v for k, v in item.items() if k in shown} for key, item in items.items()})

    # Jobs

    async def hardware(self, request: Request) -> Response:
        return JSONResponse(HARDWARE)

    def _job(self, request: Request) -> Job:
        user, _ = self._user(request)
        job = self.runner.jobs.get(request.path_params["job"])
        if job is None or not user == job.owner == request.path_params["owner"]:
            raise Refused(404 if user else 401, None, "Job not found")
        return job

    async def add_job(self, request: Request) -> Response:
        user, role = self._user(request)
        spec = await request.json()
        if user != request.path_params["owner"] or role != "write":
            raise Refused(403, None, "You need the job.write permission to start jobs here")
        if user in self.without_credit:
            raise Refused(402, None, "Pre-paid credit balance is insufficient")
        if spec["flavor"] not in {item["name"] for item in HARDWARE}:
            raise Refused(400, None, f"Invalid flavor {spec['flavor']}")
        return JSONResponse(self.runner.start(user, spec, self.url).shown())

    async def list_jobs(self, request: Request) -> Response:
        user, _ = self._user(request)
        if user != request.path_params["owner"]:
            raise Refused(403, None, "Forbidden")
        stages, labels = request.query_params.getlist("stage"), request.query_params.getlist("label")
        return JSONResponse(
            [
                job.shown()
                for job in self.runner.jobs.values()
                if job.owner == user
                and (not stages or job.stage in stages)
                and {tuple(label.split("=", 1)) for label in labels} <= job.spec.get("labels", {}).items()
            ]
        )

    async def job(self, request: Request) -> Response:
        return JSONResponse(self._job(request).shown())

    async def job_log(self, request: Request) -> Response:
        return StreamingResponse(self.runner.log(self._job(request)), media_type="text/event-stream")

    async def cancel_job(self, request: Request) -> Response:
        job = self._job(request)
        if self._user(request)[1] != "write":
            raise Refused(403, None, "You need the job.write permission")
        job.stop("CANCELED", None)
        return JSONResponse(job.shown())

    # The wire

    def app(self) -> Starlette:
        repo, file = "/api/{kind}s/{owner}/{name}", "{owner}/{name}/resolve/{revision}/{path:path}"
        jobs, job = "/api/jobs/{owner}", "/api/jobs/{owner}/{job}"
        routes = [
            ("GET", "/api/whoami-v2", self.whoami),
            ("GET", "/api/jobs/hardware", self.hardware),
            ("POST", jobs, self.add_job),
            ("GET", jobs, self.list_jobs),
            ("GET", job, self.job),
            ("GET", job + "/logs", self.job_log),
            ("POST", job + "/cancel", self.cancel_job),
            ("POST", "/api/repos/create", self.create),
            ("DELETE", "/api/repos/delete", self.delete),
            ("POST", "/api/validate-yaml", self.validate_yaml),
            ("PUT", "/lfs/{oid}", self.lfs_put),
            ("GET", repo, self.info),
            ("GET", repo + "/revision/{revision}", self.info),
            ("PUT", repo + "/settings", self.update),
            ("POST", repo + "/duplicate", self.duplicate),
            ("GET", repo + "/auth-check", self.auth_check),
            ("GET", repo + "/auth-check/write", self.auth_check),
            ("GET", repo + "/refs", self.refs),
            ("POST", repo + "/branch/{revision}", self.add_ref),
            ("POST", repo + "/tag/{revision}", self.add_ref),
            ("GET", repo + "/commits/{revision}", self.commits),
            ("GET", repo + "/tree/{revision}", self.tree),
            ("GET", repo + "/tree/{revision}/{path:path}", self.tree),
            ("POST", repo + "/paths-info/{revision}", self.paths_info),
            ("POST", repo + "/preupload/{revision}", self.preupload),
            ("POST", repo + "/commit/{revision}", self.add_commit),
            ("GET", repo + "/runtime", self.runtime),
            ("POST", repo + "/hardware", self.runtime),
            ("POST", repo + "/pause", self.runtime),
            ("POST", repo + "/restart", self.runtime),
            *((method, repo + "/{what}", self.settings) for method in ("GET", "POST", "DELETE")),
            ("POST", "/{kind}s/{owner}/{name}/info/lfs/objects/batch", self.lfs_batch),
            ("POST", "/{owner}/{name}/info/lfs/objects/batch", self.lfs_batch),
            ("GET", "/{kind}s/" + file, self.resolve),
            ("GET", "/" + file, self.resolve),
        ]
        # As the Hub, which pages of other sites may ask too.
        everyone = Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
        answers = [Route(path, self._answer(do), methods=[method]) for method, path, do in routes]
        return Starlette(routes=answers, middleware=[everyone])

    def _answer(self, do):
        async def endpoint(request: Request) -> Response:
            if do not in (self.preupload, self.lfs_put, self.add_commit):
                asked = await request.json() if do in (self.create, self.duplicate, self.update) else {}
                self._log(request, visibility=asked.get("visibility"))
            repo_id = "{owner}/{name}".format_map(defaultdict(str, request.path_params))
            if repo_id in self.portal:
                return Response("<!doctype html><title>Log in</title>", media_type="text/html")
            try:
                if repo_id in self.refusals:
                    status, message = self.refusals[repo_id]
                    raise Refused(status, None, message)
                return await do(request)
            except Refused as refused:
                return _refusal(refused, {})

        return endpoint


def _who(request: Request) -> tuple[str, str]:
    """(name, role): ("", "") without a token, ("?", "") with one that is not known."""
    header = request.headers.get("authorization", "")
    return TOKENS.get(header.removeprefix("Bearer "), ("?" if header else "", ""))


def _refusal(refused: Refused, headers: dict[str, str]) -> Response:
    headers = {**headers, "X-Error-Message": str(refused), **({"X-Error-Code": refused.code} if refused.code else {})}
    return JSONResponse({"error": str(refused)}, refused.status, headers)


@contextlib.contextmanager
def running_hub(folder: Path) -> Iterator[Hub]:
    """A Hub that answers at its `url` for as long as the block runs."""
    hub = Hub(folder)
    server = uvicorn.Server(uvicorn.Config(hub.app(), host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        if not thread.is_alive():
            raise RuntimeError("the loopback Hub did not start")
    hub.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield hub
    finally:
        hub.runner.close()
        server.should_exit = True
        thread.join(10)

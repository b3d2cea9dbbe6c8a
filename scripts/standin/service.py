# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints: what the Scenario API does for model_pixal3d, in memory. Any thread.

Where the real service's way is not documented (the text of a 401, 402 or 413, an unknown body field, a second
"complete"), the stand-in's way is a guess, and a client must not lean on it.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Callable
from typing import Any, Final

from . import intake, limits
from .catalog import limits_json, model_json, teams_json
from .errors import ApiRefusal, StorageRefusal
from .ledger import Ledger
from .listing import job_page, page_size
from .messages import Request, Response, authorization_is_valid, json_response
from .options import Options
from .parameters import checked, with_defaults
from .records import MODEL_ID, RUNNING, Asset, Job, Upload, iso, new_id, now
from .signing import Signer
from .worker import ModelMaker

Route = Callable[..., Response]


class Service:
    """The state and its endpoints. `origin` is http://127.0.0.1:PORT, for the addresses it hands out."""

    def __init__(self, options: Options, origin: str) -> None:
        self.options = options
        self.origin = origin
        self.ledger = Ledger()
        self.maker = ModelMaker()
        self._signer = Signer()
        self._lock = threading.RLock()
        self._assets: dict[str, Asset] = {}
        self._uploads: dict[str, Upload] = {}
        self._jobs: dict[str, Job] = {}

    def answer(self, request: Request) -> Response:
        """Raises `Refusal`."""
        storage = request.path.startswith(("/cdn/", "/storage/"))
        if not storage:
            self._check_credentials(request)
        for method, pattern, route in _ROUTES:
            found = re.fullmatch(pattern, request.path)
            if found and method == request.method:
                return route(self, request, *found.groups())
        if storage:
            raise StorageRefusal(404, "NoSuchKey", "The specified key does not exist")
        raise ApiRefusal(404, f"No endpoint {request.method} {request.path}")

    def _check_credentials(self, request: Request) -> None:
        options = self.options
        if not authorization_is_valid(request.headers.get("authorization"), options.key, options.secret):
            raise ApiRefusal(401, "Unauthorized", gateway=True)
        if request.query.get("projectId", options.project_id) != options.project_id:
            raise ApiRefusal(403, "This API key has no access to the project", gateway=True)

    # Account and models

    def me(self, request: Request) -> Response:
        raise ApiRefusal(403, "API Keys cannot access protected resources", gateway=True)

    def teams(self, request: Request) -> Response:
        return json_response(teams_json(self.options.project_id))

    def team_limits(self, request: Request, team: str) -> Response:
        if team != "team_standin":
            raise ApiRefusal(404, f"Team {team} not found")
        options = self.options
        return json_response(limits_json(options.creative_units, self.ledger.spent, options.parallel_jobs))

    def models(self, request: Request) -> Response:
        page_size(request.query)
        if request.query.get("privacy", "private") not in ("private", "public", "unlisted"):
            raise ApiRefusal(400, '"privacy" must be one of [private, public, unlisted]')
        listed = [model_json()] if request.query.get("privacy") == "public" else []
        return json_response({"models": listed})

    def model(self, request: Request, model: str) -> Response:
        if model != MODEL_ID:
            raise ApiRefusal(404, f"Model {model} not found")
        return json_response({"model": model_json()})

    # Images in

    def create_asset(self, request: Request) -> Response:
        asset = intake.one_shot(_body(request), self.options.project_id)
        self._keep(asset)
        return json_response({"asset": self._asset_json(asset)})

    def create_upload(self, request: Request) -> Response:
        upload = intake.open_upload(_body(request), self.options.project_id, self.options.upload_seconds)
        with self._lock:
            self._uploads[upload.id] = upload
        shown, parts = upload.as_json(now()), []
        for number in range(1, upload.parts_count + 1):
            path = f"/storage/{upload.id}/{number}"
            query = self._signer.part_query(path, limits.UPLOAD_URL_LIFETIME_SECONDS)
            parts.append({"number": number, "url": f"{self.origin}{path}?{query}", "expires": _part_expiry()})
        return json_response({"upload": {**shown, "parts": parts}})

    def put_part(self, request: Request, upload: str, number: str) -> Response:
        self._signer.check_part(request.path, request.query, request.headers)
        with self._lock:
            intake.put_part(self._uploads[upload], int(number), request.body)
        return Response(200, headers={"ETag": f'"{secrets.token_hex(16)}"'})

    def upload_action(self, request: Request, upload_id: str) -> Response:
        if _body(request).get("action") != "complete":
            raise ApiRefusal(400, '"action" must be one of [complete]')
        with self._lock:
            upload = self._upload(upload_id)
            asset = intake.complete(upload)
            if asset:
                self._keep(asset)
            return json_response({"upload": upload.as_json(now())})

    def upload(self, request: Request, upload_id: str) -> Response:
        return json_response({"upload": self._upload(upload_id).as_json(now())})

    # Generate

    def generate(self, request: Request, model: str) -> Response:
        if model != MODEL_ID:
            raise ApiRefusal(404, f"Model {model} not found")
        body, dry_run = _body(request), request.query.get("dryRun")
        if dry_run not in (None, "true", "api", "false"):
            raise ApiRefusal(400, '"dryRun" must be one of [true, api]')
        given, ignored = checked(body)
        quote = dry_run in ("true", "api")
        image = self._input_image(body) if not quote or self.options.dry_run_checks_image else None
        parameters = with_defaults(given)
        price = self.options.price(int(parameters["resolution"]))
        cost = {"creativeUnitsCost": price, "creativeUnitsDiscount": 0, "costDetails": {"custom-generation": price}}
        if quote:
            self.ledger.count_quote()
            return json_response(cost, 269)
        assert image is not None
        with self._lock:
            most = self.options.parallel_jobs
            if most is not None and sum(job.status(now()) in RUNNING for job in self._jobs.values()) >= most:
                raise ApiRefusal(429, "Too many custom jobs at a time. Wait until one of them is over",
                                 details={"actionName": "parallelCustomJobs", "actionLimit": most})
            units = self.options.creative_units
            if units is not None and self.ledger.spent + price > units:
                raise ApiRefusal(402, "Not enough creative units for this generation")
            job = Job(new_id("job"), self.options.project_id, {"modelId": MODEL_ID, "image": image.id, **given},
                      price, now(), self.options.job_seconds)
            self._jobs[job.id] = job
            self.ledger.charge(job.id, image.id, image.name, price, ignored)
            shown = job.job_json(now())
        self._start(job, image, parameters)
        return json_response({"job": shown, **cost})

    def _input_image(self, body: dict[str, Any]) -> Asset:
        asset_id = body.get("image")
        if asset_id is None or asset_id == "":
            raise ApiRefusal(400, "Input image is required")
        if not isinstance(asset_id, str):
            raise ApiRefusal(400, '"image" must be a string')
        asset = self._asset(asset_id)
        if asset.kind != "image":
            raise ApiRefusal(400, f"Asset {asset_id} is not an image")
        return asset

    def _start(self, job: Job, image: Asset, parameters: dict[str, Any]) -> None:
        options = self.options
        if options.job_outcome == "failure":
            self._finish(job, "The stand-in is set to fail its jobs.", options)
            return
        style = {"mesh_scale_honoured": options.mesh_scale == "honoured",
                 "texture_format": options.texture_format, "variant": options.variant}
        self.maker.make(image.data, parameters, style, lambda result: self._finish(job, result, options),
                        reuse=options.model_cache)

    def _finish(self, job: Job, result: Any, options: Options) -> None:
        with self._lock:
            if isinstance(result, str):
                job.error, job.hint = result, "Try another image. The creative units were given back."
                self.ledger.refund(job.id)
            else:
                metadata = {"modelId": MODEL_ID, "jobId": job.id, "parameters": dict(job.input)}
                picture = Asset(new_id("asset"), result.preview, "image/webp", "image", "img23d", job.owner_id, now(),
                                {"width": 512, "height": 512}, metadata)
                model = Asset(
                    new_id("asset"), result.glb, "model/gltf-binary", "3d", "img23d", job.owner_id, now(),
                    {"format": "glb", "vertexCount": result.vertices, "faceCount": result.faces, "hasUVs": True,
                     "hasNormals": True, "hasSkeleton": False, "hasAnimations": False,
                     "dimensions": list(result.size)}, metadata, thumbnail_id=picture.id)
                self._assets.update({picture.id: picture, model.id: model})
                job.asset_ids = (model.id,) if options.glb_only else (picture.id, model.id)
            job.made = now()

    # Jobs

    def jobs(self, request: Request) -> Response:
        with self._lock:
            at, lag = now(), self.options.list_lag_seconds
            shown = [job.job_json(at) for job in self._all_jobs() if isinstance(job, Upload) or at - job.created >= lag]
        return json_response(job_page(shown, request.query))

    def job(self, request: Request, job_id: str) -> Response:
        with self._lock:
            job, at = self._job(job_id), now()
            if at - job.created < self.options.job_lag_seconds:
                raise ApiRefusal(404, f"Job {job_id} not found")
            return json_response({"job": job.job_json(at)})

    def job_action(self, request: Request, job_id: str) -> Response:
        self._job(job_id)
        if _body(request).get("action") != "cancel":
            raise ApiRefusal(400, '"action" must be one of [cancel]')
        raise ApiRefusal(400, "Cannot cancel this type of job. Action not permitted.")

    def custom_jobs(self) -> list[dict[str, Any]]:
        """Every custom job, whatever the lags, in the order they came; for the control endpoint."""
        with self._lock:
            at = now()
            return [{"id": job.id, "status": job.status(at), "image": job.input["image"],
                     "image_name": self._assets[job.input["image"]].name, "created": job.created}
                    for job in self._jobs.values()]

    def _job(self, job_id: str) -> Job | Upload:
        with self._lock:
            for job in self._all_jobs():
                if job_id == (job.id if isinstance(job, Job) else job.job_id):
                    return job
        raise ApiRefusal(404, f"Job {job_id} not found")

    def _all_jobs(self) -> list[Job | Upload]:
        return [*self._jobs.values(), *self._uploads.values()]

    def _upload(self, upload_id: str) -> Upload:
        if upload_id not in self._uploads:
            raise ApiRefusal(404, f"Upload {upload_id} not found")
        return self._uploads[upload_id]

    # Assets

    def asset(self, request: Request, asset_id: str) -> Response:
        return json_response({"asset": self._asset_json(self._asset(asset_id))})

    def assets(self, request: Request) -> Response:
        ids = _body(request).get("assetIds")
        if not isinstance(ids, list) or not 1 <= len(ids) <= limits.BULK_MAX_ASSETS:
            raise ApiRefusal(400, f'"assetIds" must be a list of 1 to {limits.BULK_MAX_ASSETS} ids')
        found = [self._assets[asset_id] for asset_id in map(str, ids) if asset_id in self._assets]
        return json_response({"assets": [self._asset_json(asset) for asset in found]})

    def asset_download(self, request: Request, asset_id: str) -> Response:
        asset, wanted = self._asset(asset_id), _body(request).get("targetFormat")
        if wanted not in (None, asset.extension):
            raise ApiRefusal(400, f"Cannot convert {asset.extension} to {wanted}")
        return json_response({"url": self._cdn(asset), "mimeType": asset.mime_type})

    def cdn_file(self, request: Request, asset_id: str) -> Response:
        self._signer.check_cdn(request.path, request.query, request.headers)
        asset = self._assets[asset_id]
        headers = {"Content-Type": asset.mime_type, "Accept-Ranges": "bytes", "ETag": f'"{asset.id}"'}
        wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", ""))
        if not wanted or not any(wanted.groups()):
            return Response(200, asset.data, headers)
        size = len(asset.data)
        first, last = (int(text) if text else None for text in wanted.groups())
        if first is None:
            first, last = max(0, size - (last or 0)), None
        end = min(size, size if last is None else last + 1)
        if first >= end:
            return Response(416, b"", {**headers, "Content-Range": f"bytes */{size}"})
        return Response(206, asset.data[first:end], {**headers, "Content-Range": f"bytes {first}-{end - 1}/{size}"})

    def _asset(self, asset_id: str) -> Asset:
        if asset_id not in self._assets:
            raise ApiRefusal(404, f"Asset {asset_id} not found")
        return self._assets[asset_id]

    def _keep(self, asset: Asset) -> None:
        with self._lock:
            self._assets[asset.id] = asset
        self.maker.warm_up()

    def _asset_json(self, asset: Asset) -> dict[str, Any]:
        thumbnail = self._assets.get(asset.thumbnail_id or "")
        return asset.as_json(self._cdn(asset), self._cdn(thumbnail) if thumbnail else None)

    def _cdn(self, asset: Asset) -> str:
        path = f"/cdn/assets/{asset.id}.{asset.extension}"
        return f"{self.origin}{path}?{self._signer.cdn_query(path, self.options.url_lifetime_seconds)}"


def _body(request: Request) -> dict[str, Any]:
    if len(request.body) > limits.JSON_BODY_MAX_BYTES:
        raise ApiRefusal(413, "Request Too Long", gateway=True)
    try:
        body = json.loads(request.body or b"{}")
    except ValueError as error:
        raise ApiRefusal(400, "The body is not valid JSON") from error
    if not isinstance(body, dict):
        raise ApiRefusal(400, "The body must be a JSON object")
    return body


def _part_expiry() -> str:
    return iso(now() + limits.UPLOAD_URL_LIFETIME_SECONDS)


_ROUTES: Final[tuple[tuple[str, str, Route], ...]] = (
    ("GET", r"/v1/me", Service.me),
    ("GET", r"/v1/teams", Service.teams),
    ("GET", r"/v1/teams/([^/]+)/limits", Service.team_limits),
    ("GET", r"/v1/models", Service.models),
    ("GET", r"/v1/models/([^/]+)", Service.model),
    ("POST", r"/v1/assets", Service.create_asset),
    ("POST", r"/v1/assets/get-bulk", Service.assets),
    ("GET", r"/v1/assets/([^/]+)", Service.asset),
    ("POST", r"/v1/assets/([^/]+)/download", Service.asset_download),
    ("POST", r"/v1/uploads", Service.create_upload),
    ("GET", r"/v1/uploads/([^/]+)", Service.upload),
    ("POST", r"/v1/uploads/([^/]+)/action", Service.upload_action),
    ("POST", r"/v1/generate/custom/([^/]+)", Service.generate),
    ("GET", r"/v1/jobs", Service.jobs),
    ("GET", r"/v1/jobs/([^/]+)", Service.job),
    ("POST", r"/v1/jobs/([^/]+)/action", Service.job_action),
    ("PUT", r"/storage/([^/]+)/(\d+)", Service.put_part),
    ("GET", r"/cdn/assets/([^/.]+)\.\w+", Service.cdn_file),
)

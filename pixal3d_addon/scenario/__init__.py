# SPDX-License-Identifier: GPL-3.0-or-later
"""The service, spoken over HTTP: what it can be asked, what comes back, and what can go wrong.

No bpy. Importing this package imports neither requests nor numpy; the first call does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..lazy import loader

if TYPE_CHECKING:
    from .answers import Asset, Download, Job, Project, Quote, Submission
    from .client import ScenarioClient
    from .connection import LOOPBACK_ONLY_VARIABLE, MODEL_ID, USER_AGENT, Connection, Credentials
    from .errors import (
        ApiError,
        CanceledError,
        CancelNotPermitted,
        ConfigurationError,
        ConnectionLostError,
        CreditsExhaustedError,
        DownloadError,
        IncompleteDownloadError,
        InvalidRequestError,
        KeyRejectedError,
        MissingKeyError,
        ModeratedError,
        NoModelError,
        NotFoundError,
        OfflineError,
        ParallelLimitError,
        PlanRequiredError,
        ProtocolError,
        ProxyError,
        RateLimitedError,
        ScenarioError,
        ServerError,
        ServiceTimeoutError,
        SubmissionUncertainError,
        TlsError,
        TooLargeError,
        TransportError,
        UnreachableError,
        UnreadableModelError,
        UploadFailedError,
    )
    from .faults import job_failure
    from .gate import Gate
    from .glb import GlbInfo, inspect_glb
    from .limits import Pace

DEFAULT_BASE_URL: Final = "https://api.cloud.scenario.com/v1"
"""Here, and in no module, since the preferences name it at Blender's start."""

__getattr__ = loader(
    __name__,
    {
        "answers": ("Asset", "Download", "Job", "Project", "Quote", "Submission"),
        "client": ("ScenarioClient",),
        "connection": (
            "LOOPBACK_ONLY_VARIABLE",
            "MODEL_ID",
            "USER_AGENT",
            "Connection",
            "Credentials",
        ),
        "errors": (
            "ApiError",
            "CanceledError",
            "CancelNotPermitted",
            "ConfigurationError",
            "ConnectionLostError",
            "CreditsExhaustedError",
            "DownloadError",
            "IncompleteDownloadError",
            "InvalidRequestError",
            "KeyRejectedError",
            "MissingKeyError",
            "ModeratedError",
            "NoModelError",
            "NotFoundError",
            "OfflineError",
            "ParallelLimitError",
            "PlanRequiredError",
            "ProtocolError",
            "ProxyError",
            "RateLimitedError",
            "ScenarioError",
            "ServerError",
            "ServiceTimeoutError",
            "SubmissionUncertainError",
            "TlsError",
            "TooLargeError",
            "TransportError",
            "UnreachableError",
            "UnreadableModelError",
            "UploadFailedError",
        ),
        "faults": ("job_failure",),
        "gate": ("Gate",),
        "glb": ("GlbInfo", "inspect_glb"),
        "limits": ("Pace",),
    },
)

__all__ = (
    "DEFAULT_BASE_URL",
    "LOOPBACK_ONLY_VARIABLE",
    "MODEL_ID",
    "USER_AGENT",
    "ApiError",
    "Asset",
    "CancelNotPermitted",
    "CanceledError",
    "ConfigurationError",
    "Connection",
    "ConnectionLostError",
    "Credentials",
    "CreditsExhaustedError",
    "Download",
    "DownloadError",
    "Gate",
    "GlbInfo",
    "IncompleteDownloadError",
    "InvalidRequestError",
    "Job",
    "KeyRejectedError",
    "MissingKeyError",
    "ModeratedError",
    "NoModelError",
    "NotFoundError",
    "OfflineError",
    "Pace",
    "ParallelLimitError",
    "PlanRequiredError",
    "Project",
    "ProtocolError",
    "ProxyError",
    "Quote",
    "RateLimitedError",
    "ScenarioClient",
    "ScenarioError",
    "ServerError",
    "ServiceTimeoutError",
    "Submission",
    "SubmissionUncertainError",
    "TlsError",
    "TooLargeError",
    "TransportError",
    "UnreachableError",
    "UnreadableModelError",
    "UploadFailedError",
    "inspect_glb",
    "job_failure",
)

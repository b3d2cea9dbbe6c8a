# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong between the add-on and Scenario, in the artist's words.

::

    ScenarioError
    +-- ConfigurationError             the preferences can't work as they are
    |   +-- MissingKeyError
    +-- TransportError                 no answer came
    |   +-- UnreachableError           refused, or no way to the host
    |   +-- OfflineError               the name can't be looked up
    |   +-- ServiceTimeoutError
    |   +-- TlsError
    |   +-- ProxyError
    |   +-- ConnectionLostError        cut while talking
    +-- ApiError                       the service answered that it won't
    |   +-- KeyRejectedError           401, 403
    |   +-- PlanRequiredError          403 that speaks of the plan
    |   +-- CreditsExhaustedError      402, or by words
    |   +-- ModeratedError             by words
    |   +-- NotFoundError              404
    |   +-- TooLargeError              413
    |   +-- InvalidRequestError        400, 422
    |   |   +-- CancelNotPermitted     400 to a cancel
    |   +-- RateLimitedError           429
    |   |   +-- ParallelLimitError     429 that names the number of jobs at once
    |   +-- ServerError                5xx
    +-- ProtocolError                  what came is not an answer of the service
    +-- SubmissionUncertainError       the paid request went out and its outcome is unknown
    +-- UploadFailedError
    +-- DownloadError
    |   +-- NoModelError               the job has no GLB
    |   +-- IncompleteDownloadError    cut again and again, or of the wrong length
    +-- UnreadableModelError           Blender could not import this file
    |   +-- ModelFileError             the disk does not give it
    +-- CanceledError                  our own cancel event was set

No text in here holds the key, the secret, an Authorization value or the query of a signed URL: whoever puts words of
the service into an error has passed them through :mod:`.redact`.
"""

from __future__ import annotations

from typing import ClassVar

from ..errors import Pixal3DError


class ScenarioError(Pixal3DError):
    """Root of the tree.

    :ivar message: what happened, one sentence.
    :ivar remedy: what to do next.
    :ivar status: the HTTP status, where one came.
    :ivar reason: the service's own words, of bounded length, redacted.
    :ivar trace_id: what Scenario's support would ask for.
    """

    default_message: ClassVar[str] = "Scenario could not do it."
    default_remedy: ClassVar[str] = "Try again in a moment."

    def __init__(
        self, message: str = "", remedy: str = "", *, status: int | None = None, reason: str = "", trace_id: str = ""
    ) -> None:
        # Exception's own pickling calls the class with these two and sets the other attributes.
        super().__init__(message or self.default_message, remedy or self.default_remedy)
        self.status = status
        self.reason = reason
        self.trace_id = trace_id


class ConfigurationError(ScenarioError):
    """The preferences can't work as they are."""

    default_message = "The Scenario settings can't be used."
    default_remedy = "Check them in Preferences > Add-ons > Pixal3D."


class MissingKeyError(ConfigurationError):
    """There is no API key, or no secret."""

    default_message = "No Scenario API key is set."
    default_remedy = "Enter the key and its secret in Preferences > Add-ons > Pixal3D."


class TransportError(ScenarioError):
    """No answer came."""

    default_message = "Scenario could not be reached."
    default_remedy = "Check the internet connection and try again."


class UnreachableError(TransportError):
    """The connection was refused, or there is no way to the host."""

    default_remedy = (
        "Check the internet connection, the firewall and the Service URL in the preferences, then try again."
    )


class OfflineError(TransportError):
    """The host's name can't be looked up."""

    default_message = "Scenario's address could not be looked up; this computer seems to be offline."


class ServiceTimeoutError(TransportError):
    """Silence for too long."""

    default_message = "Scenario did not answer in time."
    default_remedy = "Try again in a moment; if it stays so, check the internet connection."


class TlsError(TransportError):
    """No trusted, encrypted connection."""

    default_message = "The encrypted connection to Scenario could not be trusted."
    default_remedy = (
        "Check this computer's date and time. In a company network, ask for its certificate file and set the "
        "environment variable REQUESTS_CA_BUNDLE to its path."
    )


class ProxyError(TransportError):
    """The proxy named by the environment is in the way."""

    default_message = "The network proxy could not be used."
    default_remedy = "Check the proxy settings of this computer (HTTPS_PROXY, HTTP_PROXY, NO_PROXY)."


class ConnectionLostError(TransportError):
    """Cut while talking."""

    default_message = "The connection to Scenario was lost."


class ApiError(ScenarioError):
    """The service answered that it won't."""

    default_message = "Scenario refused the request."
    default_remedy = "Try again; if it stays so, ask Scenario's support."


class KeyRejectedError(ApiError):
    """401 or 403."""

    default_message = "Scenario does not accept this API key."
    default_remedy = "Check the API key, its secret and the project ID in Preferences > Add-ons > Pixal3D."


class PlanRequiredError(ApiError):
    """The account's plan does not cover it."""

    default_message = "Your Scenario plan does not include this."
    default_remedy = "API access needs a paid plan; see your plan at app.scenario.com."


class CreditsExhaustedError(ApiError):
    """There are not enough creative units."""

    default_message = "Your Scenario account does not have enough creative units."
    default_remedy = "Add creative units at app.scenario.com, then generate again."


class ModeratedError(ApiError):
    """The content was refused."""

    default_message = "Scenario's content check refused the image."
    default_remedy = "Use another image."


class NotFoundError(ApiError):
    """404."""

    default_message = "Scenario does not know what was asked for."
    default_remedy = "It may have been deleted, or it belongs to another project: check the API key and the project ID."


class TooLargeError(ApiError):
    """413."""

    default_message = "The image is too large for Scenario."
    default_remedy = "Use a smaller image."


class InvalidRequestError(ApiError):
    """400 or 422."""

    default_message = "Scenario refused the request as not valid."
    default_remedy = "Check the image and the parameters, then try again."


class CancelNotPermitted(InvalidRequestError):
    """The service does not cancel this kind of job."""

    default_message = "Scenario does not cancel this kind of job; it runs on and is charged."
    default_remedy = "The finished model can still be fetched later."


class RateLimitedError(ApiError):
    """429. `seconds`: the wait that the service asked for, ``None`` if it named none."""

    default_message = "Scenario asks to slow down."
    default_remedy = "Wait a moment and try again."

    def __init__(
        self,
        message: str = "",
        remedy: str = "",
        *,
        seconds: float | None = None,
        status: int | None = None,
        reason: str = "",
        trace_id: str = "",
    ) -> None:
        super().__init__(message, remedy, status=status, reason=reason, trace_id=trace_id)
        self.seconds = seconds


class ParallelLimitError(RateLimitedError):
    """As many jobs run at once as the plan allows."""

    default_message = "As many Scenario jobs are running as your plan allows at once."
    default_remedy = "Wait until one has finished, then try again."


class ServerError(ApiError):
    """5xx."""

    default_message = "Scenario has a problem on its side."
    default_remedy = "Try again in a few minutes."


class ProtocolError(ScenarioError):
    """What came is not an answer of the service."""

    default_message = "The answer did not come from Scenario's API, or is not one that the add-on understands."
    default_remedy = (
        "Check the Service URL in the preferences, and whether this network asks to log in through a web page."
    )


class SubmissionUncertainError(ScenarioError):
    """The paid request went out and its outcome is unknown: it may have been charged. Never send it again."""

    default_message = "It is not known whether Scenario took the request to generate; it may have been charged."
    default_remedy = "Look at the jobs in your Scenario project before you generate again."


class UploadFailedError(ScenarioError):
    """The image did not get there."""

    default_message = "The image could not be uploaded."


class DownloadError(ScenarioError):
    """The model did not get here."""

    default_message = "The model could not be downloaded."
    default_remedy = "Try again; the finished model stays in your Scenario project."


class NoModelError(DownloadError):
    """The job's assets hold no GLB."""

    default_message = "The job has no model file."
    default_remedy = "Look at the job in your Scenario project."


class IncompleteDownloadError(DownloadError):
    """Cut again and again, or of the wrong length."""

    default_message = "The download of the model breaks off again and again."


class UnreadableModelError(ScenarioError):
    """Blender could not import this file."""

    default_message = "The model file can't be read."
    default_remedy = "Fetch the model again; if it stays so, download it from your Scenario project in another format."


class ModelFileError(UnreadableModelError):
    """The disk does not give it, which says nothing about the model."""


class CanceledError(ScenarioError):
    """The cancel event was set. Raised by the paid POST only while it is certain that nothing was accepted."""

    default_message = "Stopped."
    default_remedy = "Start it again when you like."

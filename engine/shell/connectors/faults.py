"""What the HTTP libraries raise, classified where it is seen, by type and never by text.

One exception in, one `Failure` out. An exception that is not in the table is our bug and is
called `internal`.
"""

import ssl

import h11
import httpcore
import httpx

from engine.core.errors import Failure, Kind

_TABLE: tuple[tuple[type[Exception], Kind, str, str], ...] = (
    (httpcore.ConnectTimeout, Kind.TIMEOUT, "connect_timeout", "no connection in time"),
    (httpcore.PoolTimeout, Kind.TIMEOUT, "pool_timeout", "all connections were busy for too long"),
    (httpcore.ReadTimeout, Kind.TIMEOUT, "read_timeout", "the server stopped answering"),
    (httpcore.WriteTimeout, Kind.TIMEOUT, "write_timeout", "the server stopped reading"),
    (httpcore.ConnectError, Kind.NETWORK, "connect_failed", "the connection was refused"),
    (httpcore.NetworkError, Kind.NETWORK, "connection_lost", "the connection was lost"),
    (
        httpcore.RemoteProtocolError,
        Kind.NETWORK,
        "broken_response",
        "the server closed the connection or broke the protocol",
    ),
    (httpcore.LocalProtocolError, Kind.LOGIC, "bad_request", "the request cannot be sent"),
    (httpcore.UnsupportedProtocol, Kind.LOGIC, "bad_url", "the URL's scheme is not supported"),
    (h11.LocalProtocolError, Kind.LOGIC, "bad_request", "the request cannot be sent"),
    (httpx.InvalidURL, Kind.LOGIC, "bad_url", "the URL cannot be read"),
)
_TOO_LONG = 431


def classify(error: Exception) -> Failure:
    """The failure that `error` stands for, with the chain of types that led to it."""
    cause = tuple(type(each).__name__ for each in _chain(error))
    special = _tls(error, cause) or _headers(error, cause)
    if special is not None:
        return special
    for family, kind, code, message in _TABLE:
        if isinstance(error, family):
            return Failure(kind, code, message, cause=cause)
    return Failure(
        Kind.INTERNAL,
        "unclassified",
        f"the HTTP connector raised {type(error).__name__}",
        "This is a bug of the engine; the log of the server has the details.",
        cause=cause,
    )


def _tls(error: Exception, cause: tuple[str, ...]) -> Failure | None:
    if not isinstance(error, httpcore.ConnectError):
        return None
    found = _find(error, ssl.SSLError)
    if isinstance(found, ssl.SSLCertVerificationError):
        message = "the server's certificate is not trusted"
        hint = "Check the host name and the certificate over there."
        return Failure(Kind.PERMANENT, "tls_untrusted", message, hint, cause=cause)
    if found is not None:
        return Failure(
            Kind.NETWORK, "tls_failed", "no secure connection could be made", cause=cause
        )
    return None


def _headers(error: Exception, cause: tuple[str, ...]) -> Failure | None:
    found = _find(error, h11.RemoteProtocolError)
    if isinstance(found, h11.RemoteProtocolError) and found.error_status_hint == _TOO_LONG:
        message = "the answer's header is too large"
        details = {"reason": "header"}
        return Failure(Kind.PERMANENT, "response_too_large", message, cause=cause, details=details)
    return None


def _find(error: BaseException, family: type[BaseException]) -> BaseException | None:
    return next((each for each in _chain(error) if isinstance(each, family)), None)


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in chain and len(chain) < 8:
        chain.append(following)
        following = following.__cause__ or following.__context__
    return chain

"""Cluster: what checks ask of Kubernetes' API, as plain documents."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

Document: TypeAlias = Mapping[str, Any]
"""An object of the cluster; its fields are as varied as its kind."""
Query: TypeAlias = Sequence[tuple[str, str]]

_SECONDS = 10
_REFUSED = (401, 403)
_NOT_THERE = 404


class ReadRefused(Exception):
    """The API does not let this account read something."""


class ClusterUnreachable(Exception):
    """The API does not answer, or there is no configuration that says where it is."""


class Cluster(Protocol):
    """What can be asked.

    Every method raises `ReadRefused` where this account may not ask.
    """

    def items(self, path: str, labels: str = "") -> Sequence[Document]:
        """Return the objects of a list, such as `/api/v1/nodes`; none where the API has no such kind.

        Args:
            path: Of the list.
            labels: A selector.
        """

    def one(self, path: str) -> Document | None:
        """Return an object; None where it is not there."""


class KubernetesCluster:
    """Implements `Cluster` by Kubernetes' own client."""

    def __init__(self, client: "ApiClient") -> None:
        self._client = client

    @classmethod
    def configured(cls, context: str | None = None) -> "KubernetesCluster":
        """Return the cluster of the kubeconfig, or that of the pod that this runs in.

        Raises:
            ClusterUnreachable: there is none.
        """
        from kubernetes import client, config

        try:
            config.load_config(context=context) if context else config.load_config()
        except config.ConfigException as error:
            raise ClusterUnreachable(str(error)) from error
        return cls(client.ApiClient())

    def items(self, path: str, labels: str = "") -> Sequence[Document]:
        """Return the objects of a list."""
        found = self._get(path, [("labelSelector", labels)] if labels else [])
        return [] if found is None else list(found.get("items", []))

    def one(self, path: str) -> Document | None:
        """Return an object."""
        return self._get(path, [])

    def _get(self, path: str, query: Query) -> Document | None:
        status, said = call(self._client, "GET", path, query=query)
        if status == _NOT_THERE:  # the API has no such kind, or no such object
            return None
        document: Document = json.loads(said)
        return document


def call(
    client: "ApiClient", method: str, path: str, *, query: Query = (), body: object = None, kind: str = ""
) -> tuple[int, bytes]:
    """Call the API, and return the status and the body of its answer.

    Args:
        client: Kubernetes' own, which knows who calls.
        method: Of HTTP.
        path: What is meant.
        query: Its parameters.
        body: What is sent, as a document.
        kind: The body's media type.

    Raises:
        ReadRefused: this account may not.
        ClusterUnreachable: nothing answers.
    """
    from urllib3.exceptions import HTTPError

    headers = {"Accept": "application/json", **({"Content-Type": kind} if kind else {})}
    request = client.param_serialize(
        method, path, query_params=list(query), header_params=headers, body=body, auth_settings=["BearerToken"]
    )
    try:
        response = client.call_api(*request, _request_timeout=_SECONDS)
        response.read()
    except HTTPError as error:
        raise ClusterUnreachable(str(error)) from error
    if response.status in _REFUSED:
        raise ReadRefused(path if method == "GET" else f"{method} {path}")
    return response.status, response.data

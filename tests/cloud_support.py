"""Stores of files on the loopback address: moto's S3, and HTTP servers that fail when they are told to."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
import s3fs
from moto.server import ThreadedMotoServer

# gcsfs else asks Google what kind of bucket there is, when it is imported and for each one.
os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"

KEY, SECRET = "moto-key-that-nobody-stores", "moto-secret-that-nobody-stores"


@dataclass
class Bucket:
    """A bucket of moto's server."""

    client: Any
    name: str

    def put(self, files: Mapping[str, bytes]) -> None:
        for key, content in files.items():
            self.client.put_object(Bucket=self.name, Key=key, Body=content)


@contextmanager
def s3_at(endpoint: str) -> Iterator[None]:
    """S3 by this endpoint, with credentials in the environment alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        s3fs.S3FileSystem.clear_instance_cache()
        try:
            yield
        finally:
            s3fs.S3FileSystem.clear_instance_cache()


@contextmanager
def moto_bucket() -> Iterator[Bucket]:
    """A bucket, and the environment that leads to it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        with s3_at(f"http://{host}:{port}"):
            client = boto3.client("s3")
            client.create_bucket(Bucket="photos")
            yield Bucket(client, "photos")
    finally:
        server.stop()


@dataclass
class Served:
    """Files by their paths, and the errors that are answered before each of them is."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    errors: dict[str, list[int]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@contextmanager
def http_server() -> Iterator[Served]:
    served = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            served.asked.append(f"{self.command} {self.path}")
            status = served.errors[path].pop(0) if served.errors.get(path) else 200
            content = served.files.get(path)
            status = 404 if content is None and status == 200 else status
            body = content if status == 200 and content is not None else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", f'"{hash(body)}"')
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    served.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

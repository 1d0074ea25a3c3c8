"""Files: taken in by multipart upload, kept in memory, given back whole.

Does not live here: what a batch does with them (batches).
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from itertools import count

from tests.loopback.messages import ApiError, Json

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_PARAMETER = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_PURPOSES = ("batch", "fine-tune", "assistants", "user_data", "vision", "evals")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file and what the service says about it."""

    info: Json
    content: bytes


class Files:
    """The files of one server."""

    def __init__(self) -> None:
        self._files: dict[str, StoredFile] = {}
        self._ids = count(1)

    def add(self, name: str, purpose: str, content: bytes) -> Json:
        """Keep a file and describe it."""
        info: Json = {
            "id": f"file-{next(self._ids):06d}",
            "object": "file",
            "bytes": len(content),
            "created_at": int(time.time()),
            "expires_at": None,
            "filename": name,
            "purpose": purpose,
            "status": "processed",
            "status_details": None,
        }
        self._files[info["id"]] = StoredFile(info, content)
        return info

    def find(self, file_id: str, param: str = "id") -> StoredFile:
        """A file by its id.

        Raises:
            ApiError: there is none.
        """
        if file_id not in self._files:
            raise ApiError(404, f"No such File object: {file_id}", param=param)
        return self._files[file_id]

    def delete(self, file_id: str) -> Json:
        """Forget a file."""
        self.find(file_id)
        del self._files[file_id]
        return {"id": file_id, "object": "file", "deleted": True}

    def upload(self, content_type: str, body: bytes) -> Json:
        """Take in an upload.

        Raises:
            ApiError: it is no form, has no file, or says nothing of use about its purpose.
        """
        parts = read_form(content_type, body)
        if "file" not in parts:
            raise ApiError(400, "Missing required parameter: 'file'.", "missing_required_parameter", "file")
        name, content = parts["file"]
        purpose = parts.get("purpose", ("", b""))[1].decode()
        if purpose not in _PURPOSES:
            raise ApiError(400, f"'{purpose}' is not one of {list(_PURPOSES)} - 'purpose'", "invalid_value", "purpose")
        if purpose == "batch" and not name.endswith(".jsonl"):
            message = f'Invalid extension {name.rpartition(".")[2]}. Supported formats: "jsonl"'
            raise ApiError(400, message, None, "file")
        return self.add(name, purpose, content)


def read_form(content_type: str, body: bytes) -> dict[str, tuple[str, bytes]]:
    """The parts of a multipart form: name -> file name ("" where none) and content.

    Raises:
        ApiError: the body is no such form.
    """
    match = _BOUNDARY.search(content_type)
    if not content_type.startswith("multipart/form-data") or match is None:
        raise ApiError(400, "Could not parse multipart form: no boundary in Content-Type.")
    parts = {}
    for part in body.split(b"--" + match[1].encode())[1:]:
        head, separator, content = part.partition(b"\r\n\r\n")
        if separator:
            found = dict(_PARAMETER.findall(head.decode()))
            parts[found.get("name", "")] = (found.get("filename", ""), content.removesuffix(b"\r\n"))
    return parts

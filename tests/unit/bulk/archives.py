"""Archives for the tests of inputs, and plans over them."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from extractor.bulk.plan import Entry, Plan, open_plan
from extractor.errors import SourceError
from extractor.settings import Settings


@contextmanager
def planned(*paths: Path, limit_mb: int = 1) -> Iterator[Plan]:
    """A plan over paths."""
    settings = Settings(max_source_mb=limit_mb)
    with open_plan([str(path) for path in paths], None, settings=settings, on_progress=lambda progress: None) as plan:
        yield plan


def read_all(*paths: Path) -> dict[str, bytes | SourceError]:
    """What is found under each name, as it is shown behind the folder: bytes, or the error in place of them."""
    with planned(*paths) as plan:
        return {entry.path.removeprefix(f"{paths[0].parent}/"): _read(plan, entry) for entry in plan.entries()}


def _read(plan: Plan, entry: Entry) -> bytes | SourceError:
    try:
        return plan.read(entry)
    except SourceError as error:
        assert entry.document_id is None
        return error


def tell_problem(found: bytes | SourceError) -> str:
    """Kind, problem and remedy of an error; every one names its place."""
    assert isinstance(found, SourceError)
    assert str(found).startswith(found.path)
    assert found.remedy
    return f"{type(found).__name__}: {found.problem}"


class RawName(zipfile.ZipInfo):
    """A member whose name is written in bytes of its own, as programs without UTF-8 do."""

    raw: bytes

    @classmethod
    def of(cls, raw: bytes) -> RawName:
        info = cls("x")
        info.raw = raw
        return info

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - zipfile's
        return self.raw, self.flag_bits & ~0x800


def write_zip(path: Path, members: Mapping[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content, zipfile.ZIP_DEFLATED)
    return path


def write_tar(path: Path, members: Mapping[str | tarfile.TarInfo, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode, format=tarfile.GNU_FORMAT, errors="surrogateescape") as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name) if isinstance(name, str) else name
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path

"""What a certificate may do in one run: whether it applies, and why not.

Lives here: opening a certificate for the versions of a run. Does not live here: the format (certificate), applying it
to a record (govern). Called by bulk, by the commands that read documents, and by extractor.evaluation.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from extractor.confidence.certificate import Certificate, Versions, find_mismatch, load_certificate
from extractor.confidence.features import FEATURES_VERSION
from extractor.errors import SettingsError
from extractor.forms import load_forms
from extractor.llm.prompts import PROMPT_TASKS, load_prompt

_NONE = "there is no certificate"
_NOTHING_CERTIFIED = "its sample supports no threshold"
_DOES_NOT_RANK = "its p_wrong does not tell right values from wrong ones"


@dataclass(frozen=True, slots=True)
class Standing:
    """A certificate's part in a run.

    Attributes:
        path: of the certificate; None where none was asked for.
        sha256: of the file.
        certificate: to govern the records with; None where there is none, or it stands for other versions.
        why_not: why its threshold decides nothing, in sentences; empty where it does.
    """

    path: Path | None = None
    sha256: str | None = None
    certificate: Certificate | None = None
    why_not: tuple[str, ...] = (_NONE,)

    @property
    def threshold(self) -> float | None:
        """The threshold in force."""
        return self.certificate.threshold if self.certificate and not self.why_not else None

    def describe(self) -> dict[str, Any]:
        """For run.json."""
        return {
            "certificate": self.path and {"name": self.path.name, "sha256": self.sha256},
            "in_force": not self.why_not,
            "threshold": self.threshold,
            "why_not": list(self.why_not),
        }

    def tell(self) -> str:
        """For people, in a sentence."""
        if self.path is None:
            return "accepted by the hard rules alone, no certificate"
        if self.why_not:
            return f"accepted by the hard rules alone; {self.path.name} is not in force: {'; '.join(self.why_not)}"
        return f"accepted by certificate {self.path.name}: p(wrong) at most {self.threshold}, and no hard finding"


def open_certificate(path: Path | None, versions: Versions) -> Standing:
    """Find out what a certificate may do.

    Args:
        path: None where the run is to have none.
        versions: of the run, see collect_versions.

    Raises:
        SettingsError: it cannot be read, or rests on anything but real documents and a model's own replies.
    """
    if path is None:
        return Standing()
    certificate = load_certificate(path)
    if other := certificate.rests_on_other:
        raise SettingsError(
            f"{path}: the certificate rests on {', '.join(other)}, which say nothing about the errors in real reports. "
            "Label real documents (extractor label) and make a new one (extractor calibrate), or run without it."
        )
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    if mismatch := find_mismatch(certificate, versions):
        return Standing(path, sha256, None, tuple(mismatch))
    reasons = {_NOTHING_CERTIFIED: certificate.threshold is None, _DOES_NOT_RANK: not certificate.ranks}
    return Standing(path, sha256, certificate, tuple(reason for reason, holds in reasons.items() if holds))


def collect_versions(readers: str, model: str | None, prompts_dir: Path | None) -> Versions:
    """The versions of a run.

    Of the run and not of a record: a document about which nothing was asked names no model.

    Args:
        readers: the policy, and whether a model looks at pictures (see Versions).
        model: None for the rules alone.
        prompts_dir: see Settings.

    Raises:
        SettingsError: a prompt is missing or wrong.
    """
    return Versions(
        extractor=version("extractor"),
        forms=load_forms().version,
        features=FEATURES_VERSION,
        readers=readers,
        model=model,
        prompts={task: load_prompt(task, prompts_dir).version for task in PROMPT_TASKS} if model else {},
    )

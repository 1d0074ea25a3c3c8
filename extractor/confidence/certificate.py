"""A certificate: a scorer, and the threshold that a sample of labelled documents supports.

Lives here: the file format, what it must hold together, and for which versions it stands. Does not live here: making
one (extractor.evaluation.calibration), applying one (govern), what a run does with one (standing). Called by those.

The statement: with probability 1 - delta over the draw of the sample, documents like it lose at most alpha on average
when values with p(wrong) <= threshold are accepted. A document's loss is min(1, accepted wrong values / cap).
Angelopoulos, Bates, Candès, Jordan, Lei: Learn then Test (2021). The document is the sample's unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from extractor.confidence.scorer import Counts, Scorer
from extractor.errors import SettingsError

Open01 = Annotated[float, Field(gt=0, lt=1)]
#: Kinds of replies that a model gave; others are written by hand or simulated.
MODEL_REPLIES = frozenset({"live", "batch"})
_REMEDY = "Make one with extractor calibrate."


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Versions(_Part):
    """What a reading depends on; a certificate stands for readings of just these.

    Attributes:
        extractor, forms, features: of the program, of the form's data, of the list of features.
        readers: the policy: template, auto, both, llm; with `+vision` where a model looks at pictures.
        model: whose replies; null for the rules alone.
        prompts: version of each prompt by task; empty for the rules alone.
    """

    extractor: str
    forms: str
    features: str
    readers: str
    model: str | None = None
    prompts: dict[str, str] = {}


class TestedThreshold(_Part):
    """One threshold and what the sample says about it.

    Attributes:
        threshold: values with p(wrong) up to it are accepted.
        documents: all of the sample; the n of `mean_loss`.
        mean_loss: 0 to 1, over documents.
        e_value: wealth of the bets against `mean loss > alpha`, 1 at the start.
        p_value: of the same hypothesis.
        is_certified: whether that hypothesis is rejected: never with an e_value under 1 / delta.
        accepted, values: accepted values of the sample, and all that could be; together the accepted share.
    """

    threshold: Open01
    documents: int = Field(ge=1)
    mean_loss: float = Field(ge=0, le=1)
    e_value: float = Field(ge=0, allow_inf_nan=False)
    p_value: float = Field(ge=0, le=1)
    is_certified: bool
    accepted: int = Field(ge=0)
    values: int = Field(ge=0)

    @property
    def accepted_share(self) -> float | None:
        """Of all values; None where there is none."""
        return self.accepted / self.values if self.values else None


class Certificate(_Part):
    """A scorer with a threshold and what they rest on. See the module.

    Attributes:
        alpha, delta, cap: see the module.
        tested: at most three thresholds, preset, in the order in which they were tested.
        threshold: the one to use; null where none was certified.
        documents: the sample, by kind; `layouts`: the same documents by layout.
        replies: kinds of replies in the sample; empty for the rules alone.
        stands_for: see Versions.
        ranks: whether p(wrong) separates right from wrong on the sample.
    """

    format: Literal["extractor certificate 1"] = "extractor certificate 1"
    scorer: Scorer
    alpha: Open01
    delta: Open01
    cap: int = Field(ge=1)
    tested: tuple[TestedThreshold, ...] = Field(max_length=3)
    threshold: Open01 | None
    documents: Counts
    layouts: Counts
    replies: tuple[str, ...] = ()
    stands_for: Versions
    ranks: bool

    @model_validator(mode="after")
    def _check(self) -> Certificate:
        certified = [one for one in self.tested if one.is_certified]
        if self.threshold is not None and self.threshold not in [one.threshold for one in certified]:
            raise ValueError(f"threshold {self.threshold} is none of those tested and certified")
        if any(one.e_value < 1 / self.delta for one in certified):
            raise ValueError(f"a threshold is certified with an e_value under 1 / delta, {1 / self.delta:g}")
        count = sum(self.documents.values())
        if sum(self.layouts.values()) != count or any(one.documents != count for one in self.tested):
            raise ValueError("documents by kind, by layout and of the tested thresholds are not equally many")
        return self

    @property
    def may_govern(self) -> bool:
        """Whether its threshold may decide anything."""
        return not self.rests_on_other and self.threshold is not None and self.ranks

    @property
    def rests_on_other(self) -> tuple[str, ...]:
        """What it rests on besides real documents and a model's own replies: kinds, sorted."""
        counts = (*self.scorer.documents.items(), *self.documents.items())
        kinds = {f"{kind} documents" for kind, count in counts if count and kind != "real"}
        return tuple(sorted(kinds | {f"replies {kind}" for kind in self.replies if kind not in MODEL_REPLIES}))


def load_certificate(path: Path) -> Certificate:
    """Read a certificate.

    Raises:
        SettingsError: naming the file, the place in it, and the remedy.
    """
    try:
        return Certificate.model_validate_json(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"{path}: the certificate cannot be read ({error.strerror}). {_REMEDY}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise SettingsError(f"{path}: no certificate ({place}: {first['msg']}). {_REMEDY}") from error


def dump_certificate(certificate: Certificate) -> str:
    """The file's text: JSON to be read by people, too."""
    return certificate.model_dump_json(indent=2) + "\n"


def find_mismatch(certificate: Certificate, versions: Versions) -> list[str]:
    """What differs between the versions that a certificate stands for and those of a run, one sentence each."""
    return [
        f"the certificate stands for {name} {stands_for or 'none'}, this run uses {used or 'none'}"
        for name, stands_for, used in _pair(certificate.stands_for, versions)
        if stands_for != used
    ]


def _pair(one: Versions, other: Versions) -> Iterator[tuple[str, str | None, str | None]]:
    for name in ("extractor", "forms", "features", "readers", "model"):
        yield name, getattr(one, name), getattr(other, name)
    for task in sorted(one.prompts.keys() | other.prompts.keys()):
        yield f"prompt {task}", one.prompts.get(task), other.prompts.get(task)
